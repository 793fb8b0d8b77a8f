//! Choosing where a model is trained: a GPU through wgpu, or the CPU backend.

use crate::plan::Executor;
use crate::plan::device_info::{DeviceInfo, DeviceKind};
use crate::{Error, Result, cpu, gpu};
use std::fmt;
use std::sync::Arc;

/// How to get a software adapter where there is none.
pub const SOFTWARE_HINT: &str =
    "for a software adapter install lavapipe (Debian/Ubuntu: apt-get install mesa-vulkan-drivers)";

/// A device on which models are trained. Clones share it.
///
/// ```
/// use axone::Device;
///
/// let device = Device::cpu();
/// assert_eq!(device.info().backend, "cpu");
/// ```
#[derive(Clone)]
pub struct Device(Inner);

#[derive(Clone)]
enum Inner {
    Cpu,
    CpuOneThread,
    CpuF64,
    Gpu(Arc<gpu::Context>),
}

impl Device {
    /// Every device of the machine, best first; the CPU backend is always there, and last.
    pub fn list() -> Vec<DeviceInfo> {
        let mut devices: Vec<_> = gpu::adapters().iter().map(gpu::describe).collect();
        devices.push(cpu::info());
        devices
    }

    /// The best device: the one named by the environment variable `AXONE_DEVICE` if it is set, else a
    /// hardware GPU (discrete first), else the CPU backend. A software adapter is never chosen by
    /// itself, because the CPU backend is faster.
    pub fn auto() -> Result<Self> {
        match std::env::var("AXONE_DEVICE") {
            Ok(name) if !name.is_empty() => Self::named(&name),
            _ => Self::best(),
        }
    }

    /// Whether its kernels can store f16.
    pub(crate) fn has_f16(&self) -> bool {
        match &self.0 {
            Inner::Cpu | Inner::CpuOneThread | Inner::CpuF64 => false,
            Inner::Gpu(context) => context.has_f16(),
        }
    }

    fn best() -> Result<Self> {
        let hardware = |adapter: &&gpu::Adapter| gpu::describe(adapter).kind < DeviceKind::Software;
        match gpu::adapters().iter().find(hardware) {
            Some(adapter) => Self::open(adapter),
            None => Ok(Self::cpu()),
        }
    }

    /// A software adapter (lavapipe, SwiftShader, WARP), for tests.
    ///
    /// # Errors
    /// [`Error::Device`] with a line on how to get one, where there is none.
    pub fn software() -> Result<Self> {
        let software = |adapter: &&gpu::Adapter| gpu::describe(adapter).kind == DeviceKind::Software;
        match gpu::adapters().iter().find(software) {
            Some(adapter) => Self::open(adapter),
            None => Err(Error::Device(format!("no software adapter on this machine; {SOFTWARE_HINT}"))),
        }
    }

    /// The CPU backend: f32, all cores.
    pub fn cpu() -> Self {
        Self(Inner::Cpu)
    }

    /// The CPU backend in f32 on the thread that calls it. For programs that train several small models at once, each on
    /// a thread of its own: where all share a pool, they wait for one another. The bits do not depend on how many do so;
    /// those of [`cpu`](Self::cpu) differ by rounding, since it cuts large products by the number of its threads.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?;
    /// let losses: Vec<f64> = std::thread::scope(|scope| {
    ///     let train = |units| {
    ///         let net = Sequential::new(1).add(Dense::new(units).activation(Activation::Tanh)).add(Dense::new(1));
    ///         let mut model = net.compile(Device::cpu_one_thread(), Loss::MeanSquaredError, Sgd::default())?;
    ///         model.minimize(&data, &Lbfgs::new().silent())?;
    ///         Ok(model.evaluate(&data)?.loss())
    ///     };
    ///     let workers = [2, 8].map(|units| scope.spawn(move || train(units)));
    ///     workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Result<_>>()
    /// })?;
    /// assert!(losses.iter().all(|loss| *loss < 1e-3), "{losses:?}");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn cpu_one_thread() -> Self {
        Self(Inner::CpuOneThread)
    }

    /// The CPU backend in f64: slow, and right to about 1e-15. The oracle that other devices are held against.
    pub fn cpu_f64() -> Self {
        Self(Inner::CpuF64)
    }

    /// The first device whose name contains `name`, in any case; also `auto`, `cpu` and `software`.
    ///
    /// # Errors
    /// [`Error::Device`] with the names there are; also for a `name` of nothing but spaces, which all names contain.
    pub fn named(name: &str) -> Result<Self> {
        match name.to_lowercase().as_str() {
            "auto" => Self::best(),
            "cpu" => Ok(Self::cpu()),
            "software" => Self::software(),
            wanted => {
                let is_named = !wanted.trim().is_empty();
                let fits =
                    |adapter: &&gpu::Adapter| is_named && gpu::describe(adapter).name.to_lowercase().contains(wanted);
                match gpu::adapters().iter().find(fits) {
                    Some(adapter) => Self::open(adapter),
                    None => {
                        let names: Vec<_> = Self::list().into_iter().map(|info| format!("\"{}\"", info.name)).collect();
                        Err(Error::Device(format!("no device named \"{name}\"; there is {}", names.join(", "))))
                    }
                }
            }
        }
    }

    /// The device at place `index` of [`Device::list`]: the way to tell two adapters of one name apart.
    ///
    /// # Errors
    /// [`Error::Device`] where there are not as many; [`Error::Gpu`] where it does not open.
    pub fn at(index: usize) -> Result<Self> {
        let adapters = gpu::adapters();
        match adapters.get(index) {
            Some(adapter) => Self::open(adapter),
            None if index == adapters.len() => Ok(Self::cpu()),
            None => Err(Error::Device(format!("no device number {index}; there are {}", adapters.len() + 1))),
        }
    }

    fn open(adapter: &gpu::Adapter) -> Result<Self> {
        Ok(Self::from_context(gpu::Context::open(adapter)?))
    }

    /// A device that the program already owns. Its error handlers are left as they are; what goes wrong
    /// in axone's own calls is caught in error scopes.
    pub fn from_wgpu(adapter: &gpu::Adapter, device: gpu::RawDevice, queue: gpu::Queue) -> Self {
        Self::from_context(gpu::Context::of_program(adapter, device, queue))
    }

    pub(crate) fn from_context(context: gpu::Context) -> Self {
        Self(Inner::Gpu(Arc::new(context)))
    }

    /// What is known of this device.
    pub fn info(&self) -> DeviceInfo {
        match &self.0 {
            Inner::Cpu => cpu::info(),
            Inner::CpuOneThread => DeviceInfo { name: "CPU, one thread".to_owned(), ..cpu::info() },
            Inner::CpuF64 => DeviceInfo { name: "CPU f64".to_owned(), ..cpu::info() },
            Inner::Gpu(context) => context.info().clone(),
        }
    }

    /// Whether this is a GPU or a software adapter, not the CPU backend.
    pub fn is_gpu(&self) -> bool {
        matches!(self.0, Inner::Gpu(_))
    }

    /// GPU objects (buffers, bind groups, pipelines) created so far on this device: a training step creates none.
    pub fn objects_created(&self) -> u64 {
        match &self.0 {
            Inner::Cpu | Inner::CpuOneThread | Inner::CpuF64 => 0,
            Inner::Gpu(context) => context.objects_created(),
        }
    }

    /// Whether it is the CPU backend in f32, and if so, whether it may use several threads.
    pub(crate) fn is_cpu(&self) -> Option<bool> {
        match &self.0 {
            Inner::Cpu => Some(true),
            Inner::CpuOneThread => Some(false),
            Inner::CpuF64 | Inner::Gpu(_) => None,
        }
    }

    /// A new executor on this device: runs a [`Plan`](crate::plan::Plan) without a model around it.
    pub fn executor(&self) -> Box<dyn Executor> {
        match &self.0 {
            Inner::Cpu => Box::new(cpu::CpuExecutor::<f32>::new()),
            Inner::CpuOneThread => Box::new(cpu::CpuExecutor::<f32>::on_one_thread()),
            Inner::CpuF64 => Box::new(cpu::CpuExecutor::<f64>::new()),
            Inner::Gpu(context) => Box::new(gpu::GpuExecutor::new(Arc::clone(context))),
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.info())
    }
}
