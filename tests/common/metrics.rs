//! The metrics of models, on any device, against the functions of `axone::metrics` on what the model predicts. Both see
//! the same f32 numbers and finish in f64: sums of some 50 terms, in two orders, `64 u` of f64 apart (and 1 at most).

use super::api::{branched, classifier, flat, images, samples};
use super::{U64, assert_none, differences, labels, matrix};
use axone::metrics::{self, ConfusionMatrix};
use axone::prelude::*;

const AVERAGES: [Average; 3] = [Average::Macro, Average::Micro, Average::Weighted];

fn weights(rows: usize) -> Vec<f32> {
    (0..rows).map(|row| 0.25 * (row % 5) as f32).collect()
}

fn compare(evaluation: &axone::train::Evaluation, want: &[(&str, f64)]) {
    let names: Vec<&str> = evaluation.values.iter().map(|(name, _)| name.as_str()).collect();
    let all: Vec<&str> = want.iter().map(|(name, _)| *name).collect();
    assert_eq!(names[2..], all);
    for (name, want) in want {
        let got = evaluation.get(name).unwrap();
        assert_none(&differences(name, &[got], &[*want], |_| 64.0 * U64 * want.abs().max(1.0)));
    }
}

/// A row for which the model gives NaN is wrong, missed and undecided, neither of the first class nor a no. In f32: f64
/// does not overflow here.
pub fn nan_is_no_class(device: &Device) {
    let labels = [1, 0, 0, 1];
    let one_hot = axone::data::one_hot(&labels, 2).unwrap();
    for (units, loss, average, targets) in [
        (2, Loss::CategoricalCrossEntropy, Average::Macro, Targets::from(labels)),
        (2, Loss::CategoricalCrossEntropy, Average::Macro, one_hot.into()),
        (1, Loss::BinaryCrossEntropy, Average::Binary, labels.into()),
    ] {
        let net = Sequential::new(1).add(Dense::new(2).without_bias()).add(Dense::new(units).without_bias());
        let mut model = net.compile(device.clone(), loss, Sgd::new(0.1)).unwrap();
        let mut weights = model.weights().unwrap();
        weights[0].data = vec![1e30, 2e30];
        // The last two rows are infinite in both units of the first layer, and their difference NaN.
        weights[1].data = if units == 1 { vec![-1.0, 1.0] } else { vec![1.0, -1.0, -1.0, 1.0] };
        model.set_weights(&weights).unwrap();
        model.set_metrics([Metric::Recall(average), Metric::Precision(average)]).unwrap();
        let data = Dataset::new([[1e-30], [-1e-30], [1e30], [1e30]], targets).unwrap();
        let evaluation = model.evaluate(&data).unwrap();
        let values: Vec<f64> = evaluation.values.iter().skip(1).map(|(_, value)| *value).collect();
        assert_eq!(values, [0.5, 0.5, 1.0], "accuracy, recall, precision of {units} columns");
        let matrix = evaluation.confusion_matrix().unwrap();
        assert_eq!(matrix.to_string(), "truth  0  1  NaN\n    0  1  0    1\n    1  0  1    1");
        assert_eq!((matrix.undecided(1), matrix.undecided(2), matrix.share(1, 1)), (1.0, 0.0, 0.5));
    }
}

fn largest(row: &[f32]) -> u32 {
    (0..row.len()).rev().max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap() as u32
}

/// Classes, from labels and from one-hot rows, in batches of which the last is padded.
pub fn of_classes(device: &Device) {
    let mut model = classifier(device, Adam::new(0.01));
    let [macro_, micro, weighted] = AVERAGES;
    let list = [
        Metric::TopK(2),
        Metric::F1(macro_),
        Metric::Precision(micro),
        Metric::Recall(weighted),
        Metric::RocAuc,
        Metric::Accuracy,
        Metric::ConfusionMatrix,
    ];
    model.set_metrics(list).unwrap();
    let rows = 53;
    let x = matrix(5, rows, 5);
    let truth = labels(&x, 3);
    let one_hot = axone::data::one_hot(&truth, 3).unwrap();
    for targets in [Targets::from(truth.clone()), Targets::from(one_hot)] {
        let data = Dataset::new(x.clone(), targets).unwrap().with_weights(weights(rows)).unwrap();
        let scores = model.predict(&x).unwrap();
        let predicted: Vec<u32> = scores.iter_rows().map(largest).collect();
        let w = data.weights();
        let evaluation = model.evaluate(&data).unwrap();
        let want = [
            ("top_2_accuracy", metrics::top_k(&truth, &scores, 2, w).unwrap()),
            ("f1_macro", metrics::f1(&truth, &predicted, macro_, w).unwrap()),
            ("precision_micro", metrics::precision(&truth, &predicted, micro, w).unwrap()),
            ("recall_weighted", metrics::recall(&truth, &predicted, weighted, w).unwrap()),
            ("auc", metrics::roc_auc_ovr(&truth, &scores, w).unwrap()),
        ];
        compare(&evaluation, &want);
        assert!(want.iter().all(|(_, value)| *value > 0.05 && *value < 0.999), "{want:?} tell nothing");
        let matrix = ConfusionMatrix::new(&truth, &predicted, w).unwrap();
        assert_eq!(evaluation.confusion_matrix(), Some(&matrix));
    }
}

/// One column of yes or no, from a sigmoid and from a hinge.
pub fn of_answers(device: &Device) {
    let rows = 53;
    let x = matrix(6, rows, 4);
    let truth: Vec<u32> = x.iter_rows().map(|row| u32::from(row[0] + row[1] * row[2] > 0.1)).collect();
    for (loss, activation) in [
        (Loss::BinaryCrossEntropy, axone::layers::Activation::Sigmoid),
        (Loss::BinaryCrossEntropy, axone::layers::Activation::HardSigmoid),
        (Loss::Focal { gamma: 2.0, alpha: Some(0.25) }, axone::layers::Activation::Sigmoid),
        (Loss::Hinge, axone::layers::Activation::Identity),
    ] {
        let net = Sequential::new(4).add(Dense::new(1).activation(activation));
        let mut model = net.compile(device.clone(), loss, Sgd::new(0.1)).unwrap();
        model.set_metrics([Metric::F1(Average::Binary), Metric::Recall(Average::Macro), Metric::RocAuc]).unwrap();
        let data = Dataset::new(x.clone(), truth.clone()).unwrap().with_weights(weights(rows)).unwrap();
        let scores = model.predict(&x).unwrap().into_data();
        let threshold = if loss == Loss::Hinge { 0.0 } else { 0.5 };
        let predicted: Vec<u32> = scores.iter().map(|score| u32::from(*score > threshold)).collect();
        let evaluation = model.evaluate(&data).unwrap();
        let want = [
            ("f1", metrics::f1(&truth, &predicted, Average::Binary, data.weights()).unwrap()),
            ("recall_macro", metrics::recall(&truth, &predicted, Average::Macro, data.weights()).unwrap()),
            ("auc", metrics::roc_auc(&truth, &scores, data.weights()).unwrap()),
        ];
        compare(&evaluation, &want);
        assert!(evaluation.roc_curve().is_some_and(|curve| (curve.auc() - want[2].1).abs() < 1e-12));
    }
}

/// Numbers in two columns; the worth of a column is its own.
pub fn of_numbers(device: &Device) {
    let rows = 53;
    let (x, y) = (matrix(7, rows, 4), matrix(8, rows, 2).map(|y| 3.0 + y));
    let net = Sequential::new(4).add(Dense::new(2));
    let mut model = net.compile(device.clone(), Loss::LogCosh, Sgd::new(0.1)).unwrap();
    let squares = [Metric::MeanSquaredError, Metric::RootMeanSquaredError];
    model.set_metrics(squares.into_iter().chain([Metric::MeanAbsolutePercentageError, Metric::R2])).unwrap();
    let data = Dataset::new(x.clone(), y.clone()).unwrap().with_weights(weights(rows)).unwrap();
    let predicted = model.predict(&x).unwrap();
    let column = |m: &Matrix, c: usize| m.iter_rows().map(|row| row[c]).collect::<Vec<f32>>();
    type Function = fn(&[f32], &[f32], Option<&[f32]>) -> Result<f64>;
    let over = |f: Function| {
        (0..2).map(|c| f(&column(&y, c), &column(&predicted, c), data.weights()).unwrap()).sum::<f64>() / 2.0
    };
    let evaluation = model.evaluate(&data).unwrap();
    let mse = evaluation.get("mse").unwrap();
    // The squared error of a row is logged in f32: two differences, squares, a sum and a half.
    assert_none(&differences("mse", &[mse], &[over(metrics::mse)], |_| 6.0 * super::U32 * mse));
    let want = [("mse", mse), ("rmse", mse.sqrt()), ("mape", over(metrics::mape)), ("r2", over(metrics::r2))];
    compare(&evaluation, &want);
}

/// Metrics report; they train nothing. And they may change between two runs.
pub fn metrics_change_no_weight(device: &Device) {
    let (data, settings) = (samples(21), Fit::new().epochs(2).batch_size(4).silent());
    let mut plain = classifier(device, Adam::new(0.01));
    plain.fit(&data, &settings).unwrap();
    plain.fit(&data, &settings).unwrap();
    let mut model = classifier(device, Adam::new(0.01));
    model.set_metrics([Metric::RocAuc, Metric::TopK(2), Metric::F1(Average::Macro)]).unwrap();
    let history = model.fit(&data, &settings.clone().validation(&data)).unwrap();
    let names = ["loss", "accuracy", "auc", "top_2_accuracy", "f1_macro"];
    assert_eq!(history.names()[..5], names);
    assert_eq!(history.names()[5..], names.map(|name| format!("val_{name}")));
    model.set_metrics([]).unwrap();
    assert_eq!(model.fit(&data, &settings).unwrap().names(), ["loss", "accuracy"]);
    assert_eq!(flat(model.weights().unwrap()), flat(plain.weights().unwrap()));
}

/// Several outputs, each with metrics and a weight of its own.
pub fn of_several_outputs(device: &Device) {
    let mut model = branched(device);
    let data = images(21);
    model.set_metrics_of("digit", [Metric::TopK(2)]).unwrap();
    model.set_metrics_of("size", [Metric::R2]).unwrap();
    let evaluation = model.evaluate(&data).unwrap();
    let names: Vec<&str> = evaluation.values.iter().map(|(name, _)| name.as_str()).collect();
    let wanted = ["loss", "digit_loss", "digit_accuracy", "digit_top_2_accuracy", "size_loss", "size_mae", "size_r2"];
    assert_eq!(names, wanted);
    assert!(evaluation.values.iter().all(|(_, value)| value.is_finite()), "{evaluation:?}");
}

/// A loss that counts twice is a learning rate twice as large: powers of two lose no bit.
pub fn a_weighted_loss_takes_larger_steps(device: &Device) {
    let net = Sequential::new(5).add(Dense::new(3).activation(axone::layers::Activation::Softmax));
    let (data, settings) = (samples(21), Fit::new().epochs(2).batch_size(4).silent());
    let loss = Loss::CategoricalCrossEntropy;
    let mut weighted = net.compile(device.clone(), [(loss, 2.0)], Sgd::new(0.125)).unwrap();
    let mut plain = net.compile(device.clone(), loss, Sgd::new(0.25)).unwrap();
    // The weight is one dispatch more; loss and gradient are still taken in one.
    let steps =
        |model: &Model| model.program().plan(axone::model::Purpose::Train, 4, &[true], true).unwrap().steps.len();
    assert_eq!(steps(&weighted), steps(&plain) + 1);
    let (a, b) = (weighted.fit(&data, &settings).unwrap(), plain.fit(&data, &settings).unwrap());
    assert_eq!(flat(weighted.weights().unwrap()), flat(plain.weights().unwrap()));
    assert_eq!(a.last("loss"), b.last("loss").map(|loss| 2.0 * loss));
}
