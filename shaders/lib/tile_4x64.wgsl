// Tile of matmul_fine.wgsl for few rows (a prediction of one; 64 invocations). 4.25 KiB of workgroup memory.
const ROWS = 4u;
const COLS = 64u;
const DEPTH = 16u;
const INVOCATIONS = 64u;
