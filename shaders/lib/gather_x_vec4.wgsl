// f16: x
// The inputs of gather_batch as vec4: their rows begin at multiples of 4 elements.
@group(0) @binding(1) var<storage, read> x_data: array<vec4<f32>>;    // (any, x_cols)
@group(0) @binding(5) var<storage, read_write> x: array<vec4<OfX>>;  // (rows, x_cols)

// What of four neighbours lies in a row of `cols` columns: row `source` of the data becomes row `row` of the batch.
fn move_x(row: u32, source: u32, first: u32, cols: u32) {
  if (first < cols) { x[(row * cols + first) / 4u] = to_x4(x_data[(source * cols + first) / 4u]); }
}

fn clear_x(row: u32, first: u32, cols: u32) {
  if (first < cols) { x[(row * cols + first) / 4u] = vec4<OfX>(); }
}
