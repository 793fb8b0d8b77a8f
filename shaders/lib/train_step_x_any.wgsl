// train_step_x_vec4.wgsl for rows of any length.
@group(0) @binding(1) var<storage, read> x_data: array<f32>;  // (any, inputs)

fn x_quad(at: u32) -> vec4<f32> { return vec4<f32>(x_data[at], x_data[at + 1u], x_data[at + 2u], x_data[at + 3u]); }
