// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: a
// The left operand of a matrix product as vec4: its rows begin at multiples of 4 elements. A block that reaches past
// the last row holds whatever lies there; its sums are not stored.
@group(0) @binding(1) var<storage, read> a: array<vec4<OfA>>;  // (m, k), or (k, m) if TRANSPOSE_A

fn four_a(at: u32, stride: u32) -> mat4x4<f32> {
  return mat4x4<f32>(vec4<f32>(a[at]), vec4<f32>(a[at + stride]),
                     vec4<f32>(a[at + 2u * stride]), vec4<f32>(a[at + 3u * stride]));
}

// [i]: op(a)[row .. row + 4, k + i].
fn block_a(row: u32, k: u32) -> mat4x4<f32> {
  if (TRANSPOSE_A) {
    let stride = params.m / 4u;
    let at = k * stride + row / 4u;
    return up_to_k(four_a(at, stride), k);
  }
  let stride = params.k / 4u;
  let at = row * stride + k / 4u;
  return up_to_k(transpose(four_a(at, stride)), k);
}
