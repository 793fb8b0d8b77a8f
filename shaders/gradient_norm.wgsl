// The factor that brings the norm of all gradients down to max_norm, in two dispatches: `partials` sums the squares of
// 4096 neighbours a workgroup, `factor` joins the sums. Frozen blocks (rate factor 0) do not count; padding is 0.
// Both run in a fixed order. clip: the factor at 0, the sums from 64 on.
struct Params { n: u32, partials: u32, max_norm: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;  // (n / 4)
@group(0) @binding(2) var<storage, read> rules: array<vec4<f32>>;     // (n / 64): rate factor, ...
@group(0) @binding(3) var<storage, read_write> clip: array<f32>;      // (64 + partials)

var<workgroup> partial: array<f32, 256>;

// Every invocation of a workgroup must call it: it holds barriers.
fn sum_of_all(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  workgroupBarrier();
  for (var reach = 128u; reach > 0u; reach /= 2u) {
    if (lane < reach) { partial[lane] += partial[lane + reach]; }
    workgroupBarrier();
  }
  return partial[0];
}

@compute @workgroup_size(256)
fn partials(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32) {
  let at = group.y * groups.x + group.x;
  var sum = 0.0;
  for (var k = 0u; k < 4u; k++) {
    let i = (at * 4u + k) * 256u + lane;
    if (i < params.n / 4u) {
      if (rules[i / 16u].x != 0.0) { sum += dot(gradient[i], gradient[i]); }
    }
  }
  let total = sum_of_all(lane, sum);
  if (lane == 0u && at < params.partials) { clip[64u + at] = total; }
}

@compute @workgroup_size(256)
fn factor(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.partials; i += 256u) { sum += clip[64u + i]; }
  let total = sum_of_all(lane, sum);
  if (lane == 0u) {
    let factor = params.max_norm / (sqrt(total) + 1e-6);
    clip[0] = select(factor, 1.0, factor > 1.0);  // not min: it may turn NaN into a number
  }
}
