// with: lib/step.wgsl lib/random.wgsl lib/fours.wgsl
// f16: x y
// y = keep x / (1 - rate). The mask is a function of (seed, stream, step, element), so the gradient, which is the same
// kernel on dy, draws it again.
struct Params { n: u32, rate: f32, scale: f32, stream: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;        // (n)
@group(0) @binding(2) var<storage, read_write> y: array<OfY>;  // (n)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let key = stream_key(step.seed_low, step.seed_high, params.stream, step.step);
  let kept = keep4(key, i, params.rate);
  let value = select(vec4(0.0), vec4<f32>(vec4<OfX>(x[i.x], x[i.y], x[i.z], x[i.w])) * params.scale, kept);
  if (i.x < params.n) { y[i.x] = to_y(value.x); }
  if (i.y < params.n) { y[i.y] = to_y(value.y); }
  if (i.z < params.n) { y[i.z] = to_y(value.z); }
  if (i.w < params.n) { y[i.w] = to_y(value.w); }
}
