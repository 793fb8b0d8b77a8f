//! The part that runs inside a Mesa driver whose GPU is not there: compiles SPIR-V and writes down what the driver says.
//!
//! It is a process of its own, started under the driver's C library with a stand-in for the kernel's side of it.

use ash::{khr, vk};
use std::ffi::{CStr, CString, c_char};
use std::path::Path;

/// Bindings of storage buffers and uniforms of a module, by group.
type Groups = [Vec<vk::DescriptorSetLayoutBinding<'static>>; 2];

/// Compiles the files listed on standard input, a line each with the file to write, tab between.
pub fn run() -> Result<(), String> {
    let failed = |what: &'static str| move |error: vk::Result| format!("{what}: {error}");
    // SAFETY: the loader is that of the driver's own folder, and nothing else in this process calls Vulkan.
    let entry = unsafe { ash::Entry::load() }.map_err(|error| error.to_string())?;
    let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
    // SAFETY: all that follows passes structures that live until the call returns, and handles of this device.
    let instance =
        unsafe { entry.create_instance(&vk::InstanceCreateInfo::default().application_info(&application), None) }
            .map_err(failed("no instance"))?;
    // SAFETY: as above.
    let adapters = unsafe { instance.enumerate_physical_devices() }.map_err(failed("no adapters"))?;
    let adapter = *adapters.first().ok_or("the driver shows no GPU")?;
    // SAFETY: as above.
    let name = unsafe { instance.get_physical_device_properties(adapter) };
    let name = name.device_name_as_c_str().unwrap_or_default().to_string_lossy().into_owned();
    // SAFETY: as above.
    let extensions =
        unsafe { instance.enumerate_device_extension_properties(adapter) }.map_err(failed("extensions"))?;
    let has = |wanted: &CStr| extensions.iter().any(|it| it.extension_name_as_c_str() == Ok(wanted));
    let cooperative = has(khr::cooperative_matrix::NAME);

    // What the driver has of these, and nothing else.
    let mut matrices = vk::PhysicalDeviceCooperativeMatrixFeaturesKHR::default();
    let mut robust = vk::PhysicalDeviceRobustness2FeaturesEXT::default();
    let mut told = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default();
    let mut v13 = vk::PhysicalDeviceVulkan13Features::default();
    let mut v12 = vk::PhysicalDeviceVulkan12Features::default();
    let mut v11 = vk::PhysicalDeviceVulkan11Features::default();
    let mut names: Vec<*const c_char> =
        vec![khr::pipeline_executable_properties::NAME.as_ptr(), ash::ext::robustness2::NAME.as_ptr()];
    let mut features = vk::PhysicalDeviceFeatures2::default()
        .push_next(&mut v11)
        .push_next(&mut v12)
        .push_next(&mut v13)
        .push_next(&mut told)
        .push_next(&mut robust);
    if cooperative {
        names.push(khr::cooperative_matrix::NAME.as_ptr());
        features = features.push_next(&mut matrices);
    }
    // SAFETY: as above.
    unsafe { instance.get_physical_device_features2(adapter, &mut features) };
    let core = features.features;
    let mut matrices =
        vk::PhysicalDeviceCooperativeMatrixFeaturesKHR::default().cooperative_matrix(matrices.cooperative_matrix != 0);
    let mut robust =
        vk::PhysicalDeviceRobustness2FeaturesEXT::default().robust_buffer_access2(robust.robust_buffer_access2 != 0);
    let mut told = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default().pipeline_executable_info(true);
    let mut v13 = vk::PhysicalDeviceVulkan13Features::default()
        .subgroup_size_control(v13.subgroup_size_control != 0)
        .compute_full_subgroups(v13.compute_full_subgroups != 0)
        .maintenance4(v13.maintenance4 != 0);
    let mut v12 = vk::PhysicalDeviceVulkan12Features::default()
        .shader_float16(v12.shader_float16 != 0)
        .vulkan_memory_model(v12.vulkan_memory_model != 0)
        .vulkan_memory_model_device_scope(v12.vulkan_memory_model_device_scope != 0);
    let mut v11 = vk::PhysicalDeviceVulkan11Features::default()
        .storage_buffer16_bit_access(v11.storage_buffer16_bit_access != 0)
        .uniform_and_storage_buffer16_bit_access(v11.uniform_and_storage_buffer16_bit_access != 0);
    let core = vk::PhysicalDeviceFeatures::default()
        .robust_buffer_access(core.robust_buffer_access != 0)
        .shader_int64(core.shader_int64 != 0);
    let mut features = vk::PhysicalDeviceFeatures2::default()
        .features(core)
        .push_next(&mut v11)
        .push_next(&mut v12)
        .push_next(&mut v13)
        .push_next(&mut told)
        .push_next(&mut robust);
    if cooperative {
        features = features.push_next(&mut matrices);
    }
    let queues = [vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0])];
    let wanted = vk::DeviceCreateInfo::default()
        .queue_create_infos(&queues)
        .enabled_extension_names(&names)
        .push_next(&mut features);
    // SAFETY: as above.
    let device = unsafe { instance.create_device(adapter, &wanted, None) }.map_err(failed("no device"))?;
    let executables = khr::pipeline_executable_properties::Device::new(&instance, &device);
    say(&name);
    for line in std::io::stdin().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let (from, to) = line.split_once('\t').ok_or("a line without a tab")?;
        let words = words_of(Path::new(from))?;
        say(&format!("{MARK}{to}"));
        let text = match compile(&device, &executables, &words) {
            Ok(text) => text,
            Err(error) => format!("refused\t{error}\n"),
        };
        std::fs::write(to, text).map_err(|error| format!("{to}: {error}"))?;
    }
    say(MARK);
    Ok(())
}

/// Before the output of a driver that prints its code (Asahi) comes the file it belongs to.
pub const MARK: &str = "=== FILE ";

/// Prints a line behind what the driver has printed so far.
fn say(line: &str) {
    unsafe extern "C" {
        fn fflush(stream: *mut std::ffi::c_void) -> std::ffi::c_int;
    }
    // SAFETY: C's `fflush` of all streams.
    unsafe { fflush(std::ptr::null_mut()) };
    println!("{line}");
}

fn words_of(path: &Path) -> Result<Vec<u32>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect())
}

/// Entry point and bindings of a SPIR-V module.
fn interface(words: &[u32]) -> (CString, Groups) {
    const ENTRY: u32 = 15;
    const VARIABLE: u32 = 59;
    const DECORATE: u32 = 71;
    const BINDING: u32 = 33;
    const GROUP: u32 = 34;
    let (mut entry, mut of_binding, mut of_group) = (Vec::new(), Vec::new(), Vec::new());
    let mut classes = Vec::new();
    let mut rest = &words[5..];
    while let Some(&first) = rest.first() {
        let (code, len) = (first & 0xffff, (first >> 16).max(1) as usize);
        match (code, rest) {
            (ENTRY, [_, _, _, name @ ..]) => entry = bytemuck::cast_slice(name).to_vec(),
            (VARIABLE, [_, _, id, class, ..]) => classes.push((*id, *class)),
            (DECORATE, [_, id, BINDING, value, ..]) => of_binding.push((*id, *value)),
            (DECORATE, [_, id, GROUP, value, ..]) => of_group.push((*id, *value)),
            _ => {}
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    let end = entry.iter().position(|&byte: &u8| byte == 0).unwrap_or(0);
    let name = CString::new(&entry[..end]).unwrap_or_default();
    let find = |list: &[(u32, u32)], id| list.iter().find(|(of, _)| *of == id).map(|(_, value)| *value);
    let mut groups = Groups::default();
    for (id, class) in classes {
        let (Some(binding), Some(group)) = (find(&of_binding, id), find(&of_group, id)) else { continue };
        let ty = match (class, group) {
            (2, 0) => vk::DescriptorType::UNIFORM_BUFFER,
            (2, _) => vk::DescriptorType::UNIFORM_BUFFER_DYNAMIC,
            _ => vk::DescriptorType::STORAGE_BUFFER,
        };
        let layout = vk::DescriptorSetLayoutBinding::default().binding(binding).descriptor_type(ty);
        let layout = layout.descriptor_count(1).stage_flags(vk::ShaderStageFlags::COMPUTE);
        groups[group.min(1) as usize].push(layout);
    }
    (name, groups)
}

/// Statistics, a line each, then the driver's texts of the code behind lines that begin with `===`.
fn compile(
    device: &ash::Device,
    executables: &khr::pipeline_executable_properties::Device,
    words: &[u32],
) -> Result<String, vk::Result> {
    let (entry, groups) = interface(words);
    // SAFETY: every structure lives until its call returns; handles are of this device and destroyed once, at the end.
    // What an error leaves behind ends with the process.
    unsafe {
        let layouts = groups
            .iter()
            .map(|bindings| {
                let info = vk::DescriptorSetLayoutCreateInfo::default().bindings(bindings);
                device.create_descriptor_set_layout(&info, None)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let layout =
            device.create_pipeline_layout(&vk::PipelineLayoutCreateInfo::default().set_layouts(&layouts), None)?;
        let module = device.create_shader_module(&vk::ShaderModuleCreateInfo::default().code(words), None)?;
        // wgpu asks for this wherever it asks for subgroups.
        let stage = vk::PipelineShaderStageCreateInfo::default()
            .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
            .stage(vk::ShaderStageFlags::COMPUTE)
            .module(module)
            .name(&entry);
        let flags = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
            | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
        let info = vk::ComputePipelineCreateInfo::default().flags(flags).stage(stage).layout(layout);
        let pipeline = device
            .create_compute_pipelines(vk::PipelineCache::null(), &[info], None)
            .map_err(|(_, error)| error)?
            .into_iter()
            .next()
            .unwrap_or_default();

        let mut text = String::new();
        let of = vk::PipelineInfoKHR::default().pipeline(pipeline);
        let found = executables.get_pipeline_executable_properties(&of)?;
        for (index, executable) in (0..).zip(&found) {
            text += &format!("subgroup\t{}\n", executable.subgroup_size);
            let info = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline).executable_index(index);
            for statistic in executables.get_pipeline_executable_statistics(&info)? {
                let name = statistic.name_as_c_str().unwrap_or_default().to_string_lossy().into_owned();
                let value = match statistic.format {
                    vk::PipelineExecutableStatisticFormatKHR::FLOAT64 => statistic.value.f64,
                    _ => statistic.value.u64 as f64,
                };
                text += &format!("{name}\t{value}\n");
            }
            for (name, code) in representations(executables, &info)? {
                text += &format!("=== {name}\n{code}\n");
            }
        }
        device.destroy_pipeline(pipeline, None);
        device.destroy_shader_module(module, None);
        device.destroy_pipeline_layout(layout, None);
        layouts.into_iter().for_each(|layout| device.destroy_descriptor_set_layout(layout, None));
        Ok(text)
    }
}

/// The texts of an executable. The call is made twice: for the sizes, then for the texts.
///
/// # Safety
/// `info` names an executable of a live pipeline of the device.
unsafe fn representations(
    executables: &khr::pipeline_executable_properties::Device,
    info: &vk::PipelineExecutableInfoKHR,
) -> Result<Vec<(String, String)>, vk::Result> {
    let get = executables.fp().get_pipeline_executable_internal_representations_khr;
    let mut count = 0;
    // SAFETY: a null pointer asks for the count, `count` structures follow, then as many with room of the sizes told.
    unsafe {
        get(executables.device(), info, &mut count, std::ptr::null_mut()).result()?;
        let mut all = vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
        get(executables.device(), info, &mut count, all.as_mut_ptr()).result()?;
        let mut room: Vec<Vec<u8>> = all.iter().map(|one| vec![0; one.data_size]).collect();
        for (one, room) in all.iter_mut().zip(&mut room) {
            one.p_data = room.as_mut_ptr().cast();
        }
        get(executables.device(), info, &mut count, all.as_mut_ptr()).result()?;
        let name = |one: &vk::PipelineExecutableInternalRepresentationKHR| {
            one.name_as_c_str().unwrap_or_default().to_string_lossy().into_owned()
        };
        Ok(all.iter().zip(room).map(|(one, room)| (name(one), String::from_utf8_lossy(&room).into_owned())).collect())
    }
}
