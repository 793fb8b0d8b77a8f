//! WGSL through naga into what drivers take, with the options of wgpu 30 and those of `src/gpu/pipelines.rs`: bounds
//! checks on, loops not bounded, workgroup memory not zeroed.

use crate::variants::Variant;
use naga::back::{hlsl, msl, pipeline_constants::process_overrides, spv};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy as Policy};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};

/// A parsed text.
pub struct Text {
    module: Module,
    info: ModuleInfo,
}

/// What a variant becomes.
pub struct Translated {
    pub spirv: Vec<u32>,
    /// The text and the name that its entry point has there; none for what Direct3D has not.
    pub hlsl: Option<(String, String)>,
    pub msl: String,
}

impl Text {
    pub fn of(variant: &Variant) -> Result<Self, String> {
        let source = variant.source();
        let module = naga::front::wgsl::parse_str(&source).map_err(|error| error.emit_to_string(&source))?;
        let capabilities = Capabilities::SUBGROUP
            | Capabilities::SHADER_FLOAT16
            | Capabilities::SHADER_INT64
            | Capabilities::COOPERATIVE_MATRIX;
        let mut validator = Validator::new(ValidationFlags::all(), capabilities);
        let info = validator.validate(&module).map_err(|error| error.emit_to_string(&source))?;
        Ok(Self { module, info })
    }

    pub fn translate(&self, variant: &Variant) -> Result<Translated, String> {
        let constants = variant.constants.iter().cloned().collect();
        let entry = (ShaderStage::Compute, variant.entry);
        let (module, info) = process_overrides(&self.module, &self.info, Some(entry), &constants)
            .map_err(|error| format!("constants: {error}"))?;
        let cooperative = variant.is_cooperative();
        let hlsl = if cooperative { None } else { Some(to_hlsl(&module, &info, variant)?) };
        Ok(Translated {
            spirv: to_spirv(&module, &info, variant.entry, cooperative)?,
            hlsl,
            msl: to_msl(&module, &info, variant.entry)?,
        })
    }
}

/// As `wgpu-hal/src/vulkan/adapter.rs` on a device of Vulkan 1.3 with robust access.
fn to_spirv(module: &Module, info: &ModuleInfo, entry: &str, cooperative: bool) -> Result<Vec<u32>, String> {
    use spv::Capability as C;
    let mut capabilities = vec![C::Shader, C::Matrix, C::Int64, C::Float16];
    capabilities.extend([C::StorageBuffer16BitAccess, C::UniformAndStorageBuffer16BitAccess]);
    capabilities.extend([C::GroupNonUniform, C::GroupNonUniformVote, C::GroupNonUniformArithmetic]);
    capabilities.extend([C::GroupNonUniformBallot, C::GroupNonUniformShuffle, C::GroupNonUniformShuffleRelative]);
    capabilities.extend([C::GroupNonUniformQuad]);
    if cooperative {
        capabilities.extend([C::CooperativeMatrixKHR, C::VulkanMemoryModel]);
    }
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
        capabilities: Some(capabilities.into_iter().collect()),
        bounds_check_policies: BoundsCheckPolicies {
            index: Policy::Restrict,
            buffer: Policy::Unchecked,
            image_load: Policy::Unchecked,
            binding_array: Policy::Unchecked,
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        use_storage_input_output_16: true,
        emit_int_div_checks: true,
        ..spv::Options::default()
    };
    let pipeline = spv::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: entry.to_owned() };
    spv::write_vec(module, info, &options, Some(&pipeline)).map_err(|error| format!("SPIR-V: {error}"))
}

/// As `wgpu-hal/src/dx12/device.rs`, with bindings numbered by naga.
fn to_hlsl(module: &Module, info: &ModuleInfo, variant: &Variant) -> Result<(String, String), String> {
    let f32 = variant.is_f32();
    let options = hlsl::Options {
        shader_model: if f32 { hlsl::ShaderModel::V6_0 } else { hlsl::ShaderModel::V6_2 },
        fake_missing_bindings: true,
        special_constants_binding: Some(hlsl::BindTarget { space: 9, ..hlsl::BindTarget::default() }),
        zero_initialize_workgroup_memory: false,
        restrict_indexing: true,
        force_loop_bounding: false,
        ..hlsl::Options::default()
    };
    let pipeline = hlsl::PipelineOptions { entry_point: Some((ShaderStage::Compute, variant.entry.to_owned())) };
    let mut text = String::new();
    let written = hlsl::Writer::new(&mut text, &options, &pipeline).write(module, info, None);
    let name = written.map_err(|error| format!("HLSL: {error}"))?.entry_point_names.pop();
    let name = name.ok_or("HLSL: no entry point")?.map_err(|error| format!("HLSL: {error}"))?;
    Ok((text, name))
}

/// As `wgpu-hal/src/metal/device.rs`, with buffers numbered in their order.
fn to_msl(module: &Module, info: &ModuleInfo, entry: &str) -> Result<String, String> {
    let mut resources = msl::EntryPointResources::default();
    let bound = module.global_variables.iter().filter_map(|(_, variable)| variable.binding);
    let mut slots = 0..;
    for (binding, slot) in bound.zip(&mut slots) {
        let target = msl::BindTarget { buffer: Some(slot), mutable: true, ..msl::BindTarget::default() };
        resources.resources.insert(binding, target);
    }
    resources.sizes_buffer = slots.next();
    let options = msl::Options {
        lang_version: (3, 1),
        per_entry_point_map: [(entry.to_owned(), resources)].into(),
        fake_missing_bindings: false,
        bounds_check_policies: BoundsCheckPolicies {
            index: Policy::Restrict,
            buffer: Policy::Restrict,
            image_load: Policy::Restrict,
            binding_array: Policy::Unchecked,
        },
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        ..msl::Options::default()
    };
    let pipeline =
        msl::PipelineOptions { entry_point: Some((ShaderStage::Compute, entry.to_owned())), ..Default::default() };
    let (text, info) = msl::write_string(module, info, &options, &pipeline).map_err(|error| format!("MSL: {error}"))?;
    match info.entry_point_names.first() {
        Some(Ok(_)) => Ok(text),
        Some(Err(error)) => Err(format!("MSL: {error}")),
        None => Err("MSL: no entry point".to_owned()),
    }
}
