//! Losses that the host computes, on any device.

use super::matrix;
use axone::prelude::*;

/// Losses of rows, and their gradients by each output.
type Given = Result<(Vec<f32>, Vec<Matrix>)>;

/// The mean squared error and its gradient, of rows of two columns.
fn squared(outputs: &[Matrix], targets: &[Targets]) -> Given {
    let wanted = targets[0].values().unwrap();
    let errors: Vec<f32> = outputs[0].data().iter().zip(wanted.data()).map(|(y, t)| y - t).collect();
    let losses = errors.chunks(2).map(|row| row.iter().map(|e| e * e).sum::<f32>() / 2.0).collect();
    Ok((losses, vec![Matrix::new(outputs[0].rows(), 2, errors)?]))
}

fn model(device: &Device) -> Model {
    let net = Sequential::new(3)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(BatchNorm::new())
        .add(Dropout::new(0.25))
        .add(Dense::new(2));
    net.compile(device.clone(), Loss::MeanSquaredError, AdamW::new(0.02)).unwrap()
}

/// A loss that the library has gives what the library's own does, but for rounding: with weights, a schedule, a shuffle,
/// dropout, a batch that is not full, and validation.
pub fn is_that_of_the_library(device: &Device) {
    let weights: Vec<f32> = (0..10).map(|i| (i % 3) as f32).collect();
    let data = Dataset::new(matrix(11, 10, 3), matrix(12, 10, 2)).unwrap().with_weights(weights).unwrap();
    let held_out = Dataset::new(matrix(13, 6, 3), matrix(14, 6, 2)).unwrap();
    let fit = Fit::new().epochs(4).batch_size(4).seed(3).schedule(CosineDecay::new()).validation(&held_out).silent();
    let (mut own, mut host) = (model(device), model(device));
    let wanted = own.fit(&data, &fit).unwrap();
    let got = host.fit_with(&data, &fit, squared).unwrap();
    assert_eq!(got.names(), ["loss", "val_loss"]);
    assert_eq!((own.steps_done(), host.steps_done()), (12, 12));
    for (own, host) in wanted.epochs.iter().zip(&got.epochs) {
        assert_eq!(own.learning_rate, host.learning_rate);
        for name in ["loss", "val_loss"] {
            let (own, host) = (own.get(name).unwrap(), host.get(name).unwrap());
            // Twelve steps, each of a relative rounding of some 1e-7 in gradients that Adam makes steps of full size of.
            assert!((own - host).abs() < 1e-3 * own, "{name}: {own} {host}");
        }
    }
}

/// A formula that may be infinite at 0 sees which rows are padding by hand as well.
pub fn forward_is_what_predict_says(device: &Device) {
    let mut net = Network::new();
    let x = net.input("x", 2).unwrap();
    let root = net.formula("root", [x], |[x]| (1.0 + x.square().sum()).sqrt()).unwrap();
    net.output(root).unwrap();
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    for rows in [5, 4] {
        let x = matrix(15, rows, 2);
        assert_eq!(model.forward(std::slice::from_ref(&x)).unwrap()[0], model.predict(&x).unwrap());
    }
}

#[cfg(feature = "save")]
pub fn resumes_to_the_same_bits(device: &Device, name: &str) {
    let path = std::env::temp_dir().join(format!("axone-host-loss-{name}-{}.safetensors", std::process::id()));
    let data = Dataset::new(matrix(11, 10, 3), matrix(12, 10, 2)).unwrap();
    let fit = |epochs| Fit::new().epochs(epochs).batch_size(4).seed(3).silent();
    let (mut whole, mut first, mut second) = (model(device), model(device), model(device));
    whole.fit_with(&data, &fit(4), squared).unwrap();
    first.fit_with(&data, &fit(2).checkpoint(Checkpoint::new(&path)), squared).unwrap();
    let history = second.fit_with(&data, &fit(4).resume(&path), squared).unwrap();
    std::fs::remove_file(path).ok();
    assert_eq!(history.epochs.len(), 4);
    assert_eq!(super::api::bits(&mut second), super::api::bits(&mut whole));
}

/// Callbacks, checkpoints and errors are those of `fit`.
pub fn runs_as_fit_does(device: &Device) {
    let data = Dataset::new(matrix(11, 8, 3), matrix(12, 8, 2)).unwrap();
    let fit = Fit::new().epochs(50).batch_size(4).silent();
    let mut model = model(device);
    let stopping = fit.clone().callback(EarlyStopping::new("loss").min_delta(1e9).patience(2));
    let history = model.fit_with(&data, &stopping, squared).unwrap();
    assert_eq!(history.epochs.len(), 3);
    let mut text = |loss: &mut dyn FnMut(&[Matrix], &[Targets]) -> Given| {
        model.fit_with(&data, &fit, |outputs, targets| loss(outputs, targets)).unwrap_err().to_string()
    };
    assert_eq!(
        text(&mut |outputs, targets| squared(outputs, targets).map(|(losses, all)| (losses[1..].to_vec(), all))),
        "fit_with: expected 4 losses, one for each row, got 3"
    );
    let spoilt = |row: usize| {
        move |outputs: &[Matrix], targets: &[Targets]| {
            let (mut losses, gradients) = squared(outputs, targets)?;
            losses[row] = f32::NAN;
            Ok((losses, gradients))
        }
    };
    assert_eq!(text(&mut spoilt(2)), "losses row 2: NaN");
    let mut narrow = |outputs: &[Matrix], targets: &[Targets]| {
        let (losses, _) = squared(outputs, targets)?;
        Ok((losses, vec![Matrix::column(vec![0.0; outputs[0].rows()])]))
    };
    assert_eq!(text(&mut narrow), "dense_2: expected output gradient (4, 2), got (4, 1)");
    let mut short = |outputs: &[Matrix], targets: &[Targets]| {
        let (losses, gradients) = squared(outputs, targets)?;
        Ok((losses, vec![gradients[0].select(&[0, 1])?]))
    };
    assert_eq!(text(&mut short), "fit_with: expected gradients of 4 rows, got 2");
    let mut endless = |outputs: &[Matrix], targets: &[Targets]| {
        let (losses, gradients) = squared(outputs, targets)?;
        Ok((losses, vec![gradients[0].clone().map(|_| f32::INFINITY)]))
    };
    assert_eq!(text(&mut endless), "output_gradients[0] row 0, column 0: inf is not a finite number");
    assert_eq!(text(&mut |_, _| Err(Error::Device("no answer".to_owned()))), "no answer");
}
