// out = the sum of values times weights. One workgroup: 256 chains of fma, then a tree, a fixed order for a given n.
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;     // (n)
@group(0) @binding(2) var<storage, read> weights: array<f32>;    // (n)
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // (1)

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.n; i += 256u) { sum = fma(values[i], weights[i], sum); }
  partial[lane] = sum;
  workgroupBarrier();
  for (var reach = 128u; reach > 0u; reach /= 2u) {
    if (lane < reach) { partial[lane] += partial[lane + reach]; }
    workgroupBarrier();
  }
  if (lane == 0u) { out[0] = partial[0]; }
}
