// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: saved c
// The result of a matrix product, and what is folded into it, as vec4: n and bias_at are multiples of 4.
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;     // (1, n)
@group(0) @binding(4) var<storage, read> saved: array<vec4<OfSaved>>;  // (m, n): what the activation's gradient needs
@group(0) @binding(5) var<storage, read_write> c: array<vec4<OfC>>;  // (m, n), (parts, m, n); BIAS_ROW: (1, n) at bias_at

// Stores what of a block lies in the (m, n) matrix that begins at row `first` of c.
fn store_from(first: u32, row: u32, col: u32, block: mat4x4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    if (row + i < params.m && col < params.n) { c[((first + row + i) * params.n + col) / 4u] = vec4<OfC>(block[i]); }
  }
}

fn store(row: u32, col: u32, block: mat4x4<f32>) { store_from(0u, row, col, block); }

fn store_with_bias(row: u32, col: u32, block: mat4x4<f32>) {
  let shift = bias[col / 4u];
  store(row, col, mat4x4<f32>(activate4(block[0] + shift), activate4(block[1] + shift),
                              activate4(block[2] + shift), activate4(block[3] + shift)));
}

fn store_with_gradient(row: u32, col: u32, block: mat4x4<f32>) {
  let stride = params.n / 4u;
  let at = row * stride + col / 4u;
  store(row, col, mat4x4<f32>(block[0] * activate_grad4(vec4<f32>(saved[at])),
                              block[1] * activate_grad4(vec4<f32>(saved[at + stride])),
                              block[2] * activate_grad4(vec4<f32>(saved[at + 2u * stride])),
                              block[3] * activate_grad4(vec4<f32>(saved[at + 3u * stride]))));
}

// The gradient of the bias, behind that of the weights.
fn store_bias_row(col: u32, sums: vec4<f32>) {
  if (col < params.n) { c[(params.bias_at + col) / 4u] = vec4<OfC>(sums); }
}
