//! Serving on a GPU: plans for predictions of one set of weights, many of which may be on their way at a time.
//!
//! A prediction is a submission: its rows, the dispatches, a copy to a buffer that the host may map. Submissions run in
//! their order, so all share the plan's buffers, and only the buffers to be mapped belong to one prediction until its
//! numbers are read. A lock is held while commands are recorded, never while a device works.

use super::loaded::{Loaded, Slabs};
use super::{Context, tune};
use crate::plan::{Buffer, BufferRange, Plan, Storage};
use crate::{Error, Result};
use futures_intrusive::channel::shared::{OneshotReceiver, oneshot_channel};
use half::f16;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A buffer of the program's own on the device that predicts.
pub type RawBuffer = wgpu::Buffer;

/// The weights of a model on a GPU, and the plans that read them.
pub struct Forward {
    context: Arc<Context>,
    slabs: Slabs,
    ready: Mutex<Ready>,
}

#[derive(Default)]
struct Ready {
    /// By the rows of a batch.
    plans: HashMap<usize, Loaded>,
    /// Buffers for the host that no prediction uses.
    staging: Vec<wgpu::Buffer>,
}

/// A prediction on its way.
pub struct Pending {
    forward: Arc<Forward>,
    /// Where each output lies in the staging buffer, in bytes, and whether it is f16.
    outputs: Vec<(u64, Storage)>,
    staging: wgpu::Buffer,
    bytes: u64,
    submission: wgpu::SubmissionIndex,
    mapped: OneshotReceiver<std::result::Result<(), wgpu::BufferAsyncError>>,
}

impl Forward {
    /// With the slab `parameters`.
    pub fn new(context: Arc<Context>, parameters: &[f32]) -> Result<Self> {
        let slab = context.guarded(|| {
            let slab = context.storage("parameters", Storage::full(parameters.len()))?;
            context.write(&slab, 0, bytemuck::cast_slice(parameters));
            Ok(slab)
        })?;
        let slabs = Slabs::from([(Buffer::Parameters, slab)]);
        Ok(Self { context, slabs, ready: Mutex::default() })
    }

    /// Makes the plan of `batch` rows ready, if it is not.
    pub fn prepare(&self, batch: usize, plan: impl FnOnce() -> Result<Plan>) -> Result<()> {
        self.context.guarded(|| self.with(&mut self.lock(), batch, plan).map(drop))
    }

    /// Queues a prediction of the `rows` rows of `inputs` by the plan of `batch` rows, which `plan` makes where it is
    /// not there.
    pub fn start(
        self: &Arc<Self>,
        batch: usize,
        plan: impl FnOnce() -> Result<Plan>,
        rows: usize,
        inputs: &[&[f32]],
    ) -> Result<Pending> {
        self.context.guarded(|| {
            let mut ready = self.lock();
            let loaded = self.with(&mut ready, batch, plan)?;
            for (input, range) in inputs.iter().zip(&loaded.plan.inputs) {
                if let Some(range) = range {
                    self.write(loaded, range, input)?;
                }
            }
            let mut encoder = self.run(loaded)?;
            // Copies go by 4 bytes.
            let mut bytes = 0;
            let mut outputs = Vec::new();
            for range in &loaded.plan.outputs {
                let storage = Storage { len: range.fixed() / batch * rows, half: loaded.plan.is_half(range.buffer) };
                outputs.push((bytes, storage));
                bytes += storage.bytes().next_multiple_of(4);
            }
            let places: Vec<(wgpu::Buffer, u64)> =
                loaded.plan.outputs.iter().map(|range| self.place(loaded, range)).collect::<Result<_>>()?;
            let staging = self.staging(&mut ready.staging, bytes);
            for ((from, at), (to, storage)) in places.iter().zip(&outputs) {
                encoder.copy_buffer_to_buffer(from, *at, &staging, *to, storage.bytes().next_multiple_of(4));
            }
            let submission = self.context.queue.submit([encoder.finish()]);
            drop(ready);
            let (send, mapped) = oneshot_channel();
            staging.slice(..bytes.max(4)).map_async(wgpu::MapMode::Read, move |outcome| {
                // The receiver is gone only if nobody waits any more.
                let _ = send.send(outcome);
            });
            Ok(Pending { forward: Arc::clone(self), outputs, staging, bytes: bytes.max(4), submission, mapped })
        })
    }

    /// Queues a prediction from buffers to buffers, both of `rows` rows of f32 on the same device.
    pub fn between(
        &self,
        batch: usize,
        plan: impl FnOnce() -> Result<Plan>,
        rows: usize,
        (inputs, outputs): (&[&wgpu::Buffer], &[&wgpu::Buffer]),
    ) -> Result<()> {
        self.context.guarded(|| {
            let mut ready = self.lock();
            let loaded = self.with(&mut ready, batch, plan)?;
            let mut encoder = self.context.device.create_command_encoder(&Default::default());
            let bytes = |range: &BufferRange| Storage::full(range.fixed() / batch * rows).bytes();
            for (input, range) in inputs.iter().zip(&loaded.plan.inputs) {
                if let Some(range) = range {
                    let (to, at) = self.place(loaded, range)?;
                    encoder.copy_buffer_to_buffer(input, 0, &to, at, bytes(range));
                }
            }
            self.context.queue.submit([encoder.finish()]);
            let mut encoder = self.run(loaded)?;
            for (output, range) in outputs.iter().zip(&loaded.plan.outputs) {
                let (from, at) = self.place(loaded, range)?;
                encoder.copy_buffer_to_buffer(&from, at, output, 0, bytes(range));
            }
            self.context.queue.submit([encoder.finish()]);
            Ok(())
        })
    }

    /// Lets the driver call back what is done, and waits for nothing.
    pub fn poll(&self) -> Result<()> {
        self.context.device.poll(wgpu::PollType::Poll).map(drop).map_err(|error| self.context.error(error))
    }

    fn lock(&self) -> MutexGuard<'_, Ready> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<'a>(&self, ready: &'a mut Ready, batch: usize, plan: impl FnOnce() -> Result<Plan>) -> Result<&'a Loaded> {
        use std::collections::hash_map::Entry;
        Ok(match ready.plans.entry(batch) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let plan = tune::fitted(&self.context, &plan()?)?;
                entry.insert(Loaded::new(&self.context, &plan, &self.slabs)?)
            }
        })
    }

    fn write(&self, loaded: &Loaded, range: &BufferRange, values: &[f32]) -> Result<()> {
        let (to, at) = self.place(loaded, range)?;
        if loaded.plan.is_half(range.buffer) {
            let mut values: Vec<f16> = values.iter().copied().map(f16::from_f32).collect();
            // Writes go by 4 bytes, and so do sizes: there is room for one beside an odd last element.
            values.resize(values.len().next_multiple_of(2), f16::ZERO);
            self.context.write(&to, at, bytemuck::cast_slice(&values));
        } else {
            self.context.write(&to, at, bytemuck::cast_slice(values));
        }
        Ok(())
    }

    /// The buffer of `range` and where it begins there, in bytes.
    fn place(&self, loaded: &Loaded, range: &BufferRange) -> Result<(wgpu::Buffer, u64)> {
        let buffer = loaded.buffer(&self.slabs, range.buffer);
        let buffer = buffer.ok_or_else(|| Error::Internal(format!("a prediction has no {}", range.buffer)))?;
        let half = loaded.plan.is_half(range.buffer);
        Ok((buffer.clone(), Storage { len: range.offset, half }.bytes()))
    }

    /// Queues the dispatches; the last of them are recorded, and more may be recorded behind them.
    fn run(&self, loaded: &Loaded) -> Result<wgpu::CommandEncoder> {
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        let part = loaded.pace.dispatches(loaded.commands.len());
        for (i, commands) in loaded.commands.chunks(part).enumerate() {
            if i > 0 {
                let next = self.context.device.create_command_encoder(&Default::default());
                self.context.queue.submit([std::mem::replace(&mut encoder, next).finish()]);
            }
            let descriptor = wgpu::ComputePassDescriptor { label: Some("predict"), timestamp_writes: None };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            commands.iter().try_for_each(|command| command.record(&mut pass, &loaded.step_groups, 0))?;
        }
        Ok(encoder)
    }

    fn staging(&self, free: &mut Vec<wgpu::Buffer>, bytes: u64) -> wgpu::Buffer {
        let bytes = bytes.max(4);
        let fits = free.iter().position(|staging| staging.size() >= bytes);
        fits.map(|i| free.swap_remove(i)).unwrap_or_else(|| {
            let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
            let most = self.context.info().limits.buffer_bytes.max(bytes);
            self.context.buffer("prediction", bytes.next_power_of_two().min(most), usage)
        })
    }
}

impl Pending {
    /// Its outputs, once it is done. Somebody has to wait for the device or poll it meanwhile.
    pub async fn outputs(self) -> Result<Vec<Vec<f32>>> {
        let context = &self.forward.context;
        let mapped = self.mapped.receive().await.ok_or_else(|| context.error("the device is gone"))?;
        mapped.map_err(|error| context.error(error))?;
        let view = self.staging.slice(..self.bytes).get_mapped_range().map_err(|error| context.error(error))?;
        let read = |(at, storage): &(u64, Storage)| -> Vec<f32> {
            let bytes = &view[*at as usize..][..storage.bytes() as usize];
            match storage.half {
                true => bytemuck::pod_collect_to_vec::<u8, f16>(bytes).into_iter().map(f16::to_f32).collect(),
                false => bytemuck::pod_collect_to_vec(bytes),
            }
        };
        let mut outputs: Vec<Vec<f32>> = self.outputs.iter().map(read).collect();
        outputs.iter_mut().zip(&self.outputs).for_each(|(values, (_, storage))| values.truncate(storage.len));
        drop(view);
        self.staging.unmap();
        self.forward.lock().staging.push(self.staging);
        Ok(outputs)
    }

    /// Its outputs; waits for the device.
    pub fn wait(self) -> Result<Vec<Vec<f32>>> {
        self.forward.context.wait(Some(self.submission.clone()))?;
        pollster::block_on(self.outputs())
    }
}
