//! Losses as functions of matrices, for training by hand.

use super::Loss;
use crate::cpu::CpuExecutor;
use crate::data::{Matrix, Targets};
use crate::graph::{Graph, vector_jacobian};
use crate::kernels::Step;
use crate::layers::{Activation, Built};
use crate::plan::{Buffer, Executor, Lowering, lower};
use crate::{Error, Result};

impl Loss {
    /// The loss of each row of `outputs` with its row of `targets`, as the [table of losses](Loss) has it: in f32, on the
    /// CPU, by the graph and the kernels of training. Outputs are those of a last layer without an activation: the logits
    /// of a cross-entropy, the logarithm of the rate of `Poisson`.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let outputs = Matrix::from([[1.0, 5.0], [2.0, 2.0]]);
    /// let targets = Targets::from(Matrix::from([[1.0, 3.0], [0.0, 2.0]]));
    /// assert_eq!(Loss::MeanSquaredError.value(&outputs, &targets)?, [2.0, 2.0]);
    /// assert_eq!(Loss::MeanSquaredError.gradient(&outputs, &targets)?.data(), [0.0, 2.0, 2.0, 0.0]);
    ///
    /// let losses = Loss::CategoricalCrossEntropy.value(&outputs, &vec![1u32, 0].into())?;
    /// assert!((losses[1] - 2f32.ln()).abs() < 1e-6);
    /// let error = Loss::CategoricalCrossEntropy.value(&outputs, &vec![1u32, 2].into()).unwrap_err();
    /// assert_eq!(error.to_string(), "targets row 1: class 2, but outputs tells 2 classes apart (0 to 1)");
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Data`] where outputs and targets do not fit each other or the loss, naming row and
    /// column; [`Error::Value`] for a setting out of range and for fewer columns than the loss needs.
    pub fn value(&self, outputs: &Matrix, targets: &Targets) -> Result<Vec<f32>> {
        self.of_matrices(outputs, targets, false)
    }

    /// The gradient of the loss of each row by its outputs, `(B, units)`, as [`value`](Self::value) takes them: what
    /// [`Model::backward`](crate::model::Model::backward) and [`Model::fit_with`](crate::model::Model::fit_with) want.
    /// Nothing is divided by the number of rows.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn gradient(&self, outputs: &Matrix, targets: &Targets) -> Result<Matrix> {
        Matrix::new(outputs.rows(), outputs.cols(), self.of_matrices(outputs, targets, true)?)
    }

    fn of_matrices(&self, outputs: &Matrix, targets: &Targets, gradient: bool) -> Result<Vec<f32>> {
        let (rows, cols) = (outputs.rows(), outputs.cols());
        self.check()?;
        if outputs.data().is_empty() {
            return Err(Error::data("outputs", format!("{rows} rows of {cols} columns")));
        }
        outputs.check_finite("outputs")?;
        if targets.len() != rows {
            return Err(Error::shape("targets", format!("{rows} rows"), targets.len()));
        }
        let classes = self.check_target("targets", ("outputs", cols), targets)?;

        let mut graph = Graph::new();
        let output = graph.input("outputs", cols)?;
        let built = Built { value: output, before: Some((Activation::Identity, output)), penalty: None };
        let loss = self.build(&mut graph, &built, "outputs", classes)?.loss;
        let wanted = if gradient {
            let ones = graph.fill("ones", 1.0, graph.shape(loss));
            let found = vector_jacobian(&mut graph, &[(loss, ones)], &[output])?.into_iter().flatten().next();
            found.unwrap_or_else(|| graph.fill("no gradient", 0.0, graph.shape(output)))
        } else {
            loss
        };
        let what = Lowering {
            name: self.name(),
            batch: rows,
            gather: true,
            fused: true,
            half: false,
            outputs: &[wanted],
            logs: &[],
            gradients: &[],
            update: None,
        };
        let plan = lower(&graph, &what)?;
        let mut executor = CpuExecutor::<f32>::new();
        let id = executor.load(&plan)?;
        executor.bind_data(id, rows, 1)?;
        executor.write_order(id, &(0..rows as u32).collect::<Vec<_>>())?;
        let labels: Vec<f32>;
        let targets = match targets {
            Targets::Values(values) => values.data(),
            Targets::Classes(classes) => {
                labels = classes.iter().map(|&class| class as f32).collect();
                &labels
            }
        };
        let ones = vec![1.0; rows];
        let held = plan.data_sizes(rows, 1);
        // Formulas ask for the weights of the rows: which of them are padding.
        let data =
            [(Buffer::DataInput(0), outputs.data()), (Buffer::DataTarget(0), targets), (Buffer::DataWeights, &ones)];
        for (buffer, values) in data {
            if held.iter().any(|(known, _)| *known == buffer) {
                executor.write(id, buffer, 0, values)?;
            }
        }
        executor.run(id, &[Step::over(0, rows, rows as f64)])?;
        let range = plan.outputs.first().ok_or_else(|| Error::Internal("no output".to_owned()))?;
        executor.read(id, range.resized(if gradient { rows * cols } else { rows }))
    }
}
