//! The table that `summary()` prints.

use super::Network;
use crate::layers::Layer;
use crate::text::{table, thousands};
use std::fmt;

/// A table of the layers of a model, their shapes and parameter counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    rows: Vec<[String; 4]>,
    /// Trainable numbers.
    parameters: usize,
    frozen: usize,
    gathered: usize,
}

impl Summary {
    pub(super) fn new(network: &Network) -> Self {
        let values = network.values();
        let (mut total, mut gathered) = (0, 0);
        let mut rows = Vec::new();
        for value in values {
            let inputs: Vec<_> = value.inputs.iter().filter_map(|input| values.get(*input)).collect();
            let fan_in: usize = inputs.first().map_or(0, |input| input.shape.iter().product());
            let layer = value.layer.as_ref().map(Layer::inner);
            let kind = layer.map_or_else(|| "input".to_owned(), |layer| layer.shown());
            let kind = match (&value.layer, value.inputs.as_slice()) {
                (Some(Layer::Gradient), &[of, by]) if network.between(by, of).is_empty() => {
                    format!("{kind}, 0: {} does not depend on {}", values[of].name, values[by].name)
                }
                _ => kind,
            };
            let first = value.shares.and_then(|first| values.get(first));
            let kind = first.map_or(kind.clone(), |first| format!("{kind}, as {}", first.name));
            let own = layer.filter(|_| first.is_none());
            let (trained, other) = own.map_or((0, 0), |layer| layer.parameters(fan_in));
            let sides: Vec<_> = value.shape.iter().map(usize::to_string).collect();
            let from: Vec<_> = inputs.iter().map(|input| input.name.as_str()).collect();
            let name =
                if from.len() > 1 { format!("{} <- {}", value.name, from.join(", ")) } else { value.name.clone() };
            rows.push([
                name,
                kind,
                format!("(B, {})", sides.join(", ")),
                thousands(trained.saturating_add(other) as u64),
            ]);
            total = trained.saturating_add(total);
            gathered = other.saturating_add(gathered);
        }
        Self { rows, parameters: total, frozen: 0, gathered }
    }

    /// Says of `layers`, of `count` numbers, that they are frozen.
    pub(super) fn with_frozen(mut self, layers: &[&str], count: usize) -> Self {
        for row in self.rows.iter_mut().filter(|row| layers.contains(&row[0].as_str())) {
            row[1].push_str(", frozen");
        }
        self.frozen = count;
        self.parameters -= count.min(self.parameters);
        self
    }

    /// Trainable numbers; those of frozen layers are not among them.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Numbers that are gathered while training, such as running means, and not trained.
    pub fn non_trainable(&self) -> usize {
        self.gathered
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["layer", "kind", "output", "parameters"].map(str::to_owned).to_vec();
        let rows: Vec<_> = [header].into_iter().chain(self.rows.iter().map(|row| row.to_vec())).collect();
        for (i, line) in table(&rows, 3).lines().enumerate() {
            writeln!(f, "{line}")?;
            if i == 0 {
                writeln!(f, "{}", "-".repeat(line.chars().count()))?;
            }
        }
        write!(f, "{} trainable parameters", thousands(self.parameters as u64))?;
        for (count, what) in [(self.frozen, "frozen"), (self.gathered, "non-trainable")] {
            if count > 0 {
                write!(f, ", {} {what}", thousands(count as u64))?;
            }
        }
        Ok(())
    }
}
