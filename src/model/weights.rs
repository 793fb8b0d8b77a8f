//! Weights by name: reading and writing.

use super::Model;
use crate::data::Matrix;
use crate::graph::Parameter;
use crate::plan::{Buffer, Executor};
use crate::{Error, Result};
use std::fmt;

/// One parameter of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// `dense_1.w`, `dense_1.b`.
    pub name: String,
    /// Rows and columns: `(K, N)` for weights, `(1, N)` for biases.
    pub shape: (usize, usize),
    /// The numbers, row-major.
    pub data: Vec<f32>,
}

impl Weight {
    /// Refuses what is not of the shape of `parameter` or not finite.
    pub(super) fn fits(&self, parameter: &Parameter) -> Result<()> {
        let shape = (parameter.rows, parameter.cols);
        if self.shape != shape || Some(self.data.len()) != shape.0.checked_mul(shape.1) {
            let got = format!("{:?} with {} numbers", self.shape, self.data.len());
            return Err(Error::shape(&parameter.name, format!("{shape:?}"), got));
        }
        self.check_finite()
    }

    /// Refuses NaN and infinity, which no model takes up: neither from a program nor from a file.
    pub(crate) fn check_finite(&self) -> Result<()> {
        let Some((at, value)) = self.data.iter().enumerate().find(|(_, value)| !value.is_finite()) else {
            return Ok(());
        };
        let cols = self.shape.1.max(1);
        let place = format!("{} row {}, column {}", self.name, at / cols, at % cols);
        Err(Error::data(place, value.to_string()))
    }
}

/// The slabs that a training step changes for good.
pub(crate) fn trained(moments: usize) -> impl Iterator<Item = Buffer> {
    [Buffer::Parameters].into_iter().chain((0..moments).map(Buffer::Moment))
}

/// Writes what [`Model::slabs`] read.
pub(crate) fn write_slabs(executor: &mut dyn Executor, moments: usize, slabs: &[Vec<f32>]) -> Result<()> {
    let places = trained(moments).chain([Buffer::LossScale]);
    places.zip(slabs).try_for_each(|(slab, values)| executor.write_slab(slab, 0, values))
}

impl Model {
    /// All parameters, in the order of the layers.
    ///
    /// # Errors
    /// [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(3).add(Dense::new(2));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let mut weights = model.weights()?;
    /// assert_eq!((weights[0].name.as_str(), weights[0].shape), ("dense_1.w", (3, 2)));
    /// weights[1].data = vec![0.5, -0.5];
    /// model.set_weights(&weights)?;
    /// assert_eq!(model.weights()?, weights);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn weights(&mut self) -> Result<Vec<Weight>> {
        self.read_slab(Buffer::Parameters)
    }

    /// The gradients under the names of their parameters: those of the last training step, or what was computed,
    /// accumulated or set by hand since ([`Model::compute_gradients`]). Those of frozen layers are 0.
    ///
    /// # Errors
    /// [`Error::Gpu`].
    pub fn gradients(&mut self) -> Result<Vec<Weight>> {
        let scale = self.scale_of_gradients()?;
        let mut gradients = self.read_slab(Buffer::Gradients)?;
        gradients.iter_mut().flat_map(|weight| &mut weight.data).for_each(|g| *g /= scale);
        Ok(gradients)
    }

    /// The norm of the gradients of the last training step, all parameters together and before any clipping, as
    /// `√ Σ g²`; 0 before the first step. Frozen parameters do not count. It is computed on the host.
    ///
    /// # Errors
    /// [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(1).add(Dense::new(1).without_bias().weights(axone::Initializer::Zeros));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// model.fit(&Dataset::new([[1.0]], [[3.0]])?, &Fit::new().epochs(1).silent())?;
    /// assert_eq!(model.gradient_norm()?, 6.0); // of (w - 3)² at w = 0
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn gradient_norm(&mut self) -> Result<f64> {
        let gradients = self.gradients()?;
        let frozen = self.program.frozen.iter().copied().chain(std::iter::repeat(false));
        let counted = gradients.iter().zip(frozen).filter(|(_, frozen)| !frozen).flat_map(|(weight, _)| &weight.data);
        Ok(counted.map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt())
    }

    fn read_slab(&mut self, slab: Buffer) -> Result<Vec<Weight>> {
        let values = self.slab(slab)?;
        Ok(self.layout().split(&values))
    }

    /// One slab as it lies on the device.
    pub(crate) fn slab(&mut self, slab: Buffer) -> Result<Vec<f32>> {
        let range = self.layout().slab.all(slab);
        self.executor.read_slab(range)
    }

    /// Moment slabs that the optimizer keeps.
    pub(crate) fn moments(&self) -> usize {
        self.program.update(0, self.program.precision).moments
    }

    /// What training changes: the slab of the parameters, those of the optimizer's moments, and the loss scale.
    pub(crate) fn slabs(&mut self) -> Result<Vec<Vec<f32>>> {
        let slabs: Result<Vec<_>> = trained(self.moments()).map(|slab| self.slab(slab)).collect();
        Ok(slabs?.into_iter().chain(self.loss_scale_buffer()?).collect())
    }

    /// Writes back what [`slabs`](Self::slabs) read.
    pub(crate) fn set_slabs(&mut self, slabs: &[Vec<f32>]) -> Result<()> {
        let moments = self.moments();
        write_slabs(&mut *self.executor, moments, slabs)
    }

    /// The parameter `name`, such as `dense_1.w`. Waits for the device.
    ///
    /// # Errors
    /// [`Error::Value`] with all names for one that is not among them; [`Error::Gpu`].
    pub fn weight(&mut self, name: &str) -> Result<Weight> {
        self.read_parameter("weight", name, Buffer::Parameters)
    }

    /// Parameter `name` of one of the slabs; `place` is the call that asks for it.
    pub(crate) fn read_parameter(&mut self, place: &str, name: &str, slab: Buffer) -> Result<Weight> {
        let index = self.layout.index(place, name)?;
        let Parameter { name, rows, cols, .. } = self.layout.parameters[index].clone();
        let range = self.layout.slab.range(slab, index);
        Ok(Weight { name, shape: (rows, cols), data: self.executor.read_slab(range)? })
    }

    /// Replaces the parameter `name`, such as `dense_1.w`; the others stay as they are.
    ///
    /// # Errors
    /// [`Error::Value`] with all names for one that is not among them; [`Error::Shape`] with both shapes where it has
    /// another; [`Error::Data`] for NaN or infinity; [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1).named("sum"));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// model.set_weight("sum.w", [[1.0], [1.0]])?;
    /// assert_eq!(model.predict(&[[2.0, 3.0]].into())?.data(), [5.0]);
    /// assert_eq!(model.weight("sum.w")?.data, [1.0, 1.0]);
    /// let error = model.set_weight("sum.w", [[1.0, 1.0]]).unwrap_err();
    /// assert_eq!(error.to_string(), "sum.w: expected (2, 1), got (1, 2) with 2 numbers");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_weight(&mut self, name: &str, values: impl Into<Matrix>) -> Result<()> {
        let (index, values) = (self.layout.index("set_weight", name)?, values.into());
        let shape = (values.rows(), values.cols());
        let weight = Weight { name: name.to_owned(), shape, data: values.into_data() };
        weight.fits(&self.layout.parameters[index])?;
        let range = self.layout.slab.range(Buffer::Parameters, index);
        self.executor.write_slab(range.buffer, range.offset, &weight.data)
    }

    /// Replaces all parameters: one for each name of [`Model::weights`], in any order.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Value`] where they are not those of this model; [`Error::Data`] for NaN or
    /// infinity.
    pub fn set_weights(&mut self, weights: &[Weight]) -> Result<()> {
        let slab = self.layout().join("weights", weights)?;
        self.executor.write_slab(Buffer::Parameters, 0, &slab)
    }

    /// Takes over those of `weights` whose name and shape are those of a parameter of this model, and leaves its other
    /// parameters as they are: how a model that was trained on one task begins another (transfer learning). The moments
    /// of the optimizer stay.
    ///
    /// # Errors
    /// [`Error::Data`] for NaN or infinity, and nothing is taken over; [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let body = || Sequential::new(4).add(Dense::new(8).named("body"));
    /// let compile = |net: Sequential| net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default());
    /// let mut old = compile(body().add(Dense::new(3).named("head")))?;
    /// let mut new = compile(body().add(Dense::new(2).named("head")))?;
    /// let copied = new.copy_weights(&old.weights()?)?;
    /// assert_eq!(copied.copied, ["body.w", "body.b"]);
    /// assert_eq!(copied.other_shape, ["head.w", "head.b"]);
    /// new.freeze("body")?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn copy_weights(&mut self, weights: &[Weight]) -> Result<CopiedWeights> {
        let mut slab = self.slab(Buffer::Parameters)?;
        let mut copied = CopiedWeights::default();
        for (i, parameter) in self.layout.parameters.iter().enumerate() {
            let Some(weight) = weights.iter().find(|weight| weight.name == parameter.name) else {
                copied.missing.push(parameter.name.clone());
                continue;
            };
            if weight.shape == (parameter.rows, parameter.cols) {
                weight.fits(parameter)?;
                slab[self.layout.slab.place(i)].copy_from_slice(&weight.data);
                copied.copied.push(parameter.name.clone());
            } else {
                copied.other_shape.push(parameter.name.clone());
            }
        }
        let is_own = |weight: &&Weight| self.layout.parameters.iter().any(|own| own.name == weight.name);
        copied.unused.extend(weights.iter().filter(|weight| !is_own(weight)).map(|weight| weight.name.clone()));
        self.executor.write_slab(Buffer::Parameters, 0, &slab)?;
        Ok(copied)
    }
}

/// What [`Model::copy_weights`] took over, by the names of the parameters. It prints as four lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopiedWeights {
    /// Taken over.
    pub copied: Vec<String>,
    /// In both, with other rows or columns.
    pub other_shape: Vec<String>,
    /// Of the model, and not given.
    pub missing: Vec<String>,
    /// Given, and not of the model.
    pub unused: Vec<String>,
}

impl fmt::Display for CopiedWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            ("copied", &self.copied),
            ("of another shape", &self.other_shape),
            ("not given", &self.missing),
            ("not in the model", &self.unused),
        ];
        let line = |(what, names): (&str, &Vec<String>)| match names.is_empty() {
            true => format!("{what}: none"),
            false => format!("{what}: {}", names.join(", ")),
        };
        f.write_str(&lines.map(line).join("\n"))
    }
}
