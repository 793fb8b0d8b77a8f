// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: b
// The right operand of a matrix product as vec4: its rows begin at multiples of 4 elements. A block that reaches past
// the last column holds whatever lies there; its sums are not stored.
@group(0) @binding(2) var<storage, read> b: array<vec4<OfB>>;  // (k, n), or (n, k) if TRANSPOSE_B

fn four_b(at: u32, stride: u32) -> mat4x4<f32> {
  return mat4x4<f32>(vec4<f32>(b[at]), vec4<f32>(b[at + stride]),
                     vec4<f32>(b[at + 2u * stride]), vec4<f32>(b[at + 3u * stride]));
}

// [i]: op(b)[k + i, col .. col + 4].
fn block_b(k: u32, col: u32) -> mat4x4<f32> {
  if (TRANSPOSE_B) {
    let stride = params.k / 4u;
    let at = col * stride + k / 4u;
    return up_to_k(transpose(four_b(at, stride)), k);
  }
  let stride = params.n / 4u;
  let at = k * stride + col / 4u;
  return up_to_k(four_b(at, stride), k);
}
