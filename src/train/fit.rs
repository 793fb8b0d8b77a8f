//! The training loop.

use super::report::History;
use super::run::{HostLoss, Run};
use super::settings::Fit;
#[cfg(doc)]
use crate::Error;
use crate::Result;
use crate::data::{Held, Matrix, Samples, Targets};
use crate::model::{Model, Purpose};

impl Model {
    /// Trains on `data`: mini-batches in an order shuffled anew each epoch. Returns loss and metrics of every epoch.
    ///
    /// `data` are a `&Dataset`, or a `&Stream` of rows that memory does not hold, which is read anew in each epoch while the
    /// rows before are trained on. A stream comes in the order of its reader, or shuffled in windows
    /// ([`Stream::shuffle`](crate::data::Stream::shuffle)). Unshuffled it gives the bits of the same rows in memory
    /// ([`Fit::without_shuffle`]), and a run that is resumed gives those of a run without the break if the reader gives the
    /// same rows. What the reader returns as an error ends the run: the weights are those after the last step, and what
    /// callbacks and checkpoints wrote is there. Epochs of other rows than the first are an error, too. Metrics that ask for
    /// each answer (not loss, accuracy and errors) keep it for the epoch, 4 bytes a number.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Data`] where the data do not fit the model, naming input, row and value;
    /// [`Error::Value`] for settings out of range; [`Error::TooLarge`]; [`Error::Gpu`].
    pub fn fit<'d>(&mut self, data: impl Into<Samples<'d>>, settings: &Fit) -> Result<History> {
        let outcome = train(self, data.into(), settings, None);
        // However it ended.
        let released = self.release_data(&[Purpose::Train, Purpose::Evaluate]);
        outcome.and_then(|history| released.map(|()| history))
    }

    /// As [`fit`](Self::fit), on a loss that the program computes instead of the model's: `loss` is called with the outputs
    /// and the targets of each batch, and gives the loss of each row and, for each output, the gradient of that by the
    /// row's values, `(B, units)`. Steps go along the mean over the rows, which count by their weights. For what no
    /// [formula](crate::Loss::custom) says; each step waits for the device and for the host.
    ///
    /// Schedules, callbacks, checkpoints and validation are those of `fit`. The values reported are `loss` and
    /// `val_loss`, the targets may be any, and neither penalties of layers nor losses without a target have a part in it.
    /// All is computed in f32.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(1).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// let data = Dataset::new([[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0])?;
    /// let fit = Fit::new().epochs(200).batch_size(4).silent();
    /// let history = model.fit_with(&data, &fit, |outputs, targets| {
    ///     let targets = targets[0].values().map_or(&[][..], Matrix::data);
    ///     let errors: Vec<f32> = outputs[0].data().iter().zip(targets).map(|(y, t)| y - t).collect();
    ///     let losses = errors.iter().map(|e| e.cosh().ln()).collect();
    ///     Ok((losses, vec![Matrix::column(errors).map(f32::tanh)]))
    /// })?;
    /// assert!(history.last("loss").unwrap() < 1e-3);
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `loss` returns; [`Error::Shape`] and [`Error::Data`] where its losses are not as many as the rows, its gradients
    /// do not fit the outputs, or a number is not finite, naming the row; else as [`fit`](Self::fit).
    pub fn fit_with<'d>(
        &mut self,
        data: impl Into<Samples<'d>>,
        settings: &Fit,
        mut loss: impl FnMut(&[Matrix], &[Targets]) -> Result<(Vec<f32>, Vec<Matrix>)>,
    ) -> Result<History> {
        // The masks of dropout are those of this run.
        let seed = std::mem::replace(&mut self.by_hand.seed, settings.options.seed);
        let outcome = train(self, data.into(), settings, Some(&mut loss));
        self.by_hand.seed = seed;
        outcome
    }
}

fn train(model: &mut Model, data: Samples<'_>, settings: &Fit, mut host: Option<&mut HostLoss<'_>>) -> Result<History> {
    settings.check()?;
    let (data, held_out) = settings.parts(data)?;
    let (parts, callbacks) = ((data.samples(), held_out.as_ref().map(Held::samples)), settings.callbacks()?);
    let mut run = match host {
        None => Run::new(model, parts, &settings.options, callbacks)?,
        Some(_) => Run::by_host(model, parts, (&settings.options, callbacks))?,
    };
    run.begin()?;
    while run.goes_on() {
        run.notify(|callback, run| callback.epoch_begin(run))?;
        if !run.epoch_of_training(host.as_deref_mut())? {
            break;
        }
        run.notify(|callback, run| callback.epoch_end(run))?;
    }
    run.notify(|callback, run| callback.end(run))?;
    Ok(run.finish())
}
