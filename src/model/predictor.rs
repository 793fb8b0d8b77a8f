//! A predictor: a trained model for serving, which many threads ask at a time.

use super::inference::padded;
use super::plans::halved;
use super::{Model, Precision, Program, Purpose};
use crate::cpu::{self, Weights};
use crate::data::{Matrix, are_finite};
use crate::device::Device;
use crate::gpu::{self, Pending, RawBuffer};
use crate::plan::{Buffer, Plan};
use crate::{Error, Result};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Most rows of a batch on a GPU, where the device holds as many.
#[cfg(feature = "save")]
const MOST: usize = 1024;
/// Most rows that go through the network together: few enough for the nearest cache.
const ROWS: usize = 64;
/// Operations below which a second thread costs more than it brings.
const SHARED_FROM: u64 = 1 << 24;

/// A model for predictions alone: its weights as they were when [`Model::predictor`] made it. Clones share them, and any
/// number of threads may predict at a time.
///
/// On the CPU backend a prediction locks nothing, looks up no plan and, but for its result, allocates nothing once a
/// thread has made its first; few rows are computed by the thread that asks, many by all. On a GPU predictions of several
/// threads are queued behind one another, while the host prepares the next; what is there is the weights, and a plan for
/// each power of two of rows that was asked for. With [`Device::cpu_f64`](crate::Device::cpu_f64) they take turns.
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
    Gpu(Box<Gpu>),
    Model(Box<Mutex<Model>>),
}

struct Gpu {
    program: Program,
    forward: Arc<gpu::Forward>,
    /// Most rows of a batch.
    most: usize,
    /// Columns of each output.
    widths: Vec<usize>,
}

struct Cpu {
    program: Program,
    weights: Weights,
    /// By rows, which are powers of two from 1 on.
    forwards: Vec<cpu::Forward>,
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
        let device = self.device().clone();
        if device.is_cpu().is_none() && !device.is_gpu() {
            // From f64 to f64.
            let mut own = Self::of(self.program().clone(), device)?;
            own.copy_weights_from(self)?;
            return Ok(Predictor(Arc::new(Inner::Model(Box::new(Mutex::new(own))))));
        }
        let most = if device.is_gpu() { self.inference_batch(Purpose::Predict, usize::MAX, &[])? } else { ROWS };
        let slab = self.slab(Buffer::Parameters)?;
        Predictor::of(self.program().clone(), slab, &device, most)
    }
}

impl Predictor {
    /// The predictor of a model that [`Model::save`] or a [`Checkpoint`](crate::train::Checkpoint) wrote, on `device`.
    /// Nothing that only training needs is made: no gradients, no moments of the optimizer, no plan for a step.
    ///
    /// # Errors
    /// As [`Model::load_from`].
    ///
    /// ```
    /// use axone::model::Predictor;
    /// use axone::prelude::*;
    ///
    /// let path = std::env::temp_dir().join(format!("axone-doc-load-{}.safetensors", std::process::id()));
    /// let net = Sequential::new(3).add(Dense::new(2));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// model.save(&path)?;
    /// let x = [[1.0, 2.0, 3.0]].into();
    /// assert_eq!(Predictor::load(&path, Device::cpu())?.predict(&x)?, model.predictor()?.predict(&x)?);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), axone::Error>(())
    /// ```
    #[cfg(feature = "save")]
    pub fn load(path: impl AsRef<std::path::Path>, device: Device) -> Result<Self> {
        let (program, slab) = super::persist::program_and_slab(path.as_ref())?;
        Self::of(program, slab, &device, MOST)
    }

    /// With these parameters; `most` rows or, where the device holds no more, fewer go through a GPU at a time.
    fn of(program: Program, slab: Vec<f32>, device: &Device, most: usize) -> Result<Self> {
        let inner = match (device.is_cpu(), device.gpu().cloned()) {
            (Some(shares), _) => Inner::Cpu(Box::new(Cpu::new(program, slab, shares)?)),
            (None, Some(context)) => Inner::Gpu(Box::new(Gpu::new(program, &slab, context, most)?)),
            (None, None) => {
                let mut own = Model::of(program, device.clone())?;
                own.executor.write_slab(Buffer::Parameters, 0, &slab)?;
                Inner::Model(Box::new(Mutex::new(own)))
            }
        };
        Ok(Self(Arc::new(inner)))
    }

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
            Inner::Gpu(gpu) => {
                let pending = gpu.start(inputs)?;
                gpu.joined(pending.into_iter().map(Pending::wait))
            }
            Inner::Model(model) => model.lock().unwrap_or_else(PoisonError::into_inner).predict_all(inputs),
        }
    }

    /// [`predict_all`](Self::predict_all) without holding up the thread: the prediction is queued when this is called,
    /// and the future ends once the device is done and somebody has let it say so, by [`poll`](Self::poll) or by waiting
    /// for anything else on it. On a CPU backend the future is ready at once.
    ///
    /// # Errors
    /// As [`Model::predict`]; from the future what the device complains of.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1).weights(Initializer::Constant(0.5)));
    /// let predictor = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?.predictor()?;
    /// let answer = predictor.predict_async(&[Matrix::from([[1.0, 2.0]])])?;
    /// // In a server one thread or the event loop polls.
    /// predictor.poll()?;
    /// assert_eq!(pollster::block_on(answer)?[0].data(), [1.5]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn predict_async(&self, inputs: &[Matrix]) -> Result<impl Future<Output = Result<Vec<Matrix>>> + Send + use<>> {
        let started = match &*self.0 {
            Inner::Cpu(_) | Inner::Model(_) => Err(self.predict_all(inputs)?),
            Inner::Gpu(gpu) => Ok(gpu.start(inputs)?),
        };
        let own = self.clone();
        Ok(async move {
            let pending = match started {
                Ok(pending) => pending,
                Err(ready) => return Ok(ready),
            };
            let mut parts = Vec::with_capacity(pending.len());
            for part in pending {
                parts.push(part.outputs().await);
            }
            match &*own.0 {
                Inner::Gpu(gpu) => gpu.joined(parts.into_iter()),
                Inner::Cpu(_) | Inner::Model(_) => Ok(Vec::new()),
            }
        })
    }

    /// Lets the device say which predictions are done, which wakes their futures; waits for nothing. Call it now and then
    /// from one thread or an event loop while [`predict_async`](Self::predict_async) is used.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the device is lost.
    pub fn poll(&self) -> Result<()> {
        match &*self.0 {
            Inner::Cpu(_) | Inner::Model(_) => Ok(()),
            Inner::Gpu(gpu) => gpu.forward.poll(),
        }
    }

    /// Queues a prediction of `rows` rows from buffers to buffers of the program's own, one an input and one an output:
    /// f32, row after row, on the device of [`Device::from_wgpu`](crate::Device::from_wgpu). It waits for nothing, and
    /// nothing goes over the host: what the program submits next on the queue sees the outputs. Inputs need the usage
    /// `COPY_SRC`, outputs `COPY_DST`.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of buffers, and for one that is too small; [`Error::Value`] for no rows or more
    /// than go through at once; [`Error::Unsupported`] on a CPU backend and for a model in f16; [`Error::Gpu`].
    pub fn predict_buffers(&self, rows: usize, inputs: &[&RawBuffer], outputs: &[&RawBuffer]) -> Result<()> {
        let what = || "predict_buffers".to_owned();
        match &*self.0 {
            Inner::Cpu(_) => Err(Error::Unsupported { what: what(), device: "CPU".to_owned() }),
            Inner::Model(_) => Err(Error::Unsupported { what: what(), device: "CPU f64".to_owned() }),
            Inner::Gpu(gpu) if gpu.program.precision == Precision::F16 => {
                Err(Error::Unsupported { what: what() + " of a model in f16", device: "this predictor".to_owned() })
            }
            Inner::Gpu(gpu) => gpu.between(rows, inputs, outputs),
        }
    }
}

impl Gpu {
    fn new(program: Program, parameters: &[f32], context: Arc<gpu::Context>, most: usize) -> Result<Self> {
        let forward = Arc::new(gpu::Forward::new(context, parameters)?);
        let widths = program.network.outputs().map(|output| output.shape.iter().product()).collect();
        let mut own = Self { program, forward, most, widths };
        // So that no first prediction waits for a compiler.
        let prepare = |batch| own.forward.prepare(batch, || own.plan(batch)).map(|()| batch);
        prepare(1)?;
        own.most = halved(most, prepare)?;
        Ok(own)
    }

    fn plan(&self, batch: usize) -> Result<Plan> {
        self.program.plan(Purpose::Predict, batch, &[], true)
    }

    /// Queues all rows, batch after batch.
    fn start(&self, inputs: &[Matrix]) -> Result<Vec<Pending>> {
        self.program.check_finite_inputs(inputs)?;
        let rows = inputs.first().map_or(0, Matrix::rows);
        let part = |first: usize| {
            let count = self.most.min(rows - first);
            let batch = padded(count, self.most);
            let rows = inputs.iter().map(|input| &input.data()[first * input.cols()..(first + count) * input.cols()]);
            self.forward.start(batch, || self.plan(batch), count, &rows.collect::<Vec<_>>())
        };
        (0..rows).step_by(self.most).map(part).collect()
    }

    /// The outputs of all batches, one behind the other.
    fn joined(&self, parts: impl Iterator<Item = Result<Vec<Vec<f32>>>>) -> Result<Vec<Matrix>> {
        let mut all = vec![Vec::new(); self.widths.len()];
        for part in parts {
            all.iter_mut().zip(part?).for_each(|(all, values): (&mut Vec<f32>, _)| all.extend(values));
        }
        let matrix = |(values, width): (Vec<f32>, &usize)| Matrix::new(values.len() / width, *width, values);
        all.into_iter().zip(&self.widths).map(matrix).collect()
    }

    fn between(&self, rows: usize, inputs: &[&RawBuffer], outputs: &[&RawBuffer]) -> Result<()> {
        if rows == 0 || rows > self.most {
            return Err(Error::value("predict_buffers", "rows", format!("from 1 to {}", self.most), rows));
        }
        let widths = self.program.network.inputs().map(|input| input.shape.iter().product());
        let given = [("inputs", inputs, widths.collect::<Vec<usize>>()), ("outputs", outputs, self.widths.clone())];
        for (what, buffers, widths) in given {
            if buffers.len() != widths.len() {
                let wanted = format!("{} buffers", widths.len());
                return Err(Error::shape(format!("predict_buffers, {what}"), wanted, buffers.len()));
            }
            for (i, (buffer, width)) in buffers.iter().zip(widths).enumerate() {
                let needed = 4 * (rows as u64) * width as u64;
                if buffer.size() < needed {
                    let place = format!("predict_buffers, {what}[{i}]");
                    return Err(Error::shape(place, format!("at least {needed} bytes"), buffer.size()));
                }
            }
        }
        let batch = padded(rows, self.most);
        self.forward.between(batch, || self.plan(batch), rows, (inputs, outputs))
    }
}

impl fmt::Debug for Predictor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Inner::Cpu(cpu) => write!(f, "Predictor({})", cpu.program.network.summary()),
            Inner::Gpu(gpu) => write!(f, "Predictor({})", gpu.program.network.summary()),
            Inner::Model(_) => f.write_str("Predictor"),
        }
    }
}

impl Cpu {
    fn new(program: Program, slab: Vec<f32>, shares: bool) -> Result<Self> {
        let mut weights = Weights::new(slab);
        let (mut forwards, mut widths, mut work) = (Vec::new(), Vec::new(), 0);
        for rows in (0..=ROWS.ilog2()).map(|power| 1 << power) {
            let plan = program.plan(Purpose::Predict, rows, &[], true)?;
            if rows == 1 {
                widths = plan.outputs.iter().map(|range| range.fixed()).collect();
                work = plan.steps.iter().map(|step| step.work().flops).sum();
            }
            forwards.push(cpu::Forward::new(&plan, &mut weights)?);
        }
        Ok(Self { program, weights, forwards, widths, work, shares })
    }

    fn predict_all(&self, inputs: &[Matrix]) -> Result<Vec<Matrix>> {
        self.program.check_inputs(inputs)?;
        let rows = inputs.first().map_or(0, Matrix::rows);
        let mut outputs: Vec<Vec<f32>> = self.widths.iter().map(|width| vec![0.0; rows * width]).collect();
        let parts: Vec<&[f32]> = inputs.iter().map(Matrix::data).collect();
        let results: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        // What is wrong with a number is said by those who know where it stands.
        let named = |error| self.program.check_finite_inputs(inputs).and(Err(error));
        self.rows(&parts, rows, results).or_else(named)?;
        outputs.into_iter().zip(&self.widths).map(|(data, width)| Matrix::new(rows, *width, data)).collect()
    }

    /// Halves the rows as long as another thread pays.
    fn rows(&self, inputs: &[&[f32]], rows: usize, mut outputs: Vec<&mut [f32]>) -> Result<()> {
        let block = if rows > ROWS { ROWS } else { rows.div_ceil(2).max(1) };
        let blocks = rows.div_ceil(block);
        if self.shares && blocks > 1 && self.work.saturating_mul(rows as u64) >= SHARED_FROM {
            let first = blocks / 2 * block;
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
            // Here they are on their way to the nearest cache anyway.
            if !inputs.iter().all(|input| are_finite(input)) {
                return Err(Error::data("inputs", "NaN or infinity"));
            }
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
