// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// matmul_b_vec4.wgsl with two elements in each u64: lavapipe pays for each element that it loads, however wide.
@group(0) @binding(2) var<storage, read> b: array<vec2<u64>>;  // (k, n), or (n, k) if TRANSPOSE_B

fn vec4_of_b(at: u32) -> vec4<f32> {
  let pairs = b[at];
  return bitcast<vec4<f32>>(vec4<u32>(u32(pairs.x), u32(pairs.x >> 32u), u32(pairs.y), u32(pairs.y >> 32u)));
}

fn four_b(corner: Corner) -> mat4x4<f32> {
  return mat4x4<f32>(vec4_of_b(corner.at), vec4_of_b(corner.at + corner.stride),
                     vec4_of_b(corner.at + 2u * corner.stride), vec4_of_b(corner.at + 3u * corner.stride));
}

// [i]: op(b)[k + i, col .. col + 4].
fn block_b(k: u32, col: u32) -> mat4x4<f32> {
  return by_steps(!TRANSPOSE_B, four_b(corner_of(!TRANSPOSE_B, col, k, params.n)), k);
}
