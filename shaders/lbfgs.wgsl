// The vectors of L-BFGS. memory: rows of n elements: the point x that the search stands on, the gradient g there, then
// `slots` directions d and as many changes y of the gradient. `advance` makes the next point to try, `measure` all sums of
// products that the host decides by, `accept` makes the point tried the one the search stands on.
struct Params { n: u32, slots: u32, partials: u32 }
@group(0) @binding(0) var<uniform> params: Params;
// The length t of the step, the slot of d and y, whether d is new, how many slots are in use, the factor of g in d, 0, 0,
// 0; then the factor of each d, and that of each y.
@group(0) @binding(1) var<storage, read> coefficients: array<f32>;           // (8 + 2 slots)
@group(0) @binding(2) var<storage, read> penalty: array<f32>;                // (n / 64): the factor of L2 in each block
@group(0) @binding(3) var<storage, read> parameter: array<vec4<f32>>;        // (n / 4)
@group(0) @binding(4) var<storage, read_write> gradient: array<vec4<f32>>;   // (n / 4)
@group(0) @binding(5) var<storage, read_write> memory: array<vec4<f32>>;     // ((2 + 2 slots) n / 4)
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;             // (partials, 4 slots + 4)
@group(0) @binding(7) var<storage, read_write> moved: array<vec4<f32>>;      // (n / 4): the parameters

var<workgroup> partial: array<vec4<f32>, 256>;

fn place(group: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
  return (group.y * groups.x + group.x) * 256u + lane;
}

// Element i of a row of memory: 0 is x, 1 is g, 2 + slot a direction, 2 + slots + slot a change.
fn at(row: u32, i: u32) -> u32 { return row * (params.n / 4u) + i; }

@compute @workgroup_size(256)
fn advance(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  if (i >= params.n / 4u) { return; }
  let own = at(2u + u32(coefficients[1]), i);
  var d = memory[own];
  if (coefficients[2] != 0.0) {
    d = coefficients[4] * memory[at(1u, i)];
    for (var j = 0u; j < params.slots; j++) {
      let of_d = coefficients[8u + j];
      if (of_d != 0.0) { d += of_d * memory[at(2u + j, i)]; }
      let of_y = coefficients[8u + params.slots + j];
      if (of_y != 0.0) { d += of_y * memory[at(2u + params.slots + j, i)]; }
    }
    memory[own] = d;
  }
  let x = memory[i];
  moved[i] = select(x + coefficients[0] * d, x, d == vec4<f32>());  // a frozen -0 stays one
}

// Every invocation of a workgroup must call it: it holds barriers. `largest`: of the last component not the sum.
fn join(lane: u32, value: vec4<f32>, largest: bool) -> vec4<f32> {
  workgroupBarrier();  // the result before has been read
  partial[lane] = value;
  workgroupBarrier();
  for (var reach = 128u; reach > 0u; reach /= 2u) {
    if (lane < reach) {
      let a = partial[lane];
      let b = partial[lane + reach];
      partial[lane] = vec4(a.xyz + b.xyz, select(a.w + b.w, max(a.w, b.w), largest));
    }
    workgroupBarrier();
  }
  return partial[0];
}

@compute @workgroup_size(256)
fn measure(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) lane: u32) {
  let chunk = group.y * groups.x + group.x;
  let slot = u32(coefficients[1]);
  let slots = params.slots;
  let width = 4u * slots + 4u;
  var y: array<vec4<f32>, 4>;
  var g: array<vec4<f32>, 4>;
  var own = vec4<f32>();  // d g before, the penalty, g g, the largest element of g
  for (var k = 0u; k < 4u; k++) {
    let i = (chunk * 4u + k) * 256u + lane;
    if (i < params.n / 4u) {
      let p = parameter[i];
      let pull = penalty[i / 16u] * p;
      g[k] = gradient[i] + pull;
      gradient[i] = g[k];
      let before = memory[at(1u, i)];
      y[k] = g[k] - before;
      memory[at(2u + slots + slot, i)] = y[k];
      let size = abs(g[k]);
      let most = max(max(size.x, size.y), max(size.z, size.w));
      let d = memory[at(2u + slot, i)];
      own += vec4(dot(d, before), dot(p, pull), dot(g[k], g[k]), 0.0);
      own.w = max(own.w, most);
    }
  }
  let totals = join(lane, own, true);
  if (lane == 0u && chunk < params.partials) {
    for (var k = 0u; k < 4u; k++) { sums[chunk * width + 4u * slots + k] = totals[k]; }
  }
  let used = min(u32(coefficients[3]), slots);
  for (var j = 0u; j < slots; j++) {
    var products = vec4<f32>();  // d y, d g, y_j y, y_j g
    if (j < used) {
      for (var k = 0u; k < 4u; k++) {
        let i = (chunk * 4u + k) * 256u + lane;
        if (i < params.n / 4u) {
          let d = memory[at(2u + j, i)];
          let change = memory[at(2u + slots + j, i)];
          products += vec4(dot(d, y[k]), dot(d, g[k]), dot(change, y[k]), dot(change, g[k]));
        }
      }
      products = join(lane, products, false);
    }
    if (lane == 0u && chunk < params.partials) {
      for (var k = 0u; k < 4u; k++) { sums[chunk * width + 4u * j + k] = products[k]; }
    }
  }
}

@compute @workgroup_size(256)
fn accept(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) lane: u32) {
  let i = place(group, groups, lane);
  if (i < params.n / 4u) {
    memory[i] = parameter[i];
    memory[at(1u, i)] = gradient[i];
  }
}
