// Tile of matmul.wgsl: a 64 x 64 block, 8 x 8 outputs an invocation (64 of them), 8 KiB of workgroup memory.
const BLOCK = 64u;
const DEPTH = 16u;
const PARTS = 2u;
