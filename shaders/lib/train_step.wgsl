// with: lib/step.wgsl lib/moment.wgsl lib/math.wgsl lib/activation.wgsl
// What every form of train_step shares: sizes, settings and the slabs.
struct Params {
  rows: u32, inputs: u32, hidden1: u32, hidden2: u32, outputs: u32,  // hidden2 is 0 in a network of two layers
  weight1: u32, bias1: u32, weight2: u32, bias2: u32, weight3: u32, bias3: u32,  // in the slab, in elements
  n: u32,  // parameters, padding included
  alpha: f32, smoothing: f32, log_stride: u32, log_at: u32, hit_at: u32,
  decay1: f32, decay2: f32, rest1: f32, rest2: f32, epsilon: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(5) var<storage, read_write> gradient: array<vec4<f32>>;   // (n / 4)
@group(0) @binding(6) var<storage, read_write> parameter: array<vec4<f32>>;  // (n / 4)

override ACTIVATION = 0u;  // of the hidden layers

fn activate4(x: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(activate(ACTIVATION, x.x, params.alpha), activate(ACTIVATION, x.y, params.alpha),
                   activate(ACTIVATION, x.z, params.alpha), activate(ACTIVATION, x.w, params.alpha));
}

fn activate_grad4(s: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(activate_grad(ACTIVATION, s.x, params.alpha), activate_grad(ACTIVATION, s.y, params.alpha),
                   activate_grad(ACTIVATION, s.z, params.alpha), activate_grad(ACTIVATION, s.w, params.alpha));
}
