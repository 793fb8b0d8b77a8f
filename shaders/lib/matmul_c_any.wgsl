// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: saved c
// matmul_c_vec4.wgsl for rows of any length: the same functions, element by element.
@group(0) @binding(3) var<storage, read> bias: array<f32>;     // (1, n)
@group(0) @binding(4) var<storage, read> saved: array<OfSaved>;  // (m, n): what the activation's gradient needs
@group(0) @binding(5) var<storage, read_write> c: array<OfC>;  // (m, n) or (parts, m, n); BIAS_ROW: (1, n) at bias_at

// Stores what of a block lies in the (m, n) matrix that begins at row `first` of c.
fn store_from(first: u32, row: u32, col: u32, block: mat4x4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      if (row + i < params.m && col + j < params.n) { c[(first + row + i) * params.n + col + j] = OfC(block[i][j]); }
    }
  }
}

fn store(row: u32, col: u32, block: mat4x4<f32>) { store_from(0u, row, col, block); }

fn store_with_bias(row: u32, col: u32, block: mat4x4<f32>) {
  let shift = vec4<f32>(bias[col], bias[col + 1u], bias[col + 2u], bias[col + 3u]);
  store(row, col, mat4x4<f32>(activate4(block[0] + shift), activate4(block[1] + shift),
                              activate4(block[2] + shift), activate4(block[3] + shift)));
}

fn four_saved(at: u32) -> vec4<f32> {
  return vec4<f32>(vec4<OfSaved>(saved[at], saved[at + 1u], saved[at + 2u], saved[at + 3u]));
}

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
    if (col + j < params.n) { c[params.bias_at + col + j] = OfC(sums[j]); }
  }
}
