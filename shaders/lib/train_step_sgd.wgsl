// with: lib/step.wgsl lib/moment.wgsl lib/math.wgsl lib/activation.wgsl lib/train_step.wgsl
// The update of train_step, as in sgd.wgsl.
struct Rates { learning: f32 }

fn rates() -> Rates { return Rates(step.learning_rate); }

fn update(i: u32, g: vec4<f32>, rate: Rates) { parameter[i] = fma(vec4(-rate.learning), g, parameter[i]); }
