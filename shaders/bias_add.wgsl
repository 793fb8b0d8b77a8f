// f16: x y
// y = x + bias, the bias (1, cols) repeated for every row of x (rows, cols).
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;         // (rows, cols)
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // (1, cols)
@group(0) @binding(3) var<storage, read_write> y: array<OfY>;   // (rows, cols)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.rows * params.cols) { y[i] = OfY(f32(x[i]) + bias[i % params.cols]); }
  }
}
