//! The losses of all outputs of a model.

use super::Loss;
use crate::{Error, Result};

/// One loss for each output of a model, with a weight if wished: training makes `Σ weight · loss` small. Default
/// weights: 1. Reported are that sum as `loss`, and each output's own loss without its weight; one of weight 0 is
/// reported and trains nothing.
/// What layers ask for their activations is part of the first output's loss.
///
/// ```
/// use axone::prelude::*;
/// use axone::model::Losses;
///
/// let mut net = Network::new();
/// let x = net.input("x", 4)?;
/// let (digit, size) = (net.apply(Dense::new(3), x)?, net.apply(Dense::new(1), x)?);
/// net.output(digit)?;
/// net.output(size)?;
/// let losses = [(Loss::CategoricalCrossEntropy, 1.0), (Loss::MeanSquaredError, 0.3)];
/// net.compile(Device::cpu(), losses, Adam::default())?;
///
/// let error = net.compile(Device::cpu(), [(Loss::Poisson, 1.0), (Loss::Cosine, -0.5)], Adam::default()).unwrap_err();
/// assert_eq!(error.to_string(), "losses[1] (cosine): weight must be at least 0 and finite, got -0.5");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Losses {
    pub(crate) losses: Vec<Loss>,
    pub(crate) weights: Vec<f32>,
    pub(crate) are_none: bool,
}

impl Losses {
    /// No loss: for a model that predicts, or is trained by hand or by [`Model::fit_with`](crate::model::Model::fit_with)
    /// alone. What asks for a loss (`fit`, `evaluate`, `minimize`, `train_on_batch`, `compute_gradients` …) refuses it with
    /// an [`Error::Value`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(1).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Losses::none(), Sgd::new(0.1))?;
    /// let x = Matrix::from([[1.0], [2.0]]);
    /// model.backward(&[&x], &[[[1.0], [1.0]].into()])?;
    /// model.apply_gradients()?;
    /// let error = model.fit(&Dataset::new(x, [1.0, 2.0])?, &Fit::new()).unwrap_err();
    /// let wanted = "there (this model was compiled with Losses::none(), for predictions and steps by hand)";
    /// assert_eq!(error.to_string(), format!("model: loss must be {wanted}, got none"));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn none() -> Self {
        Self { losses: Vec::new(), weights: Vec::new(), are_none: true }
    }

    pub(crate) fn check(&self) -> Result<()> {
        self.losses.iter().try_for_each(Loss::check)?;
        for (i, (loss, weight)) in self.losses.iter().zip(&self.weights).enumerate() {
            if !(weight.is_finite() && *weight >= 0.0) {
                let place = format!("losses[{i}] ({})", loss.name());
                return Err(Error::value(place, "weight", "at least 0 and finite", weight));
            }
        }
        Ok(())
    }
}

impl From<Loss> for Losses {
    fn from(loss: Loss) -> Self {
        Self::from(vec![loss])
    }
}

impl From<Vec<Loss>> for Losses {
    fn from(losses: Vec<Loss>) -> Self {
        Self { weights: vec![1.0; losses.len()], losses, are_none: false }
    }
}

impl<const N: usize> From<[Loss; N]> for Losses {
    fn from(losses: [Loss; N]) -> Self {
        Self::from(losses.to_vec())
    }
}

impl From<Vec<(Loss, f32)>> for Losses {
    fn from(losses: Vec<(Loss, f32)>) -> Self {
        let (losses, weights) = losses.into_iter().unzip();
        Self { losses, weights, are_none: false }
    }
}

impl<const N: usize> From<[(Loss, f32); N]> for Losses {
    fn from(losses: [(Loss, f32); N]) -> Self {
        Self::from(losses.to_vec())
    }
}
