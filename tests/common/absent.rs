//! Rows of weight 0, on any device: whatever they hold, a model is trained and measured as if they were not there.

use super::api::{bits, flat};
use super::{differences, matrix};
use axone::check::compare;
use axone::layers::Activation;
use axone::prelude::*;
use axone::train::RangeTest;

const ROWS: usize = 24;
const COLS: usize = 3;

/// Every third row counts 0.
fn weights() -> Vec<f32> {
    (0..ROWS).map(|row| 0.5 * (row % 3) as f32).collect()
}

fn is_absent(row: usize) -> bool {
    row.is_multiple_of(3)
}

/// A loss, its last activation, ordinary targets by row, and the wildest that the loss takes.
type Case = (Loss, Activation, fn(usize) -> [f32; COLS], [f32; COLS]);

/// Of each kind of target.
fn losses() -> Vec<Case> {
    let any = |row: usize| [row as f32 / 8.0, 1.0, -0.5];
    let yes_no = |row: usize| [(row % 2) as f32, 1.0, 0.0];
    let one_hot = |row: usize| [0, 1, 2].map(|col| f32::from(u8::from(col == row % COLS)));
    let count = |row: usize| [(row % 5) as f32, 0.0, 2.0];
    let wild = [1e20, -3e38, 3e38];
    let corner = [1.0, 0.0, 0.0];
    vec![
        (Loss::MeanSquaredError, Activation::Identity, any, wild),
        (Loss::MeanAbsoluteError, Activation::Tanh, any, wild),
        (Loss::Huber(1.5), Activation::Identity, any, wild),
        (Loss::LogCosh, Activation::Identity, any, wild),
        (Loss::Quantile(0.8), Activation::Identity, any, wild),
        (Loss::Cosine, Activation::Identity, any, wild),
        (Loss::Poisson, Activation::Identity, count, [3e38, 1e20, 0.0]),
        (Loss::Poisson, Activation::Softplus, count, [3e38, 1e20, 0.0]),
        (Loss::BinaryCrossEntropy, Activation::Sigmoid, yes_no, corner),
        (Loss::Focal { gamma: 2.0, alpha: Some(0.25) }, Activation::Sigmoid, yes_no, corner),
        (Loss::Hinge, Activation::Identity, yes_no, corner),
        (Loss::SquaredHinge, Activation::Identity, yes_no, corner),
        (Loss::CategoricalCrossEntropy, Activation::Softmax, one_hot, corner),
        (Loss::SmoothedCrossEntropy(0.1), Activation::Softmax, one_hot, corner),
        (Loss::CategoricalFocal(2.0), Activation::Softmax, one_hot, corner),
        (Loss::KullbackLeibler, Activation::Softmax, one_hot, corner),
    ]
}

fn model(device: &Device, loss: Loss, last: Activation) -> Model {
    let net = Sequential::new(2)
        .add(Dense::new(5).activation(Activation::Silu))
        .add(Dense::new(4))
        .add(LayerNorm::new())
        .add(Dense::new(COLS).activation(last));
    net.compile(device.clone(), loss, Adam::new(0.01)).unwrap()
}

fn rows_of(x: &Matrix, y: &Matrix, kept: impl Fn(usize) -> bool) -> Dataset {
    let rows: Vec<usize> = (0..ROWS).filter(|row| kept(*row)).collect();
    let pick = |m: &Matrix| Matrix::from_rows(rows.iter().map(|row| m.row(*row).unwrap().to_vec())).unwrap();
    let weights = rows.iter().map(|row| weights()[*row]).collect();
    Dataset::new(pick(x), pick(y)).unwrap().with_weights(weights).unwrap()
}

/// The rows with numbers like any other, with wild ones where the weight is 0, and without those.
fn three(target: fn(usize) -> [f32; COLS], wild: [f32; COLS]) -> [Dataset; 3] {
    let tame = matrix(41, ROWS, 2);
    let rows = tame.iter_rows().enumerate();
    let x = rows.map(|(row, x)| if is_absent(row) { [3e38, -3e38] } else { [x[0], x[1]] });
    let x = Matrix::from_rows(x).unwrap();
    let y = Matrix::from_rows((0..ROWS).map(target)).unwrap();
    let wild = Matrix::from_rows((0..ROWS).map(|row| if is_absent(row) { wild } else { target(row) })).unwrap();
    [rows_of(&tame, &y, |_| true), rows_of(&x, &wild, |_| true), rows_of(&tame, &y, |row| !is_absent(row))]
}

fn close(what: &str, got: &[f64], want: &[f64]) {
    let found = differences(what, got, want, |i| 1e-4 * want[i].abs().max(0.1));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn wide(model: &mut Model) -> Vec<f64> {
    flat(model.weights().unwrap()).into_iter().map(f64::from).collect()
}

/// In one batch, in batches of which the last is padded, streamed, and by hand.
pub fn every_loss_passes_over_rows_of_weight_zero(device: &Device) {
    for (loss, last, target, wild) in losses() {
        let [tame, wild, without] = three(target, wild);
        let what = format!("{loss:?}");
        for settings in
            [Fit::new().batch_size(ROWS), Fit::new().batch_size(5), Fit::new().batch_size(5).data_budget(96)]
        {
            let settings = settings.epochs(3).seed(4).silent();
            let of = |data: &Dataset| {
                let mut model = model(device, loss, last);
                let history = model.fit(data, &settings).unwrap();
                (history.get("loss"), bits(&mut model), model)
            };
            let (losses, weights, mut model) = of(&wild);
            assert!(losses.iter().all(|loss| loss.is_finite()), "{what}: {losses:?}");
            let (want_losses, want_weights, _) = of(&tame);
            assert_eq!((&losses, &weights), (&want_losses, &want_weights), "{what}");
            assert_eq!(model.evaluate(&wild).unwrap(), model.evaluate(&tame).unwrap(), "{what}");
            let near = model.evaluate(&without).unwrap().loss();
            close(&what, &[model.evaluate(&wild).unwrap().loss()], &[near]);
        }
        // All rows as one batch: what is left out does not change the mean.
        let whole = |data: &Dataset| {
            let mut model = model(device, loss, last);
            let first = model.train_on_batch(data).unwrap().loss();
            model.accumulate_gradients(data).unwrap();
            model.apply_gradients().unwrap();
            (first, wide(&mut model))
        };
        let (got, want) = (whole(&wild), whole(&without));
        close(&what, &[got.0], &[want.0]);
        close(&what, &got.1, &want.1);
    }
}

/// Every metric is that of the rows that count.
pub fn metrics_pass_over_rows_of_weight_zero(device: &Device) {
    let of = |loss: Loss, last, target, wild, metrics: &[Metric]| {
        let [_, wild, without] = three(target, wild);
        let mut model = model(device, loss, last);
        model.set_metrics(metrics.iter().cloned()).unwrap();
        let (got, want) = (model.evaluate(&wild).unwrap(), model.evaluate(&without).unwrap());
        for ((name, got), (_, want)) in got.values.iter().zip(&want.values) {
            close(name, &[*got], &[*want]);
        }
        let confusion = |evaluation: &axone::train::Evaluation| evaluation.confusion_matrix().map(ToString::to_string);
        assert_eq!(confusion(&got), confusion(&want));
    };
    let all = losses();
    let (loss, last, target, wild) = all[0];
    let errors =
        [Metric::MeanSquaredError, Metric::RootMeanSquaredError, Metric::MeanAbsolutePercentageError, Metric::R2];
    of(loss, last, target, wild, &errors);
    // Class 2 stands in rows of weight 0 alone, and counts in no average.
    let two = |row: usize| if row.is_multiple_of(2) { [1.0, 0.0, 0.0] } else { [0.0, 1.0, 0.0] };
    let scores = [
        Metric::F1(Average::Macro),
        Metric::Precision(Average::Macro),
        Metric::Recall(Average::Weighted),
        Metric::TopK(2),
        Metric::RocAuc,
        Metric::ConfusionMatrix,
    ];
    of(Loss::CategoricalCrossEntropy, Activation::Softmax, two, [0.0, 0.0, 1.0], &scores);
}

/// A class of weight 0, in batches that may hold nothing else.
pub fn a_class_of_weight_zero_is_passed_over(device: &Device) {
    let x = matrix(42, 12, 2);
    let labels: Vec<u32> = (0..12).map(|row| u32::from(row >= 8)).collect();
    let data = Dataset::new(x, labels).unwrap().with_class_weights(&[1.0, 0.0]).unwrap();
    let net = Sequential::new(2).add(Dense::new(2));
    let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::new(0.1)).unwrap();
    let history = model.fit(&data, &Fit::new().epochs(2).batch_size(4).without_shuffle().silent()).unwrap();
    assert!(history.get("loss").iter().all(|loss| loss.is_finite()), "{:?}", history.get("loss"));
    assert!(wide(&mut model).iter().all(|weight| weight.is_finite()));
}

/// A range test goes on over batches of which no row counts: one row in twelve has a weight here.
pub fn a_range_test_passes_over_batches_of_weight_zero(device: &Device) {
    let weights = (0..12).map(|row| f32::from(u8::from(row == 0))).collect();
    let data = Dataset::new(matrix(43, 12, 2), vec![0.5; 12]).unwrap().with_weights(weights).unwrap();
    let net = Sequential::new(2).add(Dense::new(1));
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let settings = RangeTest::new().between(1e-6, 1e-3).steps(30).batch_size(4);
    let curve = model.range_test(&data, &settings).unwrap();
    assert_eq!(curve.points.len(), 10, "one step in three has a loss: {curve}");
}

/// The check feeds its plans as training does.
pub fn rows_of_weight_zero_agree_with_f64(device: &Device) {
    let (loss, last, target, wild) = losses()[0];
    let [_, wild, _] = three(target, wild);
    let report = compare(&mut model(device, loss, last), &wild, 10, 3).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// Batch normalisation measures the rows that are there, those of weight 0 too; their targets are passed over all the
/// same.
pub fn batch_norm_measures_rows_of_weight_zero(device: &Device) {
    let net = Sequential::new(1).add(BatchNorm::new().momentum(1.0)).add(Dense::new(1));
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new([[0.0], [2.0], [4.0], [6.0]], [1.0, 1e30, 0.0, 2.0]).unwrap();
    let data = data.with_weights(vec![1.0, 0.0, 1.0, 1.0]).unwrap();
    let history = model.fit(&data, &Fit::new().batch_size(4).silent()).unwrap();
    assert!(history.get("loss")[0].is_finite());
    let mean = model.weights().unwrap().into_iter().find(|weight| weight.name.ends_with(".mean")).unwrap();
    assert_eq!(mean.data, [3.0]);
    assert!(wide(&mut model).iter().all(|weight| weight.is_finite()));
}
