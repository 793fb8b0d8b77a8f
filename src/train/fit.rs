//! The training loop.

use super::report::History;
use super::run::Run;
use super::settings::Fit;
#[cfg(doc)]
use crate::Error;
use crate::Result;
use crate::data::Dataset;
use crate::model::{Model, Purpose};

impl Model {
    /// Trains on `data`: mini-batches in an order shuffled anew each epoch. Returns loss and metrics of every epoch.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Data`] where the data do not fit the model, naming input, row and value;
    /// [`Error::Value`] for settings out of range; [`Error::TooLarge`]; [`Error::Gpu`].
    pub fn fit(&mut self, data: &Dataset, settings: &Fit) -> Result<History> {
        let outcome = train(self, data, settings);
        // However it ended.
        let released = self.release_data(&[Purpose::Train, Purpose::Evaluate]);
        outcome.and_then(|history| released.map(|()| history))
    }
}

fn train(model: &mut Model, data: &Dataset, settings: &Fit) -> Result<History> {
    settings.check()?;
    let (data, held_out) = settings.parts(data)?;
    let mut run = Run::new(model, (&data, held_out.as_ref()), &settings.options, settings.callbacks()?)?;
    run.begin()?;
    while run.goes_on() {
        run.notify(|callback, run| callback.epoch_begin(run))?;
        if !run.epoch_of_training()? {
            break;
        }
        run.notify(|callback, run| callback.epoch_end(run))?;
    }
    run.notify(|callback, run| callback.end(run))?;
    Ok(run.finish())
}
