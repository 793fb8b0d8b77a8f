// f16: x
// gather_x_vec4.wgsl for rows of any length.
@group(0) @binding(1) var<storage, read> x_data: array<f32>;    // (any, x_cols)
@group(0) @binding(5) var<storage, read_write> x: array<OfX>;  // (rows, x_cols)

fn move_x(row: u32, source: u32, first: u32, cols: u32) {
  for (var c = first; c < min(first + 4u, cols); c++) { x[row * cols + c] = to_x(x_data[source * cols + c]); }
}

fn clear_x(row: u32, first: u32, cols: u32) {
  for (var c = first; c < min(first + 4u, cols); c++) { x[row * cols + c] = OfX(0.0); }
}
