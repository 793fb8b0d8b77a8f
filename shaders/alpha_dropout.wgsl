// with: lib/step.wgsl lib/random.wgsl
// f16: x y
// y = keep ? scale x + shift : dropped. The mask is that of dropout.wgsl, which with this scale is the gradient.
struct Params { n: u32, rate: f32, scale: f32, shift: f32, dropped: f32, stream: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;        // (n)
@group(0) @binding(2) var<storage, read_write> y: array<OfY>;  // (n)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let key = stream_key(step.seed_low, step.seed_high, params.stream, step.step);
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.n) {
      let kept = fma(params.scale, f32(x[i]), params.shift);
      y[i] = OfY(select(params.dropped, kept, keeps(key, i, params.rate)));
    }
  }
}
