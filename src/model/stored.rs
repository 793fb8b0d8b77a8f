//! Networks from files: built anew, so that whatever the methods of [`Network`] refuse is refused there too.

use super::gradient::AddedLoss;
use super::network::{Applied, Network, RowShape};
use super::shared::Again;
use super::value::Value;
use crate::layers::Layer;
use crate::{Error, Result};

/// A network as a file has it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    values: Vec<Applied>,
    outputs: Vec<usize>,
    #[serde(default)]
    added: Vec<AddedLoss>,
}

impl TryFrom<Stored> for Network {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self> {
        let mut network = Network::new();
        for applied in stored.values {
            network.restore(applied)?;
        }
        network.shared.again = None;
        for at in stored.outputs {
            let value = network.stored_value("outputs", at)?;
            network.output(value)?;
        }
        for AddedLoss { value, weight } in stored.added {
            let value = network.stored_value("added", value)?;
            network.add_loss(value, weight)?;
        }
        Ok(network)
    }
}

impl Network {
    /// Appends a value that must be what its input or layer makes of those before it.
    fn restore(&mut self, Applied { name, layer, inputs, shape, shares, .. }: Applied) -> Result<()> {
        self.shared.again = None;
        if let Some(first) = shares {
            let own = self.values().len();
            let of = self.values().get(first).filter(|of| of.layer.is_some() && of.shares.is_none());
            let time = of.and_then(|of| name.strip_prefix(&of.name)?.strip_prefix('@')?.parse().ok());
            let Some(time) = time else {
                return Err(Error::value(name, "shares", "a layer in front, whose name this one begins with", first));
            };
            self.shared.again = Some(Again { first, own, time });
        }
        match layer {
            None if inputs.is_empty() => drop(self.input(&name, RowShape(shape))?),
            None => {
                let wanted = "none, for an input of the model";
                return Err(Error::value(name, "inputs", wanted, format!("{inputs:?}")));
            }
            Some(Layer::Residual(_)) => {
                return Err(Error::value(name, "layer", "one that stands in a network", "residual"));
            }
            Some(layer) => {
                if let Some(given) = layer.inner().given_name().filter(|given| *given != name && shares.is_none()) {
                    let wanted = format!("\"{given}\"");
                    let got = format!("\"{name}\"");
                    return Err(Error::value(name, "name", wanted, got));
                }
                let inputs: Result<Vec<Value>> = inputs.iter().map(|&at| self.stored_value(&name, at)).collect();
                self.apply_named(name, layer, &inputs?)?;
                if let Some(applied) = self.values().last().filter(|applied| applied.shape != shape) {
                    let wanted = format!("rows of {:?}", applied.shape);
                    return Err(Error::shape(&applied.name, wanted, format!("{shape:?}")));
                }
            }
        }
        Ok(())
    }

    /// The value at `at`, of those that stand before their user.
    fn stored_value(&self, user: &str, at: usize) -> Result<Value> {
        let known = self.values().len();
        if at < known { Ok(self.value(at)) } else { Err(Error::value(user, "input", format!("below {known}"), at)) }
    }
}
