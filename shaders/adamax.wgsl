// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// Adamax: Adam with the largest size of the gradient, fading, in place of the root of the mean of its square.
@group(0) @binding(5) var<storage, read_write> m: array<vec4<f32>>;  // (n / 4): mean of the gradient
@group(0) @binding(6) var<storage, read_write> u: array<vec4<f32>>;  // (n / 4): its largest size, fading

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let mean = faded(fma(vec4(params.decay1), m[i], params.rest1 * x.g));
  let size = max(params.decay2 * u[i], abs(x.g) + params.epsilon);
  m[i] = mean;
  u[i] = size;
  parameter[i] = x.p - x.rate / step.correction1 * mean / size;
}
