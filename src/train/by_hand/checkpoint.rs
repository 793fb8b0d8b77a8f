//! Checkpoints of training by hand: all that the next step depends on.
//!
//! Dropout masks are pure functions of the seed and the number of the step, so these two are the random state.

use super::Gathered;
use crate::device::Device;
use crate::model::persist::{Contents, State as StateOf};
use crate::model::{Model, Precision};
use crate::train::checkpoint::{loss_scale, moments, slabs};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    steps_done: u64,
    epochs_done: u64,
    seed: u64,
    precision: Precision,
    #[serde(default)]
    loss_scale: Option<Vec<f32>>,
}

impl Model {
    /// Writes a checkpoint of a loop by hand to `path`: what [`Model::save`] writes, and the moments of the optimizer, its
    /// learning rate, the number of steps and the seed ([`Model::set_seed`]). What [`Model::load_checkpoint`] makes of it
    /// goes on to the same bits on the same device. Call it between steps; where the loop is in its data is the program's
    /// to keep. [`Model::load_from`] reads the model alone. A crash leaves the old file or the new one, whole.
    ///
    /// # Errors
    /// [`Error::Value`] with gradients that are not applied yet ([`Model::apply_gradients`] or
    /// [`Model::clear_gradients`] first); [`Error::Data`] for a weight or moment that is not finite, and the file that was
    /// there stays; [`Error::File`]; [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let path = std::env::temp_dir().join(format!("axone-loop-{}.safetensors", std::process::id()));
    /// let net = Sequential::new(2).add(Dense::new(8)).add(Dropout::new(0.5)).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.1))?;
    /// let batch = Dataset::new([[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0])?;
    /// model.train_on_batch(&batch)?;
    /// model.save_checkpoint(&path)?;
    /// let mut again = Model::load_checkpoint(&path, Device::cpu())?;
    /// assert_eq!(again.steps_done(), 1);
    /// assert_eq!(again.train_on_batch(&batch)?, model.train_on_batch(&batch)?);
    /// assert_eq!(again.weights()?, model.weights()?);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn save_checkpoint(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if self.by_hand.gathered != Gathered::Nothing {
            let wanted = "applied (apply_gradients) or forgotten (clear_gradients)";
            return Err(Error::value("save_checkpoint", "gradients", wanted, "some since the last step"));
        }
        let state = State {
            steps_done: self.steps_done,
            epochs_done: self.epochs_done,
            seed: self.by_hand.seed,
            precision: self.precision(),
            loss_scale: loss_scale(self)?,
        };
        let json = serde_json::to_string(&state).map_err(|error| Error::file(path, error))?;
        let moments = moments(self)?;
        self.write_file(path, Some(StateOf::Steps(json)), &moments)
    }

    /// The model of a checkpoint that [`Model::save_checkpoint`] wrote, on `device`, to go on from. Metrics are to be set
    /// again.
    ///
    /// # Errors
    /// As [`Model::load_from`]; [`Error::File`] where the file has no such state: [`Model::load_from`] reads what
    /// [`Model::save`] wrote, [`Fit::resume`](crate::train::Fit::resume) goes on from checkpoints of `fit`.
    pub fn load_checkpoint(path: impl AsRef<Path>, device: Device) -> Result<Self> {
        let path = path.as_ref();
        let contents = Contents::read(path)?;
        let Some(StateOf::Steps(json)) = &contents.training else {
            return Err(Error::file(path, "no state of steps by hand, as Model::save_checkpoint writes it"));
        };
        let State { steps_done, epochs_done, seed, precision, loss_scale } =
            serde_json::from_str(json).map_err(|error| Error::file(path, error))?;
        if epochs_done > steps_done {
            return Err(Error::file(path, format!("{epochs_done} epochs in {steps_done} steps")));
        }
        let mut model = Self::from_contents(&contents, path, device)?;
        if precision != model.precision() {
            model.set_precision(precision)?;
        }
        let kept = slabs(&contents, path, (model.layout(), model.moments()), (precision, loss_scale))?;
        model.set_slabs(&kept)?;
        (model.steps_done, model.epochs_done, model.by_hand.seed) = (steps_done, epochs_done, seed);
        Ok(model)
    }
}
