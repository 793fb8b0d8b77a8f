//! `axone search`: the hyperparameters of a network for a table, and the network that the best of them make.

use crate::arguments::{Common, Search};
use crate::prepare::{Prepared, Recipe};
use crate::said::{Failure, Said};
use crate::train;
use axone::search::{MedianPruning, Study, Trial};
use axone::{Device, Error, Result};
use serde_json::json;

pub fn run(args: &Search, common: &Common) -> Result<Said, Failure> {
    train::check(&args.learning)?;
    let prepared = Prepared::of(&args.learning, common)?;
    let device = common.device()?;
    // Small models at once, each on a thread, rather than one on all.
    let device = if device.is_gpu() { device } else { Device::cpu_one_thread() };
    let study = Study::minimize("val_loss").trials(args.trials).seed(args.learning.seed).pruner(MedianPruning::new());
    let study = study.verbosity(common.verbosity()).stop_on_ctrl_c();
    let study = args.workers.map_or(study.clone(), |workers| study.workers(workers));
    let study = args.log.as_ref().map_or(study.clone(), |path| study.log(path));
    let trials = study.run(|trial: &Trial| {
        let mut model = prepared.model(&recipe(trial)?, device.clone(), trial.seed())?;
        let fit = prepared.fit(&args.learning).callback(trial.watch("val_loss")).silent();
        let history = model.fit(&prepared.train, &fit)?;
        let best = history.min("val_loss");
        best.map(|(_, loss)| loss)
            .ok_or_else(|| Error::Data { place: "trial".into(), problem: "no finite loss".into() })
    })?;
    let best = trials.best()?;
    let found = recipe(&best.trial())?;
    common.note(&format!("the best of {} trials: {found:?}", trials.len()));
    let names: Vec<&str> = trials.names();
    let importance = trials.importance().unwrap_or_default();
    let search = json!({
        "trials": trials.len(),
        "best": best.number,
        "parameters": names,
        "importance": importance.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
    });
    train::train(&prepared, &found, &args.learning, common, search)
}

/// The recipe that a trial names.
fn recipe(trial: &Trial) -> Result<Recipe> {
    let layers: usize = trial.int("layers", 1..=3).get()?;
    let hidden =
        (1..=layers).map(|layer| trial.int(format!("units_{layer}"), 8..=256).log().get()).collect::<Result<_>>();
    Ok(Recipe {
        hidden: hidden?,
        rate: trial.float("rate", 3e-4..=3e-2).log().get_f32()?,
        dropout: trial.float("dropout", 0.0..=0.5).get_f32()?,
        decay: trial.float("decay", 1e-6..=1e-1).log().get_f32()?,
    })
}
