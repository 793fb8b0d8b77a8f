// The inputs of train_step as vec4: the rows of the data set begin at multiples of 4 elements.
@group(0) @binding(1) var<storage, read> x_data: array<vec4<f32>>;  // (any, inputs)

fn x_quad(at: u32) -> vec4<f32> { return x_data[at / 4u]; }
