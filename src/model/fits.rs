//! Do these data fit the model? Every message names the layer, or input, row and value.

use super::network::Applied;
use super::{Model, Program};
use crate::data::{Dataset, Matrix};
use crate::layers::Layer;
use crate::{Error, Result};
use std::borrow::Borrow;

impl Program {
    /// Refuses inputs that do not fit the network.
    pub(crate) fn check_inputs(&self, inputs: &[impl Borrow<Matrix>]) -> Result<()> {
        let expected: Vec<_> = self.network.inputs().collect();
        if inputs.len() != expected.len() {
            return Err(Error::shape("inputs", format!("{} inputs", expected.len()), inputs.len()));
        }
        let rows = inputs.first().map_or(0, |input| input.borrow().rows());
        for (i, (input, wanted)) in inputs.iter().map(Borrow::borrow).zip(&expected).enumerate() {
            let width: usize = wanted.shape.iter().product();
            if input.cols() != width {
                let name = self.first_user(&wanted.name);
                return Err(Error::shape(name, format!("input (B, {width})"), format!("(B, {})", input.cols())));
            }
            if input.rows() != rows {
                return Err(Error::shape(format!("inputs[{i}]"), format!("{rows} rows"), input.rows()));
            }
        }
        if rows == 0 { Err(Error::data("inputs", "no rows")) } else { self.check_categories(inputs) }
    }

    /// Refuses inputs that do not fit the network, and NaN and infinity in them: data sets have none, what a program hands
    /// over may.
    pub(crate) fn check_finite_inputs(&self, inputs: &[impl Borrow<Matrix>]) -> Result<()> {
        self.check_inputs(inputs)?;
        inputs.iter().enumerate().try_for_each(|(i, input)| input.borrow().check_finite(&format!("inputs[{i}]")))
    }

    /// Refuses a model of [`Losses::none`](crate::losses::Losses::none), where a loss is asked for.
    pub(crate) fn check_has_losses(&self) -> Result<()> {
        if self.losses.is_empty() {
            let wanted = "there (this model was compiled with Losses::none(), for predictions and steps by hand)";
            return Err(Error::value("model", "loss", wanted, "none"));
        }
        Ok(())
    }

    /// Refuses numbers that are to be categories and are none: on a device they would pick a wrong row of a table.
    fn check_categories(&self, inputs: &[impl Borrow<Matrix>]) -> Result<()> {
        let network = &self.network;
        for applied in network.values() {
            let Some(Layer::Embedding(embedding)) = &applied.layer else { continue };
            let slot = applied.inputs.first().and_then(|input| network.input_slot(*input));
            if let Some((slot, input)) = slot.and_then(|slot| Some((slot, inputs.get(slot)?))) {
                embedding.check(&applied.name, &format!("inputs[{slot}]"), input.borrow())?;
            }
        }
        Ok(())
    }

    /// The first layer that reads input `name`: the one a user looks for when a width is wrong.
    fn first_user(&self, name: &str) -> String {
        let values = self.network.values();
        let reads = |value: &&Applied| {
            value.inputs.iter().any(|input| values.get(*input).is_some_and(|source| source.name == name))
        };
        values.iter().find(reads).map_or(name, |value| value.name.as_str()).to_owned()
    }
}

impl Model {
    pub(crate) fn check_inputs(&self, inputs: &[impl Borrow<Matrix>]) -> Result<()> {
        self.program().check_inputs(inputs)
    }

    pub(crate) fn check_finite_inputs(&self, inputs: &[impl Borrow<Matrix>]) -> Result<()> {
        self.program().check_finite_inputs(inputs)
    }

    /// Refuses data that do not fit the model; returns which targets are class indices, and behind that, if any has, which
    /// have weights of their own.
    pub(crate) fn check_data(&self, data: &Dataset) -> Result<Vec<bool>> {
        self.program().check_has_losses()?;
        self.check_inputs(data.inputs())?;
        let outputs = self.program().network.outputs();
        if data.targets().len() != outputs.len() {
            return Err(Error::shape("targets", format!("{} targets", outputs.len()), data.targets().len()));
        }
        let all = data.targets().iter().zip(outputs).zip(&self.program().losses).enumerate();
        let checked = all.map(|(i, ((target, output), loss))| {
            let units = output.shape.iter().product();
            loss.check_target(&format!("targets[{i}]"), (&output.name, units), target)
        });
        let mut known = checked.collect::<Result<Vec<bool>>>()?;
        if data.weighs_targets() {
            known.extend((0..data.targets().len()).map(|i| data.target_weights(i).is_some()));
        }
        Ok(known)
    }
}
