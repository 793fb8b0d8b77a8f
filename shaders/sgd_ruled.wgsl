// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// Gradient descent with rules: p -= lr g, or with momentum m = decay1 m + g, p -= lr m; Nesterov's looks one step ahead.
@group(0) @binding(5) var<storage, read_write> m: array<vec4<f32>>;  // (n / 4): the sum of the gradients, fading
override NESTEROV: bool = false;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  parameter[i] = fma(vec4(-x.rate), x.g, x.p);
}

@compute @workgroup_size(256)
fn momentum(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let sum = faded(fma(vec4(params.decay1), m[i], x.g));
  m[i] = sum;
  var direction = sum;
  if (NESTEROV) { direction = fma(vec4(params.decay1), sum, x.g); }
  parameter[i] = fma(vec4(-x.rate), direction, x.p);
}
