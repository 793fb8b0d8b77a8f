// with: lib/step.wgsl
// Copies the values of each row to the place of this step in the log of the epoch, where a column is a slot.
struct Params { rows: u32, cols: u32, log_stride: u32, log_at: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;     // (rows, cols)
@group(0) @binding(2) var<storage, read_write> log: array<f32>;  // (steps, slots, rows)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i < params.rows * params.cols) {
    let at = i % params.cols * params.rows + i / params.cols;
    log[step.log_row * params.log_stride + params.log_at + at] = values[i];
  }
}
