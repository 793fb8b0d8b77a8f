// Tile of matmul.wgsl for large matrices: 8 x 8 outputs an invocation (256 of them). 16 KiB of workgroup memory.
const ROWS = 128u;
const COLS = 128u;
const DEPTH = 16u;
const INVOCATIONS = 256u;
const PARTS = 2u;
