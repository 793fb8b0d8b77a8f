// with: lib/fours.wgsl lib/cells.wgsl
// y[r, to_column + c width + w] = table[x[r, from_column + c], w] for `columns` columns of x; the other columns of y keep
// their values. The host has refused what is no category; an index past the table is held at its last row all the same.
struct Params {
  rows: u32, columns: u32, categories: u32, width: u32, from_width: u32, from_column: u32, to_width: u32, to_column: u32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // (rows, from_width)
@group(0) @binding(2) var<storage, read> table: array<f32>;    // (categories, width)
@group(0) @binding(3) var<storage, read_write> y: array<f32>;  // (rows, to_width)

// Where it lies in the table.
fn place(at: Cell) -> u32 {
  let column = at.col / params.width;
  let index = u32(x[at.row * params.from_width + params.from_column + column]);
  return min(index, params.categories - 1u) * params.width + at.col - column * params.width;
}

fn put(i: u32, at: Cell, value: f32) {
  if (i < params.rows * params.columns * params.width) { y[at.row * params.to_width + params.to_column + at.col] = value; }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.columns * params.width);
  let picked = vec4<f32>(table[place(at.a)], table[place(at.b)], table[place(at.c)], table[place(at.d)]);
  put(i.x, at.a, picked.x);
  put(i.y, at.b, picked.y);
  put(i.z, at.c, picked.z);
  put(i.w, at.d, picked.w);
}
