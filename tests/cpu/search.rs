//! Studies: what samplers find, what a study keeps, and what it refuses.

use crate::common::api::samples;
use crate::common::search::{self, timeless};
use axone::metrics::Direction;
use axone::prelude::*;
use axone::search::{
    CrossValidation, Grid, Hyperband, MedianPruning, PatientPruning, Random, Sampler, State, Study, SuccessiveHalving,
    Tpe, Trials, Value, cross_validate,
};
use std::collections::BTreeSet;
use std::f64::consts::PI;
use std::sync::Mutex;

#[test]
fn workers_change_nothing() {
    search::workers_change_nothing(&Device::cpu());
}

#[test]
fn a_fit_is_watched_and_pruned() {
    search::a_fit_is_watched_and_pruned(&Device::cpu());
}

#[test]
fn cross_validation_is_the_loop_by_hand() {
    search::cross_validation_is_the_loop_by_hand(&Device::cpu());
}

#[test]
fn the_best_model_is_trained_on_all_rows() {
    search::the_best_model_is_trained_on_all_rows(&Device::cpu());
}

fn branin(u: &[f64]) -> f64 {
    let (x, y) = (u[0] * 15.0 - 5.0, u[1] * 15.0);
    let bend = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    bend.powi(2) + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0
}

fn hartmann6(u: &[f64]) -> f64 {
    let a = [1.0, 1.2, 3.0, 3.2];
    let m = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    let p: [[f64; 6]; 4] = [
        [1312.0, 1696.0, 5569.0, 124.0, 8283.0, 5886.0],
        [2329.0, 4135.0, 8307.0, 3736.0, 1004.0, 9991.0],
        [2348.0, 1451.0, 3522.0, 2883.0, 3047.0, 6650.0],
        [4047.0, 8828.0, 8732.0, 5743.0, 1091.0, 381.0],
    ];
    let term = |i: usize| (0..6).map(|j| m[i][j] * (u[j] - 1e-4 * p[i][j]).powi(2)).sum::<f64>();
    -(0..4).map(|i| a[i] * (-term(i)).exp()).sum::<f64>()
}

fn best_of(function: fn(&[f64]) -> f64, dimensions: usize, sampler: impl Into<Sampler>, seed: u64) -> f64 {
    let study = Study::minimize("value").sampler(sampler).trials(60).seed(seed).concurrency(1).silent();
    let trials = study.run(|trial| {
        let at: Result<Vec<f64>> = (0..dimensions).map(|i| trial.float(format!("x{i}"), 0.0..=1.0).get()).collect();
        Ok(function(&at?))
    });
    trials.unwrap().best().unwrap().score
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let (n, mean) = (values.len() as f64, values.iter().sum::<f64>() / values.len() as f64);
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// 20 seeds each: the means differ by less than twice the standard error of their difference, and both are far below
/// random search.
#[test]
fn tpe_is_level_with_optuna() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/search/optuna.json"));
    let fixture: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
    for (name, function, dimensions) in [("branin", branin as fn(&[f64]) -> f64, 2), ("hartmann6", hartmann6, 6)] {
        let theirs = |sampler: &str| -> Vec<f64> {
            fixture[name][sampler].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
        };
        let own = |sampler: Sampler| -> Vec<f64> {
            (0..20).map(|seed| best_of(function, dimensions, sampler.clone(), seed)).collect()
        };
        let (mine, mine_error) = mean_and_error(&own(Tpe::new().into()));
        let (optuna, optuna_error) = mean_and_error(&theirs("tpe"));
        let spread = mine_error.hypot(optuna_error);
        assert!(mine < optuna + 2.0 * spread, "{name}: {mine}, Optuna {optuna}, standard error {spread}");
        let (random, random_error) = mean_and_error(&own(Random.into()));
        let (their_random, their_error) = mean_and_error(&theirs("random"));
        let spread = random_error.hypot(their_error);
        assert!((random - their_random).abs() < 3.0 * spread, "{name}: random {random}, Optuna's {their_random}");
        assert!(mine + 5.0 * mine_error.max(0.05) < random, "{name}: {mine} is not far below random search, {random}");
    }
}

/// A parameter that only some trials have, on every kind of scale: values stay within them, and trials learn.
#[test]
fn conditional_spaces_are_searched() {
    let run = |sampler: Sampler| {
        let study = Study::maximize("value").sampler(sampler).trials(80).seed(1).silent();
        let trials = study.run(|trial| {
            let kind = trial.choice("kind", &["a", "b", "c"])?;
            let rate = trial.float("rate", 1e-5..=1.0).log().get()?;
            let layers: usize = trial.int("layers", 1..=4).get()?;
            let mut value = -(rate.log10() + 3.0).powi(2) - if kind == "b" { 0.0 } else { 2.0 };
            for layer in 0..layers {
                let width: i64 = trial.int(format!("width{layer}"), 16..=256).step(16).get()?;
                assert!(width % 16 == 0 && (16..=256).contains(&width));
                value -= ((width - 128) as f64 / 128.0).powi(2);
            }
            let odd: u8 = trial.int("log", 1..=200u8).log().get()?;
            let coarse = trial.float("coarse", 0.0..=1.0).step(0.25).get()?;
            assert!((1e-5..=1.0).contains(&rate) && odd >= 1 && (coarse * 4.0).fract() == 0.0);
            Ok(value)
        });
        trials.unwrap()
    };
    let (random, tpe) = (run(Random.into()), run(Tpe::new().into()));
    let late = |trials: &Trials| trials.records()[40..].iter().map(|record| record.score).sum::<f64>() / 40.0;
    assert!(late(&tpe) > late(&random) + 1.0, "{} and {}", late(&tpe), late(&random));
    let best = tpe.best().unwrap();
    assert_eq!(best.choice("kind", &["a", "b", "c"]).unwrap(), "b");
    assert_eq!(best.get("width4"), None);
    assert_eq!(tpe.importance().unwrap().iter().map(|(_, share)| share).sum::<f64>().round(), 1.0);
}

/// A parameter that decides all has nearly all of the importance.
#[test]
fn importance_finds_what_matters() {
    let study = Study::minimize("value").sampler(Random).trials(200).silent();
    let trials = study.run(|trial| {
        let rate = trial.float("rate", 1e-4..=1.0).log().get()?;
        let (_, kind) = (trial.float("idle", 0.0..=1.0).get()?, trial.choice("kind", &["x", "y"])?);
        Ok((rate.log10() + 2.0).powi(2) + if kind == "x" { 1.0 } else { 0.0 })
    });
    let importance = trials.unwrap().importance().unwrap();
    let names: Vec<&str> = importance.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["rate", "kind", "idle"], "{importance:?}");
    assert!(importance[0].1 > 0.6 && importance[2].1 < 0.1, "{importance:?}");
}

#[test]
fn a_grid_has_each_combination_once() {
    let sgd = Grid::new().values("kind", ["sgd"]).values("rate", [0.1, 1.0]).values("momentum", [0.0, 0.5, 0.9]);
    let grid = sgd.or(Grid::new().values("kind", ["adam"]).values("rate", [0.01]));
    let trials = Study::maximize("value").sampler(grid.clone()).silent().run(|trial| {
        let kind = trial.choice("kind", &["adam", "sgd"])?;
        let rate = trial.float("rate", 1e-3..=1.0).log().get()?;
        Ok(if kind == "sgd" { rate + trial.float("momentum", 0.0..=1.0).get()? } else { rate })
    });
    let trials = trials.unwrap();
    let points: BTreeSet<String> = trials.records().iter().map(|record| format!("{:?}", record.parameters)).collect();
    assert_eq!((trials.len(), points.len()), (7, 7));
    assert_eq!(trials.best().unwrap().score, 1.9);
    // One that lacks a parameter of its combinations, or asks for another, would come more than once.
    let run = |grid: Grid, names: &'static [&str]| {
        let study = Study::maximize("value").sampler(grid).silent();
        study.run(move |trial| names.iter().map(|name| trial.float(*name, 0.0..=1.0).get()).sum::<Result<f64>>())
    };
    let two = || Grid::new().values("a", [0.0, 1.0]).values("b", [0.5]);
    assert_eq!(run(two(), &["a", "b"]).unwrap().len(), 2);
    let error = run(two(), &["a"]).unwrap_err().to_string();
    assert!(error.contains("no request for \"b\""), "{error}");
    let error = run(two(), &["a", "b", "c"]).unwrap_err().to_string();
    assert_eq!(error, "grid, trial 0: parameter must be one of a, b, got c");
    let error = run(Grid::new().values("a", [2.0]), &["a"]).unwrap_err().to_string();
    assert_eq!(error, "parameter \"a\": value must be 0.0..=1.0, got 2");
    for (grid, message) in [
        (Grid::new(), "Grid: values must be at least one list, got none"),
        (Grid::new().values::<f64>("a", []), "grid, \"a\": values must be at least one, got none"),
        (two().values("a", [0.1]), "grid, \"a\": values must be given once, got two lists"),
        (Grid::new().values("a", [1, 1]), "grid, \"a\": values must be different from each other, got 1 twice"),
    ] {
        assert_eq!(run(grid, &["a"]).unwrap_err().to_string(), message);
    }
}

/// A trial that fails is a row, NaN ranks last, and both are said.
#[test]
fn failures_and_nan_are_rows() {
    let study = Study::minimize("loss").sampler(Grid::new().values("at", [0, 1, 2, 3, 4])).silent();
    let trials = study.run(|trial| match trial.int::<i64>("at", 0..=4).get()? {
        0 => Err(Error::Device("out of memory".to_owned())),
        1 => Ok(f64::NAN),
        2 => Ok(f64::NEG_INFINITY),
        at => Ok(at as f64),
    });
    let trials = trials.unwrap();
    let order: Vec<usize> = trials.sorted().iter().map(|record| record.number).collect();
    assert_eq!(order, [2, 3, 4, 1, 0]);
    assert_eq!(trials.records()[0].note.as_deref(), Some("out of memory"));
    assert_eq!(trials.records()[0].state, State::Failed);
    let text = trials.to_string();
    for line in ["1 of 5 trials failed", "failed: out of memory", "no number as loss, ranked last: trial 1"] {
        assert!(text.contains(line), "{text}");
    }
    let csv = trials.to_csv();
    assert!(csv.starts_with("trial,state,loss,seconds,seed,at,note\n0,failed,NaN,"), "{csv}");
    assert!(csv.lines().nth(1).unwrap().ends_with(",0,out of memory"), "{csv}");
    let none = Study::minimize("loss").trials(2).silent().run(|trial| {
        trial.float("x", 0.0..=1.0).get()?;
        Err::<f64, _>(Error::Device("no room".to_owned()))
    });
    let error = none.unwrap().best().unwrap_err().to_string();
    assert_eq!(error, "study: none of 2 trials has a score; trial 0: no room");
}

type Objective = dyn Fn(&axone::search::Trial) -> Result<f64> + Sync;

/// Mistakes that every trial would repeat end the study, with the value.
#[test]
#[allow(clippy::reversed_empty_ranges, reason = "a mistake that the test is about")]
fn mistakes_end_the_study() {
    let with = |study: Study, objective: &Objective| study.trials(5).silent().run(objective).unwrap_err().to_string();
    let study = || Study::minimize("loss");
    let cases: [(&str, &Objective, &str); 14] = [
        ("empty space", &|_| Ok(1.0), "study: space must be at least one parameter that a trial asks for, got none"),
        (
            "reversed",
            &|trial| trial.float("rate", 0.1..=0.01).get(),
            "parameter \"rate\": range must be from a finite number to one that is not below it, got 0.1..=0.01",
        ),
        (
            "infinite",
            &|trial| trial.float("rate", 0.1..=f64::INFINITY).get(),
            "parameter \"rate\": range must be from a finite number to one that is not below it, got 0.1..=inf",
        ),
        (
            "log of 0",
            &|trial| trial.float("rate", 0.0..=1.0).log().get(),
            "parameter \"rate\": log must be of a range above 0, got 0..=1",
        ),
        (
            "step of 0",
            &|trial| trial.float("rate", 0.0..=1.0).step(0.0).get(),
            "parameter \"rate\": step must be positive and finite, got 0",
        ),
        (
            "reversed integers",
            &|trial| Ok(trial.int("units", 8..=4i32).get()?.into()),
            "parameter \"units\": range must be from an integer to one that is not below it, got 8..=4",
        ),
        (
            "log of 0, integers",
            &|trial| Ok(trial.int("units", 0..=4i32).log().get()?.into()),
            "parameter \"units\": log must be of a range above 0, got 0..=4",
        ),
        (
            "step of 0, integers",
            &|trial| Ok(trial.int("units", 0..=4i32).step(0).get()?.into()),
            "parameter \"units\": step must be at least 1, got 0",
        ),
        (
            "beyond i64",
            &|trial| Ok(trial.int("units", 0..=u64::MAX).get()? as f64),
            "parameter \"units\": range must be within ±2^53, got 0..=18446744073709551615",
        ),
        (
            "no options",
            &|trial| trial.choice::<f64>("kind", &[]),
            "parameter \"kind\": options must be at least one, got none",
        ),
        (
            "an option twice",
            &|trial| trial.choice("kind", &[1.0, 1.0]),
            "parameter \"kind\": options must be different from each other, got 1.0 twice",
        ),
        ("two ranges of one name", &|trial| trial.float("rate", 0.0..=(1.0 + trial.number() as f64)).get(), ""),
        ("no name", &|trial| trial.float("", 0.0..=1.0).get(), "trial 0: parameter must be a name, got \"\""),
        (
            "a step twice",
            &|trial| {
                let x = trial.float("x", 0.0..=1.0).get()?;
                trial.report(1, x)?;
                trial.report(1, x).unwrap_err();
                Err(Error::Device("reached".to_owned()))
            },
            "",
        ),
    ];
    for (name, objective, message) in cases {
        match name {
            "a step twice" => {
                let trials = study().trials(1).silent().run(objective).unwrap();
                assert_eq!(trials.records()[0].note.as_deref(), Some("reached"));
            }
            "two ranges of one name" => {
                let error = with(study().workers(1), objective);
                assert_eq!(
                    error,
                    "parameter \"rate\": range must be what it was before in this study (0.0..=1.0), got 0.0..=2.0"
                );
            }
            _ => assert_eq!(with(study(), objective), message, "{name}"),
        }
    }
    let one = |study: Study| with(study, &|trial| trial.float("x", 0.0..=1.0).get());
    for (study, message) in [
        (study().workers(0), "study: workers must be at least 1, got 0"),
        (study().threads(0), "study: threads must be at least 1, got 0"),
        (study().threads(1_000_000), "study: threads must be at most 1024, got 1000000"),
        (study().workers(1025), "study: workers must be at most 1024, got 1025"),
        (study().concurrency(0), "study: concurrency must be at least 1, got 0"),
        (study().sampler(Tpe::new().draws(0)), "Tpe: draws must be at least 1, got 0"),
        (study().sampler(Tpe::new().startup(0)), "Tpe: startup must be at least 1, got 0"),
        (
            study().pruner(MedianPruning::new().percentile(100.0)),
            "MedianPruning: percentile must be above 0 and below 100, got 100",
        ),
        (study().pruner(SuccessiveHalving::new().factor(1)), "SuccessiveHalving: factor must be at least 2, got 1"),
        (study().pruner(Hyperband::new(0)), "Hyperband: steps must be at least 1, got 0"),
        (study().pruner(PatientPruning::new(0)), "PatientPruning: patience must be at least 1, got 0"),
        (
            study().pruner(PatientPruning::new(2).over(Hyperband::new(9).first(0))),
            "Hyperband: first must be at least 1, got 0",
        ),
    ] {
        assert_eq!(one(study), message);
    }
    let none = study().trials(0).silent().run(|trial| trial.float("x", 0.0..=1.0).get()).unwrap_err();
    assert_eq!(none.to_string(), "study: trials must be at least 1, got 0");
}

/// A metric that is not reported ends the study, whether it is watched or the score.
#[test]
fn a_metric_that_is_not_reported_is_named() {
    let train = |rate: f32, fold: &axone::search::Fold, fit: Fit| {
        let mut model = crate::common::api::classifier(&Device::cpu(), Sgd::new(rate));
        model.fit(fold.train(), &fit.epochs(1).silent())?;
        Ok(model)
    };
    let run = |score: &str, watched: &str| {
        let cv = CrossValidation::k_fold(2).score(score);
        let study = Study::of(&cv).trials(3).silent();
        study.run_folds(&samples(12), &cv, |trial, fold| {
            let rate = trial.float("rate", 0.1..=1.0).get_f32()?;
            train(rate, fold, Fit::new().callback(trial.watch(watched)))
        })
    };
    assert_eq!(run("accuracy", "loss").unwrap().len(), 3);
    let error = run("accuracy", "val_loss").unwrap_err().to_string();
    assert!(error.ends_with("monitor must be one of loss, accuracy, got val_loss"), "{error}");
    let error = run("f1", "loss").unwrap_err().to_string();
    assert_eq!(error, "cross_validate: score must be one of loss, accuracy, got f1");
}

#[test]
fn splits_that_cannot_be_are_refused() {
    let data = Dataset::new(vec![[1.0]; 6], [0, 0, 0, 0, 1, 2]).unwrap();
    let error = |cv: CrossValidation| {
        let result = cross_validate(&data, &cv, |_| Err(Error::Device("trained".to_owned())));
        result.unwrap_err().to_string()
    };
    assert_eq!(error(CrossValidation::k_fold(7)), "k_fold: k must be from 2 to 6 (the rows), got 7");
    assert_eq!(
        error(CrossValidation::stratified(2)),
        "cross_validate, training part of fold 0: class 1 is missing (the data have 1 rows of it)"
    );
    assert_eq!(
        error(CrossValidation::leave_one_out()),
        "cross_validate, training part of fold 4: class 1 is missing (the data have 1 rows of it)"
    );
    assert_eq!(error(CrossValidation::k_fold(2).workers(0)), "cross_validate: workers must be at least 1, got 0");
    let threads = error(CrossValidation::k_fold(2).threads(1_000_000));
    assert_eq!(threads, "cross_validate: threads must be at most 1024, got 1000000");
    let shrinking = CrossValidation::time_series(1).prepare(|_| Ok(|set: Dataset| set.take(1)));
    assert!(error(shrinking).contains("class 1 is missing"));
    let data = Dataset::new(vec![[1.0]; 6], [[1.0]; 6]).unwrap();
    let shrinking = CrossValidation::time_series(2).prepare(|_| Ok(|set: Dataset| set.take(1)));
    let result = cross_validate(&data, &shrinking, |_| Err(Error::Device("trained".to_owned())));
    assert_eq!(result.unwrap_err().to_string(), "prepare: expected 2 rows, got 1");
}

/// What is fitted sees training rows alone.
#[test]
fn preparations_see_the_training_part_alone() {
    let data = Dataset::new([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [[0.0]; 6]).unwrap();
    let seen = std::sync::Arc::new(Mutex::new(Vec::new()));
    let keeps = std::sync::Arc::clone(&seen);
    let cv = CrossValidation::time_series(2).workers(1).prepare(move |train: &Dataset| {
        keeps.lock().unwrap().push(train.inputs()[0].data().to_vec());
        Ok(|set: Dataset| Ok(set))
    });
    let net = Sequential::new(1).add(Dense::new(1));
    let result =
        cross_validate(&data, &cv.score("loss"), |_| net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)));
    let result = result.unwrap();
    assert_eq!(*seen.lock().unwrap(), [vec![0.0, 1.0], vec![0.0, 1.0, 2.0, 3.0]]);
    // The first block of a time series is never held out.
    let known: Vec<bool> = result.predictions().data().iter().map(|value| !value.is_nan()).collect();
    assert_eq!(known, [false, false, true, true, true, true]);
}

/// Raised from outside: what ended stays, what was cut short does not count, and nothing begins.
#[test]
fn a_flag_ends_a_study() {
    let flag = StopFlag::new();
    let (raised, study) = (flag.clone(), Study::minimize("loss").trials(50).workers(2).silent());
    let trials = study.stop_flag(&flag).run(|trial| {
        let x = trial.float("x", 0.0..=1.0).get()?;
        if trial.number() == 7 {
            raised.raise();
            while !trial.stop_flag().is_raised() {}
        }
        Ok(x)
    });
    let trials = trials.unwrap();
    assert!(trials.records().iter().all(|record| record.number < 11 && record.number != 7), "{trials}");
    assert!(trials.len() >= 4, "{trials}");
    let text = format!("stopped from outside after {} of 50 trials", trials.len());
    assert_eq!(trials.stopped(), Some(text.as_str()));
}

/// A panic of the objective comes out, and no worker waits for the trial that it took with it.
#[test]
fn a_panic_comes_out() {
    let study = Study::minimize("loss").trials(40).workers(3).silent();
    let run = || {
        study.run(|trial| {
            let x = trial.float("x", 0.0..=1.0).get()?;
            assert!(trial.number() != 5, "of trial 5");
            Ok(x)
        })
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"of trial 5"));
}

/// A record answers for its trial once more.
#[test]
fn a_record_is_a_trial() {
    let objective = |trial: &axone::search::Trial| {
        let units: usize = trial.int("units", 1..=9).get()?;
        Ok(units as f64 + trial.choice("shift", &[0.25, 0.5])? + trial.float("x", 0.0..=1.0).get()?)
    };
    let trials = Study::minimize("value").trials(15).silent().run(objective).unwrap();
    for record in trials.records() {
        assert_eq!(objective(&record.trial()).unwrap(), record.score);
        assert_eq!(record.trial().seed(), record.seed);
    }
    let record = &trials.records()[0];
    let error = record.trial().float("other", 0.0..=1.0).get().unwrap_err().to_string();
    assert_eq!(error, "trial 0: parameter must be one of shift, units, x, got other");
    assert!(matches!(record.get("units"), Some(Value::Int(_))));
    assert!(record.float("units").unwrap_err().to_string().contains("real parameter of units = "));
    assert!(record.choice("shift", &[1.0, 2.0]).is_err());
    assert_eq!(trials.direction(), Direction::Minimize);
    assert!(trials.running_best().windows(2).all(|pair| pair[1] <= pair[0]));
}

/// What each pruner makes of values that are given.
#[test]
fn pruners_compare_with_trials_before() {
    // Trial n reports n at each of 4 steps; with `concurrency(1)` each knows all before.
    let run = |study: Study, values: &'static [[f64; 4]]| {
        let grid = Grid::new().values("n", 0..values.len());
        let trials = study.sampler(grid).concurrency(1).silent().run(|trial| {
            let n: usize = trial.int("n", 0..=values.len() - 1).get()?;
            for (step, value) in values[n].iter().enumerate() {
                trial.report(step + 1, *value)?;
                if trial.is_pruned() {
                    break;
                }
            }
            Ok(values[n][3])
        });
        let reached = |record: &axone::search::Record| record.reports.len();
        trials.unwrap().records().iter().map(reached).collect::<Vec<_>>()
    };
    const VALUES: &[[f64; 4]] = &[[4.0; 4], [2.0; 4], [3.0; 4], [5.0, 2.0, 1.0, 1.0], [1.0, 9.0, 9.0, 9.0], [3.5; 4]];
    let minimize = || Study::minimize("value");
    // Medians of complete trials at step 1: of 4, 2, 3 it is 3, which trial 3 (5) is behind; its best counts, so trial 4
    // (1, 9, …) is not; of 4, 2, 3, 1 it is 2.5.
    assert_eq!(run(minimize().pruner(MedianPruning::new().startup(3)), VALUES), [4, 4, 4, 1, 4, 1]);
    // With a step spared, trial 3 has 2.0 in time.
    assert_eq!(run(minimize().pruner(MedianPruning::new().startup(3).warmup(1)), VALUES), [4, 4, 4, 4, 4, 2]);
    // Rungs at 1, 2, 4, one in two goes on: trial 2 (3 of 4, 2, 3) is second of 3 with one place; trial 3 is last of 4;
    // trial 4 is first of 5 at step 1, and last of 3 (4, 2, 9) at step 2; trial 5 is fourth of 6 with three places.
    assert_eq!(run(minimize().pruner(SuccessiveHalving::new().factor(2)), VALUES), [4, 4, 1, 1, 2, 1]);
    // Two reports in a row no better than the best before them.
    assert_eq!(run(minimize().pruner(PatientPruning::new(2)), VALUES), [3, 3, 3, 4, 3, 3]);
    let both = PatientPruning::new(2).over(MedianPruning::new().startup(3));
    assert_eq!(run(minimize().pruner(both), VALUES), [4, 4, 4, 4, 4, 3]);
    // More is better: the other way round, trial 1 of step 1 is behind.
    assert_eq!(run(Study::maximize("value").pruner(MedianPruning::new().startup(1)), VALUES), [4, 1, 1, 4, 1, 1]);
    const NAN: &[[f64; 4]] = &[[1.0, f64::NAN, 1.0, 1.0]];
    assert_eq!(run(minimize().pruner(PatientPruning::new(3)), NAN), [2]);
    assert_eq!(run(minimize(), NAN), [4]);
}

/// The same seed, the same trials; another seed, others.
#[test]
fn the_seed_decides() {
    let run = |seed: u64| {
        let study = Study::minimize("value").trials(20).seed(seed).silent();
        study.run(|trial| trial.float("x", 0.0..=1.0).get()).unwrap()
    };
    assert_eq!(timeless(&run(1)), timeless(&run(1)));
    assert_ne!(timeless(&run(1)), timeless(&run(2)));
    // The order in which a trial asks does not matter.
    let first = |names: [&'static str; 2]| {
        let study = Study::minimize("value").sampler(Random).trials(1).silent();
        let trials = study.run(move |trial| {
            names.iter().try_for_each(|name| trial.float(*name, 0.0..=1.0).get().map(drop))?;
            Ok(0.0)
        });
        trials.unwrap().records()[0].float("a").unwrap()
    };
    assert_eq!(first(["a", "b"]), first(["b", "a"]));
}

/// Every picture names what it shows; a study without a score has none.
#[cfg(feature = "plot")]
#[test]
fn pictures_name_what_they_show() {
    use axone::search::Picture::{History, Importance, Parallel, Slices};
    let study = Study::maximize("accuracy").pruner(MedianPruning::new()).trials(30).silent();
    let trials = study.run(|trial| {
        let (rate, kind) = (trial.float("rate", 1e-4..=1.0).log().get()?, trial.choice("kind", &["plain", "odd"])?);
        let value = if kind == "odd" { trial.float("only_odd", 0.0..=1.0).get()? } else { rate };
        trial.report(1, value)?;
        Ok(if trial.number() == 3 { f64::INFINITY } else { value })
    });
    let trials = trials.unwrap();
    assert!(trials.to_string().contains("pruned"), "{trials}");
    for (picture, words) in [
        (History, &["score by trial", "accuracy", "best so far", "pruned"][..]),
        (Parallel, &["rate", "kind", "only_odd", "accuracy", "plain", "odd"]),
        (Slices, &["rate", "kind", "only_odd", "accuracy", "log10", "0 &quot;plain&quot;, 1 &quot;odd&quot;"]),
        (Importance, &["rate", "kind", "only_odd", "PED-ANOVA"]),
    ] {
        let svg = trials.to_svg(picture).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{picture:?}");
        for word in words {
            assert!(svg.contains(word), "{picture:?} lacks {word}");
        }
    }
    let none = Study::minimize("loss").trials(2).silent().run(|trial| {
        trial.float("x", 0.0..=1.0).get()?;
        Ok(f64::NAN)
    });
    let error = none.unwrap().to_svg(History).unwrap_err().to_string();
    assert_eq!(error, "study: none of 2 trials has a score");
}

/// A range that is a whole number of steps ends in the number that was written, whatever the multiplication rounds to:
/// 3 · 0.1 and 6 · 0.1 are above 0.3 and 0.6.
#[test]
fn the_last_step_is_within_the_range() {
    for end in [0.3, 0.6, 0.9] {
        let study = Study::maximize("value").sampler(Random).trials(40).silent();
        let trials = study.run(|trial| trial.float("x", 0.0..=end).step(0.1).get()).unwrap();
        assert_eq!(trials.best().unwrap().score, end);
    }
}

/// A grid names numbers and options as the objective has them, whatever their text.
#[test]
fn a_grid_finds_options_by_their_debug_text() {
    let alphas = [1e-5, 0.001, 1.0, 1e6];
    let study = Study::maximize("value").sampler(Grid::new().values("alpha", alphas)).silent();
    let trials = study.run(|trial| trial.choice("alpha", &alphas)).unwrap();
    assert_eq!(trials.records().iter().map(|record| record.score).collect::<Vec<_>>(), alphas);

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Norm {
        One,
        Inf,
        Infinity,
        NaN,
    }
    let norms = [Norm::One, Norm::Inf, Norm::Infinity, Norm::NaN];
    let study = Study::maximize("value").sampler(Grid::new().values("norm", norms)).silent();
    let trials = study.run(|trial| {
        let norm = trial.choice("norm", &norms)?;
        Ok(norms.iter().position(|own| *own == norm).unwrap() as f64)
    });
    let scores: Vec<f64> = trials.unwrap().records().iter().map(|record| record.score).collect();
    assert_eq!(scores, [0.0, 1.0, 2.0, 3.0]);
}
