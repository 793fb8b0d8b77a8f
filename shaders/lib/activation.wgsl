// with: lib/math.wgsl
// Activation functions and their gradients, numbered as in src/kernels/activation.rs. `kind` is an override constant at
// every call, so the driver keeps one case of each switch. `saved` is the output for kinds up to 6, else the input.
// Comparisons are written so that NaN falls through to a case that returns it.
const SELU_SCALE = 1.0507009873554805f;
const SELU_SCALE_ALPHA = 1.7580993408473766f;
const SQRT_2_OVER_PI = 0.7978845608028654f;
const INV_SQRT_2_PI = 0.3989422804014327f;

// tanh(softplus(x)) is (q^2 - 1) / (q^2 + 1) with q = 1 + exp(x): rational in exp(-|x|). .x is that, .y is 1 - .x.
fn tanh_softplus_(x: f32) -> vec2<f32> {
  let z = exp_(-abs(x));
  if (x < 0.0) {
    let q = z * (z + 2.0);
    return vec2<f32>(q / (q + 2.0), 2.0 / (q + 2.0));
  }
  let q = 2.0 * z * z;
  let p = fma(2.0, z, 1.0);
  return vec2<f32>(p / (p + q), q / (p + q));
}

// Twice the argument of gelu_tanh's tanh: x/2 (1 + tanh u) = x sigmoid(2u). Beyond 12 the sigmoid is 0 or 1.
fn gelu_tanh_argument_(x: f32) -> f32 { return 2.0 * SQRT_2_OVER_PI * x * fma(0.044715 * x, x, 1.0); }

fn activate(kind: u32, x: f32, alpha: f32) -> f32 {
  switch (kind) {
    case 1u: { return sigmoid_(x); }
    case 2u: { return tanh_(x); }
    case 3u: { return select(x, 0.0, x < 0.0); }
    case 4u: { return select(x, alpha * x, x <= 0.0); }
    case 5u: { if (x <= 0.0) { return alpha * expm1_(x); } return x; }
    case 6u: { if (x <= 0.0) { return SELU_SCALE_ALPHA * expm1_(x); } return SELU_SCALE * x; }
    case 7u: { return x * sigmoid_(x); }
    case 8u: { return x * normal_cdf_(x); }
    case 9u: { return x * sigmoid_(gelu_tanh_argument_(clamp_(x, -12.0, 12.0))); }
    case 10u: { return softplus_(x); }
    case 11u: { return x / (1.0 + abs(x)); }
    case 12u: { return clamp_(x + 3.0, 0.0, 6.0) / 6.0; }
    case 13u: { return x * tanh_softplus_(x).x; }
    default: { return x; }
  }
}

fn activate_grad(kind: u32, saved: f32, alpha: f32) -> f32 {
  let s = saved;
  switch (kind) {
    case 1u: { return s * (1.0 - s); }
    case 2u: { return (1.0 - s) * (1.0 + s); }
    case 3u: { return select(1.0, 0.0, s <= 0.0); }
    case 4u: { return select(1.0, alpha, s <= 0.0); }
    case 5u: { return select(1.0, s + alpha, s <= 0.0); }
    case 6u: { return select(SELU_SCALE, s + SELU_SCALE_ALPHA, s <= 0.0); }
    case 7u: { let y = sigmoid_(s); return fma(s * y, sigmoid_(-s), y); }
    case 8u: { let a = clamp_(s, -14.5, 14.5); return fma(a * INV_SQRT_2_PI, gauss_(a), normal_cdf_(a)); }
    case 9u: {
      let x = clamp_(s, -12.0, 12.0);
      let u = gelu_tanh_argument_(x);
      let y = sigmoid_(u);
      return fma(x * y * sigmoid_(-u), 2.0 * SQRT_2_OVER_PI * fma(0.134145 * x, x, 1.0), y);
    }
    case 10u: { return sigmoid_(s); }
    case 11u: { let r = 1.0 / (1.0 + abs(s)); return r * r; }
    case 12u: { return select(0.0, 1.0 / 6.0, abs(s) < 3.0); }
    case 13u: {
      let w = tanh_softplus_(s);
      return fma(s * sigmoid_(s), w.y * (1.0 + w.x), w.x);
    }
    default: { return 1.0; }
  }
}

fn activate_four(kind: u32, x: vec4<f32>, alpha: f32) -> vec4<f32> {
  return vec4<f32>(activate(kind, x.x, alpha), activate(kind, x.y, alpha), activate(kind, x.z, alpha),
                   activate(kind, x.w, alpha));
}

fn activate_grad_four(kind: u32, saved: vec4<f32>, alpha: f32) -> vec4<f32> {
  return vec4<f32>(activate_grad(kind, saved.x, alpha), activate_grad(kind, saved.y, alpha),
                   activate_grad(kind, saved.z, alpha), activate_grad(kind, saved.w, alpha));
}
