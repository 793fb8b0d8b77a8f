//! Compiled kernels, kept for the life of the device: one pipeline for each (file, entry point,
//! overrides, which buffers hold f16).
//!
//! Sizes are in the uniform, not in the code, so that a network of ten layers compiles a handful of pipelines.

use super::Context;
use crate::kernels::{Access, Halves, Shader, Spec, Step};
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

/// A pipeline and the layout of its buffers.
pub struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

#[derive(PartialEq, Eq, Hash)]
struct Key {
    sources: &'static [&'static str],
    entry: &'static str,
    /// Names and bit patterns.
    overrides: Vec<(&'static str, u64)>,
    halves: Halves,
}

impl Key {
    fn of(spec: &dyn Spec, halves: Halves) -> Self {
        let overrides = spec.overrides().into_iter().map(|(name, value)| (name, value.to_bits())).collect();
        Self { sources: spec.shader().sources, entry: spec.entry().name, overrides, halves }
    }
}

/// The cache.
pub struct Pipelines {
    known: Mutex<HashMap<Key, Arc<Pipeline>>>,
    modules: Mutex<HashMap<(&'static [&'static str], Halves), wgpu::ShaderModule>>,
    /// Layout of group 1: the step uniform, picked by a dynamic offset.
    pub step_layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    pub fn new(device: &wgpu::Device) -> Self {
        let entry = layout_entry(0, wgpu::BufferBindingType::Uniform, true, size_of::<Step>() as u64);
        let step_layout = device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some("step"), entries: &[entry] });
        Self { known: Mutex::default(), modules: Mutex::default(), step_layout }
    }

    /// The pipelines of kernels, each with those of its buffers that hold f16. Those that are new are compiled side by
    /// side: with most drivers nothing else takes as long before a first step.
    pub fn all(&self, context: &Context, wanted: &[(&dyn Spec, Halves)]) -> Result<Vec<Arc<Pipeline>>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new: HashMap<Key, (&dyn Spec, Halves)> = HashMap::new();
        for &(spec, halves) in wanted {
            let key = Key::of(spec, halves);
            if !known().contains_key(&key) {
                new.insert(key, (spec, halves));
            }
        }
        let make = |(key, (spec, halves))| Ok((key, self.make(context, spec, halves)?));
        let compiled: Vec<Result<(Key, Arc<Pipeline>)>> = new.into_par_iter().map(make).collect();
        let mut known = known();
        // One that fails takes none of the others with it.
        let mut failed = None;
        for one in compiled {
            match one {
                Ok((key, pipeline)) => drop(known.insert(key, pipeline)),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let found = wanted.iter().map(|(spec, halves)| known.get(&Key::of(*spec, *halves)).map(Arc::clone));
        found.collect::<Option<_>>().ok_or_else(|| Error::Internal("a pipeline was compiled and is gone".to_owned()))
    }

    fn make(&self, context: &Context, spec: &dyn Spec, halves: Halves) -> Result<Arc<Pipeline>> {
        let (shader, access) = (spec.shader(), spec.entry().bindings.iter().map(|binding| binding.access));
        debug_assert!(access.is_sorted_by_key(|access| access != Access::Read), "{}: reads before writes", shader.name);
        let work = || Ok(self.compile(context, spec, halves, &self.module(context, shader, halves)));
        let pipeline = context.guarded(work).map_err(|error| match error {
            Error::Gpu { device, message } => Error::Gpu { device, message: format!("{}: {message}", shader.name) },
            other => other,
        })?;
        Ok(Arc::new(pipeline))
    }

    fn module(&self, context: &Context, shader: &Shader, halves: Halves) -> wgpu::ShaderModule {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || {
            context.count_object();
            let mut checks = wgpu::ShaderRuntimeChecks::checked();
            checks.force_loop_bounding = false;
            let source = wgpu::ShaderSource::Wgsl(text(shader, halves).into());
            // SAFETY: bounds checks stay on. Every loop of every kernel counts towards a bound that is fixed before
            // it begins, so none is infinite; `docs/decisions.md` has what loop bounding costs (5x together with
            // bounds checks).
            unsafe {
                let descriptor = wgpu::ShaderModuleDescriptor { label: Some(shader.name), source };
                context.device.create_shader_module_trusted(descriptor, checks)
            }
        };
        modules.entry((shader.sources, halves)).or_insert_with(compile).clone()
    }

    fn compile(&self, context: &Context, spec: &dyn Spec, halves: Halves, module: &wgpu::ShaderModule) -> Pipeline {
        let (shader, entry) = (spec.shader(), spec.entry());
        let device = &context.device;
        let params = layout_entry(0, wgpu::BufferBindingType::Uniform, false, spec.params().len() as u64);
        let buffers = entry.bindings.iter().map(|binding| {
            let read_only = binding.access == Access::Read;
            let least = spec.binding_bytes(binding) / if halves.has(binding) { 2 } else { 1 };
            layout_entry(binding.index, wgpu::BufferBindingType::Storage { read_only }, false, least)
        });
        let entries: Vec<_> = std::iter::once(params).chain(buffers).collect();
        let label = Some(shader.name);
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let groups = [Some(&layout), shader.uses_step.then_some(&self.step_layout)];
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: if shader.uses_step { &groups } else { &groups[..1] },
            immediate_size: 0,
        });
        context.count_object();
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module,
            entry_point: Some(entry.name),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &spec.overrides(),
                // Every kernel writes a cell of workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Pipeline { pipeline, layout }
    }
}

/// The text of `shader` as it is compiled. wgpu heeds the checks above on Vulkan only in modules with an override, so one
/// without gets one that nothing uses.
fn text(shader: &Shader, halves: Halves) -> String {
    let mut text = shader.source(halves);
    if shader.overrides.is_empty() {
        text.push_str("override UNUSED = 0u;\n");
    }
    #[cfg(debug_assertions)]
    if std::env::var_os("AXONE_POISON").is_some() {
        text = poisoned(&text);
    }
    text
}

/// `text` whose entry points first fill workgroup memory with junk: for tests that nothing there is read before it is
/// written.
#[cfg(any(debug_assertions, test))]
fn poisoned(text: &str) -> String {
    let fill = |line: &str| {
        let (name, array) = line.strip_prefix("var<workgroup> ")?.split_once(": ")?;
        Some(junk(name, array.split_once(';')?.0, 0))
    };
    let fills: String = text.lines().filter_map(fill).collect();
    if fills.is_empty() {
        return text.to_owned();
    }
    let mut parts = text.split("@compute");
    let before = parts.next().unwrap_or_default().to_owned();
    parts.fold(before, |out, entry| {
        out + "@compute" + &entry.replacen('{', &format!("{{ {fills} workgroupBarrier();"), 1)
    })
}

/// Fills `place`, which is of type `ty`: an array of arrays cell by cell.
#[cfg(any(debug_assertions, test))]
fn junk(place: &str, ty: &str, depth: usize) -> String {
    let array = ty.strip_prefix("array<").and_then(|inner| inner.strip_suffix('>')?.rsplit_once(", "));
    let Some((element, len)) = array else {
        return match ty.starts_with("atomic<") {
            true => format!("atomicStore(&{place}, 7777u); "),
            false => format!("{place} = {ty}(7777.0); "),
        };
    };
    let inner = junk(&format!("{place}[j{depth}]"), element, depth + 1);
    format!("for (var j{depth} = 0u; j{depth} < {len}; j{depth}++) {{ {inner}}} ")
}

fn layout_entry(
    binding: u32,
    ty: wgpu::BufferBindingType,
    has_dynamic_offset: bool,
    min_bytes: u64,
) -> wgpu::BindGroupLayoutEntry {
    let min_binding_size = NonZeroU64::new(min_bytes);
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size },
        count: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// wgpu-hal bounds the loops of a text without overrides, whatever it is told.
    #[test]
    fn every_text_has_an_override() {
        for shader in crate::kernels::shaders() {
            let module = naga::front::wgsl::parse_str(&text(shader, Halves::NONE)).unwrap();
            assert!(!module.overrides.is_empty(), "{}", shader.name);
        }
    }

    #[test]
    fn junk_goes_into_all_workgroup_memory_of_every_entry_point() {
        for shader in crate::kernels::shaders() {
            let (plain, poisoned) = (shader.source(Halves::NONE), poisoned(&shader.source(Halves::NONE)));
            let arrays = plain.matches("var<workgroup>").count();
            let filled = poisoned.matches("7777").count();
            assert_eq!(filled, arrays * shader.entries.len(), "{}", shader.name);
        }
    }
}
