//! A program that owns the device: its own shader makes the inputs, a model predicts from them, its own shader goes on.
//!
//! `cargo run --release --example shared_device`
//!
//! The model learns `sin(x) cos(y)`. Then, on one device and one queue, nothing coming back to the host in between: the
//! program's shader fills a buffer with a grid of points, the predictor reads that buffer and writes another, and a second
//! shader of the program holds the predictions against the function and keeps the worst difference.

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::error::Error;
use wgpu::util::DeviceExt;

const USAGE: &str = "usage: shared_device

Trains a model on a device that the program owns, and predicts between its buffers. AXONE_DEVICE names an adapter.";

const SIDE: u32 = 32;
const POINTS: u32 = SIDE * SIDE;

const SHADERS: &str = "
    @group(0) @binding(0) var<storage, read_write> points: array<vec2f>;
    @group(0) @binding(1) var<storage, read_write> values: array<f32>;
    @group(0) @binding(2) var<storage, read_write> worst: array<atomic<u32>>;

    @compute @workgroup_size(64)
    fn grid(@builtin(global_invocation_id) id: vec3u) {
        points[id.x] = vec2f(f32(id.x % 32u), f32(id.x / 32u)) / 31.0 * 3.0;
    }

    @compute @workgroup_size(64)
    fn compare(@builtin(global_invocation_id) id: vec3u) {
        let p = points[id.x];
        // The bits of floats from 0 on are in the order of the floats.
        atomicMax(&worst[0], bitcast<u32>(abs(values[id.x] - sin(p.x) * cos(p.y))));
    }";

fn main() -> Result<(), Box<dyn Error>> {
    arguments::none(USAGE);
    let wanted = std::env::var("AXONE_DEVICE").unwrap_or_default().to_lowercase();
    let fits = |adapter: &&axone::gpu::Adapter| adapter.get_info().name.to_lowercase().contains(&wanted);
    let Some(adapter) = axone::gpu::adapters().iter().find(|adapter| wanted == "software" || fits(adapter)) else {
        println!("no adapter; {}", axone::SOFTWARE_HINT);
        return Ok(());
    };
    let descriptor = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() };
    let (raw, queue) = pollster::block_on(adapter.request_device(&descriptor))?;

    let device = Device::from_wgpu(adapter, raw.clone(), queue.clone());
    let x: Vec<[f32; 2]> =
        (0..POINTS).map(|i| [(i % SIDE) as f32, (i / SIDE) as f32].map(|v| v / 31.0 * 3.0)).collect();
    let y: Vec<[f32; 1]> = x.iter().map(|[x, y]| [x.sin() * y.cos()]).collect();
    let data = Dataset::new(x, y)?;
    let net = Sequential::new(2)
        .add(Dense::new(32).activation(Activation::Tanh))
        .add(Dense::new(32).activation(Activation::Tanh))
        .add(Dense::new(1));
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Adam::new(0.01))?;
    model.fit(&data, &Fit::new().epochs(60).batch_size(64))?;
    let predictor = model.predictor()?;

    // The program's own buffers and pipelines.
    use wgpu::BufferUsages as Usage;
    let buffer = |size, usage| {
        raw.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    };
    let all = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
    let points = buffer(u64::from(POINTS) * 8, all);
    let values = buffer(u64::from(POINTS) * 4, all);
    let worst =
        raw.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents: &[0; 4], usage: all });
    let host = buffer(4, Usage::COPY_DST | Usage::MAP_READ);
    let module = raw.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("the program's"),
        source: wgpu::ShaderSource::Wgsl(SHADERS.into()),
    });
    let submit = |entry: &str, buffers: &[(u32, &wgpu::Buffer)]| {
        let pipeline = raw.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(entry),
            layout: None,
            module: &module,
            entry_point: Some(entry),
            compilation_options: Default::default(),
            cache: None,
        });
        let entries: Vec<_> = buffers
            .iter()
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding: *binding, resource: buffer.as_entire_binding() })
            .collect();
        let layout = pipeline.get_bind_group_layout(0);
        let group =
            raw.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries });
        let mut encoder = raw.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(POINTS / 64, 1, 1);
        drop(pass);
        queue.submit([encoder.finish()]);
    };

    submit("grid", &[(0, &points)]);
    predictor.predict_buffers(POINTS as usize, &[&points], &[&values])?;
    submit("compare", &[(0, &points), (1, &values), (2, &worst)]);

    let mut encoder = raw.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(&worst, 0, &host, 0, 4);
    queue.submit([encoder.finish()]);
    host.slice(..).map_async(wgpu::MapMode::Read, |_| {});
    raw.poll(wgpu::PollType::wait_indefinitely())?;
    let bits: Vec<u32> = bytemuck::pod_collect_to_vec(&host.slice(..).get_mapped_range().map_err(|e| e.to_string())?);
    println!("device: {}", device.info().name);
    println!("WORST_DIFFERENCE: {:.4}", f32::from_bits(bits[0]));
    Ok(())
}
