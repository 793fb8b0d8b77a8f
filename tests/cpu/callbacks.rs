//! Callbacks on the CPU backend (the checks are in `tests/common/callbacks.rs`), the files they write, and the range test.

use crate::common::api::{bits, classifier, samples};
use crate::common::{callbacks, monitors};
use axone::prelude::*;
use axone::train::{Epoch, RangeTest};
use std::path::PathBuf;

#[test]
fn hooks_are_called_in_order() {
    callbacks::hooks_are_called_in_order(&Device::cpu());
}

#[test]
fn early_stopping_restores_the_best_weights() {
    callbacks::early_stopping_restores_the_best_weights(&Device::cpu());
}

#[test]
fn a_callback_may_use_the_model() {
    callbacks::a_callback_may_use_the_model(&Device::cpu());
}

#[test]
fn a_flag_ends_a_run() {
    callbacks::a_flag_ends_a_run(&Device::cpu());
}

#[test]
fn a_non_finite_number_is_named() {
    callbacks::a_non_finite_number_is_named(&Device::cpu());
}

#[test]
fn metrics_know_their_direction() {
    monitors::metrics_know_their_direction(&Device::cpu());
}

#[test]
fn a_moment_that_is_not_finite_is_named() {
    monitors::a_moment_that_is_not_finite_is_named(&Device::cpu());
}

/// A folder of its own.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("axone-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn settings() -> Fit {
    Fit::new().epochs(3).batch_size(4).silent()
}

/// Two epochs fit into the direction that the name does not say, then the value no longer moves by `min_delta`.
#[test]
fn early_stopping_counts_from_the_margin_and_the_direction() {
    let run = |stopping: EarlyStopping| {
        let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
        model.fit(&samples(20), &settings().epochs(12).callback(stopping)).unwrap()
    };
    // The loss falls in every epoch here.
    let all = run(EarlyStopping::new("loss").patience(1));
    assert_eq!((all.epochs.len(), all.stopped.as_deref()), (12, None));
    assert!(all.get("loss").is_sorted_by(|a, b| a > b), "{all}");
    // So the first one is the best of those that are to be large.
    assert_eq!(run(EarlyStopping::new("loss").patience(2).maximize()).epochs.len(), 3);
    // No fall is larger than the whole loss.
    assert_eq!(run(EarlyStopping::new("loss").patience(4).min_delta(10.0)).epochs.len(), 5);
    assert!(run(EarlyStopping::new("accuracy").minimize().patience(1)).stopped.is_some());
}

#[test]
fn a_plateau_lowers_the_rate() {
    let plateau = ReduceOnPlateau::new("loss").maximize().factor(0.5).patience(1);
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    let history = model.fit(&samples(20), &settings().epochs(6).callback(plateau)).unwrap();
    let rates: Vec<f32> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    // Epochs 2 and 3 are bad, 4 and 5 again: lower from epoch 4 and from epoch 6 on.
    assert_eq!(rates, [0.1, 0.1, 0.1, 0.05, 0.05, 0.025]);
}

#[test]
fn logs_are_the_history() {
    let folder = folder("logs");
    let (csv, json, end) = (folder.join("a.csv"), folder.join("a.jsonl"), folder.join("end.csv"));
    let fit = settings().validation(&samples(5)).callback(CsvLog::new(&csv)).callback(JsonLines::new(&json));
    let history = classifier(&Device::cpu(), Adam::default()).fit(&samples(20), &fit).unwrap();
    history.write_csv(&end).unwrap();
    let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
    assert_eq!(read(&csv), read(&end));
    let lines = read(&json);
    assert_eq!(lines.lines().count(), 3);
    for (line, Epoch { epoch, values, .. }) in lines.lines().zip(&history.epochs) {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["epoch"], *epoch);
        assert!(object["seconds"].as_f64().unwrap() > 0.0 && object["learning_rate"] == 0.001);
        for (name, value) in values {
            assert_eq!(object[name].as_f64(), Some(*value), "{line}");
        }
    }
    // A diverging run: JSON has no NaN.
    let fit = settings().callback(JsonLines::new(&json));
    let net = Sequential::new(5).add(Dense::new(1));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(1e30)).unwrap();
    model.fit(&Dataset::new(samples(4).inputs()[0].clone(), vec![1.0, 2.0, 3.0, 4.0]).unwrap(), &fit).unwrap();
    assert!(read(&json).lines().last().unwrap().contains("\"loss\":null"), "{}", read(&json));
    let broken = classifier(&Device::cpu(), Adam::default())
        .fit(&samples(8), &settings().callback(CsvLog::new(folder.join("missing").join("a.csv"))));
    assert!(matches!(broken, Err(Error::File { .. })), "{broken:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// The range test finds what it should, and the model does not see it.
#[test]
fn a_range_test_leaves_the_model_alone() {
    let data = samples(40);
    let (mut tested, mut plain) =
        (classifier(&Device::cpu(), Adam::new(0.01)), classifier(&Device::cpu(), Adam::new(0.01)));
    tested.fit(&data, &settings()).unwrap();
    plain.fit(&data, &settings()).unwrap();
    let curve = tested.range_test(&data, &RangeTest::new().batch_size(8).between(1e-5, 100.0)).unwrap();
    assert_eq!(bits(&mut tested), bits(&mut plain));
    tested.fit(&data, &settings()).unwrap();
    plain.fit(&data, &settings()).unwrap();
    assert_eq!(bits(&mut tested), bits(&mut plain), "moments or counters have changed");

    println!("{curve}");
    let rates: Vec<f64> = curve.points.iter().map(|point| point.learning_rate).collect();
    assert!(rates.is_sorted() && rates[0] == 1e-5 && rates.len() > 50, "{rates:?}");
    assert!(rates.windows(2).all(|pair| (pair[1] / pair[0] / 10f64.powf(7.0 / 99.0) - 1.0).abs() < 1e-12));
    // The first loss is that of the model as it is, on the first batch.
    assert_eq!(curve.points[0].loss, curve.points[0].smoothed);
    let steepest = curve.steepest().unwrap();
    assert!((1e-4..10.0).contains(&steepest), "{steepest}");
    assert!(curve.tenth_of_the_lowest().unwrap() < 10.0);
    #[cfg(feature = "plot")]
    {
        let svg = curve.to_svg().unwrap();
        assert!(svg.contains("steepest at") && svg.contains("log10 of the learning rate") && !svg.contains("NaN"));
    }
}

/// Each step of a range test is a training step with its rate: five steps by hand.
#[test]
fn a_range_test_trains_with_its_rates() {
    let data = samples(40);
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    let curve = model.range_test(&data, &RangeTest::new().batch_size(40).between(0.5, 2.0).smoothing(0.0)).unwrap();
    let mut weights = model.weights().unwrap();
    for point in &curve.points[..5] {
        let mut step = classifier(&Device::cpu(), Sgd::new(point.learning_rate as f32));
        step.set_weights(&weights).unwrap();
        let history = step.fit(&data, &Fit::new().epochs(1).batch_size(40).silent()).unwrap();
        // One batch of all rows, in another order: sums of 40 terms of about 1 in f32.
        assert!((history.last("loss").unwrap() - point.loss).abs() < 40.0 * crate::common::U32, "{point:?}");
        assert_eq!((point.smoothed, step.program()), (point.loss, step.program()));
        weights = step.weights().unwrap();
    }
}
