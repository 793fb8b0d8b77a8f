// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: b
// matmul_b_vec4.wgsl for rows of any length: the same blocks, element by element. Steps past the last k are clamped to
// it before they are masked, as in matmul_a_any.wgsl.
@group(0) @binding(2) var<storage, read> b: array<OfB>;  // (k, n), or (n, k) if TRANSPOSE_B

fn four_b(at: u32) -> vec4<f32> { return vec4<f32>(vec4<OfB>(b[at], b[at + 1u], b[at + 2u], b[at + 3u])); }

// [i]: op(b)[k + i, col .. col + 4].
fn block_b(k: u32, col: u32) -> mat4x4<f32> {
  if (TRANSPOSE_B) {
    let s = params.k;
    return up_to_k(transpose(mat4x4<f32>(four_b(col * s + k), four_b((col + 1u) * s + k),
                                         four_b((col + 2u) * s + k), four_b((col + 3u) * s + k))), k);
  }
  let s = params.n;
  let last = params.k - 1u;
  return up_to_k(mat4x4<f32>(four_b(min(k, last) * s + col), four_b(min(k + 1u, last) * s + col),
                             four_b(min(k + 2u, last) * s + col), four_b(min(k + 3u, last) * s + col)), k);
}
