// Tile of matmul.wgsl for few rows (a prediction of one): 4 x 4 outputs an invocation (16 of them). 4.25 KiB of
// workgroup memory.
const ROWS = 4u;
const COLS = 64u;
const DEPTH = 16u;
const INVOCATIONS = 16u;
const ROW_PARTS = 1u;
const COL_PARTS = 1u;
