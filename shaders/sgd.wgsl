// with: lib/step.wgsl
// p -= lr g. A slab is a whole number of vec4, so an invocation takes four parameters.
struct Params { n: u32, decay1: f32, decay2: f32, rest1: f32, rest2: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;         // (n / 4)
@group(0) @binding(2) var<storage, read_write> parameter: array<vec4<f32>>;  // (n / 4)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i < params.n / 4u) { parameter[i] = fma(vec4(-step.learning_rate), gradient[i], parameter[i]); }
}
