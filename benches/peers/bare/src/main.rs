//! The least that a program needs of wgpu to compute: it opens an adapter, doubles 1024 numbers and reads them back.
//! Its crates and its build are what axone's are held against.

#[path = "../../../../examples/common/arguments.rs"]
mod arguments;

use wgpu::util::{BufferInitDescriptor, DeviceExt};

const LEN: u64 = 1024;
const DOUBLE: &str = "
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    x[id.x] = 2.0 * x[id.x];
}";

fn main() {
    arguments::none("usage: bare\n\nOpens an adapter, doubles 1024 numbers and reads them back.");
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let adapter = adapters.first().expect("an adapter");
    println!("# bare: {}", adapter.get_info().name);
    let (device, queue) = pollster::block_on(adapter.request_device(&Default::default())).expect("a device");
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: None,
        source: wgpu::ShaderSource::Wgsl(DOUBLE.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: None,
        layout: None,
        module: &module,
        entry_point: None,
        compilation_options: Default::default(),
        cache: None,
    });
    let ones: Vec<u8> = std::iter::repeat_n(1f32.to_le_bytes(), LEN as usize).flatten().collect();
    let numbers = device.create_buffer_init(&BufferInitDescriptor {
        label: None,
        contents: &ones,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC,
    });
    let readback = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: 4 * LEN,
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let bind_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: numbers.as_entire_binding() }],
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    let mut pass = encoder.begin_compute_pass(&Default::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &bind_group, &[]);
    pass.dispatch_workgroups((LEN / 64) as u32, 1, 1);
    drop(pass);
    encoder.copy_buffer_to_buffer(&numbers, 0, &readback, 0, 4 * LEN);
    queue.submit([encoder.finish()]);
    readback.map_async(wgpu::MapMode::Read, .., |mapped| mapped.expect("it is readable"));
    device.poll(wgpu::PollType::wait_indefinitely()).expect("the device is there");
    let bytes = readback.get_mapped_range(..).expect("it is mapped");
    let first = f32::from_le_bytes(bytes[..4].try_into().expect("four bytes"));
    println!("bare double - {first}");
}
