//! The path of training: the weights as they were before and after each epoch.

use crate::Result;
use crate::plan::Buffer;
use crate::train::run::{Callback, Run};
use std::sync::{Arc, Mutex, PoisonError};

/// A callback that remembers the weights before the first epoch and after each one, for
/// [`LossSurface`](super::LossSurface). Clones share what they remember.
///
/// ```
/// use axone::prelude::*;
/// use axone::train::WeightPath;
///
/// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
/// let path = WeightPath::new();
/// let data = Dataset::new([[0.0], [1.0]], [[1.0], [3.0]])?;
/// model.fit(&data, &Fit::new().epochs(5).callback(path.clone()).silent())?;
/// assert_eq!(path.len(), 6);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct WeightPath {
    points: Arc<Mutex<Vec<Vec<f32>>>>, // (points, slab)
}

impl WeightPath {
    /// One that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Points so far: one more than epochs.
    pub fn len(&self) -> usize {
        self.points().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slabs of parameters, in order.
    pub(super) fn points(&self) -> Vec<Vec<f32>> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, run: &mut Run<'_>) -> Result<()> {
        let slab = run.model().slab(Buffer::Parameters)?;
        self.points.lock().unwrap_or_else(PoisonError::into_inner).push(slab);
        Ok(())
    }
}

impl Callback for WeightPath {
    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.points.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.remember(run)
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.remember(run)
    }
}
