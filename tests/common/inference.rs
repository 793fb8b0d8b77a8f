//! Batches of predictions and evaluations, and predicted classes.

use super::api::{branched, classifier, images, samples};
use super::{labels, matrix};
use axone::prelude::*;

/// Whatever the batch: the same bits, in predictions, evaluations and validation.
pub fn no_batch_changes_a_bit(device: &Device) {
    let data = samples(75).with_weights((0..75).map(|row| 0.5 + row as f32 / 32.0).collect()).unwrap();
    let mut model = classifier(device, Sgd::new(0.1));
    model.set_metrics([Metric::F1(Average::Macro), Metric::RocAuc]).unwrap();
    let mut run = |rows: Option<usize>| {
        model.reset(1).unwrap();
        model.set_inference_batch(rows).unwrap();
        let history = model.fit(&data, &Fit::new().epochs(2).batch_size(8).validation(&data).silent()).unwrap();
        let values: Vec<Vec<f64>> = history.names().iter().map(|name| history.get(name)).collect();
        (values, model.evaluate(&data).unwrap(), model.predict(&data.inputs()[0]).unwrap())
    };
    let chosen = run(None);
    for rows in [1, 7, 64, 75, 100_000] {
        assert_eq!(run(Some(rows)), chosen, "{rows} rows at a time");
    }
}

pub fn no_rows_are_no_batch(device: &Device) {
    let mut model = classifier(device, Sgd::new(0.1));
    let error = model.set_inference_batch(0).unwrap_err();
    assert_eq!(error.to_string(), "set_inference_batch: rows must be at least 1, got 0");
    model.predict(&samples(3).inputs()[0]).unwrap();
}

/// What a run bound is gone when it is over, whether it ended well or not; and the model goes on.
pub fn data_leave_the_device(device: &Device) {
    let (few, many) = (samples(20), samples(5000));
    let fit = Fit::new().epochs(2).batch_size(8).silent();
    let mut model = classifier(device, Adam::new(0.01));
    model.fit(&few, &fit.clone().validation(&samples(300))).unwrap();
    model.evaluate(&samples(300)).unwrap();
    let held = model.device_bytes();
    model.fit(&many, &fit.clone().validation(&many)).unwrap();
    assert_eq!(model.device_bytes(), held, "after fit");
    model.evaluate(&many).unwrap();
    assert_eq!(model.device_bytes(), held, "after evaluate");

    struct Fails;
    impl Callback for Fails {
        fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
            // Binds other data to the plan of the validation, and lets them go.
            run.model().evaluate(&samples(300))?;
            if run.epoch() == 2 { Err(Error::Internal("on purpose".to_owned())) } else { Ok(()) }
        }
    }
    let failing = fit.clone().validation(&many).callback(Fails);
    assert!(model.fit(&many, &failing).unwrap_err().to_string().contains("on purpose"));
    assert_eq!(model.device_bytes(), held, "after a run that failed");

    let mut again = classifier(device, Adam::new(0.01));
    model.reset(0).unwrap();
    let run = |model: &mut Model| model.fit(&many, &fit.clone().validation(&many)).unwrap().get("val_loss");
    assert_eq!(run(&mut model), run(&mut again));
}

/// `predict_classes` and the accuracy agree.
pub fn classes_are_those_of_the_accuracy(device: &Device) {
    let data = samples(60);
    let mut model = classifier(device, Adam::new(0.05));
    model.fit(&data, &Fit::new().epochs(5).batch_size(8).silent()).unwrap();
    let classes = model.predict_classes(&data.inputs()[0]).unwrap();
    let probabilities = model.predict(&data.inputs()[0]).unwrap();
    for (row, class) in probabilities.iter_rows().zip(&classes) {
        assert!(row.iter().all(|p| *p <= row[*class as usize]), "{class} of {row:?}");
    }
    let truth = data.targets()[0].labels().unwrap();
    let right = truth.iter().zip(&classes).filter(|(truth, class)| truth == class).count();
    assert_eq!(model.evaluate(&data).unwrap().get("accuracy"), Some(right as f64 / 60.0));
    // Of equal columns the first, as for the accuracy.
    let mut equal = Sequential::new(5).add(Dense::new(3).weights(Initializer::Zeros));
    equal = equal.add(Dense::new(3).weights(Initializer::Zeros));
    let mut equal = equal.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::new(0.1)).unwrap();
    assert_eq!(equal.predict_classes(&data.inputs()[0]).unwrap(), [0; 60]);
    let zeros = truth.iter().filter(|class| **class == 0).count();
    assert_eq!(equal.evaluate(&data).unwrap().get("accuracy"), Some(zeros as f64 / 60.0));
}

/// Weights that overflow make NaN of a row, which is of no class and an error with its row.
pub fn nan_is_no_predicted_class(device: &Device) {
    for (units, loss) in [(3, Loss::CategoricalCrossEntropy), (1, Loss::BinaryCrossEntropy)] {
        let net = Sequential::new(2).add(Dense::new(2)).add(Dense::new(units));
        let mut model = net.compile(device.clone(), loss, Sgd::new(0.1)).unwrap();
        let mut weights = model.weights().unwrap();
        weights[0].data = vec![3e38, -3e38, 3e38, 3e38];
        weights[2].data.fill(3e38);
        model.set_weights(&weights).unwrap();
        let error = model.predict_classes(&[[0.0, 0.0], [9.0, 0.0]].into()).unwrap_err();
        assert_eq!(error.to_string(), "dense_2: predict_classes, row 1: NaN is no class");
    }
}

/// One column: a probability is held against 0.5, a score against 0.
pub fn yes_or_no(device: &Device) {
    let x = matrix(3, 40, 2);
    let y = labels(&x, 2);
    let data = Dataset::new(x.clone(), y).unwrap();
    let ends = [
        (Activation::Sigmoid, Loss::BinaryCrossEntropy),
        (Activation::HardSigmoid, Loss::BinaryCrossEntropy),
        (Activation::Identity, Loss::BinaryCrossEntropy),
        (Activation::Identity, Loss::Hinge),
    ];
    for (activation, loss) in ends {
        let net = Sequential::new(2).add(Dense::new(1).activation(activation));
        let mut model = net.compile(device.clone(), loss, Adam::new(0.1)).unwrap();
        model.fit(&data, &Fit::new().epochs(10).batch_size(8).silent()).unwrap();
        let classes = model.predict_classes(&x).unwrap();
        assert!(classes.contains(&0) && classes.contains(&1), "{activation:?}: {classes:?}");
        let truth = data.targets()[0].labels().unwrap();
        let right = truth.iter().zip(&classes).filter(|(truth, class)| truth == class).count();
        let accuracy = model.evaluate(&data).unwrap().get("binary_accuracy");
        assert_eq!(accuracy, Some(right as f64 / 40.0), "{activation:?}, {loss:?}");
    }
}

pub fn what_has_no_classes_says_so(device: &Device) {
    let refusal = |units: usize, loss: Loss| {
        let net = Sequential::new(2).add(Dense::new(units));
        let mut model = net.compile(device.clone(), loss, Sgd::new(0.1)).unwrap();
        model.predict_classes(&matrix(1, 2, 2)).unwrap_err().to_string()
    };
    let wanted = "dense_1: predict_classes: output must be classes, or yes and no in one column, got ";
    assert_eq!(refusal(1, Loss::MeanSquaredError), format!("{wanted}mean_squared_error of 1 column"));
    assert_eq!(refusal(3, Loss::BinaryCrossEntropy), format!("{wanted}binary_cross_entropy of 3 columns"));
    // The first output of several.
    let mut two = branched(device);
    let data = images(4);
    assert!(two.predict_classes(&data.inputs()[0]).unwrap_err().to_string().contains("2 inputs"));
}
