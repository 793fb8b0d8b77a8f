// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: b
// The right operand of a matrix product as vec4: its rows begin at multiples of 4 elements. A block that reaches past
// the last column holds whatever lies there; its sums are not stored.
@group(0) @binding(2) var<storage, read> b: array<vec4<OfB>>;  // (k, n), or (n, k) if TRANSPOSE_B

fn four_b(corner: Corner) -> mat4x4<f32> {
  return mat4x4<f32>(vec4<f32>(b[corner.at]), vec4<f32>(b[corner.at + corner.stride]),
                     vec4<f32>(b[corner.at + 2u * corner.stride]), vec4<f32>(b[corner.at + 3u * corner.stride]));
}

// [i]: op(b)[k + i, col .. col + 4].
fn block_b(k: u32, col: u32) -> mat4x4<f32> {
  return by_steps(!TRANSPOSE_B, four_b(corner_of(!TRANSPOSE_B, col, k, params.n)), k);
}
