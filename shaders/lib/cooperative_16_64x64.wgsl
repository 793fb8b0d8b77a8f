// enable: f16 wgpu_cooperative_matrix
// Tile of matmul_cooperative.wgsl for matrices of 16 x 16 and subgroups of 32 lanes (NVIDIA): 4 subgroups of 32 x 32.
alias Left = coop_mat16x16<f16, A>;
alias Right = coop_mat16x16<f16, B>;
alias Sum = coop_mat16x16<f32, C>;
const SIDE = 16u;
const LANES = 32u;  // of a subgroup
const ROWS = 64u;
const COLS = 64u;
const DEPTH = 32u;
const INVOCATIONS = 128u;
const ROW_SUMS = 2u;  // cooperative matrices of a subgroup
const COL_SUMS = 2u;
