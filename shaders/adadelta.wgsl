// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// Adadelta: the step is the gradient in units of the last steps, by the roots of two means of squares.
@group(0) @binding(5) var<storage, read_write> v: array<vec4<f32>>;  // (n / 4): mean of the squared gradient
@group(0) @binding(6) var<storage, read_write> d: array<vec4<f32>>;  // (n / 4): mean of the squared step

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let square = faded(fma(vec4(params.decay2), v[i], params.rest2 * x.g * x.g));
  v[i] = square;
  let delta = sqrt(d[i] + params.epsilon) / sqrt(square + params.epsilon) * x.g;
  d[i] = faded(fma(vec4(params.decay2), d[i], params.rest2 * delta * delta));
  parameter[i] = fma(vec4(-x.rate), delta, x.p);
}
