// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// RMSprop: the gradient over the root of the mean of its square; `momentum` adds up these quotients, fading by decay1.
@group(0) @binding(5) var<storage, read_write> v: array<vec4<f32>>;  // (n / 4): mean of the squared gradient
@group(0) @binding(6) var<storage, read_write> m: array<vec4<f32>>;  // (n / 4): the sum of the quotients

fn quotient(i: u32, g: vec4<f32>) -> vec4<f32> {
  let square = faded(fma(vec4(params.decay2), v[i], params.rest2 * g * g));
  v[i] = square;
  return g / (sqrt(square) + params.epsilon);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  parameter[i] = fma(vec4(-x.rate), quotient(i, x.g), x.p);
}

@compute @workgroup_size(256)
fn momentum(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let sum = faded(fma(vec4(params.decay1), m[i], quotient(i, x.g)));
  m[i] = sum;
  parameter[i] = fma(vec4(-x.rate), sum, x.p);
}
