//! Parts of a data set, and the same rows with other inputs.
//!
//! What comes out has passed the checks of [`Dataset::new`] again where it could fail them: a part may be empty
//! or hold no weight, an input may overflow.

use super::dataset::{Dataset, check_matrix};
use super::matrix::check_rows;
use super::weights::check_weights;
use super::{Matrix, Targets};
use crate::{Error, Result};
use std::sync::Arc;

impl Dataset {
    /// The rows named, in that order; a row may be named more than once.
    ///
    /// # Errors
    /// [`Error::Value`] naming the first index that is not below [`len`](Self::len); [`Error::Data`] where no
    /// row is named or every row named has weight 0.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0], [3.0]], [0, 1, 2])?.select(&[2, 0])?;
    /// assert_eq!(set.targets()[0].labels(), Some(&[2, 0][..]));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        check_rows("Dataset::select", rows, self.rows)?;
        self.check_part("Dataset::select", rows)?;
        Ok(self.gather(rows))
    }

    /// The first `n` rows, or all where there are fewer.
    ///
    /// # Errors
    /// [`Error::Data`] for `n` = 0, and where every row left has weight 0.
    pub fn take(&self, n: usize) -> Result<Self> {
        let rows: Vec<usize> = (0..n.min(self.rows)).collect();
        self.check_part("Dataset::take", &rows)?;
        Ok(self.gather(&rows))
    }

    /// All rows but the first `n`.
    ///
    /// # Errors
    /// [`Error::Value`] where no row is left; [`Error::Data`] where every row left has weight 0.
    pub fn skip(&self, n: usize) -> Result<Self> {
        if n >= self.rows {
            return Err(Error::value("Dataset::skip", "n", format!("below {} (the rows)", self.rows), n));
        }
        let rows: Vec<usize> = (n..self.rows).collect();
        self.check_part("Dataset::skip", &rows)?;
        Ok(self.gather(&rows))
    }

    /// The rows whose number `keep` approves of, in their order.
    ///
    /// # Errors
    /// [`Error::Data`] where no row is left or every row left has weight 0.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0], [3.0]], [0, 1, 2])?;
    /// let labels = set.targets()[0].labels().unwrap_or_default();
    /// assert_eq!(set.filter(|row| labels[row] < 2)?.len(), 2);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn filter(&self, mut keep: impl FnMut(usize) -> bool) -> Result<Self> {
        let rows: Vec<usize> = (0..self.rows).filter(|row| keep(*row)).collect();
        self.check_part("Dataset::filter", &rows)?;
        Ok(self.gather(&rows))
    }

    /// Every label of target `index` through `f`: classes merged, renumbered, or made yes and no.
    ///
    /// # Errors
    /// [`Error::Value`] for a target that is not there or has no labels.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0], [3.0]], [3, 7, 3])?.map_labels(0, |label| u32::from(label == 7))?;
    /// assert_eq!(set.targets()[0].labels(), Some(&[0, 1, 0][..]));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn map_labels(mut self, index: usize, f: impl FnMut(u32) -> u32) -> Result<Self> {
        let place = || format!("Dataset::map_labels({index})");
        let count = self.targets.len();
        match Arc::make_mut(&mut self.targets).get_mut(index) {
            Some(Targets::Classes(labels)) => *labels = std::mem::take(labels).into_iter().map(f).collect(),
            Some(Targets::Values(_)) => return Err(Error::value(place(), "target", "class labels", "numbers")),
            None => return Err(Error::value(place(), "index", format!("below {count} (the targets)"), index)),
        }
        Ok(self)
    }

    /// Refuses a part without rows, and one in which no row has weight.
    pub(crate) fn check_part(&self, place: &str, rows: &[usize]) -> Result<()> {
        if rows.is_empty() {
            return Err(Error::data(place, "no rows"));
        }
        match &self.weights {
            Some(weights) => check_weights(place, rows.iter().filter_map(|&row| weights.get(row))),
            None => Ok(()),
        }
    }

    /// `select` of indices that have passed its checks.
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        let of_rows =
            |weights: &Arc<Vec<f32>>| Arc::new(rows.iter().filter_map(|&row| weights.get(row).copied()).collect());
        Self {
            rows: rows.len(),
            inputs: Arc::new(self.inputs.iter().map(|input| input.gather(rows)).collect()),
            shapes: self.shapes.clone(),
            targets: Arc::new(self.targets.iter().map(|target| target.gather(rows)).collect()),
            weights: self.weights.as_ref().map(of_rows),
            target_weights: self.target_weights.iter().map(|weights| weights.as_ref().map(of_rows)).collect(),
        }
    }

    /// Replaces every input by `f` of it: scaling, or new columns. An input whose number of columns changes
    /// takes the shape `[columns]`.
    ///
    /// # Errors
    /// Those of `f`, and those of [`Dataset::new`] for what it returns.
    ///
    /// ```
    /// use axone::data::{Dataset, Standardizer};
    /// let set = Dataset::new([[1.0], [3.0]], [0, 1])?;
    /// let scaler = Standardizer::fit(&set.inputs()[0])?;
    /// let set = set.map_inputs(|x| scaler.transform(x))?;
    /// assert_eq!(set.inputs()[0].data(), [-1.0, 1.0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn map_inputs(mut self, mut f: impl FnMut(&Matrix) -> Result<Matrix>) -> Result<Self> {
        for (index, (input, shape)) in Arc::make_mut(&mut self.inputs).iter_mut().zip(&mut self.shapes).enumerate() {
            let mapped = f(input)?;
            check_matrix(&format!("inputs[{index}]"), &mapped, self.rows)?;
            if mapped.cols() != input.cols() {
                *shape = vec![mapped.cols()];
            }
            *input = mapped;
        }
        Ok(self)
    }

    /// Multiplies every input by `factor`, such as `1.0 / 255.0` for pixels of a byte each.
    ///
    /// # Errors
    /// [`Error::Value`] for a factor that is not finite; [`Error::Data`] where a product overflows.
    pub fn scale_inputs(self, factor: f32) -> Result<Self> {
        if !factor.is_finite() {
            return Err(Error::value("Dataset::scale_inputs", "factor", "finite", factor));
        }
        let mut set = self;
        for (index, input) in Arc::make_mut(&mut set.inputs).iter_mut().enumerate() {
            *input = std::mem::take(input).map(|value| value * factor);
            input.check_finite(&format!("inputs[{index}]"))?;
        }
        Ok(set)
    }
}
