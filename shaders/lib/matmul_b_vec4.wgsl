// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// The right operand of a matrix product as vec4: its rows begin at multiples of 4 elements. A block that reaches past
// the last column holds whatever lies there; its sums are not stored.
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;  // (k, n), or (n, k) if TRANSPOSE_B

// [i]: op(b)[k + i, col .. col + 4].
fn block_b(k: u32, col: u32) -> mat4x4<f32> {
  if (TRANSPOSE_B) {
    let stride = params.k / 4u;
    let at = col * stride + k / 4u;
    return up_to_k(transpose(mat4x4<f32>(b[at], b[at + stride], b[at + 2u * stride], b[at + 3u * stride])), k);
  }
  let stride = params.n / 4u;
  let at = k * stride + col / 4u;
  return up_to_k(mat4x4<f32>(b[at], b[at + stride], b[at + 2u * stride], b[at + 3u * stride]), k);
}
