// out = the sum of values times weights. One workgroup: in each of 256 invocations blocks of a chain of fma each (no chain
// is long: src/kernels/sums.rs), then a tree, a fixed order for a given n. A weight of 0 adds nothing, not even 0 * infinity.
struct Params { n: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;     // (n)
@group(0) @binding(2) var<storage, read> weights: array<f32>;    // (n)
@group(0) @binding(3) var<storage, read_write> out: array<f32>;  // (1)

const BLOCK = 32u;

var<workgroup> partial: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.n;) {
    let end = min(i + BLOCK * 256u, params.n);
    var block = 0.0;
    for (; i < end; i += 256u) {
      if (weights[i] != 0.0) { block = fma(values[i], weights[i], block); }
    }
    sum += block;
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var reach = 128u; reach > 0u; reach /= 2u) {
    if (lane < reach) { partial[lane] += partial[lane + reach]; }
    workgroupBarrier();
  }
  if (lane == 0u) { out[0] = partial[0]; }
}
