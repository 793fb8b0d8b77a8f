// with: lib/fours.wgsl
// Rows and columns of the four elements of an invocation. A division costs as much as twenty other instructions: one finds
// the first row, and what is 256 elements further is the same for all invocations.
struct Cell { row: u32, col: u32 }
struct Cells { a: Cell, b: Cell, c: Cell, d: Cell }

// The element 256 behind `at` in rows of `cols`.
fn behind(at: Cell, cols: u32) -> Cell {
  let rows = 256u / cols;
  let col = at.col + 256u - rows * cols;
  let beyond = u32(col >= cols);
  return Cell(at.row + rows + beyond, col - beyond * cols);
}

fn cells_of(i: vec4<u32>, cols: u32) -> Cells {
  let row = i.x / cols;
  let a = Cell(row, i.x - row * cols);
  let b = behind(a, cols);
  let c = behind(b, cols);
  return Cells(a, b, c, behind(c, cols));
}
