// f16: a b y
// y = a o b; a stride of 0 repeats a row, a column or a scalar.
struct Params { rows: u32, cols: u32, a_row: u32, a_col: u32, b_row: u32, b_col: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<OfA>;        // strides a_row, a_col
@group(0) @binding(2) var<storage, read> b: array<OfB>;        // strides b_row, b_col
@group(0) @binding(3) var<storage, read_write> y: array<OfY>;  // (rows, cols)

override OP: u32 = 0u;  // add, sub, mul

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.rows * params.cols) {
      let row = i / params.cols;
      let col = i % params.cols;
      let p = f32(a[row * params.a_row + col * params.a_col]);
      let q = f32(b[row * params.b_row + col * params.b_col]);
      switch (OP) {
        case 0u: { y[i] = OfY(p + q); }
        case 1u: { y[i] = OfY(p - q); }
        default: { y[i] = OfY(p * q); }
      }
    }
  }
}
