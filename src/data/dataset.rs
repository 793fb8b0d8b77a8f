//! Samples with what is to be predicted from them.
//!
//! A `Dataset` that exists can be trained on: every constructor refuses rows that do not agree, no rows, NaN,
//! infinity and useless weights, so the training loop never looks at a value again. Label ranges are the one
//! check left to the model, which alone knows its number of classes.

use super::matrix::Matrix;
use super::targets::Targets;
use crate::{Error, Result, size};
use std::sync::Arc;

/// One or several inputs with one or several targets, and a weight a row if wished. A clone shares their memory.
///
/// ```
/// use axone::data::Dataset;
/// let xor = Dataset::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])?;
/// assert_eq!((xor.len(), xor.classes()), (4, Some(2)));
///
/// let error = Dataset::new([[0.0], [f32::NAN]], [0, 1]).unwrap_err();
/// assert_eq!(error.to_string(), "inputs[0] row 1, column 0: NaN is not a finite number");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub(super) rows: usize,
    pub(super) inputs: Arc<Vec<Matrix>>,       // each (rows, columns of that input)
    pub(super) shapes: Vec<Vec<usize>>,        // of one row of each input
    pub(super) targets: Arc<Vec<Targets>>,     // each of `rows` rows
    pub(super) weights: Option<Arc<Vec<f32>>>, // (rows)
    /// By target; what is missing at the end weighs 1.
    pub(super) target_weights: Vec<Option<Arc<Vec<f32>>>>, // each (rows)
}

impl Dataset {
    /// A data set of the samples `x (rows, features)` and their targets `y`, one a row.
    ///
    /// # Errors
    /// [`Error::Shape`] where `x` and `y` differ in rows; [`Error::Data`] for no rows, no columns, or a NaN or
    /// infinity, with its row and column, or an integer that is no class number.
    pub fn new(x: impl Into<Matrix>, y: impl TryInto<Targets, Error: Into<Error>>) -> Result<Self> {
        let x = x.into();
        let mut set = Self {
            rows: x.rows(),
            inputs: Arc::default(),
            shapes: vec![],
            targets: Arc::default(),
            weights: None,
            target_weights: vec![],
        };
        set.push_input(x)?;
        set.with_target(y)
    }

    /// Adds an input, for models with more than one.
    ///
    /// # Errors
    /// As [`Dataset::new`]; the input is named `inputs[1]`, `inputs[2]`, …
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0]], [0, 1])?.with_input([[0.1, 0.2], [0.3, 0.4]])?;
    /// assert_eq!(set.inputs().len(), 2);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_input(mut self, x: impl Into<Matrix>) -> Result<Self> {
        self.push_input(x.into())?;
        Ok(self)
    }

    /// Adds a target, for models with more than one output.
    ///
    /// # Errors
    /// As [`Dataset::new`]; the target is named `targets[1]`, `targets[2]`, …
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0]], [0, 1])?.with_target([0.5, 1.5])?;
    /// assert_eq!(set.targets().len(), 2);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_target(mut self, y: impl TryInto<Targets, Error: Into<Error>>) -> Result<Self> {
        let (y, name) = (y.try_into().map_err(Into::into)?, format!("targets[{}]", self.targets.len()));
        check_size(&name, y.len(), y.width(), self.rows)?;
        if let Some(values) = y.values() {
            values.check_finite(&name)?;
        }
        Arc::make_mut(&mut self.targets).push(y);
        Ok(self)
    }

    /// The shape of one row of the input added last, such as `[28, 28]`, for layers that look at it (`Flatten`).
    /// The default is `[columns]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the product of `shape` is not the number of columns.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0, 2.0, 3.0, 4.0]], [0])?.with_input_shape(&[2, 2])?;
    /// assert_eq!(set.input_shapes()[0], [2, 2]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_input_shape(mut self, shape: &[usize]) -> Result<Self> {
        let last = self.inputs.len().saturating_sub(1);
        let cols = self.inputs.last().map_or(0, Matrix::cols);
        if size::product(shape) != Some(cols) {
            let expected = format!("a shape of {cols} values");
            return Err(Error::shape(format!("inputs[{last}]"), expected, format!("{shape:?}")));
        }
        if let Some(slot) = self.shapes.last_mut() {
            *slot = shape.to_vec();
        }
        Ok(self)
    }

    /// Number of rows, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "an empty Dataset cannot be built")]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// The inputs, each `(rows, columns)`; at least one.
    pub fn inputs(&self) -> &[Matrix] {
        &self.inputs
    }

    /// The shape of one row of each input.
    pub fn input_shapes(&self) -> &[Vec<usize>] {
        &self.shapes
    }

    /// The targets, each of [`len`](Self::len) rows; at least one.
    pub fn targets(&self) -> &[Targets] {
        &self.targets
    }

    /// The same rows, to be given targets.
    pub(crate) fn without_targets(&self) -> Self {
        Self { targets: Arc::default(), target_weights: vec![], ..self.clone() }
    }

    /// The sum of the weights of `rows`: their number, without weights.
    pub(crate) fn weight(&self, rows: impl ExactSizeIterator<Item = u32>) -> f64 {
        match &self.weights {
            None => rows.len() as f64,
            Some(weights) => rows.filter_map(|row| weights.get(row as usize)).map(|weight| f64::from(*weight)).sum(),
        }
    }

    /// The inputs, to be held on to.
    pub(crate) fn shared_inputs(&self) -> Arc<Vec<Matrix>> {
        self.inputs.clone()
    }

    /// The targets, to be held on to.
    pub(crate) fn shared_targets(&self) -> Arc<Vec<Targets>> {
        self.targets.clone()
    }

    /// The weight of each row; `None` means 1 each.
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref().map(Vec::as_slice)
    }

    /// Largest label + 1 of the first target that holds classes; `None` where none does.
    pub fn classes(&self) -> Option<usize> {
        self.targets.iter().find_map(Targets::classes)
    }

    fn push_input(&mut self, x: Matrix) -> Result<()> {
        check_matrix(&format!("inputs[{}]", self.inputs.len()), &x, self.rows)?;
        self.shapes.push(vec![x.cols()]);
        Arc::make_mut(&mut self.inputs).push(x);
        Ok(())
    }
}

pub(super) fn check_matrix(name: &str, matrix: &Matrix, rows: usize) -> Result<()> {
    check_size(name, matrix.rows(), matrix.cols(), rows)?;
    matrix.check_finite(name)
}

/// Rows are counted in `u32` on the device.
fn check_size(name: &str, got: usize, cols: usize, rows: usize) -> Result<()> {
    if got != rows {
        return Err(Error::shape(name, format!("{rows} rows as in inputs[0]"), format!("{got} rows")));
    }
    if rows == 0 || cols == 0 {
        return Err(Error::data(name, if rows == 0 { "no rows" } else { "no columns" }));
    }
    if u32::try_from(rows).is_err() {
        return Err(Error::data(name, format!("{rows} rows, at most {} are possible", u32::MAX)));
    }
    Ok(())
}
