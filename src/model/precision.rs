//! What a model's activations are stored in, and the loss scale without which small gradients would be lost in f16.

use super::{Model, Program, Purpose};
use crate::kernels::{LARGEST_SCALE, LOSS_SCALE_LEN, SCALE_AT};
use crate::plan::{Buffer, BufferRange, Executor};
use crate::{Error, Result};

/// The loss scale of the first step, as in PyTorch.
const FIRST_SCALE: f32 = 65_536.0;

/// What activations, and their gradients, are stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits: the default, on every device.
    #[default]
    F32,
    /// 16 bits, 5 of them for the exponent: numbers up to 65,504 with 11 significant bits (IEEE 754 binary16).
    ///
    /// Mixed precision (Micikevicius et al. 2018, "Mixed Precision Training"): what passes between layers takes half
    /// the memory; sums, weights and their gradients, moments, normalisations, losses and outputs stay in f32. Kernels
    /// convert in their own loads and stores. The loss is multiplied by a scale that follows the run by itself: it is
    /// halved when a gradient overflows, and that step is passed over (weights and moments keep their bits; the step
    /// counts for schedules and bias corrections); after 2000 good steps in a row it is doubled.
    ///
    /// [`fit`](Model::fit), [`evaluate`](Model::evaluate) and [`predict`](Model::predict) compute in it; steps by hand
    /// are in f32. Only adapters whose features list `f16` can do it.
    F16,
}

/// The state of the loss scale of a model in [`Precision::F16`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossScale {
    /// By what the loss of the next step is multiplied: a power of two from 1 to 2²⁴.
    pub scale: f32,
    /// Steps passed over because a gradient overflowed, since the precision was set or the weights were drawn.
    pub skipped: u64,
    /// By what the loss of the last step was multiplied.
    pub(crate) used: f32,
}

impl Model {
    /// What [`fit`](Self::fit), [`evaluate`](Self::evaluate) and [`predict`](Self::predict) store activations in from
    /// now on. Weights and moments stay as they are, gradients are forgotten, the loss scale begins at 65,536. It is
    /// not saved with a model.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on a device without f16, the CPU backend among them: the model is as it was.
    /// [`Error::Gpu`] where the device fails.
    ///
    /// ```
    /// use axone::Precision;
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Relu)).add(Dense::new(1));
    /// let mut model = net.compile(Device::auto()?, Loss::MeanSquaredError, Adam::default())?;
    /// match model.set_precision(Precision::F16) {
    ///     Ok(()) => println!("{:?}", model.loss_scale()?),
    ///     Err(error) => println!("{error}"), // "CPU cannot run Precision::F16"
    /// }
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_precision(&mut self, precision: Precision) -> Result<()> {
        if precision == Precision::F16 && !self.device().has_f16() {
            let device = self.device().info().name;
            return Err(Error::Unsupported { what: "Precision::F16".to_owned(), device });
        }
        let program = self.program().clone().in_precision(precision);
        self.replace_program(program, |purpose| purpose != Purpose::Train)?;
        self.write_rules()?;
        self.restart_loss_scale()?;
        // Those of a scaled loss would look like any others.
        self.drop_gradients()
    }

    /// What activations are stored in.
    pub fn precision(&self) -> Precision {
        self.program().precision
    }

    /// The loss scale, `None` in f32.
    ///
    /// # Errors
    /// [`Error::Gpu`].
    pub fn loss_scale(&mut self) -> Result<Option<LossScale>> {
        let state = self.loss_scale_buffer()?;
        let read =
            |state: Vec<f32>| LossScale { scale: state[SCALE_AT], skipped: state[SCALE_AT + 2] as u64, used: state[3] };
        Ok(state.map(read))
    }

    pub(super) fn restart_loss_scale(&mut self) -> Result<()> {
        self.program.start_loss_scale(&mut *self.executor)
    }

    /// All of [`Buffer::LossScale`].
    pub(crate) fn loss_scale_buffer(&mut self) -> Result<Option<Vec<f32>>> {
        if self.precision() == Precision::F32 {
            return Ok(None);
        }
        self.executor.read_slab(BufferRange::of(Buffer::LossScale, LOSS_SCALE_LEN)).map(Some)
    }

    /// By what the gradients in the slab were multiplied with the loss.
    pub(super) fn scale_of_gradients(&mut self) -> Result<f32> {
        if !self.by_hand.scaled {
            return Ok(1.0);
        }
        // 0 before the first step.
        Ok(self.loss_scale()?.map_or(1.0, |state| state.used.clamp(1.0, LARGEST_SCALE)))
    }
}

impl Program {
    /// The same, with plans in `precision`. Whether a device can run them, the device says.
    pub fn in_precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Writes the state before the first step to `executor`, which has loaded the training plan `id`.
    pub(crate) fn start_loss_scale(&self, executor: &mut dyn Executor) -> Result<()> {
        match self.precision {
            Precision::F32 => Ok(()),
            Precision::F16 => executor.write_slab(Buffer::LossScale, SCALE_AT, &[FIRST_SCALE, 0.0, 0.0]),
        }
    }
}
