//! A profile as a trace: JSON in Chrome's trace event format, which ui.perfetto.dev and chrome://tracing open.
//!
//! One track, the device. A step follows the last at once: what lay between them on the clock is reading the clock.
//! Written by hand, so that profiling needs no feature: the only text that has to be escaped is a name.

use crate::text::escaped;
use crate::train::profile::{Profile, rate};
use crate::{Error, Result};
use std::path::Path;

impl Profile {
    /// Writes a few steps as a trace: one event for each dispatch, with layer, GFLOP/s and GB/s.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// # use axone::prelude::*;
    /// # let net = Sequential::new(1).add(Dense::new(1));
    /// # let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// # let profile = model.profile(&Dataset::new([[1.0]], [[1.0]])?, 1)?;
    /// # let path = std::env::temp_dir().join("axone_doc_trace.json");
    /// profile.write_trace(&path)?;
    /// assert!(std::fs::read_to_string(&path).unwrap().contains("\"ph\":\"X\""));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_trace(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_trace()).map_err(|error| Error::file(path, error))
    }

    /// The text that [`write_trace`](Self::write_trace) writes.
    pub fn to_trace(&self) -> String {
        let mut events = vec![
            meta("process_name", "axone"),
            // The device is the one thread: dispatches of a queue run one after the other.
            meta("thread_name", &self.device.to_string()),
        ];
        let mut start = 0.0;
        for (number, step) in self.timeline.iter().enumerate() {
            let mut last = start;
            for (row, span) in self.rows.iter().zip(step) {
                // Viewers drop events of a track that overlap, and a driver may let the end of one dispatch overlap the
                // beginning of the next.
                let begin = (start + span.begin).max(last);
                last = (start + span.end).max(begin);
                let (seconds, work) = (span.seconds(), row.work);
                let (name, layer) = (escaped(&row.kernel), escaped(&row.layer));
                events.push(format!(
                    "{{\"name\":\"{name}\",\"cat\":\"kernel\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":{:.3},\"dur\":{:.3},\
                     \"args\":{{\"step\":{number},\"layer\":\"{layer}\",\"GFLOP/s\":{:.3},\"GB/s\":{:.3}}}}}",
                    begin * 1e6,
                    (last - begin) * 1e6,
                    rate(work.flops, seconds),
                    rate(work.bytes, seconds),
                ));
            }
            start = last;
        }
        format!("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", events.join(",\n"))
    }
}

fn meta(what: &str, name: &str) -> String {
    let name = escaped(name);
    format!("{{\"name\":\"{what}\",\"ph\":\"M\",\"pid\":1,\"tid\":1,\"args\":{{\"name\":\"{name}\"}}}}")
}
