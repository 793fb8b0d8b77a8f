// Tile of matmul_fine.wgsl for small results (128 invocations). 6 KiB of workgroup memory.
const ROWS = 16u;
const COLS = 32u;
const DEPTH = 32u;
const INVOCATIONS = 128u;
