// with: lib/math.wgsl lib/activation.wgsl
// f16: x y
// y = f(x), element by element.
struct Params { n: u32, alpha: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;        // (n)
@group(0) @binding(2) var<storage, read_write> y: array<OfY>;  // (n)

override KIND: u32 = 0u;

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.n) { y[i] = OfY(activate(KIND, f32(x[i]), params.alpha)); }
  }
}
