// with: lib/step.wgsl
// gather of an input, gather of a target and gather_weights in one dispatch: what most models read of a batch.
struct Params { rows: u32, x_cols: u32, y_cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x_data: array<u32>;           // (any, x_cols)
@group(0) @binding(2) var<storage, read> y_data: array<u32>;           // (any, y_cols)
@group(0) @binding(3) var<storage, read> weights: array<f32>;          // (any)
@group(0) @binding(4) var<storage, read> order: array<u32>;            // (any)
@group(0) @binding(5) var<storage, read_write> x: array<u32>;          // (rows, x_cols)
@group(0) @binding(6) var<storage, read_write> y: array<u32>;          // (rows, y_cols)
@group(0) @binding(7) var<storage, read_write> row_scale: array<f32>;  // (rows)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  let x_end = params.rows * params.x_cols;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < x_end) {
      let row = i / params.x_cols;
      var bits = 0u;
      if (row < step.valid) { bits = x_data[order[step.start + row] * params.x_cols + i % params.x_cols]; }
      x[i] = bits;
    }
    if (i < params.rows * params.y_cols) {
      let row = i / params.y_cols;
      var bits = 0u;
      if (row < step.valid) { bits = y_data[order[step.start + row] * params.y_cols + i % params.y_cols]; }
      y[i] = bits;
    }
    if (i < params.rows) {
      var scale = 0.0;
      if (i < step.valid) { scale = weights[order[step.start + i]] * step.inverse_weight; }
      row_scale[i] = scale;
    }
  }
}
