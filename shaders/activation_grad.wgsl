// with: lib/math.wgsl lib/activation.wgsl
// f16: saved dy dx
// dx = dy f', from the output or the input of the function (see lib/activation.wgsl).
struct Params { n: u32, alpha: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> saved: array<OfSaved>;   // (n)
@group(0) @binding(2) var<storage, read> dy: array<OfDy>;        // (n)
@group(0) @binding(3) var<storage, read_write> dx: array<OfDx>;  // (n)

override KIND: u32 = 0u;

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.n) { dx[i] = OfDx(f32(dy[i]) * activate_grad(KIND, f32(saved[i]), params.alpha)); }
  }
}
