//! What steps wrote to the log, read row by row.

use crate::data::{Dataset, Targets};
use std::borrow::Cow;

/// The log `(steps, slots, batch)` of some steps, with the rows that they saw.
pub(crate) struct Logged<'a> {
    pub log: Vec<f32>,
    pub slots: usize,
    pub batch: usize,
    /// The rows of the data in the order in which they were visited.
    pub order: Cow<'a, [u32]>,
    /// Rows of the data.
    pub rows: usize,
    /// The targets of each output; none where no metric asks for them.
    pub targets: &'a [Targets],
    /// The weight of each row of the data; `None` means 1 each.
    pub weights: Option<&'a [f32]>,
    /// The weight of each row for each output, where that has weights of its own.
    pub target_weights: Vec<Option<Vec<f32>>>,
}

/// The weights of the rows of `data` for each output; none where no target has weights of its own.
pub(in crate::train) fn target_weights(data: &Dataset) -> Vec<Option<Vec<f32>>> {
    let count = if data.weighs_targets() { data.targets().len() } else { 0 };
    (0..count).map(|output| data.weights_for(output)).collect()
}

impl Logged<'_> {
    /// The values of one slot with their rows, in the order of the steps.
    fn values(&self, slot: usize) -> impl Iterator<Item = (f32, usize)> {
        let steps = self.log.chunks_exact(self.slots * self.batch).zip(self.order.chunks(self.batch));
        steps.flat_map(move |(values, rows)| {
            values[slot * self.batch..].iter().zip(rows).map(|(value, row)| (*value, *row as usize))
        })
    }

    /// The weights of the rows for `output`, or for what belongs to none.
    pub fn weights_of(&self, output: Option<usize>) -> Option<&[f32]> {
        let own = output.and_then(|output| self.target_weights.get(output)?.as_deref());
        own.or(self.weights)
    }

    /// The sum of one slot over the rows, weighted by `weights`, and that of the weights. Rows of weight 0 are passed over,
    /// whatever they logged.
    fn sums(&self, slot: usize, weights: Option<&[f32]>) -> (f64, f64) {
        let (mut sum, mut total) = (0.0, 0.0);
        for (value, row) in self.values(slot) {
            let weight = weights.map_or(1.0, |weights| f64::from(weights[row]));
            if weight > 0.0 {
                sum += f64::from(value) * weight;
                total += weight;
            }
        }
        (sum, total)
    }

    /// The mean of one slot over the rows, weighted as they are for the output that it is of.
    pub fn mean(&self, slot: usize, output: Option<usize>) -> f64 {
        let (sum, total) = self.sums(slot, self.weights_of(output));
        sum / total
    }

    /// The loss: the means of the first slots, which are those of the outputs and then others, times their weights. One of
    /// weight 0 has no part, whatever it is.
    pub fn loss(&self, weights: &[f32]) -> f64 {
        let parts = weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        parts
            .map(|(slot, weight)| {
                let (sum, mut total) = self.sums(slot, self.weights_of(Some(slot)));
                if self.target_weights.get(slot).is_some_and(Option::is_some) {
                    // A row without a target has a loss of 0.
                    total = self.sums(slot, self.weights).1;
                }
                f64::from(*weight) * (sum / total)
            })
            .sum()
    }

    /// One slot, in the order of the data's own rows.
    pub fn by_row(&self, slot: usize) -> Vec<f32> {
        let mut rows = vec![f32::NAN; self.rows];
        for (value, row) in self.values(slot) {
            rows[row] = value;
        }
        rows
    }
}
