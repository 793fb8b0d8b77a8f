// with: lib/step.wgsl
// f16: batch
// Row r of the batch is row order[step.start + r] of the data; rows from step.valid on are padding. An
// invocation moves four neighbours, so that the row is looked up once for the four.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<f32>;         // (any, cols)
@group(0) @binding(2) var<storage, read> order: array<u32>;        // (any)
@group(0) @binding(3) var<storage, read_write> batch: array<OfBatch>;  // (rows, cols)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  let quads = (params.cols + 3u) / 4u;
  let row = i / quads;
  if (row >= params.rows) { return; }
  let first = i % quads * 4u;
  let last = min(first + 4u, params.cols);
  if (row < step.valid) {
    let source = order[step.start + row] * params.cols;
    for (var c = first; c < last; c++) { batch[row * params.cols + c] = to_batch(data[source + c]); }
  } else {
    for (var c = first; c < last; c++) { batch[row * params.cols + c] = OfBatch(0.0); }
  }
}
