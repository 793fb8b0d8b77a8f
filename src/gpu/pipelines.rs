//! Compiled kernels, kept for the life of the device: one pipeline for each (file, entry point,
//! overrides, which buffers hold f16).
//!
//! Sizes are in the uniform, not in the code, so that a network of ten layers compiles a handful of pipelines.

use super::Context;
use crate::kernels::{Access, Halves, Shader, Spec, Step};
use crate::{Error, Result};
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

    /// The pipeline of `spec` where `halves` of its buffers hold f16, compiled if it is new.
    pub fn get(&self, context: &Context, spec: &dyn Spec, halves: Halves) -> Result<Arc<Pipeline>> {
        let (shader, entry) = (spec.shader(), spec.entry());
        let overrides = spec.overrides();
        let bits = overrides.iter().map(|(name, value)| (*name, value.to_bits())).collect();
        let access: Vec<_> = entry.bindings.iter().map(|binding| binding.access).collect();
        debug_assert!(
            access.is_sorted_by_key(|access| *access != Access::Read),
            "{}: reads before writes",
            shader.name
        );
        let key = Key { sources: shader.sources, entry: entry.name, overrides: bits, halves };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = known.get(&key) {
            return Ok(Arc::clone(pipeline));
        }
        let module = self.module(context, shader, halves);
        let pipeline =
            context.guarded(|| Ok(self.compile(context, spec, halves, &module))).map_err(|error| match error {
                Error::Gpu { device, message } => Error::Gpu { device, message: format!("{}: {message}", shader.name) },
                other => other,
            })?;
        let pipeline = Arc::new(pipeline);
        known.insert(key, Arc::clone(&pipeline));
        Ok(pipeline)
    }

    fn module(&self, context: &Context, shader: &Shader, halves: Halves) -> wgpu::ShaderModule {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        let compile = || {
            context.count_object();
            let mut checks = wgpu::ShaderRuntimeChecks::checked();
            checks.force_loop_bounding = false;
            let source = wgpu::ShaderSource::Wgsl(shader.source(halves).into());
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
                ..Default::default()
            },
            cache: None,
        });
        Pipeline { pipeline, layout }
    }
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
