// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_c_*.wgsl
// What becomes of a 4 x 4 block of sums, for all layouts of c.

// Stores what of it lies in the (m, n) matrix that begins at row `first` of c.
fn store_from(first: u32, row: u32, col: u32, block: mat4x4<f32>) {
  for (var i = 0u; i < 4u; i++) { store_four(first, row + i, col, block[i]); }
}

fn store(row: u32, col: u32, block: mat4x4<f32>) { store_from(0u, row, col, block); }

fn store_with_bias(row: u32, col: u32, block: mat4x4<f32>) {
  let shift = four_of_bias(col);
  store(row, col, mat4x4<f32>(activate4(block[0] + shift), activate4(block[1] + shift),
                              activate4(block[2] + shift), activate4(block[3] + shift)));
}

fn store_with_gradient(row: u32, col: u32, block: mat4x4<f32>) {
  store_four(0u, row, col, block[0] * activate_grad4(four_saved(row, col)));
  store_four(0u, row + 1u, col, block[1] * activate_grad4(four_saved(row + 1u, col)));
  store_four(0u, row + 2u, col, block[2] * activate_grad4(four_saved(row + 2u, col)));
  store_four(0u, row + 3u, col, block[3] * activate_grad4(four_saved(row + 3u, col)));
}
