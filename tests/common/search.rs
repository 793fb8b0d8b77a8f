//! Searches over models, on any device.

use super::api::{bits, classifier, samples};
use axone::layers::Activation;
use axone::prelude::*;
use axone::search::{
    CrossValidation, Fold, Grid, Hyperband, MedianPruning, Pruner, Record, State, Study, SuccessiveHalving, Tpe, Trial,
    Trials, cross_validate,
};

/// What two runs of a study have in common: everything but the seconds.
pub fn timeless(trials: &Trials) -> Vec<Record> {
    trials.records().iter().map(|record| Record { seconds: 0.0, ..record.clone() }).collect()
}

fn train(device: &Device, trial: &Trial, fold: &Fold) -> Result<Model> {
    let units: usize = trial.int("units", 2..=16).log().get()?;
    let rate = trial.float("rate", 1e-4..=10.0).log().get_f32()?;
    let net = Sequential::new(5)
        .add(Dense::new(units).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::new(rate))?;
    model.reset(trial.seed())?;
    let fit = Fit::new().epochs(6).batch_size(8).seed(trial.seed()).silent();
    model.fit(fold.train(), &fold.validate(fit).callback(trial.watch("val_loss")))?;
    Ok(model)
}

/// One, two or four workers: the same parameters, scores, reports and prunings, bit for bit.
pub fn workers_change_nothing(device: &Device) {
    let cv = CrossValidation::stratified(2).standardize().score("loss");
    let pruners: [Pruner; 2] = [MedianPruning::new().startup(2).into(), Hyperband::new(12).factor(2).into()];
    for pruner in pruners {
        let run = |workers: usize| {
            let study = Study::of(&cv).sampler(Tpe::new().startup(4)).pruner(pruner.clone()).trials(14).seed(3);
            let study = study.concurrency(4).workers(workers).silent();
            study.run_folds(&samples(30), &cv, |trial, fold| train(device, trial, fold)).unwrap()
        };
        let one = run(1);
        assert!(one.records().iter().any(|record| record.state == State::Pruned), "nothing was pruned\n{one}");
        assert!(one.records().iter().any(|record| record.state == State::Complete), "{one}");
        assert_eq!(timeless(&one), timeless(&run(2)));
        assert_eq!(timeless(&one), timeless(&run(4)));
    }
}

/// What `fit` reports comes to the trial, epoch by epoch and fold by fold, and a pruned trial trains no further.
pub fn a_fit_is_watched_and_pruned(device: &Device) {
    let cv = CrossValidation::k_fold(2).score("loss");
    let grid = Grid::new().values("rate", [0.1, 1e-4]);
    let study = Study::of(&cv).sampler(grid).concurrency(1).silent();
    let study = study.pruner(SuccessiveHalving::new().first(2).factor(2));
    let trials = study.run_folds(&samples(20), &cv, |trial, fold| {
        let rate = trial.float("rate", 1e-4..=1.0).log().get_f32()?;
        let mut model = classifier(device, Sgd::new(rate));
        model.fit(fold.train(), &fold.validate(Fit::new().epochs(4).silent()).callback(trial.watch("val_loss")))?;
        Ok(model)
    });
    let trials = trials.unwrap();
    let [good, bad] = trials.records() else { panic!("{trials}") };
    // Alone at every rung, so it goes on; two folds of four epochs.
    assert_eq!((good.state, good.scores.len()), (State::Complete, 2));
    assert_eq!(good.reports.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8]);
    // The loss that the fold ended with is the last one reported for it.
    assert_eq!((good.reports[3].1, good.reports[7].1), (good.scores[0], good.scores[1]));
    assert_eq!((bad.state, bad.reports.len(), bad.scores.len()), (State::Pruned, 2, 0));
    assert_eq!(bad.note.as_deref(), Some("place 2 of 2 at the rung of step 2"));
    assert_eq!(bad.score, bad.reports[1].1);
}

/// The folds' models, scores and predictions are those of a loop by hand, whatever the number of workers.
pub fn cross_validation_is_the_loop_by_hand(device: &Device) {
    let data = samples(23);
    let fit = Fit::new().epochs(3).batch_size(4).silent();
    let run = |workers: usize| {
        let cv = CrossValidation::k_fold(3).seed(5).standardize().workers(workers);
        cross_validate(&data, &cv, |fold| {
            let mut model = classifier(device, Adam::new(0.02));
            model.fit(fold.train(), &fit)?;
            Ok(model)
        })
    };
    let result = run(1).unwrap();
    assert_eq!(result, run(3).unwrap());
    let folds = data.k_fold(3, 5).unwrap();
    for (index, (train, validation)) in folds.clone().enumerate() {
        let scaler = axone::data::Standardizer::fit(&train.inputs()[0]).unwrap();
        let scaled = |set: Dataset| set.map_inputs(|x| scaler.transform(x)).unwrap();
        let (train, validation) = (scaled(train), scaled(validation));
        let mut model = classifier(device, Adam::new(0.02));
        model.fit(&train, &fit).unwrap();
        let evaluation = model.evaluate(&validation).unwrap();
        assert_eq!(result.scores()[index], evaluation.get("accuracy").unwrap());
        assert_eq!(result.evaluations()[index], evaluation);
        let outputs = model.predict(&validation.inputs()[0]).unwrap();
        for (row, output) in folds.rows(index).unwrap().1.into_iter().zip(outputs.iter_rows()) {
            assert_eq!(result.predictions().row(row), Some(output), "row {row}");
        }
    }
}

/// The best model is trained on all rows, prepared with all of them, with the best parameters and its trial's seed.
pub fn the_best_model_is_trained_on_all_rows(device: &Device) {
    let data = samples(24);
    let cv = CrossValidation::stratified(2).standardize().score("loss");
    let study = Study::of(&cv).trials(4).silent();
    let trials = study.run_folds(&data, &cv, |trial, fold| train(device, trial, fold)).unwrap();
    let mut best = trials.best_model(&data, &cv, |trial, fold| train(device, trial, fold)).unwrap();
    let record = trials.best().unwrap();
    let scaler = axone::data::Standardizer::fit(&data.inputs()[0]).unwrap();
    let scaled = data.clone().map_inputs(|x| scaler.transform(x)).unwrap();
    let net = Sequential::new(5)
        .add(Dense::new(record.int("units").unwrap()).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    let sgd = Sgd::new(record.float("rate").unwrap() as f32);
    let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, sgd).unwrap();
    model.reset(record.seed).unwrap();
    model.fit(&scaled, &Fit::new().epochs(6).batch_size(8).seed(record.seed).silent()).unwrap();
    assert_eq!(bits(best.model()), bits(&mut model));
    assert_eq!(best.predict(&data).unwrap(), model.predict(&scaled.inputs()[0]).unwrap());
    assert_eq!(best.evaluate(&data).unwrap(), model.evaluate(&scaled).unwrap());
}
