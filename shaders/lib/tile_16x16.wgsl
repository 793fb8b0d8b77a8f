// Tile of matmul.wgsl for small matrices: a 16 x 16 block, 2 x 2 outputs an invocation, so that more workgroups
// share the work and fewer outputs of an edge tile are computed for nothing.
const BM = 16u;
const BN = 16u;
const BK = 16u;
const TM = 2u;
const TN = 2u;
const THREADS = 64u;
