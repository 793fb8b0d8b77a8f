// Tile of matmul.wgsl: 8 x 8 outputs an invocation (64 of them). 8 KiB of workgroup memory.
const ROWS = 64u;
const COLS = 64u;
const DEPTH = 16u;
const INVOCATIONS = 64u;
const PARTS = 2u;
