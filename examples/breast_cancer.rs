//! Is a tumour malignant? Whoever is missed is not treated, so the threshold is not 0.5 but the highest one that misses
//! at most one in thirty of the validation part.
//!
//! `cargo run --release --example breast_cancer`
//!
//! Writes the ROC curve and precision against recall as `breast_cancer_roc.svg` and `breast_cancer_pr.svg`.

#[path = "common/arguments.rs"]
mod arguments;

use axone::data::{Standardizer, breast_cancer};
use axone::metrics::{self, ConfusionMatrix, precision_recall_curve, roc_curve};
use axone::prelude::*;

const USAGE: &str = "usage: breast_cancer

Tells malignant tumours from benign ones, with a threshold that misses few. Writes breast_cancer_roc.svg and
breast_cancer_pr.svg. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    let (rest, test) = breast_cancer()?.dataset.train_test_split_stratified(0.3, 1)?;
    let (train, validation) = rest.train_test_split_stratified(0.3, 2)?;
    let scaler = Standardizer::fit(&train.inputs()[0])?;
    let [train, validation, test] = [train, validation, test].map(|part| part.map_inputs(|x| scaler.transform(x)));
    let (train, validation, test) = (train?, validation?, test?);

    let mut model = Sequential::new(30)
        .add(Dense::new(16).activation(Activation::Relu).weights(Initializer::HeNormal))
        .add(Dense::new(1).activation(Activation::Sigmoid))
        .compile(Device::auto()?, Loss::BinaryCrossEntropy, Adam::new(0.003).l2(1e-3))?;
    let stopping = EarlyStopping::new("val_loss").patience(10).restore_best();
    let settings = Fit::new().epochs(200).seed(1).validation(&validation).callback(stopping).silent();
    let epochs = model.fit(&train, &settings)?.epochs.len();

    let known = validation.targets()[0].labels().unwrap_or_default();
    let curve = precision_recall_curve(known, model.predict(&validation.inputs()[0])?.data(), None)?;
    let threshold = curve.threshold_for_recall(0.97).map_or(0.5, |least| (least as f32).next_down());

    let (truth, scores) = (test.targets()[0].labels().unwrap_or_default(), model.predict(&test.inputs()[0])?);
    let roc = roc_curve(truth, scores.data(), None)?;
    roc.write_svg("breast_cancer_roc.svg")?;
    precision_recall_curve(truth, scores.data(), None)?.write_svg("breast_cancer_pr.svg")?;
    for threshold in [0.5, threshold] {
        model.set_threshold(threshold)?;
        let predicted = model.predict_classes(&test.inputs()[0])?;
        println!("above {threshold:.3} (rows are the truth):");
        println!("{}\n", ConfusionMatrix::new(truth, &predicted, None)?.with_labels(["benign", "malignant"])?);
    }
    let predicted = model.predict_classes(&test.inputs()[0])?;
    println!("epochs: {epochs}");
    println!("AUC: {:.4}", roc.auc());
    println!("threshold: {threshold:.4}");
    println!("recall: {:.4}", metrics::recall(truth, &predicted, Average::Binary, None)?);
    println!("precision: {:.4}", metrics::precision(truth, &predicted, Average::Binary, None)?);
    Ok(())
}
