// with: lib/step.wgsl lib/rows.wgsl
// 1 - cos of the angle between prediction p and target t in each row, and its gradient times drow. With unit vectors
// u = p / |p| and v = t / |t|: loss = |u - v|^2 / 2, where nothing cancels as it would in 1 - u v, and dprediction =
// drow (u - v - loss u) / |p|. A row is divided by its largest element before it is squared, so that no square
// overflows. A row of zeros (nothing above the smallest normal number) has no direction: loss 1, gradient 0.
struct Params { rows: u32, cols: u32, log_stride: u32, log_at: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;         // (rows, cols)
@group(0) @binding(2) var<storage, read> target_: array<f32>;            // (rows, cols)
@group(0) @binding(3) var<storage, read> drow: array<f32>;               // (rows)
@group(0) @binding(4) var<storage, read_write> row_loss: array<f32>;     // (rows), or the log
@group(0) @binding(5) var<storage, read_write> dprediction: array<f32>;  // (rows, cols)

const SMALLEST = 1.17549435e-38f;

// Of prediction and target: the largest size, and the length of the row divided by it; and the loss.
struct Row { top: vec2<f32>, length: vec2<f32>, has_direction: bool, loss: f32 }

fn scaled(i: u32, top: vec2<f32>) -> vec2<f32> { return vec2<f32>(prediction[i], target_[i]) / top; }

fn reduce(row: u32, lane: u32) -> Row {
  let cols = select(0u, params.cols, row < params.rows);
  let base = row * params.cols;
  var highest = vec2<f32>();
  for (var c = lane % LANES; c < cols; c += LANES) {
    highest = max(highest, abs(vec2<f32>(prediction[base + c], target_[base + c])));
  }
  let largest = vec2<f32>(row_max(lane, highest.x), row_max(lane, highest.y));
  let has_direction = all(largest >= vec2<f32>(SMALLEST));
  let top = select(vec2<f32>(1.0), largest, largest >= vec2<f32>(SMALLEST));
  var squares = vec2<f32>();
  for (var c = lane % LANES; c < cols; c += LANES) {
    let x = scaled(base + c, top);
    squares = fma(x, x, squares);
  }
  let sums = vec2<f32>(row_sum(lane, squares.x), row_sum(lane, squares.y));
  let length = select(sqrt(sums), vec2<f32>(1.0), largest < vec2<f32>(SMALLEST));
  var apart = 0.0;
  for (var c = lane % LANES; c < cols; c += LANES) {
    let unit = scaled(base + c, top) / length;
    apart = fma(unit.x - unit.y, unit.x - unit.y, apart);
  }
  let loss = 0.5 * row_sum(lane, apart);
  return Row(top, length, has_direction, select(1.0, loss, has_direction));
}

fn write_loss(row: u32, lane: u32, r: Row) {
  if (row < params.rows && lane % LANES == 0u) {
    row_loss[step.log_row * params.log_stride + params.log_at + row] = r.loss;
  }
}

fn write_grad(row: u32, lane: u32, r: Row) {
  if (row >= params.rows) { return; }
  let scale = select(0.0, drow[row] / r.length.x / r.top.x, r.has_direction);
  for (var c = lane % LANES; c < params.cols; c += LANES) {
    let i = row * params.cols + c;
    let unit = scaled(i, r.top) / r.length;
    dprediction[i] = scale * fma(-r.loss, unit.x, unit.x - unit.y);
  }
}

@compute @workgroup_size(64)
fn loss(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let r = reduce(row, lane);
  write_loss(row, lane, r);
}

@compute @workgroup_size(64)
fn grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let r = reduce(row, lane);
  write_grad(row, lane, r);
}

@compute @workgroup_size(64)
fn loss_and_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let r = reduce(row, lane);
  write_loss(row, lane, r);
  write_grad(row, lane, r);
}
