// with: lib/step.wgsl
// The weights of the rows of a batch, made to add up to 1; padding has weight 0.
struct Params { rows: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;          // (any)
@group(0) @binding(2) var<storage, read> order: array<u32>;            // (any)
@group(0) @binding(3) var<storage, read_write> row_scale: array<f32>;  // (rows)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.rows) {
      var scale = 0.0;
      if (i < step.valid) { scale = weights[order[step.start + i]] * step.inverse_weight; }
      row_scale[i] = scale;
    }
  }
}
