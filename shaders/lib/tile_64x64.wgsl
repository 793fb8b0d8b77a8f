// Tile of matmul.wgsl for large matrices: a 64 x 64 block, 8 x 8 outputs an invocation.
const BM = 64u;
const BN = 64u;
const BK = 16u;
const TM = 8u;
const TN = 8u;
const THREADS = 64u;
