// with: lib/step.wgsl
// Adam in PyTorch's formula: the bias corrections c1, c2 divide the step and the root, not the stored moments.
struct Params { n: u32, beta1: f32, beta2: f32, one_minus_beta1: f32, one_minus_beta2: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;         // (n)
@group(0) @binding(2) var<storage, read_write> parameter: array<f32>;  // (n)
@group(0) @binding(3) var<storage, read_write> m: array<f32>;          // (n): mean of the gradient
@group(0) @binding(4) var<storage, read_write> v: array<f32>;          // (n): mean of its square

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let rate = step.learning_rate / step.correction1;
  let root = sqrt(step.correction2);
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.n) {
      let g = gradient[i];
      let mean = fma(params.beta1, m[i], params.one_minus_beta1 * g);
      let square = fma(params.beta2, v[i], params.one_minus_beta2 * g * g);
      m[i] = mean;
      v[i] = square;
      parameter[i] -= rate * mean / (sqrt(square) / root + params.epsilon);
    }
  }
}
