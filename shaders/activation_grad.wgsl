// with: lib/math.wgsl lib/activation.wgsl lib/fours.wgsl
// f16: saved dy dx
// dx = dy f', from the output or the input of the function (see lib/activation.wgsl).
struct Params { n: u32, alpha: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> saved: array<OfSaved>;   // (n)
@group(0) @binding(2) var<storage, read> dy: array<OfDy>;        // (n)
@group(0) @binding(3) var<storage, read_write> dx: array<OfDx>;  // (n)

override KIND: u32 = 0u;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let kept = vec4<f32>(vec4<OfSaved>(saved[i.x], saved[i.y], saved[i.z], saved[i.w]));
  let value = vec4<f32>(vec4<OfDy>(dy[i.x], dy[i.y], dy[i.z], dy[i.w])) * activate_grad_four(KIND, kept, params.alpha);
  if (i.x < params.n) { dx[i.x] = to_dx(value.x); }
  if (i.y < params.n) { dx[i.y] = to_dx(value.y); }
  if (i.z < params.n) { dx[i.z] = to_dx(value.z); }
  if (i.w < params.n) { dx[i.w] = to_dx(value.w); }
}
