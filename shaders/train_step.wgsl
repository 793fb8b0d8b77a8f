// with: lib/step.wgsl lib/moment.wgsl lib/math.wgsl lib/activation.wgsl lib/train_step.wgsl lib/adam.wgsl lib/train_step_blocks.wgsl lib/train_step_x_vec4.wgsl | lib/train_step_x_any.wgsl lib/train_step_sgd.wgsl | lib/train_step_adam.wgsl
// A whole training step of a tiny classifier in one dispatch: gather, forward, cross-entropy, backward, update. One
// workgroup, which is one subgroup of 8 lanes (lavapipe): what a dispatch costs there is more than what it computes.
// Two or three dense layers; hidden widths are multiples of 4. Activations stay in workgroup memory, and each gives
// its place to its gradient.
// Every number is computed as the kernels of its own dispatch would: products as chains of fma in the order
// k = 0, 1, 2 ... on the blocks of matmul_subgroup.wgsl and matmul_subgroup_tall.wgsl, rows of the loss one to a lane.
const LANES = 8u;
const LOWEST = -3.4028234663852886e38f;

override LAYERS = 2u;
override QUADS = 4u;  // of outputs: outputs / 4, rounded up

@group(0) @binding(2) var<storage, read> y_data: array<f32>;       // (any, 1) classes
@group(0) @binding(3) var<storage, read> weights: array<f32>;      // (any)
@group(0) @binding(4) var<storage, read> order: array<u32>;        // (any)
@group(0) @binding(9) var<storage, read_write> log: array<f32>;

var<workgroup> act: array<vec4<f32>, 1024>;  // (rows, hidden1 / 4), (rows, hidden2 / 4), (rows, QUADS)

// x and y are where inputs and outputs begin in act, weight and bias where they do in the slab.
struct Layer { x: u32, y: u32, inputs: u32, outputs: u32, weight: u32, bias: u32 }

fn layer1() -> Layer { return Layer(0u, 0u, params.inputs, params.hidden1, params.weight1, params.bias1); }

fn layer2() -> Layer {
  let outputs = select(params.outputs, params.hidden2, LAYERS > 2u);
  return Layer(0u, params.rows * params.hidden1 / 4u, params.hidden1, outputs, params.weight2, params.bias2);
}

fn layer3() -> Layer {
  let x = params.rows * params.hidden1 / 4u;
  return Layer(x, x + params.rows * params.hidden2 / 4u, params.hidden2, params.outputs, params.weight3, params.bias3);
}

fn barrier() {
  workgroupBarrier();
  storageBarrier();
}

fn act_block(at: u32, stride: u32) -> mat4x4<f32> {
  return mat4x4<f32>(act[at], act[at + stride], act[at + 2u * stride], act[at + 3u * stride]);
}

fn slab_at(at: u32) -> f32 { return parameter[at / 4u][at % 4u]; }

fn slab_quad(at: u32) -> vec4<f32> {
  return vec4<f32>(slab_at(at), slab_at(at + 1u), slab_at(at + 2u), slab_at(at + 3u));
}

// Four rows of a layer's inputs: of the first layer's in the data set, of the others' in act.
struct Rows { at: vec4<u32>, real: vec4<bool> }

fn rows_of(first: bool, l: Layer, row: u32) -> Rows {
  let r = vec4(row) + vec4(0u, 1u, 2u, 3u);
  if (first) {
    let s = step.start + r;
    return Rows(l.inputs * vec4(order[s.x], order[s.y], order[s.z], order[s.w]), r < vec4(step.valid));
  }
  return Rows(vec4(l.x) + r * (l.inputs / 4u), vec4(true));
}

// [i]: row i, columns c .. c + 4.
fn rows_block(first: bool, rows: Rows, c: u32) -> mat4x4<f32> {
  if (first) {
    let zero = vec4<f32>();
    return mat4x4<f32>(
      select(zero, x_quad(rows.at.x + c), rows.real.x), select(zero, x_quad(rows.at.y + c), rows.real.y),
      select(zero, x_quad(rows.at.z + c), rows.real.z), select(zero, x_quad(rows.at.w + c), rows.real.w));
  }
  let q = c / 4u;
  return mat4x4<f32>(act[rows.at.x + q], act[rows.at.y + q], act[rows.at.z + q], act[rows.at.w + q]);
}

fn store_activated(l: Layer, row: u32, col: u32, b: mat4x4<f32>, shift: vec4<f32>) {
  let stride = l.outputs / 4u;
  let at = l.y + row * stride + col / 4u;
  if (row < params.rows) { act[at] = activate4(b[0] + shift); }
  if (row + 1u < params.rows) { act[at + stride] = activate4(b[1] + shift); }
  if (row + 2u < params.rows) { act[at + 2u * stride] = activate4(b[2] + shift); }
  if (row + 3u < params.rows) { act[at + 3u * stride] = activate4(b[3] + shift); }
}

// y = f(x W + b) of a hidden layer.
fn forward(first: bool, l: Layer, lane: u32) {
  let n = l.outputs / 4u;
  for (var row = 0u; row < params.rows; row += 32u) {
    let rows = rows_of(first, l, row + 4u * lane);
    for (var left = 0u; left < l.outputs; left += 32u) {
      let col = left + 4u * lane;
      var s: Wide;
      for (var k = 0u; k < l.inputs; k += 4u) {
        let at = l.weight / 4u + k * n + col / 4u;
        let y = mat4x4<f32>(parameter[at], parameter[at + n], parameter[at + 2u * n], parameter[at + 3u * n]);
        add_wide(&s, up_to(transpose(rows_block(first, rows, k)), k, l.inputs), up_to(y, k, l.inputs));
      }
      if (col < l.outputs) {
        let shift = parameter[(l.bias + col) / 4u];
        for (var q = 0u; q < 8u; q++) { store_activated(l, row + 4u * q, col, pick(s, q), shift); }
      }
    }
  }
}

fn store_gradient(l: Layer, row: u32, col: u32, b: mat4x4<f32>, now: bool, rate: Rates) {
  let stride = l.outputs / 4u;
  let at = l.weight / 4u + row * stride + col / 4u;
  for (var i = 0u; i < 4u; i++) {
    if (row + i < l.inputs) {
      gradient[at + i * stride] = b[i];
      if (now) { update(at + i * stride, b[i], rate); }
    }
  }
}

// dW = x' dz and db of a hidden layer, and its update at once if nothing reads W any more.
fn backward_weights(first: bool, l: Layer, lane: u32, rate: Rates) {
  let n = l.outputs / 4u;
  for (var row = 0u; row < l.inputs; row += 32u) {
    for (var left = 0u; left < l.outputs; left += 32u) {
      let col = left + 4u * lane;
      var s: Wide;
      for (var k = 0u; k < params.rows; k += 4u) {
        let x = up_to(rows_block(first, rows_of(first, l, k), row + 4u * lane), k, params.rows);
        let y = up_to(act_block(l.y + k * n + col / 4u, n), k, params.rows);
        add_wide(&s, x, y);
        s.of_b = s.of_b + y[0] + y[1] + y[2] + y[3];
      }
      if (col < l.outputs) {
        for (var q = 0u; q < 8u; q++) { store_gradient(l, row + 4u * q, col, pick(s, q), first, rate); }
        if (row == 0u) {
          let at = (l.bias + col) / 4u;
          gradient[at] = s.of_b;
          if (first) { update(at, s.of_b, rate); }
        }
      }
    }
  }
}

fn store_input_gradient(l: Layer, row: u32, col: u32, b: mat4x4<f32>) {
  let stride = l.inputs / 4u;
  let at = l.x + row * stride + col / 4u;
  if (row < params.rows) { act[at] = b[0] * activate_grad4(act[at]); }
  if (row + 1u < params.rows) { act[at + stride] = b[1] * activate_grad4(act[at + stride]); }
  if (row + 2u < params.rows) { act[at + 2u * stride] = b[2] * activate_grad4(act[at + 2u * stride]); }
  if (row + 3u < params.rows) { act[at + 3u * stride] = b[3] * activate_grad4(act[at + 3u * stride]); }
}

// dx = dz W' times f'(x), in the place of x.
fn backward_inputs(last: bool, l: Layer, lane: u32) {
  let n = l.outputs;
  let stride = select(n / 4u, QUADS, last);
  for (var row = 0u; row < params.rows; row += 32u) {
    for (var left = 0u; left < l.inputs; left += 32u) {
      let col = left + 4u * lane;
      var s: Wide;
      for (var k = 0u; k < n; k += 4u) {
        let x = up_to(transpose(act_block(l.y + (row + 4u * lane) * stride + k / 4u, stride)), k, n);
        let at = l.weight + col * n + k;
        var y: mat4x4<f32>;
        if (last) {
          y = mat4x4<f32>(slab_quad(at), slab_quad(at + n), slab_quad(at + 2u * n), slab_quad(at + 3u * n));
        } else {
          y = mat4x4<f32>(parameter[at / 4u], parameter[(at + n) / 4u], parameter[at / 4u + n / 2u],
                          parameter[(at + 3u * n) / 4u]);
        }
        add_wide(&s, x, up_to(transpose(y), k, n));
      }
      if (col < l.inputs) {
        for (var q = 0u; q < 8u; q++) { store_input_gradient(l, row + 4u * q, col, pick(s, q)); }
      }
    }
  }
}

// The logits, x W + b.
fn forward_last(l: Layer, lane: u32) {
  let n = l.outputs;
  for (var row = 4u * lane; row < params.rows + 4u * lane; row += 32u) {
    let rows = rows_of(false, l, row);
    var s: Tall;
    for (var k0 = 0u; k0 < l.inputs; k0 += 4u * LANES) {
      let k = k0 + 4u * lane;
      var y: array<mat4x4<f32>, 4>;
      for (var q = 0u; q < QUADS; q++) {
        let at = l.weight + k * n + 4u * q;
        y[q] = up_to(mat4x4<f32>(slab_quad(at), slab_quad(at + n), slab_quad(at + 2u * n), slab_quad(at + 3u * n)),
                     k, l.inputs);
      }
      let filled = min(LANES, (l.inputs - k0 + 3u) / 4u);
      for (var owner = 0u; owner < filled; owner++) {
        let x = transpose(rows_block(false, rows, k0 + 4u * owner));
        for (var q = 0u; q < QUADS; q++) { s.block[q] = add_tall(s.block[q], x, y[q], owner); }
      }
    }
    for (var q = 0u; q < QUADS; q++) {
      let shift = slab_quad(l.bias + 4u * q);
      for (var i = 0u; i < 4u; i++) {
        if (row + i < params.rows) { act[l.y + (row + i) * QUADS + q] = s.block[q][i] + shift; }
      }
    }
  }
}

fn store_four(at: u32, count: u32, x: vec4<f32>) {
  for (var j = 0u; j < 4u; j++) {
    if (j < count) { gradient[(at + j) / 4u][(at + j) % 4u] = x[j]; }
  }
}

// dW = x' dz and db of the last layer.
fn backward_last(l: Layer, lane: u32) {
  let n = l.outputs;
  let stride = l.inputs / 4u;
  for (var row = 4u * lane; row < l.inputs + 4u * lane; row += 32u) {
    var s: Tall;
    for (var k0 = 0u; k0 < params.rows; k0 += 4u * LANES) {
      let k = k0 + 4u * lane;
      var y: array<mat4x4<f32>, 4>;
      for (var q = 0u; q < QUADS; q++) { y[q] = up_to(act_block(l.y + k * QUADS + q, QUADS), k, params.rows); }
      let filled = min(LANES, (params.rows - k0 + 3u) / 4u);
      for (var owner = 0u; owner < filled; owner++) {
        let begin = k0 + 4u * owner;
        let x = up_to(act_block(l.x + begin * stride + row / 4u, stride), begin, params.rows);
        for (var q = 0u; q < QUADS; q++) {
          s.block[q] = add_tall(s.block[q], x, y[q], owner);
          s.of_b[q] = add_rows(s.of_b[q], y[q], owner);
        }
      }
    }
    for (var q = 0u; q < QUADS; q++) {
      let count = n - 4u * q;
      for (var i = 0u; i < 4u; i++) {
        if (row + i < l.inputs) { store_four(l.weight + (row + i) * n + 4u * q, count, s.block[q][i]); }
      }
      if (row == 0u) { store_four(l.bias + 4u * q, count, s.of_b[q]); }
    }
  }
}

// Cross-entropy of the logits of each row, whether the first of the largest is the class, and the gradient in their
// place, as in softmax_cross_entropy.wgsl.
fn loss(l: Layer, lane: u32) {
  let classes = f32(l.outputs);
  let keep = 1.0 - params.smoothing;
  for (var row = lane; row < params.rows; row += LANES) {
    let source = order[step.start + row];
    let real = row < step.valid;
    let class_ = select(0.0, y_data[source], real);
    let upstream = select(0.0, weights[source] * step.inverse_weight, real);
    let z0 = l.y + row * QUADS;
    var top = LOWEST;
    for (var c = 0u; c < l.outputs; c++) { top = max(top, act[z0 + c / 4u][c % 4u]); }
    var total = 0.0;
    var target_sum = 0.0;
    var target_dot = 0.0;
    var spread = 0.0;
    var column = LOWEST;
    for (var c = 0u; c < l.outputs; c++) {
      let logit = act[z0 + c / 4u][c % 4u];
      let z = logit - top;
      total += exp_(z);
      if (params.smoothing > 0.0) { spread += z; }
      if (u32(class_) == c) {
        target_sum += 1.0;
        target_dot = fma(1.0, z, target_dot);
      }
      if (logit == top) { column = max(column, -f32(c)); }
    }
    target_dot = fma(keep, target_dot, params.smoothing / classes * spread);
    target_sum = fma(keep, target_sum, params.smoothing);
    let at = step.log_row * params.log_stride + row;
    log[at + params.log_at] = fma(target_sum, log_(total), -target_dot);
    log[at + params.hit_at] = select(0.0, 1.0, -column == floor(class_));
    for (var c = 0u; c < l.outputs; c++) {
      let probability = exp_(act[z0 + c / 4u][c % 4u] - top) / total;
      let t = fma(keep, select(0.0, 1.0, u32(class_) == c), params.smoothing / classes);
      act[z0 + c / 4u][c % 4u] = upstream * fma(target_sum, probability, -t);
    }
  }
}

@compute @workgroup_size(LANES)
fn main(@builtin(subgroup_invocation_id) lane: u32) {
  let rate = rates();
  forward(true, layer1(), lane);
  barrier();
  var last = layer2();
  if (LAYERS > 2u) {
    forward(false, layer2(), lane);
    barrier();
    last = layer3();
  }
  forward_last(last, lane);
  barrier();
  loss(last, lane);
  barrier();
  backward_last(last, lane);
  barrier();
  backward_inputs(true, last, lane);
  barrier();
  if (LAYERS > 2u) {
    backward_weights(false, layer2(), lane, rate);
    barrier();
    backward_inputs(false, layer2(), lane);
    barrier();
  }
  backward_weights(true, layer1(), lane, rate);
  for (var i = params.weight2 / 4u + lane; i < params.n / 4u; i += LANES) { update(i, gradient[i], rate); }
}
