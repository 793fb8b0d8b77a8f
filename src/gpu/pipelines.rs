//! Compiled kernels, kept for the life of the device: one pipeline for each (file, entry point,
//! overrides, which buffers hold f16), or for several of these side by side.
//!
//! Sizes are in the uniform, not in the code, so that a network of ten layers compiles a handful of pipelines.

use super::Context;
use crate::kernels::join::{self, Side};
use crate::kernels::{Access, Halves, Spec, Step};
use crate::{Error, Result};
use rayon::prelude::*;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

/// A kernel that is wanted, alone or beside others.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    pub spec: &'a dyn Spec,
    /// Which of its buffers hold f16.
    pub halves: Halves,
}

impl Part<'_> {
    fn side(&self) -> Side {
        Side { shader: self.spec.shader(), entry: self.spec.entry(), halves: self.halves }
    }
}

/// A pipeline and the layout of its buffers.
pub struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// What makes a kernel of a pipeline what it is.
#[derive(PartialEq, Eq, Hash)]
struct Kept {
    sources: &'static [&'static str],
    entry: &'static str,
    /// Names and bit patterns.
    constants: Vec<(&'static str, u64)>,
    halves: Halves,
}

/// The kernels of a pipeline.
#[derive(PartialEq, Eq, Hash)]
struct Key(Vec<Kept>);

impl Key {
    fn of(parts: &[Part<'_>]) -> Self {
        let kept = |Part { spec, halves }: &Part<'_>| {
            let constants = spec.overrides().into_iter().map(|(name, value)| (name, value.to_bits())).collect();
            Kept { sources: spec.shader().sources, entry: spec.entry().name, constants, halves: *halves }
        };
        Self(parts.iter().map(kept).collect())
    }
}

/// The cache.
pub struct Pipelines {
    known: Mutex<HashMap<Key, Arc<Pipeline>>>,
    modules: Mutex<HashMap<(&'static [&'static str], Halves), wgpu::ShaderModule>>,
    /// Layouts of group 1 for pipelines of one kernel, two, and so on: for each of them the uniform of its step, picked by
    /// a dynamic offset.
    pub step_layouts: [wgpu::BindGroupLayout; join::MOST],
}

impl Pipelines {
    pub fn new(device: &wgpu::Device) -> Self {
        let entries = [0, 1, 2, 3]
            .map(|binding| layout_entry(binding, wgpu::BufferBindingType::Uniform, true, size_of::<Step>() as u64));
        let step_layouts = [1, 2, 3, 4].map(|kernels| {
            let (label, entries) = (Some("step"), &entries[..kernels]);
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries })
        });
        Self { known: Mutex::default(), modules: Mutex::default(), step_layouts }
    }

    /// The pipelines of kernels, of one or of several side by side. Those that are new are compiled side by side: with
    /// most drivers nothing else takes as long before a first step.
    pub fn all(&self, context: &Context, wanted: &[Vec<Part<'_>>]) -> Result<Vec<Arc<Pipeline>>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new: HashMap<Key, &[Part<'_>]> = HashMap::new();
        for parts in wanted {
            let key = Key::of(parts);
            if !known().contains_key(&key) {
                new.insert(key, parts);
            }
        }
        let make = |(key, parts)| Ok((key, self.make(context, parts)?));
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
        let found = wanted.iter().map(|parts| known.get(&Key::of(parts)).map(Arc::clone));
        found.collect::<Option<_>>().ok_or_else(|| Error::Internal("a pipeline was compiled and is gone".to_owned()))
    }

    fn make(&self, context: &Context, parts: &[Part<'_>]) -> Result<Arc<Pipeline>> {
        for Part { spec, .. } in parts {
            let access = spec.entry().bindings.iter().map(|binding| binding.access != Access::Read);
            debug_assert!(access.is_sorted(), "{}: reads before writes", spec.shader().name);
        }
        let label = label(parts);
        let work = || Ok(self.compile(context, parts, &label, &self.module(context, parts, &label)));
        let pipeline = context.guarded(work).map_err(|error| match error {
            Error::Gpu { device, message } => Error::Gpu { device, message: format!("{label}: {message}") },
            other => other,
        })?;
        Ok(Arc::new(pipeline))
    }

    /// The module of a text; one of a single kernel serves all its entry points.
    fn module(&self, context: &Context, parts: &[Part<'_>], label: &str) -> wgpu::ShaderModule {
        let compile = || {
            context.count_object();
            let mut checks = wgpu::ShaderRuntimeChecks::checked();
            checks.force_loop_bounding = false;
            let source = wgpu::ShaderSource::Wgsl(text(parts).into());
            // SAFETY: bounds checks stay on. Every loop of every kernel counts towards a bound that is fixed before
            // it begins, so none is infinite; `docs/decisions.md` has what loop bounding costs (5x together with
            // bounds checks).
            unsafe {
                let descriptor = wgpu::ShaderModuleDescriptor { label: Some(label), source };
                context.device.create_shader_module_trusted(descriptor, checks)
            }
        };
        let [Part { spec, halves }] = parts else { return compile() };
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        modules.entry((spec.shader().sources, *halves)).or_insert_with(compile).clone()
    }

    fn compile(&self, context: &Context, parts: &[Part<'_>], label: &str, module: &wgpu::ShaderModule) -> Pipeline {
        let (device, label) = (&context.device, Some(label));
        let layout =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries(parts) });
        let groups = [Some(&layout), self.step_layouts.get(parts.len().saturating_sub(1))];
        let uses_step = parts.iter().any(|part| part.spec.shader().uses_step);
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: if uses_step { &groups } else { &groups[..1] },
            immediate_size: 0,
        });
        context.count_object();
        let constants: Vec<(String, f64)> = constants(parts);
        let constants: Vec<(&str, f64)> = constants.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module,
            entry_point: Some(if let [part] = parts { part.spec.entry().name } else { join::ENTRY }),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &constants,
                // Every kernel writes a cell of workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        Pipeline { pipeline, layout }
    }
}

/// The files of a pipeline.
pub fn label(parts: &[Part<'_>]) -> String {
    let names: Vec<&str> = parts.iter().map(|part| part.spec.shader().name).collect();
    names.join(" + ")
}

fn constants(parts: &[Part<'_>]) -> Vec<(String, f64)> {
    let of_part = |(place, part): (usize, &Part<'_>)| {
        let named = move |(name, value)| (join::renamed(name, place), value);
        part.spec.overrides().into_iter().map(named).collect::<Vec<_>>()
    };
    parts.iter().enumerate().flat_map(of_part).collect()
}

/// What a pipeline binds in group 0.
fn entries(parts: &[Part<'_>]) -> Vec<wgpu::BindGroupLayoutEntry> {
    let uniform = |index, bytes| layout_entry(index, wgpu::BufferBindingType::Uniform, false, bytes);
    let mut entries = Vec::new();
    for (place, Part { spec, halves }) in (0..).zip(parts) {
        entries.push(uniform(join::STRIDE * place, spec.params().len() as u64));
        entries.extend(spec.entry().bindings.iter().map(|binding| {
            let read_only = binding.access == Access::Read;
            let least = spec.binding_bytes(binding) / if halves.has(binding) { 2 } else { 1 };
            let ty = wgpu::BufferBindingType::Storage { read_only };
            layout_entry(join::STRIDE * place + binding.index, ty, false, least)
        }));
    }
    if parts.len() > 1 {
        entries.push(uniform(join::ENDS, size_of::<[u32; join::MOST]>() as u64));
    }
    entries
}

/// The text of `parts` as it is compiled.
fn text(parts: &[Part<'_>]) -> String {
    let text = match parts {
        [Part { spec, halves }] => spec.shader().source(*halves),
        _ => join::source(&parts.iter().map(Part::side).collect::<Vec<_>>()),
    };
    let text = with_override(text);
    #[cfg(debug_assertions)]
    if parts.len() > 1 && std::env::var_os("AXONE_SPOIL_JOINED").is_some() {
        return text + "what no driver compiles\n";
    }
    #[cfg(debug_assertions)]
    if std::env::var_os("AXONE_POISON").is_some() {
        return poisoned(&text);
    }
    text
}

/// wgpu heeds the checks above on Vulkan only in modules with an override, so a text without gets one that nothing uses.
fn with_override(text: String) -> String {
    if text.lines().any(|line| line.starts_with("override ")) { text } else { text + "override UNUSED = 0u;\n" }
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
            let text = with_override(shader.source(Halves::NONE));
            let module = naga::front::wgsl::parse_str(&text).unwrap();
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
