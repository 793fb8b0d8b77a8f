//! A predictor: a trained model for serving, which many threads ask at a time.

use super::{Model, Program, Purpose};
use crate::cpu::{Forward, Weights};
use crate::data::Matrix;
use crate::plan::Buffer;
use crate::{Error, Result};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Most rows that go through the network together: few enough for the nearest cache.
const ROWS: usize = 64;
/// Operations below which a second thread costs more than it brings.
const SHARED_FROM: u64 = 1 << 22;

/// A model for predictions alone: its weights as they were when [`Model::predictor`] made it. Clones share them, and any
/// number of threads may predict at a time.
///
/// On the CPU backend a prediction locks nothing, looks up no plan and, but for its result, allocates nothing once a
/// thread has made its first; few rows are computed by the thread that asks, many by all. On another device
/// predictions take turns.
///
/// A row gives the same numbers whatever others it comes with, and on a GPU those of [`Model::predict`]. On the CPU a
/// sum may differ from that in its last bits, where the model's own product cuts it into parts.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(2).add(Dense::new(1).weights(Initializer::Constant(0.5)));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
/// let predictor = model.predictor()?;
/// let threads: Vec<_> = (0..4)
///     .map(|i| {
///         let predictor = predictor.clone();
///         std::thread::spawn(move || predictor.predict(&Matrix::from([[i as f32, 2.0]])))
///     })
///     .collect();
/// for (i, thread) in threads.into_iter().enumerate() {
///     assert_eq!(thread.join().unwrap()?.data(), [0.5 * i as f32 + 1.0]);
/// }
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Clone)]
pub struct Predictor(Arc<Inner>);

enum Inner {
    Cpu(Box<Cpu>),
    Device(Box<Mutex<Model>>),
}

struct Cpu {
    program: Program,
    weights: Weights,
    /// By rows, which are powers of two from 1 on.
    forwards: Vec<Forward>,
    /// Columns of each output.
    widths: Vec<usize>,
    /// Operations for a row.
    work: u64,
    shares: bool,
}

impl Model {
    /// A predictor with the weights that the model has now.
    ///
    /// # Errors
    /// [`Error::TooLarge`] and [`Error::Gpu`] where the device cannot hold the weights a second time.
    pub fn predictor(&mut self) -> Result<Predictor> {
        let inner = match self.device().is_cpu() {
            Some(shares) => Inner::Cpu(Box::new(Cpu::new(self, shares)?)),
            None => {
                let mut own = Model::of(self.program().clone(), self.device().clone())?;
                own.copy_weights_from(self)?;
                Inner::Device(Box::new(Mutex::new(own)))
            }
        };
        Ok(Predictor(Arc::new(inner)))
    }
}

impl Predictor {
    /// The first output for each row of `x`.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict(&self, x: &Matrix) -> Result<Matrix> {
        let outputs = self.predict_all(std::slice::from_ref(x))?;
        outputs.into_iter().next().ok_or_else(|| Error::Internal("no output".to_owned()))
    }

    /// Every output for each row of the inputs.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_all(&self, inputs: &[Matrix]) -> Result<Vec<Matrix>> {
        match &*self.0 {
            Inner::Cpu(cpu) => cpu.predict_all(inputs),
            Inner::Device(model) => model.lock().unwrap_or_else(PoisonError::into_inner).predict_all(inputs),
        }
    }
}

impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Inner::Cpu(cpu) => write!(f, "Predictor({})", cpu.program.network.summary()),
            Inner::Device(_) => f.write_str("Predictor"),
        }
    }
}

impl Cpu {
    fn new(model: &mut Model, shares: bool) -> Result<Self> {
        let mut weights = Weights::new(model.slab(Buffer::Parameters)?);
        let program = model.program().clone();
        let (mut forwards, mut widths, mut work) = (Vec::new(), Vec::new(), 0);
        for rows in (0..=ROWS.ilog2()).map(|power| 1 << power) {
            let plan = program.plan(Purpose::Predict, rows, &[], true)?;
            if rows == 1 {
                widths = plan.outputs.iter().map(|range| range.len).collect();
                work = plan.steps.iter().map(|step| step.work().flops).sum();
            }
            forwards.push(Forward::new(&plan, &mut weights)?);
        }
        Ok(Self { program, weights, forwards, widths, work, shares })
    }

    fn predict_all(&self, inputs: &[Matrix]) -> Result<Vec<Matrix>> {
        self.program.check_inputs(inputs)?;
        for (i, input) in inputs.iter().enumerate() {
            input.check_finite(&format!("inputs[{i}]"))?;
        }
        let rows = inputs.first().map_or(0, Matrix::rows);
        let mut outputs: Vec<Vec<f32>> = self.widths.iter().map(|width| vec![0.0; rows * width]).collect();
        let parts: Vec<&[f32]> = inputs.iter().map(Matrix::data).collect();
        let results: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.rows(&parts, rows, results)?;
        outputs.into_iter().zip(&self.widths).map(|(data, width)| Matrix::new(rows, *width, data)).collect()
    }

    /// Halves the rows as long as another thread pays.
    fn rows(&self, inputs: &[&[f32]], rows: usize, mut outputs: Vec<&mut [f32]>) -> Result<()> {
        let blocks = rows.div_ceil(ROWS);
        if self.shares && blocks > 1 && self.work.saturating_mul(rows as u64) >= SHARED_FROM {
            let first = blocks / 2 * ROWS;
            let cut = |all: usize| all / rows * first;
            let (left, right): (Vec<_>, Vec<_>) = inputs.iter().map(|input| input.split_at(cut(input.len()))).unzip();
            let results = outputs.into_iter().map(|output| {
                let at = cut(output.len());
                output.split_at_mut(at)
            });
            let (above, below): (Vec<_>, Vec<_>) = results.unzip();
            let (left, right) =
                rayon::join(|| self.rows(&left, first, above), || self.rows(&right, rows - first, below));
            return left.and(right);
        }
        for start in (0..rows).step_by(ROWS) {
            let count = ROWS.min(rows - start);
            let part = |len: usize| (len / rows * start, len / rows * count);
            let inputs: Vec<&[f32]> = inputs
                .iter()
                .map(|input| {
                    let (from, len) = part(input.len());
                    &input[from..][..len]
                })
                .collect();
            let mut results: Vec<&mut [f32]> = outputs
                .iter_mut()
                .map(|output| {
                    let (from, len) = part(output.len());
                    &mut output[from..][..len]
                })
                .collect();
            let forward = &self.forwards[count.next_power_of_two().ilog2() as usize];
            forward.run(&self.weights, &inputs, count, &mut results)?;
        }
        Ok(())
    }
}
