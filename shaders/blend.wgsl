// with: lib/step.wgsl
// y = (1 - share) y + share x; a share of 1 copies, even over NaN.
// A slab is a whole number of vec4, so an invocation takes four elements.
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;        // (n / 4)
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;  // (n / 4)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i < params.n / 4u) {
    let next = x[i];
    let blended = fma(vec4(step.share), next, (1.0 - step.share) * y[i]);
    y[i] = select(blended, next, step.share == 1.0);
  }
}
