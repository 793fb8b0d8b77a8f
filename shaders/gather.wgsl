// with: lib/step.wgsl
// Row r of the batch is row order[step.start + r] of the data; rows from step.valid on are padding. Declared u32 so that
// the bits travel untouched.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> data: array<u32>;         // (any, cols)
@group(0) @binding(2) var<storage, read> order: array<u32>;        // (any)
@group(0) @binding(3) var<storage, read_write> batch: array<u32>;  // (rows, cols)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.rows * params.cols) {
      let row = i / params.cols;
      var bits = 0u;
      if (row < step.valid) { bits = data[order[step.start + row] * params.cols + i % params.cols]; }
      batch[i] = bits;
    }
  }
}
