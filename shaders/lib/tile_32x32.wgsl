// Tile of matmul.wgsl for small matrices: a 32 x 32 block, 4 x 4 outputs an invocation (64 of them), so that more
// workgroups share the work and fewer outputs of an edge tile are computed for nothing.
const BLOCK = 32u;
const DEPTH = 16u;
const PARTS = 1u;
