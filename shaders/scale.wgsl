// with: lib/fours.wgsl
// y = factor x.
struct Params { n: u32, factor: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // (n)
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // (n)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let value = params.factor * vec4<f32>(x[i.x], x[i.y], x[i.z], x[i.w]);
  if (i.x < params.n) { y[i.x] = value.x; }
  if (i.y < params.n) { y[i.y] = value.y; }
  if (i.z < params.n) { y[i.z] = value.z; }
  if (i.w < params.n) { y[i.w] = value.w; }
}
