//! A compiled model: weights on a device and the plans that use them.

use super::by_hand::ByHand;
use super::inference::Batches;
use super::layout::Layout;
use super::plans::LoadedPlan;
use super::serving::Serving;
use super::{Losses, Network, Program, Purpose, Summary};
#[cfg(doc)]
use crate::Error;
use crate::Result;
use crate::device::Device;
use crate::graph::Role;
use crate::optimizers::Optimizer;
use crate::plan::{Buffer, Executor};
use std::fmt;

/// Rows of a batch that `compile` prepares for, if they fit; `fit` makes another plan for another batch size.
const DEFAULT_BATCH: usize = 32;

/// A network with weights on a device, ready to be trained.
///
/// ```
/// use axone::prelude::*;
///
/// let mut model = Sequential::new(2)
///     .add(Dense::new(8).activation(Activation::Tanh))
///     .add(Dense::new(1).activation(Activation::Sigmoid))
///     .compile(Device::cpu(), Loss::BinaryCrossEntropy, Adam::new(0.05))?;
/// let xor = Dataset::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])?;
/// let history = model.fit(&xor, &Fit::new().epochs(300).batch_size(4).silent())?;
/// assert!(history.last("loss").unwrap() < 0.1);
/// # Ok::<(), axone::Error>(())
/// ```
pub struct Model {
    pub(super) program: Program,
    device: Device,
    pub(crate) executor: Box<dyn Executor>,
    pub(super) plans: Vec<LoadedPlan>,
    pub(super) layout: Layout,
    /// Training steps done so far: Adam's `t`, and the counter of dropout masks.
    pub(crate) steps_done: u64,
    /// Whole epochs done so far: they number the orders of the rows.
    pub(crate) epochs_done: u64,
    /// How often a plan was asked for that data are bound to: whoever did so last finds the data it bound.
    pub(crate) bindings: u64,
    pub(crate) by_hand: ByHand,
    pub(super) batches: Batches,
    pub(super) serving: Box<Serving>,
}

impl Model {
    /// Makes a model of `network`: weights drawn with seed 0 ([`Model::reset`] draws others), on `device`, to be
    /// trained on `losses` (one for each output) with `optimizer`. Kernels are compiled here, not in the first step.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Value`], naming the layer, where the network does not fit its losses or a
    /// setting is out of range; [`Error::TooLarge`] where the model does not fit the device; [`Error::Gpu`].
    pub fn compile(network: Network, device: Device, losses: Losses, optimizer: Optimizer) -> Result<Self> {
        Self::of(Program::new(network, losses, optimizer)?, device)
    }

    /// A model of `program`, with weights drawn with seed 0.
    pub(super) fn of(program: Program, device: Device) -> Result<Self> {
        let layout = Layout::new(&program)?;
        let executor = device.executor();
        let mut model = Self {
            program,
            device,
            executor,
            plans: Vec::new(),
            layout,
            steps_done: 0,
            epochs_done: 0,
            bindings: 0,
            by_hand: ByHand::default(),
            batches: Batches::default(),
            serving: Box::default(),
        };
        let classes: Vec<bool> = model.program.losses.iter().map(|loss| loss.takes_classes()).collect();
        model.load_at_most(Purpose::Train, DEFAULT_BATCH, &classes)?;
        model.write_rules()?;
        model.reset(0)?;
        Ok(model)
    }

    /// Draws all weights anew and forgets what the optimizer has gathered.
    ///
    /// # Errors
    /// [`Error::Gpu`]; [`Error::Value`] for an initializer out of range.
    pub fn reset(&mut self, seed: u64) -> Result<()> {
        let start = self.layout.start(&self.program.network, seed)?;
        self.executor.write_slab(Buffer::Parameters, 0, &start)?;
        let zeros = vec![0.0; start.len()];
        for moment in 0..self.moments() {
            self.executor.write_slab(Buffer::Moment(moment), 0, &zeros)?;
        }
        (self.steps_done, self.epochs_done) = (0, 0);
        self.by_hand.forget_gradients();
        self.restart_loss_scale()
    }

    /// A table of the layers with shapes and parameter counts.
    pub fn summary(&self) -> Summary {
        let frozen = self.layout.parameters.iter().zip(&self.program.frozen).filter(|(_, frozen)| **frozen);
        let trained = frozen.filter(|(parameter, _)| parameter.role != Role::Statistic);
        let count = trained.map(|(parameter, _)| parameter.rows * parameter.cols).sum();
        self.program.network.summary().with_frozen(&self.frozen(), count)
    }

    /// Number of trainable numbers.
    pub fn parameters(&self) -> usize {
        self.summary().parameters()
    }

    /// The device it lives on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Bytes of the buffers that the model holds on its device: weights, gradients, the optimizer's moments, and what
    /// the steps prepared so far compute in. Data are among them only while a run, an evaluation or a prediction goes
    /// on.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// let fit = Fit::new().epochs(1).batch_size(4).silent();
    /// let data = |rows| Dataset::new(Matrix::new(rows, 2, vec![0.5; 2 * rows])?, vec![1.0; rows]);
    /// model.fit(&data(10)?, &fit)?;
    /// let held = model.device_bytes();
    /// model.fit(&data(10_000)?, &fit)?;
    /// assert_eq!(model.device_bytes(), held);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn device_bytes(&self) -> u64 {
        self.executor.held_bytes()
    }

    /// Network, losses and optimizer: what its plans are made from.
    pub fn program(&self) -> &Program {
        &self.program
    }

    pub(crate) fn program_mut(&mut self) -> &mut Program {
        &mut self.program
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({} parameters on {})", self.parameters(), self.device.info())
    }
}
