// Tile of matmul_fine.wgsl for few columns (the classes of a classifier; 128 invocations). 6 KiB of workgroup memory.
const ROWS = 32u;
const COLS = 16u;
const DEPTH = 32u;
const INVOCATIONS = 128u;
