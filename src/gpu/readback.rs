//! Copies results back to the host through one staging buffer that grows when it must.

use super::Context;
use crate::Result;
use std::sync::mpsc;

/// The staging buffer.
#[derive(Default)]
pub struct Readback {
    staging: Option<wgpu::Buffer>,
}

impl Readback {
    /// The first `elements` elements of `source` from element `offset` on, once everything queued has run.
    pub fn read<T: bytemuck::Pod>(
        &mut self,
        context: &Context,
        source: &wgpu::Buffer,
        offset: usize,
        elements: usize,
    ) -> Result<Vec<T>> {
        if elements == 0 {
            return Ok(Vec::new());
        }
        let size = size_of::<T>() as u64;
        let bytes = size * elements as u64;
        context.guarded(|| {
            let staging = self.staging.take().filter(|staging| staging.size() >= bytes).unwrap_or_else(|| {
                let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
                context.buffer("readback", bytes.next_power_of_two(), usage)
            });
            let mut encoder = context.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(source, size * offset as u64, &staging, 0, bytes);
            let submission = context.queue.submit([encoder.finish()]);
            let (send, received) = mpsc::channel();
            let slice = staging.slice(..bytes);
            slice.map_async(wgpu::MapMode::Read, move |outcome| {
                // The receiver is gone only if this read has already failed.
                let _ = send.send(outcome);
            });
            context.wait(Some(submission))?;
            received.recv().map_err(|error| context.error(error))?.map_err(|error| context.error(error))?;
            let view = slice.get_mapped_range().map_err(|error| context.error(error))?;
            let values = bytemuck::pod_collect_to_vec(&view);
            drop(view);
            staging.unmap();
            self.staging = Some(staging);
            Ok(values)
        })
    }
}
