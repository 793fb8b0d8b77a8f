//! Chunks waiting to be cut into windows. Rows are copied only where a window reaches over the end of a chunk.

use crate::data::{Dataset, Matrix, Targets};
use crate::{Error, Result};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Chunks of one kind, and which rows of each are still to come.
#[derive(Default)]
pub(super) struct Pieces(VecDeque<(Dataset, Range<usize>)>);

impl Pieces {
    pub fn push(&mut self, set: Dataset) {
        let all = 0..set.len();
        self.0.push_back((set, all));
    }

    /// Rows to come.
    pub fn len(&self) -> usize {
        self.0.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Rows to come of the first chunk.
    pub fn first(&self) -> usize {
        self.0.front().map_or(0, |(_, rows)| rows.len())
    }

    /// The next `count` rows, of at least as many: a data set, and where in it they lie.
    pub fn take(&mut self, count: usize) -> Result<(Dataset, Range<usize>)> {
        let (mut parts, mut left) = (Vec::new(), count);
        while left > 0 {
            let front = self.0.front_mut();
            let (set, rows) = front.ok_or_else(|| Error::Internal(format!("{left} rows that are not there")))?;
            let own = rows.start..rows.end.min(rows.start + left);
            left -= own.len();
            rows.start = own.end;
            let used_up = rows.start >= rows.end;
            parts.push((set.clone(), own));
            if used_up {
                self.0.pop_front();
            }
        }
        match <[_; 1]>::try_from(parts) {
            Ok([part]) => Ok(part),
            Err(parts) => Ok((Dataset::joined(&parts)?, 0..count)),
        }
    }
}

impl Dataset {
    /// The rows named of data sets of one kind, one behind the other.
    pub(super) fn joined(parts: &[(Self, Range<usize>)]) -> Result<Self> {
        let Some((first, _)) = parts.first() else {
            return Err(Error::Internal("no chunks are joined".to_owned()));
        };
        let rows = parts.iter().map(|(_, rows)| rows.len()).sum();
        let matrix = |cols: usize, of: &dyn Fn(&Self) -> Option<&Matrix>| {
            let mut data = Vec::with_capacity(rows * cols);
            for (set, rows) in parts {
                let own = of(set).and_then(|matrix| matrix.data().get(rows.start * cols..rows.end * cols));
                data.extend_from_slice(own.unwrap_or_default());
            }
            Matrix::new(rows, cols, data)
        };
        let inputs = first.inputs.iter().enumerate().map(|(i, input)| matrix(input.cols(), &|set| set.inputs.get(i)));
        let targets = first.targets.iter().enumerate().map(|(i, target)| match target {
            Targets::Classes(_) => {
                let labels = parts.iter().filter_map(|(set, rows)| set.targets.get(i)?.labels()?.get(rows.clone()));
                Ok(Targets::Classes(labels.flatten().copied().collect()))
            }
            Targets::Values(values) => matrix(values.cols(), &|set| set.targets.get(i)?.values()).map(Targets::Values),
        });
        let weights = |of: &dyn Fn(&Self) -> Option<&[f32]>| {
            of(first)?;
            let own = parts.iter().filter_map(|(set, rows)| of(set)?.get(rows.clone()));
            Some(Arc::new(own.flatten().copied().collect()))
        };
        Ok(Self {
            rows,
            inputs: Arc::new(inputs.collect::<Result<_>>()?),
            shapes: first.shapes.clone(),
            targets: Arc::new(targets.collect::<Result<_>>()?),
            weights: weights(&Self::weights),
            target_weights: (0..first.target_weights.len()).map(|i| weights(&|set| set.target_weights(i))).collect(),
        })
    }

    /// Refuses `more` where its rows are not of the kind of these.
    pub(super) fn check_alike(&self, more: &Self) -> Result<()> {
        let misfit = |what: &str, expected: String, got: String| Err(Error::shape(what, expected, got));
        if (self.inputs.len(), self.targets.len()) != (more.inputs.len(), more.targets.len()) {
            let count = |set: &Self| format!("{} inputs and {} targets", set.inputs.len(), set.targets.len());
            return misfit("data", count(self), count(more));
        }
        let columns = |what: String, a: usize, b: usize| match a == b {
            true => Ok(()),
            false => misfit(&what, format!("{a} columns"), b.to_string()),
        };
        for (i, (a, b)) in self.inputs.iter().zip(more.inputs.iter()).enumerate() {
            columns(format!("inputs[{i}]"), a.cols(), b.cols())?;
        }
        for (i, pair) in self.targets.iter().zip(more.targets.iter()).enumerate() {
            let what = format!("targets[{i}]");
            match pair {
                (Targets::Classes(_), Targets::Classes(_)) => {}
                (Targets::Values(a), Targets::Values(b)) => columns(what, a.cols(), b.cols())?,
                (Targets::Classes(_), Targets::Values(_)) => return misfit(&what, "classes".into(), "values".into()),
                (Targets::Values(_), Targets::Classes(_)) => return misfit(&what, "values".into(), "classes".into()),
            }
        }
        let both = |what: &str, before: bool, now: bool| match (before, now) {
            (true, false) => misfit(what, "some, as before".into(), "none".into()),
            (false, true) => misfit(what, "none, as before".into(), "some".into()),
            (false, false) | (true, true) => Ok(()),
        };
        for i in 0..self.targets.len() {
            let of = |set: &Self| set.target_weights(i).is_some();
            both(&format!("target_weights[{i}]"), of(self), of(more))?;
        }
        both("weights", self.weights.is_some(), more.weights.is_some())
    }
}
