// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl
// matmul_a_vec4.wgsl with two elements in each u64: lavapipe pays for each element that it loads, however wide.
@group(0) @binding(1) var<storage, read> a: array<vec2<u64>>;  // (m, k), or (k, m) if TRANSPOSE_A

fn vec4_of_a(at: u32) -> vec4<f32> {
  let pairs = a[at];
  return bitcast<vec4<f32>>(vec4<u32>(u32(pairs.x), u32(pairs.x >> 32u), u32(pairs.y), u32(pairs.y >> 32u)));
}

fn four_a(corner: Corner) -> mat4x4<f32> {
  return mat4x4<f32>(vec4_of_a(corner.at), vec4_of_a(corner.at + corner.stride),
                     vec4_of_a(corner.at + 2u * corner.stride), vec4_of_a(corner.at + 3u * corner.stride));
}

// [i]: op(a)[row .. row + 4, k + i].
fn block_a(row: u32, k: u32) -> mat4x4<f32> {
  return by_steps(TRANSPOSE_A, four_a(corner_of(TRANSPOSE_A, row, k, params.m)), k);
}
