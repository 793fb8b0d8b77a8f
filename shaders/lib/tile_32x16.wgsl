// Tile of matmul.wgsl for few columns (the classes of a classifier): 4 x 4 outputs an invocation (32 of them), slices
// twice as deep because there is little to wait for each other with. 6 KiB of workgroup memory.
const ROWS = 32u;
const COLS = 16u;
const DEPTH = 32u;
const INVOCATIONS = 32u;
const ROW_PARTS = 1u;
const COL_PARTS = 1u;
