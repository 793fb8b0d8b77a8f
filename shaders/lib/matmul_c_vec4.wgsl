// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: saved c
// The result of a matrix product, and what is folded into it, as vec4: n and bias_at are multiples of 4.
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;     // (1, n)
@group(0) @binding(4) var<storage, read> saved: array<vec4<OfSaved>>;  // (m, n): what the activation's gradient needs
@group(0) @binding(5) var<storage, read_write> c: array<vec4<OfC>>;  // (m, n), (parts, m, n); BIAS_ROW: (1, n) at bias_at

// Stores what of 4 neighbours lies in the (m, n) matrix that begins at row `first` of c.
fn store_four(first: u32, row: u32, col: u32, x: vec4<f32>) {
  if (row < params.m && col < params.n) { c[((first + row) * params.n + col) / 4u] = to_c4(x); }
}

fn four_of_bias(col: u32) -> vec4<f32> { return bias[col / 4u]; }

fn four_saved(row: u32, col: u32) -> vec4<f32> { return vec4<f32>(saved[(row * params.n + col) / 4u]); }

// The gradient of the bias, behind that of the weights.
fn store_bias_row(col: u32, sums: vec4<f32>) {
  if (col < params.n) { c[(params.bias_at + col) / 4u] = to_c4(sums); }
}
