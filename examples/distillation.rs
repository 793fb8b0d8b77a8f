//! Distillation: a small network learns from what a large one thinks of each image, not from its label alone: that a 9 is
//! nearly a 4 is more than that it is a 9 (Hinton, Vinyals & Dean 2015). The large one has seen all images that train, the
//! small one a few of them.
//!
//! `cargo run --release --example distillation`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: distillation

A large network teaches a small one. AXONE_DEVICE names a device.";

/// Above 1 it makes the shares of a softmax more alike.
const TEMPERATURE: f32 = 3.0;
/// The weight of the teacher's answers beside the labels; the square keeps its gradients as large at any temperature.
const TEACHER: f32 = 0.9 * TEMPERATURE * TEMPERATURE;
/// Images that the small network trains on.
const FEW: usize = 150;
const SEEDS: u64 = 5;

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("distillation: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.3, 1)?;
    let device = Device::auto()?;
    let relu = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);

    let mut teacher = Sequential::new(64)
        .add(relu(256))
        .add(Dropout::new(0.3))
        .add(relu(256))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(1e-3))?;
    teacher.fit(&train, &Fit::new().epochs(40).batch_size(32).verbosity(Verbosity::Lines))?;
    let few = train.take(FEW)?;
    let certain = teacher.predict(&few.inputs()[0])?;
    let soft = certain.map(|share| share.max(1e-9).ln() / TEMPERATURE).softmax();
    let taught = few.clone().with_target(soft)?;

    let soft_entropy = Loss::custom("soft_entropy", |answer, teacher| -(teacher * answer.max(1e-9).ln()).sum());
    let settings = Fit::new().epochs(200).batch_size(32).silent();
    let (mut alone, mut distilled) = (Vec::new(), Vec::new());
    for seed in 1..=SEEDS {
        let student = Sequential::new(64).add(relu(16)).add(Dense::new(10)).seed(seed);
        let mut model = student.clone().add(Activation::Softmax).compile(
            device.clone(),
            Loss::CategoricalCrossEntropy,
            Adam::new(3e-3),
        )?;
        model.fit(&few, &settings)?;
        alone.push(accuracy(&model.predict_classes(&test.inputs()[0])?, &test));

        let mut net = Network::new();
        net.set_seed(seed);
        let image = net.input("image", 64)?;
        let logits = net.apply(student, image)?;
        let answer = net.apply(Activation::Softmax, logits)?;
        let softened = net.formula("softened", [logits], |[z]| (z / TEMPERATURE).softmax(1.0))?;
        net.output(answer)?;
        net.output(softened)?;
        let losses = [(Loss::CategoricalCrossEntropy, 0.1), (soft_entropy, TEACHER)];
        let mut model = net.compile(device.clone(), losses, Adam::new(3e-3))?;
        model.fit(&taught, &settings)?;
        let answers = model.predict_all(test.inputs())?.remove(0).argmax();
        distilled.push(accuracy(&answers.into_iter().map(|class| class as u32).collect::<Vec<_>>(), &test));
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    println!("\nTEACHER: {:.4}", teacher.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN));
    println!("STUDENT_ALONE: {:.4}", mean(&alone));
    println!("STUDENT_TAUGHT: {:.4}", mean(&distilled));
    Ok(())
}

fn accuracy(answers: &[u32], test: &Dataset) -> f64 {
    let labels = test.targets()[0].labels().unwrap_or_default();
    answers.iter().zip(labels).filter(|(answer, label)| answer == label).count() as f64 / labels.len() as f64
}
