//! How many rows of a prediction or an evaluation go through the model at a time.

use super::{Model, Purpose};
use crate::{Error, Result};

/// Most rows of a batch, where the model chooses: 1024 in predictions; less in evaluations, which also log.
const PREDICT: usize = 1024;
const EVALUATE: usize = 256;

/// What is known of the batches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batches {
    /// Asked for by [`Model::set_inference_batch`].
    asked: Option<usize>,
    /// Most that the device is not known to refuse.
    predict: usize,
    evaluate: usize,
}

impl Default for Batches {
    fn default() -> Self {
        Self { asked: None, predict: PREDICT, evaluate: EVALUATE }
    }
}

impl Batches {
    /// What the device refused was of other plans.
    pub fn forget(&mut self) {
        *self = Self { asked: self.asked, ..Self::default() };
    }
}

impl Model {
    /// Rows that [`predict`](Self::predict), [`evaluate`](Self::evaluate) and validation take at a time: fewer need
    /// less memory, more keep a large device busy. No result depends on it. `None`, the default, leaves the choice to
    /// the model: 1024 in predictions and 256 in evaluations, or as many as the device can bind.
    ///
    /// # Errors
    /// [`Error::Value`] for 0. Predictions and evaluations answer [`Error::TooLarge`] where the device cannot bind what
    /// was asked for.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(3).add(Dense::new(2));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let x = Matrix::new(500, 3, vec![0.5; 1500])?;
    /// let y = model.predict(&x)?;
    /// model.set_inference_batch(64)?;
    /// assert_eq!(model.predict(&x)?, y);
    /// model.set_inference_batch(None)?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_inference_batch(&mut self, rows: impl Into<Option<usize>>) -> Result<()> {
        let asked = rows.into();
        if asked == Some(0) {
            return Err(Error::value("set_inference_batch", "rows", "at least 1", 0));
        }
        if asked != self.batches.asked {
            self.batches.asked = asked;
            self.unload(|purpose| purpose != Purpose::Train);
        }
        Ok(())
    }

    /// Most rows of a batch of an evaluation; what the device refuses is halved.
    pub(crate) fn most_evaluated(&self) -> usize {
        self.batches.asked.unwrap_or(EVALUATE)
    }

    /// The rows of a batch in which `rows` rows go through: where the model chooses, as many as fit.
    pub(crate) fn inference_batch(&mut self, purpose: Purpose, rows: usize, classes: &[bool]) -> Result<usize> {
        let known = if purpose == Purpose::Predict { self.batches.predict } else { self.batches.evaluate };
        let most = self.batches.asked.unwrap_or(known);
        let wanted = if purpose == Purpose::Predict { padded(rows, most) } else { rows.min(most) };
        if self.batches.asked.is_some() {
            return Ok(wanted);
        }
        let fits = self.load_at_most(purpose, wanted, classes)?;
        if fits < wanted {
            let known =
                if purpose == Purpose::Predict { &mut self.batches.predict } else { &mut self.batches.evaluate };
            *known = fits;
        }
        Ok(fits)
    }
}

/// Rows of the batch in which the next of `rows` rows are predicted: a power of two, so that a handful of plans serves
/// every number of rows, but no more than `most`.
pub(super) fn padded(rows: usize, most: usize) -> usize {
    rows.min(most).next_power_of_two().min(most)
}
