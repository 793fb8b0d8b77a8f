//! Blocks whose applications share their parameters, on any device.

#[cfg(feature = "save")]
use super::api::bits;
use super::matrix;
use axone::check::compare;
use axone::prelude::*;

/// Two towers of one set of parameters, with statistics among them, and a layer behind that is used three times.
pub fn siamese(device: &Device) -> Model {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 5).unwrap(), net.input("b", 5).unwrap());
    let block =
        Residual::new().add(Dense::new(6).activation(Activation::Tanh)).add(BatchNorm::new()).add(Dense::new(6));
    let tower =
        net.share(Sequential::new(5).add(Dense::new(6).named("first").l2(0.1)).add(block).add(LayerNorm::new()));
    let (left, right) = (net.apply(&tower, a).unwrap(), net.apply(&tower, b).unwrap());
    let both = net.formula("both", [left, right], |[a, b]| (a - b).abs()).unwrap();
    let mixer = net.share(Dense::new(6).activation(Activation::Silu));
    let mixed = (0..3).fold(both, |x, _| net.apply(&mixer, x).unwrap());
    let y = net.apply(Dense::new(1), mixed).unwrap();
    net.output(y).unwrap();
    net.compile(device.clone(), Loss::MeanSquaredError, Adam::new(0.01)).unwrap()
}

/// Rows for it.
pub fn pairs(rows: usize) -> Dataset {
    Dataset::new(matrix(51, rows, 5), matrix(52, rows, 1)).unwrap().with_input(matrix(53, rows, 5)).unwrap()
}

pub fn every_dispatch_agrees_with_f64(device: &Device) {
    let report = compare(&mut siamese(device), &pairs(11), 4, 3).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// Two applications of one layer to the same value are twice that value: the gradient is twice that of one, but for the
/// rounding of a sum in another order.
pub fn gradients_add_up(device: &Device) {
    let after_a_step = |times: usize| {
        let mut net = Network::new();
        let x = net.input("x", 3).unwrap();
        let layer = net.share(Dense::new(2));
        let ys: Vec<_> = (0..2).map(|_| net.apply(&layer, x).unwrap()).collect();
        let y = match times {
            1 => net.formula("y", [ys[0]], |[y]| 2.0 * y).unwrap(),
            _ => net.formula("y", [ys[0], ys[1]], |[a, b]| a + b).unwrap(),
        };
        net.output(y).unwrap();
        let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.125)).unwrap();
        let data = Dataset::new(matrix(61, 4, 3), matrix(62, 4, 2)).unwrap();
        model.fit(&data, &Fit::new().epochs(1).batch_size(4).silent()).unwrap();
        model.weights().unwrap().into_iter().flat_map(|weight| weight.data).collect::<Vec<f32>>()
    };
    let (one, two) = (after_a_step(1), after_a_step(2));
    // Of numbers below 2, some ten roundings.
    assert!(one.iter().zip(&two).all(|(a, b)| (a - b).abs() < 1e-6), "{one:?} {two:?}");
}

/// What is frozen, saved and resumed is there once.
#[cfg(feature = "save")]
pub fn shared_blocks_are_saved(device: &Device, name: &str) {
    let path = std::env::temp_dir().join(format!("axone-shared-{name}-{}.safetensors", std::process::id()));
    let (mut model, data) = (siamese(device), pairs(8));
    model.freeze("first").unwrap();
    let before = model.weights().unwrap();
    model.fit(&data, &Fit::new().epochs(2).batch_size(4).silent()).unwrap();
    model.save(&path).unwrap();
    let mut again = Model::load_from(&path, device.clone()).unwrap();
    std::fs::remove_file(path).ok();
    assert_eq!(again.summary().to_string(), model.summary().to_string());
    assert_eq!(bits(&mut again), bits(&mut model));
    let changed: Vec<bool> = model.weights().unwrap().iter().zip(&before).map(|(now, then)| now != then).collect();
    // First w and b are frozen, and the shift of the last normalisation cancels in the difference of the towers.
    let still: Vec<usize> = (0..changed.len()).filter(|at| !changed[*at]).collect();
    assert_eq!((still, changed.len()), (vec![0, 1, 11], 16));
    again.fit(&data, &Fit::new().epochs(1).batch_size(4).silent()).unwrap();
    assert_eq!(again.weights().unwrap()[..2], before[..2]);
}

/// The penalty of a shared layer counts once, however often it is applied: after a step it has moved by `-lr l2 w` and the
/// gradients of its applications, which are 0 here.
pub fn penalties_count_once(device: &Device) {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 2).unwrap(), net.input("b", 2).unwrap());
    let layer = net.share(Dense::new(2).named("shared").l2(0.5));
    let values = [a, b, a].map(|x| net.apply(&layer, x).unwrap());
    let y = net.formula("y", values, |[a, b, c]| 0.0 * (a + b + c)).unwrap();
    net.output(y).unwrap();
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.25)).unwrap();
    assert_eq!(model.parameters(), 6);
    model.set_weight("shared.w", [[1.0, -2.0], [0.5, 4.0]]).unwrap();
    let data = Dataset::new(matrix(1, 4, 2), matrix(2, 4, 2)).unwrap().with_input(matrix(3, 4, 2)).unwrap();
    model.fit(&data, &Fit::new().epochs(1).batch_size(4).silent()).unwrap();
    assert_eq!(model.weight("shared.w").unwrap().data, [1.0, -2.0, 0.5, 4.0].map(|w| w - 0.25 * 0.5 * w));
}
