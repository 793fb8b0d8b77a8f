// with: lib/step.wgsl
// running = (1 - momentum) running + momentum (statistics of the batch), the variance unbiased: times v / (v - 1) for v
// rows. A batch of one row leaves them as they are. A dispatch of its own: the kernel that measures reads other parameters,
// and one dispatch may not bind a buffer both ways.
struct Params { rows: u32, cols: u32, running_at: u32, momentum: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> statistics: array<f32>;     // mean and variance (2, cols)
@group(0) @binding(2) var<storage, read_write> running: array<f32>;  // mean (cols), from running_at on variance (cols)

fn moved(old: f32, new_: f32) -> f32 { return fma(params.momentum, new_, (1.0 - params.momentum) * old); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let col = (group.y * groups.x + group.x) * 256u + lane;
  let count = min(step.valid, params.rows);
  if (col >= params.cols || count < 2u) { return; }
  let unbiased = f32(count) / f32(count - 1u);
  running[col] = moved(running[col], statistics[col]);
  let at = params.running_at + col;
  running[at] = moved(running[at], statistics[params.cols + col] * unbiased);
}
