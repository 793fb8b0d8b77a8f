// A workgroup of 64 works on 64 / LANES rows, LANES invocations to a row. Each invocation first reduces its columns
// (lane, lane + LANES, ...) in order; the functions here join the LANES results in a tree. The order depends on LANES,
// hence on the number of columns alone. Every invocation must call them, those past the last row too: they hold barriers.
override LANES: u32 = 64u;
const BLOCK = 32u;  // columns of an invocation that are summed in one chain (src/kernels/sums.rs)
const LOWEST = -3.4028234663852886e38f;

var<workgroup> partial: array<f32, 64>;

// The row of an invocation; the last workgroups may lie past the last row.
fn row_of(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
  return (group.y * groups.x + group.x) * (64u / LANES) + lane / LANES;
}

// Where a block of an invocation's columns that begins at c ends.
fn block_end(c: u32, cols: u32) -> u32 { return min(c + BLOCK * LANES, cols); }

fn row_sum(lane: u32, value: f32) -> f32 {
  workgroupBarrier();  // the result before this one may still be being read
  partial[lane] = value;
  workgroupBarrier();
  for (var reach = LANES / 2u; reach > 0u; reach /= 2u) {
    if (lane % LANES < reach) { partial[lane] += partial[lane + reach]; }
    workgroupBarrier();
  }
  return partial[lane / LANES * LANES];
}

fn row_max(lane: u32, value: f32) -> f32 {
  workgroupBarrier();
  partial[lane] = value;
  workgroupBarrier();
  for (var reach = LANES / 2u; reach > 0u; reach /= 2u) {
    if (lane % LANES < reach) { partial[lane] = max(partial[lane], partial[lane + reach]); }
    workgroupBarrier();
  }
  return partial[lane / LANES * LANES];
}
