//! A wgpu device with its queue, its pipelines, and its errors turned into [`Error`].
//!
//! wgpu panics on an error that nobody catches. Here every call that can fail runs inside error scopes,
//! and what is raised outside them (by the driver, later) is kept and returned by the next call.

use super::adapter::{Adapter, Queue, RawDevice, abilities, describe, describe_parts};
use super::pipelines::Pipelines;
use super::tune::Tuner;
use crate::kernels::Abilities;
use crate::plan::Storage;
use crate::plan::device_info::DeviceInfo;
use crate::{Error, Result};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that are written before they are submitted, if no step is.
const WRITTEN: usize = 1 << 24;

/// An open GPU.
pub struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) pipelines: Pipelines,
    info: DeviceInfo,
    /// What decides between the tiles of a matrix product.
    pub(super) abilities: Abilities,
    pub(super) tuner: Tuner,
    failure: Arc<Mutex<Option<String>>>,
    created: AtomicU64,
    /// Bytes written since the last submission that `write` made.
    written: AtomicUsize,
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

    /// Of a device that the program owns.
    pub fn of_program(adapter: &Adapter, device: RawDevice, queue: Queue) -> Self {
        let info = describe_parts(&adapter.get_info(), &device.limits(), device.features(), &[]);
        let abilities = abilities(adapter, &device);
        Self::new(device, queue, info, abilities)
    }

    pub(super) fn new(device: wgpu::Device, queue: wgpu::Queue, info: DeviceInfo, abilities: Abilities) -> Self {
        let pipelines = Pipelines::new(&device);
        let (tuner, failure) = (Tuner::default(), Arc::default());
        let (created, written) = (AtomicU64::new(0), AtomicUsize::new(0));
        Self { device, queue, pipelines, info, abilities, tuner, failure, created, written }
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

    /// Refuses `needed` bytes of `what` before anything is allocated, if the device cannot bind them.
    pub(super) fn check_size(&self, what: impl FnOnce() -> String, needed: u64) -> Result<()> {
        let allowed = self.info.limits.storage_bytes();
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

    /// Writes `bytes` to `buffer` from byte `at` on. wgpu keeps a copy of what is written until a submission after it
    /// has run, so a long data set is submitted part by part.
    pub(super) fn write(&self, buffer: &wgpu::Buffer, at: u64, bytes: &[u8]) {
        for (i, part) in bytes.chunks(WRITTEN).enumerate() {
            self.queue.write_buffer(buffer, at + (i * WRITTEN) as u64, part);
            let before = self.written.fetch_add(part.len(), Ordering::Relaxed);
            if before + part.len() >= WRITTEN {
                self.written.store(0, Ordering::Relaxed);
                self.queue.submit([]);
            }
        }
    }

    /// Waits until submission `index` (or everything, if `None`) has run.
    pub(super) fn wait(&self, index: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let poll = wgpu::PollType::Wait { submission_index: index, timeout: None };
        self.device.poll(poll).map(drop).map_err(|error| self.error(error))
    }
}
