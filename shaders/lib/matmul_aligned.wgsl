// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// Operands of a matrix product as vec4: for leading dimensions that are multiples of 4. A block that reaches past the
// last row or column holds whatever lies there; its sums are not stored. Past the last k both operands are 0: a masked
// side alone would leave Inf * 0 = NaN.
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;         // (m, k), or (k, m) if TRANSPOSE_A
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;         // (k, n), or (n, k) if TRANSPOSE_B
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;      // (1, n)
@group(0) @binding(4) var<storage, read> saved: array<vec4<f32>>;     // (m, n): what the activation's gradient needs
@group(0) @binding(5) var<storage, read_write> c: array<vec4<f32>>;   // (m, n); with BIAS_ROW also (1, n) at bias_at

fn up_to_k(x: vec4<f32>, k: u32) -> vec4<f32> { return select(vec4<f32>(), x, k < params.k); }

// [i]: op(a)[row .. row + 4, k + i].
fn block_a(row: u32, k: u32) -> mat4x4<f32> {
  if (TRANSPOSE_A) {
    let stride = params.m / 4u;
    let at = k * stride + row / 4u;
    return mat4x4<f32>(up_to_k(a[at], k), up_to_k(a[at + stride], k + 1u),
                       up_to_k(a[at + 2u * stride], k + 2u), up_to_k(a[at + 3u * stride], k + 3u));
  }
  let stride = params.k / 4u;
  let at = row * stride + k / 4u;
  return transpose(mat4x4<f32>(up_to_k(a[at], k), up_to_k(a[at + stride], k),
                               up_to_k(a[at + 2u * stride], k), up_to_k(a[at + 3u * stride], k)));
}

// [i]: op(b)[k + i, col .. col + 4].
fn block_b(k: u32, col: u32) -> mat4x4<f32> {
  if (TRANSPOSE_B) {
    let stride = params.k / 4u;
    let at = col * stride + k / 4u;
    return transpose(mat4x4<f32>(up_to_k(b[at], k), up_to_k(b[at + stride], k),
                                 up_to_k(b[at + 2u * stride], k), up_to_k(b[at + 3u * stride], k)));
  }
  let stride = params.n / 4u;
  let at = k * stride + col / 4u;
  return mat4x4<f32>(up_to_k(b[at], k), up_to_k(b[at + stride], k + 1u),
                     up_to_k(b[at + 2u * stride], k + 2u), up_to_k(b[at + 3u * stride], k + 3u));
}

fn store(row: u32, col: u32, block: mat4x4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { c[((row + i) * params.n + col) / 4u] = block[i]; }
  }
}

fn store_with_bias(row: u32, col: u32, block: mat4x4<f32>) {
  let shift = bias[col / 4u];
  store(row, col, mat4x4<f32>(activate4(block[0] + shift), activate4(block[1] + shift),
                              activate4(block[2] + shift), activate4(block[3] + shift)));
}

fn store_with_gradient(row: u32, col: u32, block: mat4x4<f32>) {
  let stride = params.n / 4u;
  let at = row * stride + col / 4u;
  store(row, col, mat4x4<f32>(block[0] * activate_grad4(saved[at]), block[1] * activate_grad4(saved[at + stride]),
                              block[2] * activate_grad4(saved[at + 2u * stride]),
                              block[3] * activate_grad4(saved[at + 3u * stride])));
}

// The gradient of the bias, behind that of the weights.
fn store_bias_row(col: u32, sums: vec4<f32>) {
  if (col < params.n) { c[(params.bias_at + col) / 4u] = sums; }
}
