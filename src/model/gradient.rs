//! Derivatives as values of a network, and losses of values that have no target.

use super::Network;
use super::value::Value;
use crate::layers::Layer;
use crate::{Error, Result};

/// A loss of a value without a target.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(crate) struct AddedLoss {
    /// Its place in the network.
    pub value: usize,
    pub weight: f32,
}

impl Network {
    /// The derivative of `of` with respect to `by`, an input or any value on the way: in each row
    /// `∂(Σⱼ ofⱼ) / ∂byᵢ`, the sum over the columns of `of`, as wide as `by`. It is a value like any other: a formula, a
    /// loss and a further derivative take it, and training differentiates through it. 0 where `of` does not depend on
    /// `by`, which [`summary`](Self::summary) says.
    ///
    /// A row's derivative is by its own row: what PyTorch computes as `torch.autograd.grad(of.sum(), by,
    /// create_graph=True)`, as long as no row depends on another. Every layer keeps them apart but [`BatchNorm`], which is
    /// refused on the way from `by` to `of` (use [`LayerNorm`]). A dropout in between has the masks of the pass. Where a
    /// function has a kink its derivatives are those of one side, as in PyTorch; what is made of straight pieces (relu,
    /// leaky relu, hard sigmoid) has a second derivative of 0: a differential equation of the second order wants tanh or
    /// another smooth function.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let x = net.input("x", 1)?;
    /// let cubed = net.formula("cubed", [x], |[x]| x * x.square())?;
    /// let slope = net.gradient(cubed, x)?;
    /// let bend = net.gradient(slope, x)?;
    /// net.output(bend)?;
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// assert_eq!(model.predict(&[[2.0], [0.5]].into())?.data(), [12.0, 3.0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] for a value of another network, and, naming the layer, where one on the way mixes rows or reads
    /// categories.
    ///
    /// [`BatchNorm`]: crate::layers::BatchNorm
    /// [`LayerNorm`]: crate::layers::LayerNorm
    pub fn gradient(&mut self, of: Value, by: Value) -> Result<Value> {
        self.apply_to(Layer::Gradient, &[of, by])
    }

    /// Adds `weight` times the mean of the columns of `value` to the loss of each row, without a target: a penalty, the
    /// residual of an equation, a distance between two branches. Each epoch reports the mean as the name of the value with
    /// `_loss` behind it, and `loss` is the sum of all losses times their weights. A negative weight makes the value
    /// large, one of 0 leaves it to the report. What is to be compared with a target is an output
    /// ([`output`](Self::output)).
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// // The slope of the answer is held at most 1, and the answer is trained as ever.
    /// let mut net = Network::new();
    /// let x = net.input("x", 2)?;
    /// let hidden = net.apply(Dense::new(16).activation(Activation::Tanh), x)?;
    /// let y = net.apply(Dense::new(1), hidden)?;
    /// let slope = net.gradient(y, x)?;
    /// let steep = net.formula("steep", [slope], |[slope]| (slope.square().sum() - 1.0).relu())?;
    /// net.output(y)?;
    /// net.add_loss(steep, 0.1)?;
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.01))?;
    /// let data = Dataset::new([[0.0, 1.0], [1.0, 0.0]], [1.0, -1.0])?;
    /// let history = model.fit(&data, &Fit::new().epochs(5).silent())?;
    /// assert_eq!(history.names(), ["loss", "mae", "steep_loss"]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] for a weight that is not finite, a value of another network, and one that has such a loss already.
    pub fn add_loss(&mut self, value: Value, weight: f32) -> Result<()> {
        let at = self.place("add_loss", "value", value)?;
        let name = &self.values[at].name;
        if !weight.is_finite() {
            return Err(Error::value(name, "loss weight", "finite", weight));
        }
        if self.added.iter().any(|added| added.value == at) {
            let got = format!("\"{name}\" twice");
            return Err(Error::value("add_loss", "value", "one without a loss of its own yet", got));
        }
        self.added.push(AddedLoss { value: at, weight });
        Ok(())
    }

    /// The losses without a target: the names of their values, and their weights.
    pub(crate) fn added_losses(&self) -> impl Iterator<Item = (&str, f32)> {
        self.added.iter().filter_map(|added| Some((self.values.get(added.value)?.name.as_str(), added.weight)))
    }

    /// Refuses the derivative of the value at `of` by that at `by` where it is none of rows.
    pub(super) fn check_gradient(&self, name: &str, of: usize, by: usize) -> Result<()> {
        for at in self.between(by, of).into_iter().filter(|at| *at != by) {
            let on_the_way = &self.values[at];
            let layer = &on_the_way.name;
            match on_the_way.layer {
                Some(Layer::BatchNorm(_)) => {
                    let wanted = "made of layers that keep rows apart (LayerNorm does)";
                    return Err(Error::value(name, "derivative", wanted, format!("{layer}, a batch normalisation")));
                }
                Some(Layer::Embedding(_)) => {
                    let got = format!("the categories of {layer}");
                    return Err(Error::value(name, "derivative", "by numbers", got));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The values on the way from that at `from` to that at `to`, both among them; none where there is no way.
    pub(super) fn between(&self, from: usize, to: usize) -> Vec<usize> {
        let mut depends = vec![false; self.values.len()];
        for at in from..=to {
            depends[at] = at == from || self.values[at].inputs.iter().any(|input| depends[*input]);
        }
        let mut needed = vec![false; self.values.len()];
        needed[to] = true;
        for at in (from..=to).rev().filter(|at| depends[*at]) {
            if needed[at] {
                self.values[at].inputs.iter().for_each(|input| needed[*input] = true);
            }
        }
        (from..=to).filter(|at| depends[*at] && needed[*at]).collect()
    }
}
