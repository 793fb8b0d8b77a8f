// Tile of matmul.wgsl for small matrices: 4 x 4 outputs an invocation (64 of them), so that more workgroups share the
// work and fewer outputs of an edge tile are computed for nothing. 4 KiB of workgroup memory.
const ROWS = 32u;
const COLS = 32u;
const DEPTH = 16u;
const INVOCATIONS = 64u;
const PARTS = 1u;
