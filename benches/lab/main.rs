//! A laboratory for kernels: times WGSL files as they lie in a folder, so that no question to a GPU needs a rebuild there.
//!
//! ```text
//! cargo bench --bench lab -- --write FOLDER       # the kernels as they are, and the variants of `questions.rs`
//! cargo bench --bench lab -- FOLDER [DEVICE]      # compiles every file, holds its bits against its group's, times it
//! ```
//!
//! A file begins with what a host has to know; its variants are copies with another text or other words:
//!
//! ```text
//! // lab: group=nn_1024_large entry=main workgroups=8x8 flops=2147483648 bytes=12582912 checks=1 loops=0 zero=0
//! // overrides: TRANSPOSE=0
//! // params: 000400000004000000040000
//! // uniform: 16 00010000
//! // step: 0ad7233c01000000…
//! // buffer: 1 read 1048576
//! ```
//!
//! `checks`, `loops`, `zero`: bounds checks, loop bounding and zeroed workgroup memory on or off. `params` and `step` are
//! the bytes of the uniforms of groups 0 and 1, `uniform` those of further ones of group 0. Buffers hold random numbers in (-0.5, 0.5). Files of one `group` compute
//! the same: the first (by name) sets the bits. A time is the median of turns taken in rotation, between two timestamps
//! where the adapter has them.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark stops at the first surprise")]

#[path = "../../examples/common/arguments.rs"]
mod arguments;
mod questions;

use arguments::Arguments;
use axone::random::{threefry2x32, uniform};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wgpu::util::DeviceExt;

const TURNS: usize = 7;
/// A turn lasts about this long.
const TURN: Duration = Duration::from_millis(20);
/// Software adapters skip files beyond this many operations.
const SOFTWARE_FLOPS: u64 = 1_000_000_000;

type Fault = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: lab --write FOLDER, or lab FOLDER [DEVICE]

  --write FOLDER  writes the kernels as they are, with the sizes of a dense network, and variants of them
  FOLDER          compiles, checks and times the WGSL files there, on the adapter whose name contains DEVICE";

fn main() -> Result<(), Fault> {
    let (mut arguments, mut write, mut given) = (Arguments::new(USAGE), None, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Said by cargo.
            "--bench" => {}
            "--write" => write = Some(arguments.value::<String>("--write")),
            other if other.starts_with('-') => arguments.unknown(other),
            _ => given.push(argument),
        }
    }
    match (write, &given[..]) {
        (Some(folder), []) => questions::write_all(Path::new(&folder)),
        (None, [folder]) => measure(Path::new(folder), ""),
        (None, [folder, device]) => measure(Path::new(folder), device),
        _ => {
            println!("{USAGE}");
            Ok(())
        }
    }
}

/// What a file says of itself.
#[derive(Debug, Clone, Default)]
struct Header {
    words: BTreeMap<String, String>,
    overrides: Vec<(String, f64)>,
    params: Vec<u8>,
    uniforms: Vec<(u32, Vec<u8>)>,
    step: Vec<u8>,
    /// Binding, whether it is written, elements.
    buffers: Vec<(u32, bool, usize)>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, Fault> {
        let mut header = Self::default();
        for line in text.lines().map_while(|line| line.strip_prefix("// ")) {
            let (key, rest) = line.split_once(": ").ok_or_else(|| format!("no `key: value` in \"{line}\""))?;
            let words =
                || rest.split_whitespace().map(|word| word.split_once('=').ok_or(format!("no `=` in \"{word}\"")));
            match key {
                "lab" => {
                    for word in words() {
                        let (name, value) = word?;
                        header.words.insert(name.to_owned(), value.to_owned());
                    }
                }
                "overrides" => {
                    for word in words() {
                        let (name, value) = word?;
                        header.overrides.push((name.to_owned(), value.parse()?));
                    }
                }
                "params" => header.params = bytes(rest)?,
                "uniform" => {
                    let (binding, hex) =
                        rest.split_once(' ').ok_or_else(|| format!("no `binding bytes` in \"{rest}\""))?;
                    header.uniforms.push((binding.parse()?, bytes(hex)?));
                }
                "step" => header.step = bytes(rest)?,
                "buffer" => match rest.split_whitespace().collect::<Vec<_>>()[..] {
                    [binding, access @ ("read" | "write"), len] => {
                        header.buffers.push((binding.parse()?, access == "write", len.parse()?));
                    }
                    _ => return Err(format!("no `binding read|write elements` in \"{rest}\"").into()),
                },
                // A comment of the text.
                _ => break,
            }
        }
        Ok(header)
    }

    fn word(&self, name: &str) -> Result<&str, Fault> {
        Ok(self.words.get(name).ok_or_else(|| format!("the line `// lab:` has no {name}"))?)
    }

    fn is_on(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.word(name)? == "1")
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, Fault> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or(""), 16));
    Ok(pairs.collect::<Result<_, _>>()?)
}

/// A file, compiled, with its buffers.
struct Variant {
    name: String,
    group: String,
    pipeline: wgpu::ComputePipeline,
    groups: Vec<wgpu::BindGroup>,
    written: Vec<wgpu::Buffer>,
    workgroups: (u32, u32),
    flops: u64,
    bytes: u64,
    repeats: u32,
    seconds: Vec<f64>,
}

struct Lab {
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// Two queries, where they are resolved to and where the host reads them.
    stopwatch: Option<(wgpu::QuerySet, wgpu::Buffer, wgpu::Buffer)>,
}

fn measure(folder: &Path, device: &str) -> Result<(), Fault> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let wanted = |adapter: &&wgpu::Adapter| adapter.get_info().name.to_lowercase().contains(&device.to_lowercase());
    let adapter = adapters.iter().filter(wanted).min_by_key(|adapter| adapter.get_info().device_type as u8 == 4);
    let adapter = adapter.ok_or_else(|| format!("no adapter named \"{device}\""))?;
    let info = adapter.get_info();
    let is_software = info.device_type == wgpu::DeviceType::Cpu;
    let lab = Lab::open(adapter)?;
    println!("{} ({}, {} {})", info.name, info.backend, info.driver, info.driver_info);
    println!("clock: {}", if lab.stopwatch.is_some() { "timestamps" } else { "submissions" });

    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wgsl"));
    files.sort();
    // Drivers compile on the thread that asks.
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let compiled: Vec<(String, Result<Option<Variant>, Fault>)> = std::thread::scope(|scope| {
        let work = |worker: usize| {
            let (lab, own) = (&lab, files.iter().skip(worker).step_by(threads));
            let load = move |file: &PathBuf| {
                let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                (name.clone(), lab.load(name, file, is_software))
            };
            scope.spawn(move || own.map(load).collect::<Vec<_>>())
        };
        let workers: Vec<_> = (0..threads).map(work).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker ends")).collect()
    });
    println!("{} files compiled in {:.1} s", files.len(), begun.elapsed().as_secs_f64());

    let mut variants = Vec::new();
    for (name, variant) in compiled {
        match variant {
            Ok(Some(variant)) => variants.push(variant),
            Ok(None) => println!("{name}: SKIPPED, too long for a software adapter or too large for this one"),
            Err(error) => println!("{name}: FAILED: {error}"),
        }
    }
    variants.sort_by(|a, b| (&a.group, &a.name).cmp(&(&b.group, &b.name)));
    let groups: Vec<&mut [Variant]> = variants.chunk_by_mut(|a, b| a.group == b.group).collect();
    println!(
        "{:<44} {:>10} {:>10} {:>9} {:>9} {:>7}  bits",
        "variant", "median us", "best us", "GFLOP/s", "GB/s", "ratio"
    );
    for group in groups {
        let mut bits = Vec::new();
        for variant in group.iter_mut() {
            lab.run(variant, 1)?;
            bits.push(lab.read(variant)?);
            while lab.run(variant, variant.repeats)? < TURN.as_secs_f64() / 2.0 && variant.repeats < 1 << 14 {
                variant.repeats *= 2;
            }
        }
        for _ in 0..TURNS {
            for variant in group.iter_mut() {
                let seconds = lab.run(variant, variant.repeats)? / f64::from(variant.repeats);
                variant.seconds.push(seconds);
            }
        }
        let mut first = None;
        for (variant, own) in group.iter_mut().zip(&bits) {
            variant.seconds.sort_by(f64::total_cmp);
            let (median, best) = (variant.seconds[TURNS / 2], variant.seconds[0]);
            let ratio = *first.get_or_insert(median) / median;
            let same = if *own == bits[0] { "same" } else { "DIFFERENT" };
            let (flops, bytes) = (variant.flops as f64 / median * 1e-9, variant.bytes as f64 / median * 1e-9);
            let (median, best) = (median * 1e6, best * 1e6);
            println!("{:<44} {median:>10.2} {best:>10.2} {flops:>9.1} {bytes:>9.1} {ratio:>7.3}  {same}", variant.name);
        }
    }
    Ok(())
}

impl Lab {
    fn open(adapter: &wgpu::Adapter) -> Result<Self, Fault> {
        let descriptor = wgpu::DeviceDescriptor {
            required_features: adapter.features() & !wgpu::Features::all_experimental_mask(),
            required_limits: adapter.limits(),
            ..Default::default()
        };
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))?;
        let stopwatch = device.features().contains(wgpu::Features::TIMESTAMP_QUERY).then(|| {
            let (label, ty, count) = (Some("lab"), wgpu::QueryType::Timestamp, 2);
            let set = device.create_query_set(&wgpu::QuerySetDescriptor { label, ty, count });
            let buffer = |usage| {
                device.create_buffer(&wgpu::BufferDescriptor { label, size: 16, usage, mapped_at_creation: false })
            };
            use wgpu::BufferUsages as Usage;
            (set, buffer(Usage::QUERY_RESOLVE | Usage::COPY_SRC), buffer(Usage::COPY_DST | Usage::MAP_READ))
        });
        Ok(Self { device, queue, stopwatch })
    }

    /// `None` for what would take a software adapter too long, and for buffers that the adapter does not bind.
    fn load(&self, name: String, file: &Path, is_software: bool) -> Result<Option<Variant>, Fault> {
        let text = std::fs::read_to_string(file)?;
        let header = Header::parse(&text)?;
        let flops: u64 = header.word("flops")?.parse()?;
        let most = self.device.limits().max_storage_buffer_binding_size;
        let is_large = header.buffers.iter().any(|&(_, _, len)| 4 * len as u64 > most);
        if is_large || is_software && flops > SOFTWARE_FLOPS {
            return Ok(None);
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let variant = self.compile(name, &text, &header, flops);
        match pollster::block_on(scope.pop()) {
            Some(error) => Err(error.to_string().into()),
            None => variant.map(Some),
        }
    }

    fn compile(&self, name: String, text: &str, header: &Header, flops: u64) -> Result<Variant, Fault> {
        let device = &self.device;
        let mut checks = wgpu::ShaderRuntimeChecks::checked();
        checks.bounds_checks = header.is_on("checks")?;
        checks.force_loop_bounding = header.is_on("loops")?;
        // As the library does: without an override wgpu does not heed the checks.
        let text = if header.overrides.is_empty() && !text.contains("\noverride ") {
            format!("{text}override UNUSED = 0u;\n")
        } else {
            text.to_owned()
        };
        let source = wgpu::ShaderSource::Wgsl(text.into());
        // SAFETY: the files are the kernels of this crate or variants of them that its author wrote: their loops end, and
        // what they index lies in their buffers.
        let module = unsafe {
            device.create_shader_module_trusted(wgpu::ShaderModuleDescriptor { label: Some(&name), source }, checks)
        };
        let constants: Vec<(&str, f64)> =
            header.overrides.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&name),
            layout: None,
            module: &module,
            entry_point: Some(header.word("entry")?),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                zero_initialize_workgroup_memory: header.is_on("zero")?,
            },
            cache: None,
        });
        use wgpu::BufferUsages as Usage;
        let buffer = |contents: &[u8], usage| {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: None, contents, usage })
        };
        let mut bound = vec![(0, buffer(&header.params, Usage::UNIFORM))];
        bound.extend(header.uniforms.iter().map(|(binding, bytes)| (*binding, buffer(bytes, Usage::UNIFORM))));
        let mut written = Vec::new();
        for &(binding, is_written, len) in &header.buffers {
            let values: Vec<f32> =
                (0..len as u32).map(|x| uniform(threefry2x32([binding, 1], [x, 0])[0]) - 0.5).collect();
            let own = buffer(bytemuck::cast_slice(&values), Usage::STORAGE | Usage::COPY_SRC);
            if is_written {
                written.push(own.clone());
            }
            bound.push((binding, own));
        }
        let group = |index, bound: &[(u32, wgpu::Buffer)]| {
            let entries = bound.iter().map(|(binding, buffer)| {
                let (binding, resource) = (*binding, buffer.as_entire_binding());
                wgpu::BindGroupEntry { binding, resource }
            });
            let (layout, entries) = (pipeline.get_bind_group_layout(index), entries.collect::<Vec<_>>());
            device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout: &layout, entries: &entries })
        };
        let mut groups = vec![group(0, &bound)];
        if !header.step.is_empty() {
            groups.push(group(1, &[(0, buffer(&header.step, Usage::UNIFORM))]));
        }
        let (x, y) = header.word("workgroups")?.split_once('x').ok_or("workgroups are no `XxY`")?;
        let workgroups = (x.parse()?, y.parse()?);
        let (group, bytes) = (header.word("group")?.to_owned(), header.word("bytes")?.parse()?);
        let (repeats, seconds) = (1, Vec::new());
        Ok(Variant { name, group, pipeline, groups, written, workgroups, flops, bytes, repeats, seconds })
    }

    /// Seconds of `repeats` dispatches behind one another.
    fn run(&self, variant: &Variant, repeats: u32) -> Result<f64, Fault> {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let writes = self.stopwatch.as_ref().map(|(set, ..)| wgpu::ComputePassTimestampWrites {
            query_set: set,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        });
        let mut pass =
            encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some("lab"), timestamp_writes: writes });
        pass.set_pipeline(&variant.pipeline);
        for (index, group) in (0..).zip(&variant.groups) {
            pass.set_bind_group(index, group, &[]);
        }
        for _ in 0..repeats {
            pass.dispatch_workgroups(variant.workgroups.0, variant.workgroups.1, 1);
        }
        drop(pass);
        if let Some((set, resolved, host)) = &self.stopwatch {
            encoder.resolve_query_set(set, 0..2, resolved, 0);
            encoder.copy_buffer_to_buffer(resolved, 0, host, 0, 16);
        }
        let begun = Instant::now();
        self.queue.submit([encoder.finish()]);
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        let Some((.., host)) = &self.stopwatch else { return Ok(begun.elapsed().as_secs_f64()) };
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&self.map(host)?);
        Ok(ticks[1].saturating_sub(ticks[0]) as f64 * f64::from(self.queue.get_timestamp_period()) * 1e-9)
    }

    fn map(&self, buffer: &wgpu::Buffer) -> Result<Vec<u8>, Fault> {
        let (send, receive) = std::sync::mpsc::channel();
        buffer.map_async(wgpu::MapMode::Read, .., move |mapped| drop(send.send(mapped)));
        self.device.poll(wgpu::PollType::wait_indefinitely())?;
        receive.recv()??;
        let bytes = buffer.get_mapped_range(..).map_err(|error| error.to_string())?.to_vec();
        buffer.unmap();
        Ok(bytes)
    }

    /// What it wrote.
    fn read(&self, variant: &Variant) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        for buffer in &variant.written {
            let usage = wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ;
            let (label, size, mapped_at_creation) = (None, buffer.size(), false);
            let host = self.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation });
            let mut encoder = self.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(buffer, 0, &host, 0, size);
            self.queue.submit([encoder.finish()]);
            all.extend(self.map(&host)?);
        }
        Ok(all)
    }
}
