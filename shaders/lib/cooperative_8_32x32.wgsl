// enable: f16 wgpu_cooperative_matrix
// Tile of matmul_cooperative.wgsl for matrices of 8 x 8 and subgroups of 8 lanes (lavapipe): 4 subgroups.
alias Left = coop_mat8x8<f16, A>;
alias Right = coop_mat8x8<f16, B>;
alias Sum = coop_mat8x8<f32, C>;
const SIDE = 8u;
const LANES = 8u;  // of a subgroup
const ROWS = 32u;
const COLS = 32u;
const DEPTH = 16u;
const INVOCATIONS = 32u;
const ROW_SUMS = 2u;  // cooperative matrices of a subgroup
const COL_SUMS = 2u;
