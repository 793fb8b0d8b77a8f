// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// matmul_aligned.wgsl for dimensions that are no multiples of 4: the same functions, element by element.
@group(0) @binding(1) var<storage, read> a: array<f32>;         // (m, k), or (k, m) if TRANSPOSE_A
@group(0) @binding(2) var<storage, read> b: array<f32>;         // (k, n), or (n, k) if TRANSPOSE_B
@group(0) @binding(3) var<storage, read> bias: array<f32>;      // (1, n)
@group(0) @binding(4) var<storage, read> saved: array<f32>;     // (m, n): what the activation's gradient needs
@group(0) @binding(5) var<storage, read_write> c: array<f32>;   // (m, n); with BIAS_ROW also (1, n) at bias_at

fn four_a(at: u32) -> vec4<f32> { return vec4<f32>(a[at], a[at + 1u], a[at + 2u], a[at + 3u]); }
fn four_b(at: u32) -> vec4<f32> { return vec4<f32>(b[at], b[at + 1u], b[at + 2u], b[at + 3u]); }

// Past the last k both operands are 0: a masked side alone would leave Inf * 0 = NaN. Rows of an operand that lie along
// K are clamped besides; without it lavapipe 22.3.6 makes code 6 times slower of this.
fn up_to_k(block: mat4x4<f32>, k: u32) -> mat4x4<f32> {
  let zero = vec4<f32>();
  return mat4x4<f32>(select(zero, block[0], k < params.k), select(zero, block[1], k + 1u < params.k),
                     select(zero, block[2], k + 2u < params.k), select(zero, block[3], k + 3u < params.k));
}

fn row_at(k: u32) -> u32 { return min(k, params.k - 1u); }

// [i]: op(a)[row .. row + 4, k + i].
fn block_a(row: u32, k: u32) -> mat4x4<f32> {
  if (TRANSPOSE_A) {
    let s = params.m;
    return up_to_k(mat4x4<f32>(four_a(row_at(k) * s + row), four_a(row_at(k + 1u) * s + row),
                               four_a(row_at(k + 2u) * s + row), four_a(row_at(k + 3u) * s + row)), k);
  }
  let s = params.k;
  return up_to_k(transpose(mat4x4<f32>(four_a(row * s + k), four_a((row + 1u) * s + k),
                                       four_a((row + 2u) * s + k), four_a((row + 3u) * s + k))), k);
}

// [i]: op(b)[k + i, col .. col + 4].
fn block_b(k: u32, col: u32) -> mat4x4<f32> {
  if (TRANSPOSE_B) {
    let s = params.k;
    return up_to_k(transpose(mat4x4<f32>(four_b(col * s + k), four_b((col + 1u) * s + k),
                                         four_b((col + 2u) * s + k), four_b((col + 3u) * s + k))), k);
  }
  let s = params.n;
  return up_to_k(mat4x4<f32>(four_b(row_at(k) * s + col), four_b(row_at(k + 1u) * s + col),
                             four_b(row_at(k + 2u) * s + col), four_b(row_at(k + 3u) * s + col)), k);
}

fn store(row: u32, col: u32, block: mat4x4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      if (row + i < params.m && col + j < params.n) { c[(row + i) * params.n + col + j] = block[i][j]; }
    }
  }
}

fn store_with_bias(row: u32, col: u32, block: mat4x4<f32>) {
  let shift = vec4<f32>(bias[col], bias[col + 1u], bias[col + 2u], bias[col + 3u]);
  store(row, col, mat4x4<f32>(activate4(block[0] + shift), activate4(block[1] + shift),
                              activate4(block[2] + shift), activate4(block[3] + shift)));
}

fn four_saved(at: u32) -> vec4<f32> { return vec4<f32>(saved[at], saved[at + 1u], saved[at + 2u], saved[at + 3u]); }

fn store_with_gradient(row: u32, col: u32, block: mat4x4<f32>) {
  let at = row * params.n + col;
  store(row, col, mat4x4<f32>(block[0] * activate_grad4(four_saved(at)),
                              block[1] * activate_grad4(four_saved(at + params.n)),
                              block[2] * activate_grad4(four_saved(at + 2u * params.n)),
                              block[3] * activate_grad4(four_saved(at + 3u * params.n))));
}

// The gradient of the bias, behind that of the weights.
fn store_bias_row(col: u32, sums: vec4<f32>) {
  for (var j = 0u; j < 4u; j++) {
    if (col + j < params.n) { c[params.bias_at + col + j] = sums[j]; }
  }
}
