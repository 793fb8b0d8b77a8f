// y = a b in each row of the batch, whose rows hold matrices; strides say which of them are read transposed.
// Eight terms a turn: llvmpipe ends the loops of a kernel after 65,535 turns, those of all together.
struct Params { rows: u32, m: u32, n: u32, k: u32, a_row: u32, a_col: u32, b_row: u32, b_col: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;        // (rows, m k), strides a_row, a_col
@group(0) @binding(2) var<storage, read> b: array<f32>;        // (rows, k n), strides b_row, b_col
@group(0) @binding(3) var<storage, read_write> y: array<f32>;  // (rows, m n)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

fn term(at_a: u32, at_b: u32, k: u32) -> f32 { return a[at_a + k * params.a_col] * b[at_b + k * params.b_row]; }

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
      var k = 0u;
      for (; k + 8u <= params.k; k += 8u) {
        sum += term(at_a, at_b, 0u);
        sum += term(at_a, at_b, 1u);
        sum += term(at_a, at_b, 2u);
        sum += term(at_a, at_b, 3u);
        sum += term(at_a, at_b, 4u);
        sum += term(at_a, at_b, 5u);
        sum += term(at_a, at_b, 6u);
        sum += term(at_a, at_b, 7u);
        at_a += 8u * params.a_col;
        at_b += 8u * params.b_row;
      }
      for (var rest = 0u; k + rest < params.k; rest += 1u) { sum += term(at_a, at_b, rest); }
      y[i] = sum;
    }
  }
}
