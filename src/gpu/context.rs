//! A wgpu device with its queue, its pipelines, and its errors turned into [`Error`].
//!
//! wgpu panics on an error that nobody catches. Here every call that can fail runs inside error scopes,
//! and what is raised outside them (by the driver, later) is kept and returned by the next call.

use super::adapter::{Adapter, abilities, describe};
use super::pipelines::Pipelines;
use super::tune::Tuner;
use crate::device::DeviceInfo;
use crate::kernels::Abilities;
use crate::plan::Storage;
use crate::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// An open GPU.
pub struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pipelines: Pipelines,
    info: DeviceInfo,
    limits: wgpu::Limits,
    /// What decides between the tiles of a matrix product.
    pub(super) abilities: Abilities,
    pub(super) tuner: Tuner,
    failure: Arc<Mutex<Option<String>>>,
    created: AtomicU64,
}

impl Context {
    /// Opens `adapter` with all its own limits and the features that kernels use.
    pub fn open(adapter: &Adapter) -> Result<Self> {
        let wanted = wgpu::Features::SUBGROUP
            | wgpu::Features::SHADER_F16
            | wgpu::Features::SHADER_INT64
            | wgpu::Features::TIMESTAMP_QUERY
            | wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("axone"),
            required_features: adapter.features() & wanted,
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::Performance,
            // SAFETY: wgpu calls a feature experimental whose checks have gaps. The one that is asked for is cooperative
            // matrices; `shaders/matmul_cooperative.wgsl`, which alone uses them, loads and stores whole matrices of
            // arrays in workgroup memory whose sizes are constants, at offsets that no buffer decides.
            experimental_features: unsafe { wgpu::ExperimentalFeatures::enabled() },
            ..Default::default()
        };
        let info = describe(adapter);
        let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
            .map_err(|error| Error::Gpu { device: info.name.clone(), message: error.to_string() })?;
        let abilities = abilities(adapter, &device);
        let context = Self::new(device, queue, info, abilities);
        let failure = Arc::clone(&context.failure);
        let keep = move |message: String| {
            failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
        };
        let lost = keep.clone();
        context.device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| keep(error.to_string())));
        context.device.set_device_lost_callback(move |reason, message| {
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost(format!("device lost: {message}"));
            }
        });
        Ok(context)
    }

    pub(super) fn new(device: wgpu::Device, queue: wgpu::Queue, info: DeviceInfo, abilities: Abilities) -> Self {
        let limits = device.limits();
        let pipelines = Pipelines::new(&device);
        let (tuner, failure, created) = (Tuner::default(), Arc::default(), AtomicU64::new(0));
        Self { device, queue, pipelines, info, limits, abilities, tuner, failure, created }
    }

    /// What is known of the device.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Whether kernels can store f16.
    pub fn has_f16(&self) -> bool {
        self.device.features().contains(wgpu::Features::SHADER_F16)
    }

    /// Buffers, bind groups and pipelines created so far.
    pub fn objects_created(&self) -> u64 {
        self.created.load(Ordering::Relaxed)
    }

    pub(super) fn count_object(&self) {
        self.created.fetch_add(1, Ordering::Relaxed);
    }

    /// Bytes that a kernel can see of one buffer.
    pub(super) fn binding_bytes(&self) -> u64 {
        self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size)
    }

    /// Refuses `needed` bytes of `what` before anything is allocated, if the device cannot bind them.
    pub(super) fn check_size(&self, what: impl FnOnce() -> String, needed: u64) -> Result<()> {
        let allowed = self.binding_bytes();
        if needed <= allowed {
            return Ok(());
        }
        Err(Error::TooLarge { what: what(), needed, allowed, device: self.info.name.clone() })
    }

    pub(super) fn error(&self, message: impl ToString) -> Error {
        Error::Gpu { device: self.info.name.clone(), message: message.to_string() }
    }

    /// Runs `work` and returns what it or the driver complained of.
    pub(super) fn guarded<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let scopes = [Validation, OutOfMemory, Internal].map(|filter| self.device.push_error_scope(filter));
        let result = work();
        let mut raised = None;
        for scope in scopes.into_iter().rev() {
            raised = pollster::block_on(scope.pop()).or(raised);
        }
        let kept = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (raised.map(|error| error.to_string()).or(kept), result) {
            (Some(message), _) => Err(self.error(message)),
            (None, result) => result,
        }
    }

    /// A zeroed buffer of `bytes`.
    pub(super) fn buffer(&self, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.count_object();
        let size = bytes.max(4).next_multiple_of(4);
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage,
            mapped_at_creation: false,
        })
    }

    /// A zeroed storage buffer.
    pub(super) fn storage(&self, label: &str, storage: Storage) -> Result<wgpu::Buffer> {
        use wgpu::BufferUsages as Usage;
        let bytes = storage.bytes();
        self.check_size(|| format!("{label} ({} elements)", storage.len), bytes)?;
        Ok(self.buffer(label, bytes, Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC))
    }

    /// Waits until submission `index` (or everything, if `None`) has run.
    pub(super) fn wait(&self, index: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let poll = wgpu::PollType::Wait { submission_index: index, timeout: None };
        self.device.poll(poll).map(drop).map_err(|error| self.error(error))
    }
}
