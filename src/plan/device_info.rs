//! What is known of a device without opening it.

use std::fmt;

/// What kind of machine computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DeviceKind {
    /// A GPU with memory of its own.
    DiscreteGpu,
    /// A GPU that shares the memory of the CPU.
    IntegratedGpu,
    /// A GPU handed through by a hypervisor.
    VirtualGpu,
    /// A driver that calls itself neither.
    OtherGpu,
    /// A graphics driver that computes on the CPU: right for tests, slower than [`DeviceKind::Cpu`].
    Software,
    /// axone's own CPU backend.
    Cpu,
}

impl fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            DeviceKind::DiscreteGpu => "discrete GPU",
            DeviceKind::IntegratedGpu => "integrated GPU",
            DeviceKind::VirtualGpu => "virtual GPU",
            DeviceKind::OtherGpu => "other GPU",
            DeviceKind::Software => "software adapter",
            DeviceKind::Cpu => "CPU",
        })
    }
}

/// The limits of a device that decide whether a model fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceLimits {
    /// Bytes of the largest buffer.
    pub buffer_bytes: u64,
    /// Bytes of the largest buffer range that a kernel can see.
    pub binding_bytes: u64,
    /// Bytes of memory that a workgroup shares.
    pub workgroup_bytes: u32,
    /// Invocations of the largest workgroup.
    pub workgroup_invocations: u32,
}

impl DeviceLimits {
    /// Bytes of the largest buffer that a kernel can see whole.
    pub(crate) fn storage_bytes(&self) -> u64 {
        self.binding_bytes.min(self.buffer_bytes)
    }
}

/// What is known of a device without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// The name its driver gives it.
    pub name: String,
    /// `vulkan`, `metal`, `dx12`, or `cpu`.
    pub backend: String,
    /// What kind of machine it is.
    pub kind: DeviceKind,
    /// Driver and version.
    pub driver: String,
    /// Its limits.
    pub limits: DeviceLimits,
    /// Optional abilities that matter here: `subgroups 32`, `f16`, `timestamps`, `cooperative matrices`, ….
    pub features: Vec<String>,
}

impl fmt::Display for DeviceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {}", self.name, self.kind, self.backend)?;
        if !self.driver.is_empty() {
            write!(f, ", {}", self.driver)?;
        }
        write!(f, ")")
    }
}

impl DeviceInfo {
    /// All that is known, a line each.
    ///
    /// ```
    /// use axone::Device;
    ///
    /// assert!(Device::cpu().info().details().starts_with("CPU\n  kind      CPU\n"));
    /// ```
    pub fn details(&self) -> String {
        let DeviceInfo { name, backend, kind, driver, limits, features } = self;
        let (buffer, binding) = (bytes(limits.buffer_bytes), bytes(limits.binding_bytes));
        let mut lines = vec![
            name.clone(),
            format!("  kind      {kind}"),
            format!("  backend   {backend}"),
            format!("  driver    {driver}"),
            format!("  buffers   up to {buffer}, a kernel sees {binding}"),
        ];
        if limits.workgroup_invocations > 0 {
            let memory = bytes(u64::from(limits.workgroup_bytes));
            let invocations = limits.workgroup_invocations;
            lines.push(format!("  workgroup up to {invocations} invocations, {memory} of shared memory"));
        }
        let features = if features.is_empty() { "-".to_owned() } else { features.join(", ") };
        lines.push(format!("  features  {features}\n"));
        lines.join("\n")
    }
}

/// A size with the largest binary unit of which it holds at least one.
fn bytes(count: u64) -> String {
    let power = (count.max(1).ilog2() / 10) as usize;
    let unit = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].get(power).copied().unwrap_or_default();
    let value = count as f64 / 1024f64.powi(power as i32);
    let decimals = if value.fract() < 0.05 || value.fract() > 0.95 { 0 } else { 1 };
    format!("{value:.decimals$} {unit}")
}
