// with: lib/step.wgsl lib/moment.wgsl lib/update.wgsl
// Adam in PyTorch's formula: the bias corrections divide the step and the root, not the stored moments.
struct Moments { m: vec4<f32>, v: vec4<f32> }  // mean of the gradient, mean of its square

fn adam_moments(g: vec4<f32>, m: vec4<f32>, v: vec4<f32>) -> Moments {
  return Moments(faded(fma(vec4(params.decay1), m, params.rest1 * g)),
                 faded(fma(vec4(params.decay2), v, params.rest2 * g * g)));
}

// `rate` is divided by the correction of m, `root` is the root of that of v.
fn adam_step(rate: f32, root: f32, m: vec4<f32>, v: vec4<f32>) -> vec4<f32> {
  return rate * m / (sqrt(v) / root + params.epsilon);
}
