// with: lib/step.wgsl lib/math.wgsl lib/rows.wgsl
// Losses element by element, their mean in each row, and the gradient of that mean times drow.
// The loss of a row is written at log_at, log_stride elements further for each step of an epoch: straight into the log.
struct Params {
  rows: u32, cols: u32, parameter: f32, log_stride: u32, log_at: u32,
  positive: f32, negative: f32,  // focal: weights of t and of 1 - t
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;         // (rows, cols)
@group(0) @binding(2) var<storage, read> target_: array<f32>;            // (rows, cols)
@group(0) @binding(3) var<storage, read> drow: array<f32>;               // (rows)
@group(0) @binding(4) var<storage, read_write> row_loss: array<f32>;     // (rows), or the log
@group(0) @binding(5) var<storage, read_write> dprediction: array<f32>;  // (rows, cols)

// mse, mae, huber, binary cross-entropy of probabilities, of logits, focal, hinge, squared hinge, Poisson of the
// logarithm of a rate, of a rate, quantile, log-cosh
override LOSS: u32 = 0u;
const RATE_FLOOR = 1e-8f;  // added to a rate before its logarithm, as in PyTorch

// The focal loss of a logit x whose answer is yes: sigmoid(-x)^gamma log(1 + exp(-x)).
fn focal(x: f32) -> f32 { return exp_(-params.parameter * softplus_(x)) * softplus_(-x); }

fn focal_grad(x: f32) -> f32 {
  let slope = fma(params.parameter * sigmoid_(x), softplus_(-x), sigmoid_(-x));
  return -exp_(-params.parameter * softplus_(x)) * slope;
}

// 1 - s p for the answer s, which is 1 or -1.
fn margin(p: f32, t: f32) -> f32 { return 1.0 - select(-p, p, t > 0.5); }

// Comparisons, unlike max, hand NaN on.
fn above_zero(x: f32) -> f32 { return select(x, 0.0, x < 0.0); }

// log(cosh(d)); for small d from cosh(d) - 1 = (exp(d) - 1)^2 / (2 exp(d)), where nothing cancels.
fn log_cosh(d: f32) -> f32 {
  let a = abs(d);
  if (a < 1.0) {
    let e = expm1_(a);
    return log1p_(0.5 * e * e / (1.0 + e));
  }
  return a + (log1p_(exp_(-2.0 * a)) - LN2);
}

fn loss_at(p: f32, t: f32) -> f32 {
  let d = p - t;
  switch (LOSS) {
    case 1u: { return abs(d); }
    case 2u: {
      if (abs(d) > params.parameter) { return params.parameter * (abs(d) - 0.5 * params.parameter); }
      return 0.5 * d * d;
    }
    case 3u: { return fma(t - 1.0, clamp_(log1p_(-p), -100.0, 0.0), -t * clamp_(log_(p), -100.0, 0.0)); }
    case 4u: {
      // max(p, 0) - p t, written so that a confident right answer leaves 0 rather than a difference of large numbers
      let linear = select(-p * t, p * (1.0 - t), p > 0.0);
      return linear + log1p_(exp_(-abs(p)));
    }
    case 5u: { return fma(params.positive * t, focal(p), params.negative * (1.0 - t) * focal(-p)); }
    case 6u: { return above_zero(margin(p, t)); }
    case 7u: { let m = above_zero(margin(p, t)); return m * m; }
    case 8u: { return fma(-t, p, exp_(p)); }
    case 9u: { return fma(-t, log_(p + RATE_FLOOR), p); }
    case 10u: { return d * select(-params.parameter, 1.0 - params.parameter, d > 0.0); }
    case 11u: { return log_cosh(d); }
    default: { return d * d; }
  }
}

fn grad_at(p: f32, t: f32) -> f32 {
  let d = p - t;
  switch (LOSS) {
    case 1u: { return sign(d); }
    case 2u: { return clamp_(d, -params.parameter, params.parameter); }
    case 3u: { return d / max(p * (1.0 - p), 1e-12); }
    case 4u: { return sigmoid_(p) - t; }
    case 5u: { return fma(params.positive * t, focal_grad(p), -params.negative * (1.0 - t) * focal_grad(-p)); }
    case 6u: { return select(select(1.0, -1.0, t > 0.5), 0.0, margin(p, t) <= 0.0); }
    case 7u: { return 2.0 * above_zero(margin(p, t)) * select(1.0, -1.0, t > 0.5); }
    case 8u: { return exp_(p) - t; }
    case 9u: { return 1.0 - t / (p + RATE_FLOOR); }
    case 10u: { return select(select(0.0, -params.parameter, d < 0.0), 1.0 - params.parameter, d > 0.0); }
    case 11u: { return tanh_(d); }
    default: { return 2.0 * d; }
  }
}

fn write_loss(row: u32, lane: u32) {
  let cols = select(0u, params.cols, row < params.rows);
  var sum = 0.0;
  for (var c = lane % LANES; c < cols; c += LANES) {
    let i = row * params.cols + c;
    sum += loss_at(prediction[i], target_[i]);
  }
  let total = row_sum(lane, sum);
  if (row < params.rows && lane % LANES == 0u) {
    row_loss[step.log_row * params.log_stride + params.log_at + row] = total / f32(params.cols);
  }
}

fn write_grad(row: u32, lane: u32) {
  if (row >= params.rows) { return; }
  let scale = drow[row] / f32(params.cols);
  for (var c = lane % LANES; c < params.cols; c += LANES) {
    let i = row * params.cols + c;
    dprediction[i] = scale * grad_at(prediction[i], target_[i]);
  }
}

@compute @workgroup_size(64)
fn loss(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  write_loss(row, lane);
}

@compute @workgroup_size(64)
fn grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  write_grad(row, lane);
}

@compute @workgroup_size(64)
fn loss_and_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  write_loss(row, lane);
  write_grad(row, lane);
}
