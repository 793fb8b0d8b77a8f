//! What a step does with the gradients, and with the values that are logged.

use super::{Lower, Operand, log_slots};
use crate::kernels::{self as k, GradientNorm, Kernel};
use crate::plan::{Buffer, BufferRange};
use crate::{Result, size};

impl Lower<'_> {
    /// Copies to the slab the gradients that are not computed there.
    pub(super) fn gradients(&mut self) {
        for &(parameter, id) in self.what.gradients {
            if self.own_place.iter().any(|(_, index)| *index == parameter) {
                continue;
            }
            let to = self.slab.range(Buffer::Gradients, parameter);
            let kernel = Kernel::Scale(k::Scale { n: to.fixed() as u32, factor: 1.0 });
            self.push(kernel, vec![self.operand(id), Operand::Fixed(to)], &self.graph.node(id).name);
        }
    }

    pub(super) fn logs(&mut self) -> Result<()> {
        let (slots, batch) = (log_slots(self.graph, self.what), self.what.batch);
        let stride = slots.saturating_mul(batch);
        size::check(|| format!("the log of a step, {slots} slots at batch {batch}"), stride)?;
        let (rows, log_stride) = (batch as u32, stride as u32);
        let mut slot = 0;
        for &id in self.what.logs {
            let cols = self.graph.shape(id).cols as u32;
            let kernel = Kernel::Log(k::Log { rows, cols, log_stride, log_at: slot * rows });
            let operands = vec![self.operand(id), Operand::Fixed(BufferRange::whole(Buffer::Log))];
            self.push(kernel, operands, &format!("log {}", self.graph.node(id).name));
            slot += cols;
        }
        Ok(())
    }

    pub(super) fn update(&mut self) {
        let Some(update) = &self.what.update else { return };
        let (kernel, n) = (update.kernel.clone(), self.slab.len());
        let rules = Operand::Fixed(BufferRange::of(Buffer::Rules, n / k::RULE_BLOCK * k::RULE));
        let gradients = Operand::Fixed(self.slab.all(Buffer::Gradients));
        let written = [Buffer::Parameters].into_iter().chain((0..update.moments).map(Buffer::Moment));
        let written: Vec<Operand> = written.map(|buffer| Operand::Fixed(self.slab.all(buffer))).collect();
        if update.max_norm.is_some() || update.scaled {
            let max_norm = update.max_norm.unwrap_or(f32::MAX);
            let both = if update.scaled { GradientNorm::both_scaled } else { GradientNorm::both };
            let [partials, factor] = both(n as u32, max_norm);
            let clip = Operand::Fixed(BufferRange::of(Buffer::Clip, partials.clip_len()));
            let scale = update.scaled.then(|| Operand::Fixed(BufferRange::of(Buffer::LossScale, k::LOSS_SCALE_LEN)));
            self.push(Kernel::GradientNorm(partials), vec![gradients, rules, clip], "gradient norm");
            self.push(Kernel::GradientNorm(factor), [clip].into_iter().chain(scale).collect(), "gradient norm");
        }
        let mut operands = vec![gradients];
        if matches!(kernel, Kernel::Update(k::Update { by_rules: true, .. })) {
            let clip = if update.scaled { Buffer::LossScale } else { Buffer::Clip };
            operands.extend([Operand::Fixed(BufferRange::of(clip, k::RULE)), rules]);
        }
        operands.extend(written);
        self.push(kernel, operands, "update");
    }
}
