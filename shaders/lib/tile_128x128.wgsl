// Tile of matmul.wgsl for large matrices: a 128 x 128 block, 8 x 8 outputs an invocation (256 of them), 16 KiB of
// workgroup memory.
const BLOCK = 128u;
const DEPTH = 16u;
const PARTS = 2u;
