//! The state of a run in a file, and going on from it.
//!
//! What a run to come depends on is either in the file (slabs, counters, learning rate, history, what callbacks keep)
//! or a setting that the file repeats and that must be the same. The order of the rows, dropout masks and schedules
//! are pure functions of these.

use super::slabs::{loss_scale, moments, slabs};
use crate::model::persist::{Contents, State as Saved};
use crate::model::{Precision, Weight};
use crate::schedules::Schedule;
use crate::train::feed::uniforms::is_rate;
use crate::train::report::{Epoch, History};
use crate::train::run::{Callback, CallbackState, Run};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    settings: Settings,
    steps_done: u64,
    epochs_done: u64,
    learning_rate: f64,
    stopped: Option<String>,
    #[serde(default)]
    stopped_by: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    skipped_steps: u64,
    #[serde(default)]
    loss_scale: Option<Vec<f32>>,
    epochs: Vec<Record>,
    /// Name and text of each callback that keeps a state.
    callbacks: Vec<(String, String)>,
}

/// What must be the same in the run that goes on.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    batch_size: usize,
    seed: u64,
    shuffle: bool,
    rows: usize,
    schedule: Schedule,
    epochs: usize,
    names: Vec<String>,
    #[serde(default)]
    precision: Precision,
}

/// An epoch of the history. Its numbers are text, which holds NaN and infinity too, and every bit of the rest.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    epoch: usize,
    seconds: String,
    learning_rate: String,
    values: Vec<(String, String)>,
}

impl State {
    /// The epochs that were done. Fails where a run would not have written them so: a checkpoint follows an epoch, an
    /// epoch reports the names of its run and has a step, and the model counts at least those of this run.
    fn history(&self, path: &Path) -> Result<Vec<Epoch>> {
        if !is_rate(self.learning_rate) {
            return Err(Error::file(path, format!("learning rate {:?}", self.learning_rate)));
        }
        let epochs = self.epochs.iter().map(|record| record.epoch(path)).collect::<Result<Vec<_>>>()?;
        for (epoch, place) in epochs.iter().zip(1..) {
            if epoch.epoch != place {
                return Err(Error::file(path, format!("epoch {} in place of epoch {place}", epoch.epoch)));
            }
            let names: Vec<&String> = epoch.values.iter().map(|(name, _)| name).collect();
            if !names.iter().copied().eq(&self.settings.names) {
                let got = format!("epoch {place} reports {names:?}, its run {:?}", self.settings.names);
                return Err(Error::file(path, got));
            }
        }
        let (own, all, steps) = (epochs.len() as u64, self.epochs_done, self.steps_done);
        if own == 0 || own > all || all > steps {
            let got = format!("a history of {own} epochs, of a model that was trained for {all} in {steps} steps");
            return Err(Error::file(path, got));
        }
        Ok(epochs)
    }
}

impl From<&Epoch> for Record {
    fn from(epoch: &Epoch) -> Self {
        Self {
            epoch: epoch.epoch,
            seconds: epoch.seconds.to_string(),
            learning_rate: epoch.learning_rate.to_string(),
            values: epoch.values.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
        }
    }
}

impl Record {
    fn epoch(&self, path: &Path) -> Result<Epoch> {
        let number = |text: &str| text.parse().map_err(|_| Error::file(path, format!("\"{text}\" is no number")));
        let values = self.values.iter().map(|(name, value)| Ok((name.clone(), number(value)?)));
        let (seconds, learning_rate): (f64, f64) = (number(&self.seconds)?, number(&self.learning_rate)?);
        // A schedule may come down to a rate of 0.
        for (name, value, most) in [("seconds", seconds, f64::MAX), ("learning rate", learning_rate, f32::MAX.into())] {
            if !(0.0..=most).contains(&value) {
                return Err(Error::file(path, format!("epoch {}: {name} {value:?}", self.epoch)));
            }
        }
        let learning_rate = learning_rate as f32;
        Ok(Epoch { epoch: self.epoch, seconds, learning_rate, values: values.collect::<Result<_>>()? })
    }
}

impl Settings {
    fn of(run: &Run<'_>) -> Self {
        Self {
            batch_size: run.options.batch_size,
            seed: run.options.seed,
            shuffle: run.options.shuffle,
            rows: run.data.len(),
            schedule: run.options.schedule.clone(),
            epochs: run.options.epochs,
            names: run.names().to_vec(),
            precision: run.model.precision(),
        }
    }

    /// Refuses settings other than those in the file at `path`.
    fn check(&self, own: &Self, path: &Path) -> Result<()> {
        same(path, "batch_size", &self.batch_size, &own.batch_size)?;
        same(path, "seed", &self.seed, &own.seed)?;
        same(path, "shuffle", &self.shuffle, &own.shuffle)?;
        same(path, "rows", &self.rows, &own.rows)?;
        same(path, "precision", &self.precision, &own.precision)?;
        same(path, "schedule", &self.schedule, &own.schedule)?;
        if self.schedule.spans_the_run() {
            // Another length would have been another schedule from the first step on.
            same(path, "epochs", &self.epochs, &own.epochs)?;
        }
        same(path, "metrics", &self.names.join(", "), &own.names.join(", "))
    }
}

fn same<T: PartialEq + std::fmt::Debug>(path: &Path, name: &'static str, file: &T, own: &T) -> Result<()> {
    if file == own {
        return Ok(());
    }
    Err(Error::value("resume", name, format!("{file:?} as in {}", path.display()), format!("{own:?}")))
}

/// Writes the state of `run`, and what the program's callbacks keep.
pub(super) fn write(run: &mut Run<'_>, path: &Path) -> Result<()> {
    let kept = run.callbacks.own.iter().filter_map(|callback| Some((callback.name(), callback.state()?)));
    let kept: Vec<(String, CallbackState)> = kept.collect();
    let mut beside = moments(run.model)?;
    // What a callback keeps may be anything.
    let numbers = kept.iter().zip(0..).map(|((_, state), number)| Weight {
        name: callback_name(number),
        shape: (1, state.numbers.len()),
        data: state.numbers.clone(),
    });
    beside.extend(numbers);
    let state = State {
        settings: Settings::of(run),
        steps_done: run.model.steps_done,
        epochs_done: run.model.epochs_done,
        learning_rate: run.uniforms.rate,
        stopped: run.history.stopped.clone(),
        stopped_by: run.stopped_by.clone(),
        warnings: run.history.warnings.clone(),
        skipped_steps: run.history.skipped_steps,
        loss_scale: loss_scale(run.model)?,
        epochs: run.history.epochs.iter().map(Record::from).collect(),
        callbacks: kept.into_iter().map(|(name, state)| (name, state.text)).collect(),
    };
    let json = serde_json::to_string(&state).map_err(|error| Error::file(path, error))?;
    run.model.write_file(path, Some(Saved::Run(json)), &beside)
}

fn callback_name(number: usize) -> String {
    format!("callback_{number}")
}

/// Goes on from a checkpoint: called before the program's callbacks.
pub(in crate::train) struct Resume(pub PathBuf);

impl Callback for Resume {
    fn name(&self) -> String {
        "resume".to_owned()
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        read(run, &self.0)
    }

    fn file(&self) -> Option<PathBuf> {
        Some(self.0.clone())
    }
}

/// Takes up the state in the file at `path`. A file that does not fit changes nothing.
fn read(run: &mut Run<'_>, path: &Path) -> Result<()> {
    let contents = Contents::read(path)?;
    let json = match &contents.training {
        Some(Saved::Run(json)) => json,
        Some(Saved::Steps(_)) => {
            return Err(Error::file(path, "a checkpoint of steps by hand, for Model::load_checkpoint"));
        }
        None => return Err(Error::file(path, "a model without the state of a run, as Model::save writes it")),
    };
    let state: State = serde_json::from_str(json).map_err(|error| Error::file(path, error))?;
    check_model(run, &contents, path)?;
    state.settings.check(&Settings::of(run), path)?;
    let kept: Vec<&str> = state.callbacks.iter().map(|(name, _)| name.as_str()).collect();
    let keeping = run.callbacks.own.iter().filter(|callback| callback.state().is_some());
    let keeping: Vec<String> = keeping.map(|callback| callback.name()).collect();
    same(path, "callbacks", &kept, &keeping.iter().map(String::as_str).collect())?;
    let epochs = state.history(path)?;

    let places = (run.model.layout(), run.model.moments());
    let slabs = slabs(&contents, path, places, (state.settings.precision, state.loss_scale))?;
    let numbers: Vec<String> = (0..state.callbacks.len()).map(callback_name).collect();
    let numbers = contents.weights(numbers.iter().map(String::as_str))?;
    let callbacks = state.callbacks.into_iter().zip(numbers);
    let callbacks = callbacks.map(|((_, text), weight)| CallbackState { text, numbers: weight.data });

    run.model.set_slabs(&slabs)?;
    run.skipped = run.model.loss_scale()?.map_or(0, |state| state.skipped);
    (run.model.steps_done, run.model.epochs_done) = (state.steps_done, state.epochs_done);
    run.uniforms.rate = state.learning_rate;
    run.stopped_by = state.stopped_by;
    let (stopped, skipped_steps) = (state.stopped, state.skipped_steps);
    let warnings = state.warnings.into_iter().chain(std::mem::take(&mut run.history.warnings)).collect();
    run.history = History { epochs, stopped, skipped_steps, warnings, ..std::mem::take(&mut run.history) };
    run.kept = callbacks.collect();
    Ok(())
}

/// Refuses a model other than the one in the file, and names the first layer that differs.
fn check_model(run: &Run<'_>, contents: &Contents, path: &Path) -> Result<()> {
    let (program, file) = (run.model.program(), &contents.description);
    if program.network != file.network {
        let (file, own) = (file.network.summary().to_string(), program.network.summary().to_string());
        let lines = file.lines().zip(own.lines());
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        let different = lines.map(|(file, own)| (words(file), words(own))).find(|(file, own)| file != own);
        let (file, own) = different.unwrap_or_else(|| {
            let (own, file) = (own.lines().count(), file.lines().count());
            let settings = ("the same settings of every layer".to_owned(), "others".to_owned());
            if own == file { settings } else { (format!("{} layers", file - 3), format!("{} layers", own - 3)) }
        });
        same(path, "network", &file, &own)?;
    }
    same(path, "losses", &file.losses, &program.losses)?;
    same(path, "loss weights", &file.loss_weights, &program.loss_weights)?;
    same(path, "optimizer", &file.optimizer, &program.optimizer)?;
    let frozen: Vec<String> = run.model.frozen().into_iter().map(str::to_owned).collect();
    same(path, "frozen layers", &file.frozen, &frozen)
}
