//! A rare class: is the digit an 8? One image in ten is. Balanced class weights make the few count as much as the many;
//! precision, recall, F1 and AUC show what accuracy hides.
//!
//! `cargo run --release --example metrics`
//!
//! Writes the confusion matrix and the ROC curve as `confusion.svg` and `roc.svg`.

#[path = "common/arguments.rs"]
mod arguments;

use axone::metrics;
use axone::prelude::*;

const USAGE: &str = "usage: metrics

Tells the digit 8 from the others and reports what accuracy hides. Writes confusion.svg and roc.svg.
AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    let digits = axone::data::digits()?;
    let is_eight: Vec<u32> =
        digits.targets()[0].labels().unwrap_or_default().iter().map(|d| u32::from(*d == 8)).collect();
    let data = Dataset::new(digits.inputs()[0].clone(), is_eight)?;
    let (train, test) = data.train_test_split_stratified(0.3, 1)?;
    println!("class weights: {:?}\n", train.balanced_class_weights()?);

    for (name, train) in [("plain", train.clone()), ("balanced", train.with_balanced_classes()?)] {
        let mut model = Sequential::new(64).add(Dense::new(1).activation(Activation::Sigmoid)).compile(
            Device::auto()?,
            Loss::BinaryCrossEntropy,
            Adam::new(0.01),
        )?;
        let binary = Average::Binary;
        model.set_metrics([Metric::Precision(binary), Metric::Recall(binary), Metric::F1(binary), Metric::RocAuc])?;
        model.fit(&train, &Fit::new().epochs(15).seed(1).silent())?;

        let evaluation = model.evaluate(&test)?;
        println!("{name}:");
        for (name, value) in &evaluation.values {
            println!("  {name:<16} {value:.4}");
        }
        if let Some(matrix) = evaluation.confusion_matrix() {
            let matrix = matrix.clone().with_labels(["other", "eight"])?;
            println!("{matrix}\n");
            matrix.write_svg("confusion.svg")?;
        }
        if let Some(curve) = evaluation.roc_curve() {
            curve.write_svg("roc.svg")?;
        }
        // The same without a model: any truth and any scores will do.
        let (truth, scores) = (test.targets()[0].labels().unwrap_or_default(), model.predict(&test.inputs()[0])?);
        println!("  AUC from what predict gives: {:.4}\n", metrics::roc_auc(truth, scores.data(), None)?);
    }
    println!("pictures of the last: confusion.svg, roc.svg");
    Ok(())
}
