// enable: f16 wgpu_cooperative_matrix
// Tile of matmul_cooperative.wgsl for matrices of 16 x 16 and subgroups of 32 lanes (NVIDIA), where there are large
// matrices: 8 subgroups of 64 x 32.
alias Left = coop_mat16x16<f16, A>;
alias Right = coop_mat16x16<f16, B>;
alias Sum = coop_mat16x16<f32, C>;
const SIDE = 16u;
const LANES = 32u;  // of a subgroup
const ROWS = 128u;
const COLS = 128u;
const DEPTH = 32u;
const INVOCATIONS = 256u;
const ROW_SUMS = 4u;  // cooperative matrices of a subgroup
const COL_SUMS = 2u;
