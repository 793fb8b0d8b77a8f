// Products of blocks, as train_step computes them: a subgroup of 8 lanes, each with its part of the sums in registers.
// acc + x y for a column x of 4 rows and a row y of 4 columns: one step of k. [i]: row i.
fn add_outer(acc: mat4x4<f32>, x: vec4<f32>, y: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(fma(vec4(x.x), y, acc[0]), fma(vec4(x.y), y, acc[1]),
                     fma(vec4(x.z), y, acc[2]), fma(vec4(x.w), y, acc[3]));
}

// Steps k .. k + 4 of a block of an operand; past `end` they are 0.
fn up_to(block: mat4x4<f32>, k: u32, end: u32) -> mat4x4<f32> {
  let zero = vec4<f32>();
  return mat4x4<f32>(select(zero, block[0], k < end), select(zero, block[1], k + 1u < end),
                     select(zero, block[2], k + 2u < end), select(zero, block[3], k + 3u < end));
}

// 32 rows x 4 columns a lane.
struct Wide { block: array<mat4x4<f32>, 8>, of_b: vec4<f32> }

fn add_from(acc: mat4x4<f32>, x: mat4x4<f32>, owner: u32, y: mat4x4<f32>) -> mat4x4<f32> {
  var sum = add_outer(acc, subgroupShuffle(x[0], owner), y[0]);
  sum = add_outer(sum, subgroupShuffle(x[1], owner), y[1]);
  sum = add_outer(sum, subgroupShuffle(x[2], owner), y[2]);
  return add_outer(sum, subgroupShuffle(x[3], owner), y[3]);
}

fn add_wide(s: ptr<function, Wide>, x: mat4x4<f32>, y: mat4x4<f32>) {
  (*s).block[0] = add_from((*s).block[0], x, 0u, y);
  (*s).block[1] = add_from((*s).block[1], x, 1u, y);
  (*s).block[2] = add_from((*s).block[2], x, 2u, y);
  (*s).block[3] = add_from((*s).block[3], x, 3u, y);
  (*s).block[4] = add_from((*s).block[4], x, 4u, y);
  (*s).block[5] = add_from((*s).block[5], x, 5u, y);
  (*s).block[6] = add_from((*s).block[6], x, 6u, y);
  (*s).block[7] = add_from((*s).block[7], x, 7u, y);
}

fn either(a: mat4x4<f32>, b: mat4x4<f32>, second: bool) -> mat4x4<f32> {
  return mat4x4<f32>(select(a[0], b[0], second), select(a[1], b[1], second),
                     select(a[2], b[2], second), select(a[3], b[3], second));
}

// Block q. An array that is indexed by a variable would lie in memory, and the products with it.
fn pick(s: Wide, q: u32) -> mat4x4<f32> {
  var b = either(s.block[0], s.block[1], q == 1u);
  b = either(b, s.block[2], q == 2u);
  b = either(b, s.block[3], q == 3u);
  b = either(b, s.block[4], q == 4u);
  b = either(b, s.block[5], q == 5u);
  b = either(b, s.block[6], q == 6u);
  return either(b, s.block[7], q == 7u);
}

// 4 rows x all columns a lane: the last layer has few.
struct Tall { block: array<mat4x4<f32>, 4>, of_b: array<vec4<f32>, 4> }

fn add_tall(acc: mat4x4<f32>, x: mat4x4<f32>, y: mat4x4<f32>, owner: u32) -> mat4x4<f32> {
  var sum = add_outer(acc, x[0], subgroupShuffle(y[0], owner));
  sum = add_outer(sum, x[1], subgroupShuffle(y[1], owner));
  sum = add_outer(sum, x[2], subgroupShuffle(y[2], owner));
  return add_outer(sum, x[3], subgroupShuffle(y[3], owner));
}

fn add_rows(sum: vec4<f32>, y: mat4x4<f32>, owner: u32) -> vec4<f32> {
  return sum + subgroupShuffle(y[0], owner) + subgroupShuffle(y[1], owner) + subgroupShuffle(y[2], owner) +
         subgroupShuffle(y[3], owner);
}
