// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: saved c
// matmul_c_vec4.wgsl for rows of any length: the same functions, element by element.
@group(0) @binding(3) var<storage, read> bias: array<f32>;     // (1, n)
@group(0) @binding(4) var<storage, read> saved: array<OfSaved>;  // (m, n): what the activation's gradient needs
@group(0) @binding(5) var<storage, read_write> c: array<OfC>;  // (m, n) or (parts, m, n); BIAS_ROW: (1, n) at bias_at

// Stores what of 4 neighbours lies in the (m, n) matrix that begins at row `first` of c.
fn store_four(first: u32, row: u32, col: u32, x: vec4<f32>) {
  for (var j = 0u; j < 4u; j++) {
    if (row < params.m && col + j < params.n) { c[(first + row) * params.n + col + j] = to_c(x[j]); }
  }
}

fn four_of_bias(col: u32) -> vec4<f32> { return vec4<f32>(bias[col], bias[col + 1u], bias[col + 2u], bias[col + 3u]); }

fn four_saved(row: u32, col: u32) -> vec4<f32> {
  let at = row * params.n + col;
  return vec4<f32>(vec4<OfSaved>(saved[at], saved[at + 1u], saved[at + 2u], saved[at + 3u]));
}

// The gradient of the bias, behind that of the weights.
fn store_bias_row(col: u32, sums: vec4<f32>) {
  for (var j = 0u; j < 4u; j++) {
    if (col + j < params.n) { c[params.bias_at + col + j] = to_c(sums[j]); }
  }
}
