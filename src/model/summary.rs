//! The table that `summary()` prints.

use super::Network;
use crate::layers::Layer;
use crate::text::thousands;
use std::fmt;

/// A table of the layers of a model, their shapes and parameter counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    rows: Vec<[String; 4]>,
    /// Trainable numbers.
    parameters: usize,
    frozen: usize,
}

impl Summary {
    pub(super) fn new(network: &Network) -> Self {
        let values = network.values();
        let mut total = 0;
        let mut rows = Vec::new();
        for value in values {
            let inputs: Vec<_> = value.inputs.iter().filter_map(|input| values.get(input.0)).collect();
            let fan_in: usize = inputs.first().map_or(0, |input| input.shape.iter().product());
            let (kind, count) = match &value.layer {
                None => ("input".to_owned(), 0),
                Some(Layer::Dense(dense)) => {
                    let weights = (fan_in + usize::from(dense.bias)) * dense.units;
                    (format!("dense, {}", dense.activation), weights)
                }
                Some(Layer::Dropout(dropout)) => (format!("dropout {}", dropout.rate), 0),
                Some(layer) => (layer.kind().to_owned(), 0),
            };
            let sides: Vec<_> = value.shape.iter().map(usize::to_string).collect();
            let from: Vec<_> = inputs.iter().map(|input| input.name.as_str()).collect();
            let name =
                if from.len() > 1 { format!("{} <- {}", value.name, from.join(", ")) } else { value.name.clone() };
            rows.push([name, kind, format!("(B, {})", sides.join(", ")), thousands(count as u64)]);
            total += count;
        }
        Self { rows, parameters: total, frozen: 0 }
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
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["layer", "kind", "output", "parameters"].map(str::to_owned);
        let all = || std::iter::once(&header).chain(&self.rows);
        let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths = [0, 1, 2, 3].map(width);
        for (i, row) in all().enumerate() {
            writeln!(
                f,
                "{:<a$}  {:<b$}  {:<c$}  {:>d$}",
                row[0],
                row[1],
                row[2],
                row[3],
                a = widths[0],
                b = widths[1],
                c = widths[2],
                d = widths[3]
            )?;
            if i == 0 {
                writeln!(f, "{}", "-".repeat(widths.iter().sum::<usize>() + 6))?;
            }
        }
        write!(f, "{} trainable parameters", thousands(self.parameters as u64))?;
        if self.frozen > 0 {
            write!(f, ", {} frozen", thousands(self.frozen as u64))?;
        }
        Ok(())
    }
}
