// with: lib/columns.wgsl
// dscale = the sum over the rows of dy (x - mean) / deviation, mean and deviation those of the row; dshift = that of dy.
struct Params { rows: u32, cols: u32, shift_at: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                  // (rows, cols)
@group(0) @binding(2) var<storage, read> statistics: array<f32>;         // mean and inverse deviation (rows, 2)
@group(0) @binding(3) var<storage, read> dy: array<f32>;                 // (rows, cols)
@group(0) @binding(4) var<storage, read_write> dparameters: array<f32>;  // dscale (cols), from shift_at on dshift (cols)

// dscale and dshift of column col. Holds barriers.
fn column_sums(lane: u32, col: u32) -> vec2<f32> {
  let rows = select(0u, params.rows, col < params.cols);  // past the last column there is nothing to do but the barriers
  var sums = vec2(0.0, 0.0);
  for (var row = first_row(lane); row < rows;) {
    let end = block_end(row, rows);
    var block = vec2(0.0, 0.0);
    for (; row < end; row += LANES) {
      let at = row * params.cols + col;
      let n = (x[at] - statistics[2u * row]) * statistics[2u * row + 1u];
      block = vec2(fma(dy[at], n, block.x), block.y + dy[at]);
    }
    sums += block;
  }
  return vec2(column_sum(lane, sums.x), column_sum(lane, sums.y));
}

@compute @workgroup_size(256)
fn scale_alone(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
               @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  let sums = column_sums(lane, col);
  if (first_row(lane) == 0u && col < params.cols) { dparameters[col] = sums.x; }
}

@compute @workgroup_size(256)
fn scale_and_shift(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                   @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  let sums = column_sums(lane, col);
  if (first_row(lane) == 0u && col < params.cols) {
    dparameters[col] = sums.x;
    dparameters[params.shift_at + col] = sums.y;
  }
}
