//! What a run of L-BFGS can be told.

use super::descent::Descent;
use crate::data::Samples;
use crate::train::{Callback, Fit, StopFlag, Verbosity};
use crate::{Error, Result};

/// Full-batch training by limited-memory BFGS (Liu & Nocedal 1989): the settings of
/// [`Model::minimize`](crate::model::Model::minimize), for small data and networks that a mini-batch method takes long
/// to train to the end. It has no learning rate: a line search (Moré & Thuente 1994) finds each step.
///
/// What becomes small is the objective `L(p) + α / (2 W) Σ w²`: the mean loss over all rows, and the squares of all
/// weights (not of biases, nor of scales and shifts of normalisations) over `W`, the sum of the weights of the rows, or
/// their number. A layer's own [`l2`](crate::layers::Dense::l2) takes the place of `α / W` for its weights.
///
/// It ends at the first iteration after which the largest element of the objective's gradient is at most
/// [`tolerance`](Self::tolerance), or after which the objective fell by at most [`loss_tolerance`](Self::loss_tolerance)
/// of `max(|before|, |after|, 1)`, or at one of the limits.
///
/// Defaults, as of scikit-learn 1.9's `MLPClassifier(solver="lbfgs")` and the `L-BFGS-B` of SciPy that it calls, but for
/// `alpha` (1e-4 there): tolerance 1e-4, 10 pairs of vectors, 200 iterations, 15,000 evaluations, loss tolerance
/// 2.22e-9, alpha 0. Progress as in [`Fit`], a line an iteration; 1 GiB of data on the device.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Lbfgs::new().tolerance(5e-3).history(10).max_iterations(200).alpha(0.01).silent();
/// let net = Sequential::new(2)
///     .add(Dense::new(4).activation(Activation::Tanh))
///     .add(Dense::new(1).activation(Activation::Sigmoid));
/// let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Sgd::default())?;
/// let xor = Dataset::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])?;
/// let history = model.minimize(&xor, &settings)?;
/// assert!(history.last("gradient").unwrap() <= 5e-3);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Lbfgs {
    pub(super) tolerance: f64,
    loss_tolerance: f64,
    pub(super) history: usize,
    max_evaluations: usize,
    pub(super) alpha: f64,
    /// What it has in common with `fit`; epochs are iterations.
    pub(super) run: Fit,
}

/// The products of the vectors of so many pairs with one another take 256 MiB on the host.
const MOST_PAIRS: usize = 4095;

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            tolerance: 1e-4,
            loss_tolerance: 1e7 * f64::EPSILON,
            history: 10,
            max_evaluations: 15_000,
            alpha: 0.0,
            run: Fit::new().epochs(200),
        }
    }
}

impl Lbfgs {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The run ends once no element of the gradient is larger than this; at least 0. `tol` of scikit-learn, `gtol` of
    /// SciPy.
    pub fn tolerance(mut self, most: f64) -> Self {
        self.tolerance = most;
        self
    }

    /// The run ends once an iteration lowers the objective by at most this share of it (of 1, where it is smaller); at
    /// least 0, which is never. `ftol` of SciPy. The loss is a mean of numbers in f32: a smaller share than some 1e-8 is its rounding.
    pub fn loss_tolerance(mut self, share: f64) -> Self {
        self.loss_tolerance = share;
        self
    }

    /// Pairs of vectors that describe the curvature; from 1 to 4095. Each takes two slabs on the device: 8 bytes for
    /// every parameter.
    pub fn history(mut self, pairs: usize) -> Self {
        self.history = pairs;
        self
    }

    /// Most iterations; at least 1.
    pub fn max_iterations(mut self, iterations: usize) -> Self {
        self.run = self.run.epochs(iterations);
        self
    }

    /// Most evaluations of loss and gradient, looked at after each iteration, which takes seldom more than one; at least
    /// 1. `max_fun` of scikit-learn.
    pub fn max_evaluations(mut self, evaluations: usize) -> Self {
        self.max_evaluations = evaluations;
        self
    }

    /// The factor α of the penalty `α / (2 W) Σ w²`, at least 0: scikit-learn's `alpha`. PyTorch's `weight_decay` is
    /// `α / W`.
    pub fn alpha(mut self, factor: f64) -> Self {
        self.alpha = factor;
        self
    }

    /// As [`Fit::validation`]; reported after every iteration.
    pub fn validation<'d>(mut self, data: impl Into<Samples<'d>>) -> Self {
        self.run = self.run.validation(data);
        self
    }

    /// As [`Fit::validation_split`], with the seed 0.
    pub fn validation_split(mut self, fraction: f64) -> Self {
        self.run = self.run.validation_split(fraction);
        self
    }

    /// How much is printed to standard error: nothing, or a line an iteration.
    pub fn verbosity(mut self, verbosity: Verbosity) -> Self {
        self.run = self.run.verbosity(verbosity);
        self
    }

    /// Prints nothing.
    pub fn silent(self) -> Self {
        self.verbosity(Verbosity::Silent)
    }

    /// Bytes of data kept on the device, and bytes of activations there. What is larger is computed in several passes,
    /// whose gradients add up.
    pub fn data_budget(mut self, bytes: u64) -> Self {
        self.run = self.run.data_budget(bytes);
        self
    }

    /// As [`Fit::callback`]: an epoch is an iteration. It may monitor `loss` and metrics, and `objective`, `gradient` (its
    /// largest element) and `evaluations` (so far). There is no learning rate to be set, and weights that a callback
    /// writes between two iterations are written over by the next.
    pub fn callback(mut self, callback: impl Callback + 'static) -> Self {
        self.run = self.run.callback(callback);
        self
    }

    /// As [`Fit::stop_flag`]; the model has the weights of the last whole iteration.
    pub fn stop_flag(mut self, flag: &StopFlag) -> Self {
        self.run = self.run.stop_flag(flag);
        self
    }

    /// As [`Fit::stop_on_ctrl_c`].
    #[cfg(feature = "ctrl-c")]
    pub fn stop_on_ctrl_c(mut self) -> Self {
        self.run = self.run.stop_on_ctrl_c();
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        let not_negative =
            [("tolerance", self.tolerance), ("loss_tolerance", self.loss_tolerance), ("alpha", self.alpha)];
        for (name, value) in not_negative {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::value("minimize", name, "at least 0 and finite", value));
            }
        }
        let counts = [
            ("history", self.history),
            ("max_iterations", self.run.options.epochs),
            ("max_evaluations", self.max_evaluations),
        ];
        if let Some((name, count)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(Error::value("minimize", name, "at least 1", count));
        }
        if self.history > MOST_PAIRS {
            return Err(Error::value("minimize", "history", format!("at most {MOST_PAIRS}"), self.history));
        }
        Ok(())
    }

    /// Whether the gradient is small enough, in words.
    pub(super) fn is_flat(&self, descent: &Descent<'_>) -> Option<String> {
        let (largest, most) = (descent.largest_gradient(), self.tolerance);
        (largest <= most)
            .then(|| format!("converged: no element of the gradient is above {largest:.3e} (tolerance {most})"))
    }

    /// Whether the last iteration, from the objective `before` on, is to be the last, in words.
    pub(super) fn is_done(&self, descent: &Descent<'_>, before: f64) -> Option<String> {
        let (loss, most) = (descent.loss(), self.loss_tolerance);
        let share = (before - loss) / before.abs().max(loss.abs()).max(1.0);
        if most > 0.0 && share <= most {
            return Some(format!(
                "converged: the last iteration lowered the objective by {share:.3e} (tolerance {most:.3e})"
            ));
        }
        let (done, most) = (descent.evaluations(), self.max_evaluations);
        (done >= most).then(|| format!("{done} evaluations (at most {most})"))
    }
}
