// with: lib/step.wgsl lib/moment.wgsl
// What every optimizer does before its own formula: the gradient is clipped, L2 and L1 are added to it, and weight decay
// shrinks the parameter. A slab is a whole number of vec4, so an invocation takes four parameters; a rule stands for a
// block of 64, hence for the same parameter in all four.
struct Params { n: u32, decay1: f32, decay2: f32, rest1: f32, rest2: f32, epsilon: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;         // (n / 4)
@group(0) @binding(2) var<storage, read> clip: array<vec4<f32>>;             // (1): factor, largest size (0: any), skip
@group(0) @binding(3) var<storage, read> rules: array<vec4<f32>>;            // (n / 64): rate factor, L2, L1, weight decay
@group(0) @binding(4) var<storage, read_write> parameter: array<vec4<f32>>;  // (n / 4)

struct Four { frozen: bool, g: vec4<f32>, p: vec4<f32>, rate: f32 }

fn place(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
  return (group.y * groups.x + group.x) * 256u + lane;
}

// Four gradients and parameters, ready for the formula. Past the end they are frozen: there is nothing to do; and so are
// all in a step that is to be skipped.
fn four(i: u32) -> Four {
  if (i >= params.n / 4u || clip[0].z != 0.0) { return Four(true, vec4<f32>(), vec4<f32>(), 0.0); }
  let rule = rules[i / 16u];
  let limit = clip[0].y;
  let p = parameter[i];
  var g = clip[0].x * gradient[i];
  if (limit > 0.0) {  // not clamp: it may turn NaN into a number
    let high = vec4(limit);
    g = select(select(g, high, g > high), -high, g < -high);
  }
  let rate = rule.x * step.learning_rate;
  return Four(rule.x == 0.0, fma(vec4(rule.y), p, g) + rule.z * sign(p), fma(vec4(-rate * rule.w), p, p), rate);
}
