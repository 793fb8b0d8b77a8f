// with: lib/step.wgsl lib/gather_x_*.wgsl
// gather of an input, gather of a target and gather_weights in one dispatch: what most models read of a batch.
// An invocation moves four neighbours, so that the row is looked up once for the four.
struct Params { rows: u32, x_cols: u32, y_cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> y_data: array<f32>;           // (any, y_cols)
@group(0) @binding(3) var<storage, read> weights: array<f32>;          // (any)
@group(0) @binding(4) var<storage, read> order: array<u32>;            // (any)
@group(0) @binding(6) var<storage, read_write> y: array<f32>;          // (rows, y_cols)
@group(0) @binding(7) var<storage, read_write> row_scale: array<f32>;  // (rows)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  let quads = (max(params.x_cols, params.y_cols) + 3u) / 4u;
  let row = i / quads;
  if (row >= params.rows) { return; }
  let first = (i - row * quads) * 4u;
  let y_last = min(first + 4u, params.y_cols);
  let y_row = row * params.y_cols;
  if (row < step.valid) {
    let source = order[step.start + row];
    move_x(row, source, first, params.x_cols);
    for (var c = first; c < y_last; c++) { y[y_row + c] = y_data[source * params.y_cols + c]; }
    if (first == 0u) { row_scale[row] = weights[source] * step.inverse_weight; }
  } else {
    clear_x(row, first, params.x_cols);
    for (var c = first; c < y_last; c++) { y[y_row + c] = 0.0; }
    if (first == 0u) { row_scale[row] = 0.0; }
  }
}
