//! Do these data fit the model? Every message names the layer, or input, row and value.

use super::network::Applied;
use super::{Model, Program};
use crate::data::{Dataset, Matrix, Targets};
use crate::layers::Layer;
use crate::losses::Loss;
use crate::{Error, Result};

impl Program {
    /// Refuses inputs that do not fit the network.
    pub(crate) fn check_inputs(&self, inputs: &[Matrix]) -> Result<()> {
        let expected: Vec<_> = self.network.inputs().collect();
        if inputs.len() != expected.len() {
            return Err(Error::shape("inputs", format!("{} inputs", expected.len()), inputs.len()));
        }
        let rows = inputs.first().map_or(0, Matrix::rows);
        for (i, (input, wanted)) in inputs.iter().zip(&expected).enumerate() {
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
    pub(crate) fn check_finite_inputs(&self, inputs: &[Matrix]) -> Result<()> {
        self.check_inputs(inputs)?;
        inputs.iter().enumerate().try_for_each(|(i, input)| input.check_finite(&format!("inputs[{i}]")))
    }

    /// Refuses data that do not fit the model; returns which targets are class indices.
    pub(crate) fn check_data(&self, data: &Dataset) -> Result<Vec<bool>> {
        self.check_inputs(data.inputs())?;
        let outputs = self.network.outputs();
        if data.targets().len() != outputs.len() {
            return Err(Error::shape("targets", format!("{} targets", outputs.len()), data.targets().len()));
        }
        let all = data.targets().iter().zip(outputs).zip(&self.losses).enumerate();
        all.map(|(i, ((target, output), loss))| check_target(&format!("targets[{i}]"), target, output, loss)).collect()
    }

    /// Refuses numbers that are to be categories and are none: on a device they would pick a wrong row of a table.
    fn check_categories(&self, inputs: &[Matrix]) -> Result<()> {
        let network = &self.network;
        for applied in network.values() {
            let Some(Layer::Embedding(embedding)) = &applied.layer else { continue };
            let slot = applied.inputs.first().and_then(|input| network.input_slot(*input));
            if let Some((slot, input)) = slot.and_then(|slot| Some((slot, inputs.get(slot)?))) {
                embedding.check(&applied.name, &format!("inputs[{slot}]"), input)?;
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
    pub(crate) fn check_inputs(&self, inputs: &[Matrix]) -> Result<()> {
        self.program().check_inputs(inputs)
    }

    pub(crate) fn check_finite_inputs(&self, inputs: &[Matrix]) -> Result<()> {
        self.program().check_finite_inputs(inputs)
    }

    /// Refuses data that do not fit the model; returns which targets are class indices.
    pub(crate) fn check_data(&self, data: &Dataset) -> Result<Vec<bool>> {
        self.program().check_data(data)
    }
}

/// Refuses targets that do not fit `output` and `loss`; returns whether they are class indices.
fn check_target(place: &str, target: &Targets, output: &Applied, loss: &Loss) -> Result<bool> {
    let units: usize = output.shape.iter().product();
    let by_class = loss.takes_classes() && matches!(target, Targets::Classes(_));
    let width = if by_class { 1 } else { units };
    if target.width() != width {
        let hint = match target {
            Targets::Values(values) if loss.takes_classes() && values.cols() == 1 => {
                "; class numbers are integers (u32, i32, usize, ..), these are f32"
            }
            Targets::Classes(_) => "; `one_hot` makes rows of class numbers",
            Targets::Values(_) => "",
        };
        let (expected, got) = (format!("targets (B, {width})"), format!("(B, {}){hint}", target.width()));
        return Err(Error::shape(&output.name, expected, got));
    }
    match target {
        Targets::Classes(labels) => {
            let Some(limit) = loss.label_limit(units) else {
                return check_exact(place, labels).map(|()| by_class);
            };
            if let Some((row, label)) = labels.iter().enumerate().find(|(_, label)| **label as usize >= limit) {
                let name = &output.name;
                let problem = format!("class {label}, but {name} tells {limit} classes apart (0 to {})", limit - 1);
                return Err(Error::data(format!("{place} row {row}"), problem));
            }
        }
        Targets::Values(values) => {
            if let Some((at, problem)) = loss.target_range().misfit(values.data(), width, loss.name()) {
                let (row, column) = (at / width, at % width);
                return Err(Error::data(format!("{place} row {row}, column {column}"), problem));
            }
        }
    }
    Ok(by_class)
}

/// Refuses labels that count as numbers and that f32 would round.
fn check_exact(place: &str, labels: &[u32]) -> Result<()> {
    let rounded = |label: &u32| f64::from(*label as f32) != f64::from(*label);
    match labels.iter().enumerate().find(|(_, label)| rounded(label)) {
        Some((row, label)) => {
            let problem = format!("{label} is a whole number that f32 rounds to {}", f64::from(*label as f32));
            Err(Error::data(format!("{place} row {row}"), problem))
        }
        None => Ok(()),
    }
}
