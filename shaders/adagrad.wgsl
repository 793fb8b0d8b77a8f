// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// Adagrad: every parameter's rate falls with the root of the sum of its squared gradients.
@group(0) @binding(5) var<storage, read_write> s: array<vec4<f32>>;  // (n / 4): the sum of the squares

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  let x = four(i);
  if (x.frozen) { return; }
  let sum = fma(x.g, x.g, s[i]);
  s[i] = sum;
  parameter[i] = x.p - x.rate * x.g / (sqrt(sum) + params.epsilon);
}
