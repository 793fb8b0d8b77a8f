// y = a b in each row of the batch, whose rows hold matrices; strides say which of them are read transposed.
struct Params { rows: u32, m: u32, n: u32, k: u32, a_row: u32, a_col: u32, b_row: u32, b_col: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;        // (rows, m k), strides a_row, a_col
@group(0) @binding(2) var<storage, read> b: array<f32>;        // (rows, k n), strides b_row, b_col
@group(0) @binding(3) var<storage, read_write> y: array<f32>;  // (rows, m n)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let cells = params.m * params.n;
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.rows * cells) {
      let row = i / cells;
      let cell = i % cells;
      var at_a = row * params.m * params.k + cell / params.n * params.a_row;
      var at_b = row * params.k * params.n + cell % params.n * params.b_col;
      var sum = 0.0;
      for (var k = 0u; k < params.k; k += 1u) {
        sum += a[at_a] * b[at_b];
        at_a += params.a_col;
        at_b += params.b_row;
      }
      y[i] = sum;
    }
  }
}
