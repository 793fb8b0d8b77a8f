// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// Adam with rules, otherwise as adam.wgsl; `amsgrad` divides by the root of the largest v so far.
@group(0) @binding(5) var<storage, read_write> m: array<vec4<f32>>;        // (n / 4): mean of the gradient
@group(0) @binding(6) var<storage, read_write> v: array<vec4<f32>>;        // (n / 4): mean of its square
@group(0) @binding(7) var<storage, read_write> largest: array<vec4<f32>>;  // (n / 4): the largest v

// Brings m and v up to date and returns v.
fn moments(i: u32, g: vec4<f32>) -> vec4<f32> {
  m[i] = faded(fma(vec4(params.decay1), m[i], params.rest1 * g));
  let square = faded(fma(vec4(params.decay2), v[i], params.rest2 * g * g));
  v[i] = square;
  return square;
}

fn moved(i: u32, x: Four, square: vec4<f32>) -> vec4<f32> {
  let rate = x.rate / step.correction1;
  return x.p - rate * m[i] / (sqrt(square) / sqrt(step.correction2) + params.epsilon);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  parameter[i] = moved(i, x, moments(i, x.g));
}

@compute @workgroup_size(256)
fn amsgrad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let most = max(largest[i], moments(i, x.g));
  largest[i] = most;
  parameter[i] = moved(i, x, most);
}
