// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl lib/adam.wgsl
// Adam with rules; `amsgrad` divides by the root of the largest v so far.
@group(0) @binding(5) var<storage, read_write> m: array<vec4<f32>>;        // (n / 4): mean of the gradient
@group(0) @binding(6) var<storage, read_write> v: array<vec4<f32>>;        // (n / 4): mean of its square
@group(0) @binding(7) var<storage, read_write> largest: array<vec4<f32>>;  // (n / 4): the largest v

// Brings m and v up to date.
fn moments(i: u32, g: vec4<f32>) -> Moments {
  let after = adam_moments(g, m[i], v[i]);
  m[i] = after.m;
  v[i] = after.v;
  return after;
}

fn moved(x: Four, m: vec4<f32>, v: vec4<f32>) -> vec4<f32> {
  return x.p - adam_step(x.rate / step.correction1, sqrt(step.correction2), m, v);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let after = moments(i, x.g);
  parameter[i] = moved(x, after.m, after.v);
}

@compute @workgroup_size(256)
fn amsgrad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let after = moments(i, x.g);
  let most = max(largest[i], after.v);
  largest[i] = most;
  parameter[i] = moved(x, after.m, most);
}
