//! Metrics against scikit-learn (`tests/fixtures/metrics/generate.py`), on models, and what is refused.
//!
//! Both sides sum some 100 products in f64, in orders of their own: `128 u` of f64 of the larger of the value and 1.

use crate::common::fixtures::folder;
use crate::common::{U64, assert_none, differences, metrics as common, own_metrics};
use axone::metrics::{self, ConfusionMatrix};
use axone::prelude::*;
use axone::search::{CrossValidation, Grid, Study};
use serde_json::Value;

fn cases(kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder().join("metrics/metrics.json")).unwrap();
    let all: Value = serde_json::from_str(&text).unwrap();
    all[kind].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
}

fn narrow(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|x| x as f32).collect()
}

fn classes(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|x| x as u32).collect()
}

fn weights(case: &Value) -> Option<Vec<f32>> {
    case["weights"].as_array().map(|_| narrow(&case["weights"]))
}

/// Null is NaN.
fn check(case: &Value, name: &str, got: f64) {
    let want = case[name].as_f64();
    let what = format!("{}: {name}", case["name"]);
    match want {
        None => assert!(got.is_nan() && case[name].is_null(), "{what}: {got}"),
        Some(want) => assert_none(&differences(&what, &[got], &[want], |_| 128.0 * U64 * want.abs().max(1.0))),
    }
}

#[test]
fn classes_are_scikit_learns() {
    let mut compared = 0;
    for case in cases("classes") {
        let (truth, predicted, weights) = (classes(&case["truth"]), classes(&case["predicted"]), weights(&case));
        let w = weights.as_deref();
        check(&case, "accuracy", metrics::accuracy(&truth, &predicted, w).unwrap());
        let averages = [
            (Average::Binary, "binary"),
            (Average::Macro, "macro"),
            (Average::Micro, "micro"),
            (Average::Weighted, "weighted"),
        ];
        for (average, name) in averages {
            if case[format!("f1_{name}")].is_null() {
                assert!(metrics::f1(&truth, &predicted, average, w).is_err());
                continue;
            }
            check(&case, &format!("precision_{name}"), metrics::precision(&truth, &predicted, average, w).unwrap());
            check(&case, &format!("recall_{name}"), metrics::recall(&truth, &predicted, average, w).unwrap());
            check(&case, &format!("f1_{name}"), metrics::f1(&truth, &predicted, average, w).unwrap());
            compared += 3;
        }
        let matrix = ConfusionMatrix::new(&truth, &predicted, w).unwrap();
        for (i, row) in case["confusion"].as_array().unwrap().iter().enumerate() {
            let got: Vec<f64> = (0..matrix.classes()).map(|j| matrix.count(i, j)).collect();
            assert_none(&differences("confusion", &got, &numbers(row), |_| 128.0 * U64 * 100.0));
        }
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn scores_are_scikit_learns() {
    for case in cases("scores") {
        let (truth, scores, weights) = (classes(&case["truth"]), narrow(&case["scores"]), weights(&case));
        check(&case, "auc", metrics::roc_auc(&truth, &scores, weights.as_deref()).unwrap());
        let curve = metrics::roc_curve(&truth, &scores, weights.as_deref()).unwrap();
        let (fpr, tpr) = (numbers(&case["fpr"]), numbers(&case["tpr"]));
        assert_eq!(curve.points().len(), fpr.len(), "{}", case["name"]);
        for ((point, fpr), tpr) in curve.points().iter().zip(fpr).zip(tpr) {
            for (got, want) in [(point.false_positive_rate, fpr), (point.true_positive_rate, tpr)] {
                assert!((got - want).abs() <= 128.0 * U64 || (got.is_nan() && want.is_nan()), "{}", case["name"]);
            }
        }
        // Exact in f32; the reader of JSON may be off by the last bit of f64.
        let thresholds: Vec<f32> = curve.points()[1..].iter().map(|point| point.threshold as f32).collect();
        assert_eq!(thresholds, narrow(&case["thresholds"])[1..]);
    }
}

#[test]
fn precision_recall_is_scikit_learns() {
    for case in cases("scores") {
        let (truth, scores, weights) = (classes(&case["truth"]), narrow(&case["scores"]), weights(&case));
        let curve = metrics::precision_recall_curve(&truth, &scores, weights.as_deref()).unwrap();
        check(&case, "average_precision", curve.average_precision());
        let (precision, recall): (Vec<f64>, Vec<f64>) =
            curve.points().iter().map(|point| (point.precision, point.recall)).unzip();
        assert_none(&differences("precision", &precision, &numbers(&case["precision"]), |_| 128.0 * U64));
        assert_none(&differences("recall", &recall, &numbers(&case["recall"]), |_| 128.0 * U64));
    }
}

#[test]
fn calibration_is_scikit_learns() {
    for case in cases("calibration") {
        let (truth, scores, bins) = (classes(&case["truth"]), narrow(&case["scores"]), case["bins"].as_u64().unwrap());
        let curve = metrics::calibration_curve(&truth, &scores, bins as usize, None).unwrap();
        let filled = curve.bins().iter().filter(|bin| bin.weight > 0.0);
        let (observed, predicted): (Vec<f64>, Vec<f64>) = filled.map(|bin| (bin.observed, bin.predicted)).unzip();
        assert_none(&differences("observed", &observed, &numbers(&case["observed"]), |_| 128.0 * U64));
        assert_none(&differences("predicted", &predicted, &numbers(&case["predicted"]), |_| 128.0 * U64));
        assert_eq!(curve.bins().iter().map(|bin| bin.weight).sum::<f64>(), truth.len() as f64);
    }
    let refused = |truth: &[u32], scores: &[f32], bins| text(metrics::calibration_curve(truth, scores, bins, None));
    assert_eq!(
        refused(&[0, 1], &[0.5, 1.5], 4),
        "calibration probabilities row 1: 1.5 is not a probability from 0 to 1"
    );
    assert_eq!(refused(&[0, 2], &[0.5, 0.5], 4), "calibration truth row 1: 2 is neither 0 nor 1");
    assert_eq!(refused(&[0, 1], &[0.5, 0.5], 0), "calibration: bins must be 1 to 1000, got 0");
}

#[test]
fn scores_of_several_classes_are_scikit_learns() {
    for case in cases("several") {
        let rows: Vec<Vec<f32>> = case["scores"].as_array().unwrap().iter().map(narrow).collect();
        let scores = Matrix::new(rows.len(), 4, rows.concat()).unwrap();
        let (truth, weights) = (classes(&case["truth"]), weights(&case));
        check(&case, "auc", metrics::roc_auc_ovr(&truth, &scores, weights.as_deref()).unwrap());
        let top = (1..=4).map(|k| metrics::top_k(&truth, &scores, k, weights.as_deref()).unwrap());
        let top: Vec<f64> = top.collect();
        assert_none(&differences("top k", &top, &numbers(&case["top"]), |_| 128.0 * U64));
    }
}

#[test]
fn numbers_are_scikit_learns() {
    for case in cases("numbers") {
        let (truth, predicted, weights) = (narrow(&case["truth"]), narrow(&case["predicted"]), weights(&case));
        let w = weights.as_deref();
        check(&case, "mse", metrics::mse(&truth, &predicted, w).unwrap());
        check(&case, "rmse", metrics::rmse(&truth, &predicted, w).unwrap());
        check(&case, "mae", metrics::mae(&truth, &predicted, w).unwrap());
        check(&case, "mape", metrics::mape(&truth, &predicted, w).unwrap());
        check(&case, "r2", metrics::r2(&truth, &predicted, w).unwrap());
    }
}

#[test]
fn balanced_weights_are_scikit_learns() {
    for case in cases("balanced") {
        let labels = classes(&case["labels"]);
        let data = Dataset::new(Matrix::new(labels.len(), 1, vec![0.5; labels.len()]).unwrap(), labels).unwrap();
        let got = data.balanced_class_weights().unwrap();
        for (class, want) in numbers(&case["classes"]).into_iter().zip(numbers(&case["weights"])) {
            assert_eq!(got[class as usize], want as f32);
        }
        assert!((data.with_balanced_classes().unwrap().weights().unwrap().iter().sum::<f32>() > 0.0));
    }
}

#[test]
fn models_report_what_the_functions_give() {
    for device in [Device::cpu(), Device::cpu_f64()] {
        common::of_classes(&device);
        common::of_answers(&device);
        common::of_numbers(&device);
        common::of_several_outputs(&device);
        common::metrics_change_no_weight(&device);
        common::a_weighted_loss_takes_larger_steps(&device);
    }
}

#[test]
fn a_users_own_is_a_metric_like_any_other() {
    [Device::cpu(), Device::cpu_f64()].iter().for_each(own_metrics::of_users_own);
}

#[test]
fn a_users_own_that_does_not_fit_is_refused_by_name() {
    own_metrics::what_a_users_own_may_not_be(&Device::cpu());
}

/// A search learns from the metric that more is better, if the study was not told.
#[test]
fn a_search_goes_by_a_users_own() {
    let (_, data) = own_metrics::answers(&Device::cpu());
    let trials = |study: &Study, cv: &CrossValidation, metric: fn() -> Metric| {
        let study = study.clone().sampler(Grid::new().values("epochs", [1, 60])).silent();
        study.run_folds(&data, cv, |trial, fold| {
            let (mut model, _) = own_metrics::answers(&Device::cpu());
            model.set_metrics([metric()])?;
            model.fit(fold.train(), &Fit::new().epochs(trial.int("epochs", 1..=60).get()?).batch_size(8).silent())?;
            Ok(model)
        })
    };
    let search = |cv: CrossValidation, metric| trials(&Study::of(&cv), &cv, metric);
    let cv = |score: &str| CrossValidation::stratified(2).score(score).threads(1);
    let (hits, cost) = (|| Metric::custom(own_metrics::HITS), || Metric::custom(own_metrics::Cost));
    let epochs = |trials: axone::search::Trials| trials.best().unwrap().number;
    assert_eq!(epochs(search(cv("hits").maximize(), hits).unwrap()), 1);
    assert_eq!(epochs(search(cv("hits").minimize(), hits).unwrap()), 0);
    assert_eq!(epochs(search(cv("cost"), cost).unwrap()), 1);
    let error = search(cv("hits"), hits).unwrap_err().to_string();
    let wanted = "one whose name tells what is better, or CrossValidation::maximize called";
    assert_eq!(error, format!("cross_validate: score must be {wanted}, got hits"));
    // What a study was told itself stands.
    assert_eq!(epochs(trials(&Study::maximize("hits"), &cv("hits"), hits).unwrap()), 1);
}

#[test]
fn nan_is_no_class() {
    common::nan_is_no_class(&Device::cpu());
}

/// Every loss that is new, in a model: its gradient, and that it falls.
#[test]
fn losses_train() {
    let x = crate::common::matrix(5, 24, 3);
    let labels = crate::common::labels(&x, 3);
    let distribution = Matrix::new(24, 3, [0.5, 0.25, 0.25].repeat(24)).unwrap();
    let bits = Matrix::new(24, 3, (0..72).map(|i| (i / 3 % 2) as f32).collect()).unwrap();
    let signs = bits.clone().map(|bit| 2.0 * bit - 1.0);
    let numbers = crate::common::matrix(9, 24, 3);
    let counts = Matrix::new(24, 3, (0..72).map(|i| (i % 4) as f32).collect()).unwrap();
    let (none, sigmoid, softmax) = (Activation::Identity, Activation::Sigmoid, Activation::Softmax);
    let cases: [(Loss, Activation, Targets); 12] = [
        (Loss::CategoricalFocal(2.0), softmax, labels.clone().into()),
        (Loss::CategoricalFocal(0.0), none, axone::data::one_hot(&labels, 3).unwrap().into()),
        (Loss::KullbackLeibler, softmax, distribution.into()),
        (Loss::Focal { gamma: 2.0, alpha: Some(0.25) }, sigmoid, bits.clone().into()),
        (Loss::Focal { gamma: 0.0, alpha: None }, none, bits.clone().into()),
        (Loss::Hinge, none, bits.into()),
        (Loss::SquaredHinge, none, signs.into()),
        (Loss::Poisson, none, counts.clone().into()),
        (Loss::Poisson, Activation::Softplus, counts.into()),
        (Loss::LogCosh, none, numbers.clone().into()),
        (Loss::Quantile(0.8), none, numbers.clone().into()),
        (Loss::Cosine, none, numbers.into()),
    ];
    for (loss, activation, targets) in cases {
        let net = Sequential::new(3).add(Dense::new(4).activation(Activation::Tanh));
        let net = net.add(Dense::new(3).activation(activation));
        let mut model = net.compile(Device::cpu(), [(loss, 0.5)], Adam::new(0.01)).unwrap();
        let data = Dataset::new(x.clone(), targets).unwrap();
        let report = axone::check::gradient_check(&mut model, &data).unwrap();
        assert_eq!(report.failed(), 0, "{loss:?}: {report}");
        let before = model.evaluate(&data).unwrap().loss();
        let history = model.fit(&data, &Fit::new().epochs(20).batch_size(8).silent()).unwrap();
        assert!(history.last("loss").unwrap() < before, "{loss:?}: {before} and then {:?}", history.last("loss"));
    }
    // Without its focus a focal loss is the cross-entropy.
    let value = |loss| {
        let net = Sequential::new(3).add(Dense::new(3));
        let mut model = net.compile(Device::cpu(), loss, Adam::new(0.01)).unwrap();
        model.evaluate(&Dataset::new(x.clone(), labels.clone()).unwrap()).unwrap().loss()
    };
    assert_eq!(value(Loss::CategoricalFocal(0.0)), value(Loss::CategoricalCrossEntropy));
}

fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn metrics_that_do_not_fit_are_refused_by_name() {
    let compile =
        |units, loss: Loss| Sequential::new(2).add(Dense::new(units)).compile(Device::cpu(), loss, Sgd::new(0.1));
    let mut classes = compile(3, Loss::CategoricalCrossEntropy).unwrap();
    let mut answers = compile(2, Loss::BinaryCrossEntropy).unwrap();
    let mut vast = compile(4097, Loss::CategoricalCrossEntropy).unwrap();
    let mut numbers = compile(1, Loss::MeanSquaredError).unwrap();
    for (got, want) in [
        (
            classes.set_metrics([Metric::TopK(0)]),
            "dense_1: top_0_accuracy: k must be from 1 to 3, the number of classes, got 0",
        ),
        (
            classes.set_metrics([Metric::TopK(4)]),
            "dense_1: top_4_accuracy: k must be from 1 to 3, the number of classes, got 4",
        ),
        (
            classes.set_metrics([Metric::R2]),
            "dense_1: r2: output must be numbers, got categorical_cross_entropy of 3 columns",
        ),
        (
            classes.set_metrics([Metric::F1(Average::Binary)]),
            "dense_1: f1: average must be Macro, Micro or Weighted for 3 classes, got Binary",
        ),
        (classes.set_metrics([Metric::RocAuc, Metric::RocAuc]), "metrics[1]: metric must be there once, got auc"),
        (
            answers.set_metrics([Metric::RocAuc]),
            "dense_1: auc: output must be classes, or yes and no in one column, got binary_cross_entropy of 2 columns",
        ),
        (
            numbers.set_metrics([Metric::RocAuc]),
            "dense_1: auc: output must be classes, or yes and no in one column, got mean_squared_error of 1 column",
        ),
        (
            numbers.set_metrics([Metric::TopK(1)]),
            "dense_1: top_1_accuracy: output must be classes, got mean_squared_error of 1 column",
        ),
        (
            numbers.set_metrics([Metric::Accuracy]),
            "dense_1: accuracy: output must be classes or yes and no, got mean_squared_error of 1 column",
        ),
        (
            vast.set_metrics([Metric::F1(Average::Macro), Metric::ConfusionMatrix]),
            "dense_1: confusion_matrix: classes must be at most 4096, got 4097",
        ),
        (numbers.set_metrics_of("size", []), "set_metrics_of: output must be one of dense_1, got size"),
    ] {
        assert_eq!(text(got), want);
    }
    // What was refused changed nothing.
    let data = Dataset::new([[0.5, 1.0], [1.0, 0.5]], [0, 2]).unwrap();
    assert_eq!(classes.evaluate(&data).unwrap().values.len(), 2);
}

#[test]
fn slices_that_do_not_go_together_are_refused_by_name() {
    let (t, p) = ([0, 1, 1], [0, 1, 0]);
    for (got, want) in [
        (metrics::f1(&[], &[], Average::Macro, None), "f1: no rows"),
        (metrics::f1(&t, &p[..2], Average::Macro, None), "f1 predicted: expected 3 values, one a row, got 2"),
        (metrics::accuracy(&t, &p, Some(&[1.0])), "accuracy weights: expected 3 values, one a row, got 1"),
        (
            metrics::recall(&t, &p, Average::Macro, Some(&[1.0, -1.0, 0.0])),
            "recall weights row 1: a weight must be finite and at least 0, got -1",
        ),
        (metrics::recall(&t, &p, Average::Macro, Some(&[0.0; 3])), "recall weights: every weight is 0"),
        (
            metrics::precision(&[0, 2], &[0, 1], Average::Binary, None),
            "precision: average must be Macro, Micro or Weighted for 3 classes, got Binary",
        ),
        (metrics::f1(&[u32::MAX], &[0], Average::Macro, None), "f1: labels must be less than 16777216, got 4294967295"),
        (metrics::roc_auc(&[0, 2], &[0.5, 0.5], None), "roc truth row 1: 2 is neither 0 nor 1"),
        (metrics::roc_auc(&[0, 1], &[0.5, f32::NAN], None), "roc scores row 1: NaN is no score"),
        (metrics::top_k(&[3], &[[0.5, 0.5]].into(), 1, None), "top_k truth row 0: class 3, but there are 2 scores"),
        (
            metrics::top_k(&[0], &[[0.5, 0.5]].into(), 3, None),
            "top_k: k must be from 1 to 2, the number of classes, got 3",
        ),
        (metrics::r2(&[1.0, f32::INFINITY], &[1.0, 1.0], None), "r2 truth row 1: inf is not a finite number"),
    ] {
        assert_eq!(text(got), want);
    }
    assert_eq!(
        text(ConfusionMatrix::new(&[4096], &[0], None)),
        "confusion_matrix: labels must be less than 4096, got 4096"
    );
    let matrix = ConfusionMatrix::new(&t, &p, None).unwrap();
    assert_eq!(text(matrix.clone().with_labels(["one"])), "confusion_matrix: expected 2 labels, got 1");
    let many = text(matrix.clone().with_labels(vec!["x"; 4097]));
    assert_eq!(many, "confusion_matrix: labels must be at most 4096, got 4097");
    // Names of a class that does not occur here.
    let matrix = matrix.with_labels(["a", "b", "c"]).unwrap();
    assert_eq!(matrix.to_string(), "truth  a  b  c\n    a  1  0  0\n    b  1  1  0\n    c  0  0  0");
}

#[test]
fn losses_out_of_range_are_refused_by_name() {
    let net = Sequential::new(2).add(Dense::new(2));
    let compile = |losses: axone::model::Losses| text(net.compile(Device::cpu(), losses, Sgd::new(0.1)));
    for (loss, want) in [
        (Loss::Quantile(1.0), "quantile: quantile must be more than 0 and less than 1, got 1"),
        (Loss::Focal { gamma: -1.0, alpha: None }, "focal: gamma must be at least 0 and finite, got -1"),
        (Loss::Focal { gamma: 2.0, alpha: Some(0.0) }, "focal: alpha must be more than 0 and less than 1, got 0"),
        (Loss::CategoricalFocal(f32::NAN), "categorical_focal: gamma must be at least 0 and finite, got NaN"),
    ] {
        assert_eq!(compile(loss.into()), want);
    }
    let weighted = |weight: f32| compile([(Loss::MeanSquaredError, weight)].into());
    let wanted = "losses[0] (mean_squared_error): weight must be at least 0 and finite, got ";
    assert_eq!([weighted(-0.25), weighted(f32::INFINITY)], [format!("{wanted}-0.25"), format!("{wanted}inf")]);
    let tanh = Sequential::new(2).add(Dense::new(2).activation(Activation::Tanh));
    let tanh = |loss: Loss| text(tanh.compile(Device::cpu(), loss, Sgd::new(0.1)));
    assert_eq!(tanh(Loss::Hinge), "dense_1: activation must be none for hinge, got tanh");
    assert_eq!(
        tanh(Loss::Poisson),
        "dense_1: activation must be none or one with values from 0 up for poisson, got tanh"
    );
}

#[test]
fn targets_out_of_range_are_refused_by_name() {
    let fit = |loss: Loss, targets: Targets| {
        let mut model =
            Sequential::new(1).add(Dense::new(targets.width().max(2))).compile(Device::cpu(), loss, Sgd::new(0.1))?;
        model.evaluate(&Dataset::new(Matrix::new(targets.len(), 1, vec![0.5; targets.len()])?, targets)?)
    };
    let rows = |values: [[f32; 2]; 2]| Targets::from(values);
    for (loss, targets, want) in [
        (
            Loss::Hinge,
            rows([[1.0, 0.0], [0.5, 1.0]]),
            "targets[0] row 1, column 0: 0.5 is neither 0 nor 1, which hinge needs",
        ),
        (
            Loss::Hinge,
            rows([[1.0, -1.0], [0.0, 1.0]]),
            "targets[0] row 1, column 0: 0 is neither -1 nor 1, which hinge needs",
        ),
        (
            Loss::Poisson,
            rows([[1.0, 0.0], [3.0, -2.0]]),
            "targets[0] row 1, column 1: -2 is less than 0, no count, which poisson needs",
        ),
        (
            Loss::KullbackLeibler,
            rows([[1.5, 0.0], [0.0, 1.0]]),
            "targets[0] row 0, column 0: 1.5 is no probability, which kullback_leibler needs",
        ),
        (
            Loss::CategoricalFocal(2.0),
            rows([[1.0, 0.0], [1.0, 1.0]]),
            "targets[0] row 1, column 0: 2 ones in the row; categorical_focal needs one",
        ),
    ] {
        assert_eq!(text(fit(loss, targets)), want);
    }
    let data = |labels: Vec<u32>| {
        Dataset::new(Matrix::new(labels.len(), 1, vec![0.5; labels.len()]).unwrap(), labels).unwrap()
    };
    for (got, want) in [
        (data(vec![0, 2]).with_class_weights(&[1.0, 1.0]), "class_weights row 1: class 2, but there are 2 weights"),
        (
            data(vec![0, 1]).with_class_weights(&[1.0, -1.0]),
            "class_weights class 1: a weight must be finite and at least 0, got -1",
        ),
        (data(vec![0, 1]).with_class_weights(&[0.0, 0.0]), "class_weights: every weight is 0"),
        (
            data(vec![0, 4_000_000_000]).with_balanced_classes(),
            "class_weights row 1: class 4000000000, but at most 16777216 classes can be weighed",
        ),
        (
            Dataset::new([[1.0]], [0.5]).unwrap().with_balanced_classes(),
            "class_weights: 0 targets hold classes; one must",
        ),
        (
            data(vec![0]).with_target([1]).unwrap().with_balanced_classes(),
            "class_weights: 2 targets hold classes; one must",
        ),
    ] {
        assert_eq!(text(got), want);
    }
}

/// The comparisons above must see a value that is off.
#[test]
fn canary_a_wrong_weight() {
    let case = cases("scores").into_iter().find(|case| case["name"] == "weighted").unwrap();
    let (truth, scores, mut weights) = (classes(&case["truth"]), narrow(&case["scores"]), weights(&case).unwrap());
    weights[3] += 0.25;
    let got = metrics::roc_auc(&truth, &scores, Some(&weights)).unwrap();
    assert!((got - case["auc"].as_f64().unwrap()).abs() > 128.0 * U64);
}

#[cfg(feature = "plot")]
#[test]
fn pictures_hold_every_number() {
    let matrix =
        ConfusionMatrix::new(&[0, 0, 0, 1, 1], &[0, 0, 1, 1, 1], None).unwrap().with_labels(["no", "<yes>"]).unwrap();
    let svg = matrix.to_svg().unwrap();
    for word in ["no", "&lt;yes&gt;", "truth", "predicted"] {
        assert!(svg.contains(word), "{word} in {svg}");
    }
    assert_eq!(svg.matches("<rect").count(), 1 + 4, "the ground and four cells");
    let curve = metrics::roc_curve(&[0, 1, 0, 1], &[0.2, 0.9, 0.6, 0.5], None).unwrap();
    assert!(curve.to_svg().unwrap().contains("AUC 0.7500"));
    let flat = metrics::roc_curve(&[1, 1], &[0.2, 0.9], None).unwrap();
    assert_eq!(text(flat.to_svg()), "roc: all rows are of one class: there is no curve");
    let many: Vec<u32> = (0..65).collect();
    let error = text(ConfusionMatrix::new(&many, &many, None).unwrap().to_svg());
    assert_eq!(error, "confusion_matrix: classes must be at most 64 to draw, got 65");
}
