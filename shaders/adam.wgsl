// with: lib/step.wgsl lib/moment.wgsl
// Adam in PyTorch's formula: the bias corrections c1, c2 divide the step and the root, not the stored moments.
// A slab is a whole number of vec4, so an invocation takes four parameters.
struct Params { n: u32, beta1: f32, beta2: f32, one_minus_beta1: f32, one_minus_beta2: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;         // (n / 4)
@group(0) @binding(2) var<storage, read_write> parameter: array<vec4<f32>>;  // (n / 4)
@group(0) @binding(3) var<storage, read_write> m: array<vec4<f32>>;          // (n / 4): mean of the gradient
@group(0) @binding(4) var<storage, read_write> v: array<vec4<f32>>;          // (n / 4): mean of its square

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i < params.n / 4u) {
    let g = gradient[i];
    let mean = faded(fma(vec4(params.beta1), m[i], params.one_minus_beta1 * g));
    let square = faded(fma(vec4(params.beta2), v[i], params.one_minus_beta2 * g * g));
    m[i] = mean;
    v[i] = square;
    let rate = step.learning_rate / step.correction1;
    parameter[i] -= rate * mean / (sqrt(square) / sqrt(step.correction2) + params.epsilon);
  }
}
