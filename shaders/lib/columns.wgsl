// A workgroup of 256 works on 256 / LANES neighbouring columns, LANES invocations to a column, so that reads stay
// contiguous. Each invocation first reduces its rows (lane, lane + LANES, ...), BLOCK of them at a time, so that no chain
// of additions is long (src/kernels/sums.rs); column_sum joins the LANES results in a tree. The order depends on the shape
// alone. Every invocation must call it, those past the last column too: it holds
// barriers.
override LANES: u32 = 16u;
const BLOCK = 32u;

var<workgroup> partial: array<f32, 256>;  // (LANES, 256 / LANES)

// The column of an invocation; the last workgroup may lie past the last column.
fn column_of(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
  let columns = 256u / LANES;
  return (group.y * groups.x + group.x) * columns + lane % columns;
}

// The first row of an invocation; the next is LANES further.
fn first_row(lane: u32) -> u32 { return lane / (256u / LANES); }

// Where a block of an invocation's rows that begins at row ends.
fn block_end(row: u32, rows: u32) -> u32 { return min(row + BLOCK * LANES, rows); }

fn column_sum(lane: u32, value: f32) -> f32 {
  let columns = 256u / LANES;
  workgroupBarrier();  // the result before this one may still be being read
  partial[lane] = value;
  workgroupBarrier();
  for (var reach = LANES / 2u; reach > 0u; reach /= 2u) {
    if (lane < reach * columns) { partial[lane] += partial[lane + reach * columns]; }
    workgroupBarrier();
  }
  return partial[lane % columns];
}
