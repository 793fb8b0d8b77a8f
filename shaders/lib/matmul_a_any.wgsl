// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// f16: a
// matmul_a_vec4.wgsl for rows of any length: the same blocks, element by element. Steps past the last k are clamped to
// it before they are masked; without that lavapipe 22.3.6 makes code 6 times slower of this.
@group(0) @binding(1) var<storage, read> a: array<OfA>;  // (m, k), or (k, m) if TRANSPOSE_A

fn four_a(at: u32) -> vec4<f32> { return vec4<f32>(vec4<OfA>(a[at], a[at + 1u], a[at + 2u], a[at + 3u])); }

// [i]: op(a)[row .. row + 4, k + i].
fn block_a(row: u32, k: u32) -> mat4x4<f32> {
  if (TRANSPOSE_A) {
    let s = params.m;
    let last = params.k - 1u;
    return up_to_k(mat4x4<f32>(four_a(min(k, last) * s + row), four_a(min(k + 1u, last) * s + row),
                               four_a(min(k + 2u, last) * s + row), four_a(min(k + 3u, last) * s + row)), k);
  }
  let s = params.k;
  return up_to_k(transpose(mat4x4<f32>(four_a(row * s + k), four_a((row + 1u) * s + k),
                                       four_a((row + 2u) * s + k), four_a((row + 3u) * s + k))), k);
}
