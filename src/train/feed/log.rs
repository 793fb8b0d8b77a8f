//! What steps wrote to the log, read row by row.

use crate::data::Targets;
use std::borrow::Cow;

/// Of each slot the sum of the values of rows, each times its weight, and the sum of the weights.
pub(crate) type Sums = Vec<(f64, f64)>;

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
    /// Those of rows before, which means go on from.
    pub before: Sums,
}

impl Logged<'_> {
    /// The values of one slot with their rows, in the order of the steps.
    fn values(&self, slot: usize) -> impl Iterator<Item = (f32, usize)> {
        let steps = self.log.chunks_exact(self.slots * self.batch).zip(self.order.chunks(self.batch));
        steps.flat_map(move |(values, rows)| {
            values[slot * self.batch..].iter().zip(rows).map(|(value, row)| (*value, *row as usize))
        })
    }

    /// The mean of one slot over the rows, weighted as they are. Rows of weight 0 are passed over, whatever they logged.
    pub fn mean(&self, slot: usize) -> f64 {
        let (sum, total) = self.sum(slot);
        sum / total
    }

    /// The sums of all slots.
    pub fn sums(&self) -> Sums {
        (0..self.slots).map(|slot| self.sum(slot)).collect()
    }

    fn sum(&self, slot: usize) -> (f64, f64) {
        let (mut sum, mut total) = self.before.get(slot).copied().unwrap_or((0.0, 0.0));
        for (value, row) in self.values(slot).filter(|(_, row)| self.counts(*row)) {
            let weight = self.weights.map_or(1.0, |weights| f64::from(weights[row]));
            sum += f64::from(value) * weight;
            total += weight;
        }
        (sum, total)
    }

    /// Whether a row of the data has a weight.
    pub fn counts(&self, row: usize) -> bool {
        self.weights.is_none_or(|weights| weights[row] > 0.0)
    }

    /// The loss: the means of the first slots times their weights. One of weight 0 has no part, whatever it is.
    pub fn loss(&self, weights: &[f32]) -> f64 {
        let parts = weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        parts.map(|(slot, weight)| f64::from(*weight) * self.mean(slot)).sum()
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
