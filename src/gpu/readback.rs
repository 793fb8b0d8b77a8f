//! Copies results back to the host through staging buffers, which are kept for the next copies.

use super::Context;
use crate::Result;
use std::sync::mpsc;

/// The staging buffers that no copy uses.
#[derive(Default)]
pub struct Readback {
    free: Vec<wgpu::Buffer>,
}

/// A copy on its way to the host.
pub struct Copy {
    /// `None` for a copy of nothing.
    staging: Option<wgpu::Buffer>,
    bytes: u64,
    submission: Option<wgpu::SubmissionIndex>,
    mapped: mpsc::Receiver<std::result::Result<(), wgpu::BufferAsyncError>>,
}

impl Readback {
    /// As [`Readback::start`], and waits for it.
    pub fn read<T: bytemuck::Pod>(
        &mut self,
        context: &Context,
        source: &wgpu::Buffer,
        offset: usize,
        elements: usize,
    ) -> Result<Vec<T>> {
        let copy = self.start::<T>(context, source, offset, elements)?;
        self.finish(context, copy)
    }

    /// Queues a copy of the first `elements` elements of `source` from element `offset` on.
    pub fn start<T: bytemuck::Pod>(
        &mut self,
        context: &Context,
        source: &wgpu::Buffer,
        offset: usize,
        elements: usize,
    ) -> Result<Copy> {
        let (send, mapped) = mpsc::channel();
        let size = size_of::<T>() as u64;
        let bytes = size * elements as u64;
        if elements == 0 {
            return Ok(Copy { staging: None, bytes, submission: None, mapped });
        }
        context.guarded(|| {
            let fits = self.free.iter().position(|staging| staging.size() >= bytes);
            let staging = fits.map(|i| self.free.swap_remove(i)).unwrap_or_else(|| {
                // The largest that is free gives way to one that is large enough.
                self.free.pop();
                let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
                let most = context.info().limits.buffer_bytes.max(bytes);
                context.buffer("readback", bytes.next_power_of_two().min(most), usage)
            });
            let mut encoder = context.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(source, size * offset as u64, &staging, 0, bytes);
            let submission = Some(context.queue.submit([encoder.finish()]));
            staging.slice(..bytes).map_async(wgpu::MapMode::Read, move |outcome| {
                // The receiver is gone only if the copy was given up.
                let _ = send.send(outcome);
            });
            Ok(Copy { staging: Some(staging), bytes, submission, mapped })
        })
    }

    /// Lets the buffers that no copy uses go.
    pub fn release(&mut self) {
        self.free.clear();
    }

    /// Bytes of the buffers that no copy uses.
    pub fn bytes(&self) -> u64 {
        self.free.iter().map(wgpu::Buffer::size).sum()
    }

    /// The values of `copy`, once everything queued before it has run.
    pub fn finish<T: bytemuck::Pod>(&mut self, context: &Context, copy: Copy) -> Result<Vec<T>> {
        let Some(staging) = copy.staging else { return Ok(Vec::new()) };
        context.guarded(|| {
            context.wait(copy.submission)?;
            copy.mapped.recv().map_err(|error| context.error(error))?.map_err(|error| context.error(error))?;
            let view = staging.slice(..copy.bytes).get_mapped_range().map_err(|error| context.error(error))?;
            let values = bytemuck::pod_collect_to_vec(&view);
            drop(view);
            staging.unmap();
            self.free.push(staging);
            Ok(values)
        })
    }
}
