// The factor that brings the norm of all gradients down to max_norm, in two dispatches: `partials` sums the squares of
// 4096 neighbours a workgroup, `factor` joins the sums. Frozen blocks (rate factor 0) do not count; padding is 0.
// Both run in a fixed order. clip: the factor at 0, the sums from 64 on. `scaled_factor` joins the sums of gradients of a
// scaled loss: the factor takes the scale out again. A gradient that is not finite, because it was too large for f16,
// makes the sum so: then the update is told to pass the step over, and the next one gets half the scale.
struct Params { n: u32, partials: u32, max_norm: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;  // (n / 4)
@group(0) @binding(2) var<storage, read> rules: array<vec4<f32>>;     // (n / 64): rate factor, ...
@group(0) @binding(3) var<storage, read_write> clip: array<f32>;      // (64 + partials)
// (67): factor, largest size, whether to pass over, scale of these gradients; from 64 on: the scale of the next step,
// good steps in a row, steps passed over.
@group(0) @binding(4) var<storage, read_write> loss_scale: array<f32>;

const GROWTH_INTERVAL = 2000.0;
const LARGEST_SCALE = 16777216.0;

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

fn sum_of_partials(lane: u32) -> f32 {
  var sum = 0.0;
  for (var i = lane; i < params.partials; i += 256u) { sum += clip[64u + i]; }
  return sum_of_all(lane, sum);
}

fn factor_for(norm: f32) -> f32 {
  let factor = params.max_norm / (norm + 1e-6);
  return select(factor, 1.0, factor > 1.0);  // not min: it may turn NaN into a number
}

@compute @workgroup_size(256)
fn factor(@builtin(local_invocation_index) lane: u32) {
  let total = sum_of_partials(lane);
  if (lane == 0u) { clip[0] = factor_for(sqrt(total)); }
}

@compute @workgroup_size(256)
fn scaled_factor(@builtin(local_invocation_index) lane: u32) {
  let total = sum_of_partials(lane);
  if (lane > 0u) { return; }
  let scale = loss_scale[64];
  let overflow = (bitcast<u32>(total) & 0x7f800000u) == 0x7f800000u;  // infinite or NaN
  loss_scale[0] = factor_for(sqrt(total) / scale) / scale;
  loss_scale[2] = select(0.0, 1.0, overflow);
  loss_scale[3] = scale;
  let good = loss_scale[65] + 1.0;
  let grows = good >= GROWTH_INTERVAL;
  if (overflow) {
    loss_scale[64] = max(0.5 * scale, 1.0);
    loss_scale[66] += 1.0;
  } else if (grows) {
    loss_scale[64] = min(2.0 * scale, LARGEST_SCALE);
  }
  loss_scale[65] = select(good, 0.0, overflow || grows);
}
