// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// Nadam: Adam with Nesterov's look ahead. The schedule of the momentum is in the two shares of the step.
@group(0) @binding(5) var<storage, read_write> m: array<vec4<f32>>;  // (n / 4): mean of the gradient
@group(0) @binding(6) var<storage, read_write> v: array<vec4<f32>>;  // (n / 4): mean of its square

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let mean = faded(fma(vec4(params.decay1), m[i], params.rest1 * x.g));
  let square = faded(fma(vec4(params.decay2), v[i], params.rest2 * x.g * x.g));
  m[i] = mean;
  v[i] = square;
  let direction = fma(vec4(step.gradient_share), x.g, step.moment_share * mean);
  parameter[i] = x.p - x.rate * direction / (sqrt(square) / sqrt(step.correction2) + params.epsilon);
}
