// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: a
// The left operand of a matrix product as vec4: its rows begin at multiples of 4 elements. A block that reaches past
// the last row holds whatever lies there; its sums are not stored.
@group(0) @binding(1) var<storage, read> a: array<vec4<OfA>>;  // (m, k), or (k, m) if TRANSPOSE_A

fn four_a(corner: Corner) -> mat4x4<f32> {
  return mat4x4<f32>(vec4<f32>(a[corner.at]), vec4<f32>(a[corner.at + corner.stride]),
                     vec4<f32>(a[corner.at + 2u * corner.stride]), vec4<f32>(a[corner.at + 3u * corner.stride]));
}

// [i]: op(a)[row .. row + 4, k + i].
fn block_a(row: u32, k: u32) -> mat4x4<f32> {
  return by_steps(TRANSPOSE_A, four_a(corner_of(TRANSPOSE_A, row, k, params.m)), k);
}
