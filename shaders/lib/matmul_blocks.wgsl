// with: lib/math.wgsl lib/activation.wgsl
// What every matrix product shares: sizes, settings, and arithmetic on 4 x 4 blocks of c. How an operand lies in memory
// is said by one piece each: matmul_a_*, matmul_b_*, matmul_c_*.
struct Params { m: u32, n: u32, k: u32, bias_at: u32, alpha: f32, part: u32 }
@group(0) @binding(0) var<uniform> params: Params;

override TRANSPOSE_A = false;
override TRANSPOSE_B = false;
override BIAS_ROW = false;  // op(a) has a further row of ones: c gets a further row, the column sums of op(b)
override ACTIVATION = 0u;

// Steps k .. k + 4 of a block of an operand. Past the last k both operands are 0: a masked side alone would leave
// Inf * 0 = NaN.
fn up_to_k(block: mat4x4<f32>, k: u32) -> mat4x4<f32> {
  let zero = vec4<f32>();
  return mat4x4<f32>(select(zero, block[0], k < params.k), select(zero, block[1], k + 1u < params.k),
                     select(zero, block[2], k + 2u < params.k), select(zero, block[3], k + 3u < params.k));
}

// Where a 4 x 4 block of an operand lies, in vec4, whose rows begin at multiples of 4 elements: its first element, and
// how far it is from one of its rows to the next.
struct Corner { at: u32, stride: u32 }

// The block at step k whose rows or columns begin at `place` of `width`. `by_step`: a row in memory is a step of k.
fn corner_of(by_step: bool, place: u32, k: u32, width: u32) -> Corner {
  if (by_step) { return Corner(k * (width / 4u) + place / 4u, width / 4u); }
  return Corner(place * (params.k / 4u) + k / 4u, params.k / 4u);
}

// The block as it was read, by steps of k.
fn by_steps(by_step: bool, block: mat4x4<f32>, k: u32) -> mat4x4<f32> {
  if (by_step) { return up_to_k(block, k); }
  return up_to_k(transpose(block), k);
}

// acc + x y for a column x of 4 rows and a row y of 4 columns: one step of k. [i]: row i.
fn add_outer(acc: mat4x4<f32>, x: vec4<f32>, y: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(fma(vec4(x.x), y, acc[0]), fma(vec4(x.y), y, acc[1]),
                     fma(vec4(x.z), y, acc[2]), fma(vec4(x.w), y, acc[3]));
}

fn either(a: mat4x4<f32>, b: mat4x4<f32>, second: bool) -> mat4x4<f32> {
  return mat4x4<f32>(select(a[0], b[0], second), select(a[1], b[1], second),
                     select(a[2], b[2], second), select(a[3], b[3], second));
}

fn activate4(x: vec4<f32>) -> vec4<f32> { return activate_four(ACTIVATION, x, params.alpha); }

fn activate_grad4(s: vec4<f32>) -> vec4<f32> { return activate_grad_four(ACTIVATION, s, params.alpha); }
