// with: lib/step.wgsl lib/moment.wgsl lib/math.wgsl lib/activation.wgsl lib/train_step.wgsl lib/adam.wgsl
// The update of train_step, as in adam.wgsl.
@group(0) @binding(7) var<storage, read_write> m: array<vec4<f32>>;  // (n / 4): mean of the gradient
@group(0) @binding(8) var<storage, read_write> v: array<vec4<f32>>;  // (n / 4): mean of its square

struct Rates { learning: f32, root: f32 }

fn rates() -> Rates { return Rates(step.learning_rate / step.correction1, sqrt(step.correction2)); }

fn update(i: u32, g: vec4<f32>, rate: Rates) {
  let after = adam_moments(g, m[i], v[i]);
  m[i] = after.m;
  v[i] = after.v;
  parameter[i] -= adam_step(rate.learning, rate.root, after.m, after.v);
}
