//! Weights of one model to another of the same architecture: target networks, moving averages of weights.

use super::{Model, Piece};
use crate::kernels::Step;
use crate::plan::Buffer;
use crate::{Error, Result};

impl Model {
    /// Takes over all parameters of `other`, a model of the same architecture: a target network (Mnih et al. 2015).
    /// What the optimizer has gathered stays. Between models on clones of one [`Device`](crate::Device) nothing passes
    /// through the host; otherwise the host reads and writes them.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Value`] naming the first parameter that differs; [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let device = Device::cpu();
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut online = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::default())?;
    /// let mut target = net.compile(device, Loss::MeanSquaredError, Sgd::default())?;
    /// online.reset(7)?;
    /// target.copy_weights_from(&mut online)?;
    /// assert_eq!(target.weights()?, online.weights()?);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn copy_weights_from(&mut self, other: &mut Model) -> Result<()> {
        self.check_same_parameters("copy_weights_from", other)?;
        self.fetch(other, Buffer::Parameters)
    }

    /// Moves all parameters towards those of `other`, a model of the same architecture:
    /// `p ← (1 - tau) p + tau · p_other`, with `tau` above 0 and at most 1. The soft update of a target network
    /// (Lillicrap et al. 2015, tau = 0.001), or with `tau = 1 - decay` an exponential moving average of the weights
    /// of a model in training. On the device; as [`Model::copy_weights_from`] otherwise.
    ///
    /// # Errors
    /// As [`Model::copy_weights_from`]; [`Error::Value`] for `tau` out of range.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let device = Device::cpu();
    /// let start = |x| Sequential::new(2).add(Dense::new(1).weights(Initializer::Constant(x)));
    /// let mut online = start(1.0).compile(device.clone(), Loss::MeanSquaredError, Sgd::default())?;
    /// let mut target = start(0.0).compile(device, Loss::MeanSquaredError, Sgd::default())?;
    /// target.blend_weights_from(&mut online, 0.25)?;
    /// assert_eq!(target.weights()?[0].data, [0.25, 0.25]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn blend_weights_from(&mut self, other: &mut Model, tau: f32) -> Result<()> {
        if !(tau > 0.0 && tau <= 1.0) {
            return Err(Error::value("blend_weights_from", "tau", "above 0 and at most 1", tau));
        }
        self.check_same_parameters("blend_weights_from", other)?;
        let step = Step { share: tau, ..Step::default() };
        self.run_without_batch(Piece::Blend, step, |model| model.fetch(other, Buffer::OtherParameters))
    }

    fn check_same_parameters(&self, place: &str, other: &Model) -> Result<()> {
        let (own, others) = (&self.layout().parameters, &other.layout().parameters);
        if own.len() != others.len() {
            return Err(Error::shape(place, format!("a model of {} parameters", own.len()), others.len()));
        }
        for (own, other) in own.iter().zip(others) {
            if own.name != other.name {
                let wanted = format!("\"{}\" in the other model", own.name);
                return Err(Error::value(place, "parameter", wanted, format!("\"{}\"", other.name)));
            }
            if (own.rows, own.cols) != (other.rows, other.cols) {
                let wanted = format!("({}, {}) in the other model", own.rows, own.cols);
                return Err(Error::shape(&own.name, wanted, format!("({}, {})", other.rows, other.cols)));
            }
        }
        Ok(())
    }

    /// The parameters of `other` to the slab `to`.
    fn fetch(&mut self, other: &mut Model, to: Buffer) -> Result<()> {
        if let Some(slab) = other.executor.lend(Buffer::Parameters)
            && self.executor.copy_lent(slab.as_ref(), to)?
        {
            return Ok(());
        }
        let values = other.slab(Buffer::Parameters)?;
        self.executor.write_slab(to, 0, &values)
    }
}
