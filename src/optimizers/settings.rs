use super::Optimizer;

/// How gradients are kept small, before anything is added to them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub enum Clip {
    /// All gradients are scaled by `min(1, max / (‖g‖ + 1e-6))`, where `‖g‖` is the norm of all of them together.
    Norm(f32),
    /// Every element is brought into `[-max, max]`.
    Value(f32),
}

/// What every optimizer can be told; each method returns an [`Optimizer`], so that they chain.
///
/// ```
/// use axone::prelude::*;
///
/// let sgd = Sgd::new(0.1).momentum(0.9).l2(1e-4).clip_value(0.5);
/// assert_eq!((sgd.l2, sgd.clip), (1e-4, Some(axone::optimizers::Clip::Value(0.5))));
/// ```
pub trait OptimizerExt: Into<Optimizer> {
    /// Adds `λ sign(p)` to the gradient of every weight: the penalty `λ Σ |p|`. Default: 0. A layer's own
    /// [`l1`](crate::layers::Dense::l1) replaces it.
    fn l1(self, factor: f32) -> Optimizer {
        Optimizer { l1: factor, ..self.into() }
    }

    /// Adds `λ p` to the gradient of every weight: the penalty `½ λ Σ p²`. Default: 0. This is the `weight_decay` of
    /// PyTorch's optimizers other than AdamW; Keras' `l2(λ)` is `λ Σ p²`, twice as much. A layer's own
    /// [`l2`](crate::layers::Dense::l2) replaces it.
    fn l2(self, factor: f32) -> Optimizer {
        Optimizer { l2: factor, ..self.into() }
    }

    /// Shrinks every weight by `lr · λ p` before the step, apart from the gradient (Loshchilov & Hutter 2019); `lr` is
    /// the rate of the step. Adam becomes [`AdamW`](super::AdamW). Default: 0.
    fn weight_decay(self, factor: f32) -> Optimizer {
        Optimizer { weight_decay: factor, ..self.into() }
    }

    /// Lets L1, L2 and weight decay act on biases and on the scales and shifts of normalisations too, as PyTorch's
    /// optimizers do. Default: those are spared.
    fn decay_biases(self) -> Optimizer {
        Optimizer { decay_biases: true, ..self.into() }
    }

    /// Scales all gradients by `min(1, max / (‖g‖ + 1e-6))`, where `‖g‖` is the norm of all of them together (Pascanu et
    /// al. 2013; PyTorch's `clip_grad_norm_`). Frozen parameters do not count. Replaces
    /// [`clip_value`](Self::clip_value). Default: off.
    fn clip_norm(self, max: f32) -> Optimizer {
        Optimizer { clip: Some(Clip::Norm(max)), ..self.into() }
    }

    /// Brings every element of the gradients into `[-max, max]`. Replaces [`clip_norm`](Self::clip_norm). Default: off.
    fn clip_value(self, max: f32) -> Optimizer {
        Optimizer { clip: Some(Clip::Value(max)), ..self.into() }
    }
}

impl<T: Into<Optimizer>> OptimizerExt for T {}
