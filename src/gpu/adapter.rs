//! The adapters of the machine and what is known of them.

use crate::kernels::Abilities;
use crate::plan::device_info::{DeviceInfo, DeviceKind, DeviceLimits};
use std::sync::OnceLock;
use wgpu::CooperativeScalarType;

/// A graphics adapter.
pub type Adapter = wgpu::Adapter;
/// An open device, as wgpu has it.
pub type RawDevice = wgpu::Device;
/// The queue of an open device.
pub type Queue = wgpu::Queue;

/// All adapters, best first. They are looked up once per process.
pub fn adapters() -> &'static [Adapter] {
    static ADAPTERS: OnceLock<Vec<Adapter>> = OnceLock::new();
    ADAPTERS.get_or_init(|| {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::PRIMARY;
        let instance = wgpu::Instance::new(descriptor);
        let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
        adapters.sort_by_key(|adapter| kind(adapter.get_info().device_type));
        adapters
    })
}

/// What is known of `adapter`.
pub fn describe(adapter: &Adapter) -> DeviceInfo {
    describe_parts(&adapter.get_info(), &adapter.limits(), adapter.features(), &adapter.cooperative_matrix_properties())
}

pub(super) fn describe_parts(
    info: &wgpu::AdapterInfo,
    limits: &wgpu::Limits,
    features: wgpu::Features,
    matrices: &[wgpu::CooperativeMatrixProperties],
) -> DeviceInfo {
    let mut abilities = Vec::new();
    if let Some((min, max)) = subgroups(info, features) {
        abilities.push(if min == max { format!("subgroups of {min}") } else { format!("subgroups of {min} to {max}") });
    }
    if features.contains(wgpu::Features::SHADER_F16) {
        abilities.push("f16".to_owned());
    }
    if features.contains(wgpu::Features::TIMESTAMP_QUERY) {
        abilities.push("timestamps".to_owned());
    }
    for shape in matrices {
        let (m, n, k) = (shape.m_size, shape.n_size, shape.k_size);
        abilities.push(format!("cooperative matrices {m}x{n}x{k} {:?} to {:?}", shape.ab_type, shape.cr_type));
    }
    DeviceInfo {
        name: info.name.clone(),
        backend: info.backend.to_str().to_owned(),
        kind: kind(info.device_type),
        driver: [info.driver.as_str(), info.driver_info.as_str()].join(" ").trim().to_owned(),
        limits: DeviceLimits {
            buffer_bytes: limits.max_buffer_size,
            binding_bytes: limits.max_storage_buffer_binding_size,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
        },
        features: abilities,
    }
}

/// Lanes of the smallest and of the largest subgroup. A driver that says 0 knows of none.
fn subgroups(info: &wgpu::AdapterInfo, features: wgpu::Features) -> Option<(u32, u32)> {
    let sizes = (info.subgroup_min_size, info.subgroup_max_size);
    (features.contains(wgpu::Features::SUBGROUP) && sizes.0 > 0).then_some(sizes)
}

/// What of an open device decides between the tiles of a matrix product.
pub(super) fn abilities(adapter: &Adapter, device: &wgpu::Device) -> Abilities {
    let (info, limits) = (adapter.get_info(), device.limits());
    let one_size = subgroups(&info, device.features()).filter(|(min, max)| min == max);
    let needed = wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX | wgpu::Features::SHADER_F16;
    let squares = adapter.cooperative_matrix_properties().into_iter().filter(|shape| {
        let is_square = shape.m_size == shape.n_size && shape.n_size == shape.k_size;
        let mixes = (shape.ab_type, shape.cr_type) == (CooperativeScalarType::F16, CooperativeScalarType::F32);
        is_square && mixes && !shape.saturating_accumulation
    });
    let squares = squares.map(|shape| shape.m_size).filter(|_| device.features().contains(needed));
    Abilities {
        subgroup: one_size.map(|(lanes, _)| lanes),
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        invocations: limits.max_compute_invocations_per_workgroup,
        int64: device.features().contains(wgpu::Features::SHADER_INT64),
        cooperative: squares.max(),
    }
}

fn kind(device_type: wgpu::DeviceType) -> DeviceKind {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu,
        wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu,
        wgpu::DeviceType::VirtualGpu => DeviceKind::VirtualGpu,
        wgpu::DeviceType::Cpu => DeviceKind::Software,
        wgpu::DeviceType::Other => DeviceKind::OtherGpu,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subgroups_of_no_lanes_are_none() {
        let mut info = wgpu::AdapterInfo::new(wgpu::DeviceType::Other, wgpu::Backend::Noop);
        for (sizes, wanted) in [((0, 0), None), ((0, 32), None), ((8, 8), Some((8, 8))), ((4, 64), Some((4, 64)))] {
            (info.subgroup_min_size, info.subgroup_max_size) = sizes;
            assert_eq!(subgroups(&info, wgpu::Features::SUBGROUP), wanted);
            assert_eq!(subgroups(&info, wgpu::Features::empty()), None);
        }
    }
}
