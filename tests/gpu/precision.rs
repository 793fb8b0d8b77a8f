//! `Precision::F16`: every dispatch and a few steps against the f64 twins, what overflows is passed over and counted,
//! and nothing of f32 changes. The kernels themselves are in `kernels.rs`, with f16 in the buffers that can hold it.

use crate::common::api::samples;
use crate::common::matrix;
use crate::{need_device, skip, skip_part};
use axone::check::{Case, compare, run_case};
use axone::kernels::{ActivationForward, Halves, Kernel};
use axone::model::{Purpose, Weight};
use axone::prelude::*;

/// A device with f16, or return from the test.
macro_rules! need_f16 {
    () => {{
        let device = need_device!();
        if !device.info().features.iter().any(|feature| feature == "f16") {
            return skip(&format!("{}:{}", file!(), line!()), "the adapter has no f16");
        }
        device
    }};
}

fn classifier(device: &Device, optimizer: impl Into<Optimizer>) -> Model {
    let net = Sequential::new(5)
        .add(Dense::new(18).activation(Activation::Gelu))
        .add(Dropout::new(0.2))
        .add(Dense::new(16).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer).unwrap()
}

/// A line through two points, whose gradient is `2 · |target|` at the start.
fn line(device: &Device, rate: f32) -> Model {
    let net = Sequential::new(1)
        .add(Dense::new(4).activation(Activation::Tanh).weights(axone::Initializer::Constant(0.5)))
        .add(Dense::new(1).weights(axone::Initializer::Constant(1.0)));
    net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(rate).momentum(0.5)).unwrap()
}

fn points(target: f32) -> Dataset {
    Dataset::new([[0.5], [1.0]], [[target], [target]]).unwrap()
}

fn bits(weights: &[Weight]) -> Vec<u32> {
    weights.iter().flat_map(|weight| &weight.data).map(|x| x.to_bits()).collect()
}

#[test]
fn plans_agree_with_f64() {
    let device = need_f16!();
    let optimizers: [Optimizer; 3] =
        [Sgd::new(0.1).into(), Adam::new(0.01).into(), RmsProp::new(0.01).l2(0.01).clip_norm(0.1)];
    for optimizer in optimizers {
        let mut model = classifier(&device, optimizer);
        model.set_precision(Precision::F16).unwrap();
        let plan = model.program().plan(Purpose::Train, 8, &[true], true).unwrap();
        assert!(plan.temporaries.iter().filter(|storage| storage.half).count() >= 3, "{plan}");
        let report = compare(&mut model, &samples(20), 8, 3).unwrap();
        assert_eq!(report.failed(), 0, "{report}");
    }
}

/// A slope in a loss, whose own gradients stay within f16.
#[test]
fn derivatives_agree_with_f64() {
    let device = need_f16!();
    let mut net = Network::new();
    let x = net.input("x", 3).unwrap();
    let hidden = net.apply(Dense::new(16).activation(Activation::Tanh), x).unwrap();
    let hidden = net.apply(Dense::new(16).activation(Activation::Silu), hidden).unwrap();
    let y = net.apply(Dense::new(2), hidden).unwrap();
    let slope = net.gradient(y, x).unwrap();
    let steep = net.formula("steep", [slope], |[slope]| slope.square().sum()).unwrap();
    net.output(y).unwrap();
    net.add_loss(steep, 0.1).unwrap();
    let mut model = net.compile(device, [(Loss::MeanSquaredError, 0.1)], Adam::new(0.01)).unwrap();
    model.set_precision(Precision::F16).unwrap();
    let plan = model.program().plan(Purpose::Train, 8, &[false], true).unwrap();
    assert!(plan.temporaries.iter().filter(|storage| storage.half).count() >= 3, "{plan}");
    let data = Dataset::new(matrix(1, 12, 3), matrix(2, 12, 2)).unwrap();
    let report = compare(&mut model, &data, 8, 2).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// Where the adapter has cooperative matrices that fit, a model in f16 multiplies with them, and one in f32 does not.
#[test]
fn cooperative_matrices_are_used() {
    let device = need_f16!();
    let has = device.info().features.iter().any(|feature| feature.contains("F16 to F32"));
    let used = |precision| {
        let mut model = classifier(&device, Sgd::new(0.1));
        model.set_precision(precision).unwrap();
        let report = compare(&mut model, &samples(16), 16, 2).unwrap();
        assert_eq!(report.failed(), 0, "{report}");
        report.rows.iter().any(|row| row.kernel.starts_with("matmul_cooperative"))
    };
    assert!(!used(Precision::F32));
    assert_eq!(used(Precision::F16), has);
    if !has {
        skip_part("cooperative_matrices_are_used", "the adapter has none");
    }
}

/// Values that other kernels read as well stay in f32, and those kernels still get what they need.
#[test]
fn normalised_and_joined_values_agree_with_f64() {
    let device = need_f16!();
    let mut net = Network::new();
    let x = net.input("x", 5).unwrap();
    let a = net.apply(Dense::new(12).activation(Activation::Relu), x).unwrap();
    let b = net.apply(LayerNorm::new(), a).unwrap();
    let c = net.apply(Dense::new(12).activation(Activation::Silu), b).unwrap();
    let joined = net.add(&[a, c]).unwrap();
    let y = net.apply(Dense::new(3).activation(Activation::Softmax), joined).unwrap();
    net.output(y).unwrap();
    let mut model = net.compile(device, Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap();
    model.set_precision(Precision::F16).unwrap();
    let report = compare(&mut model, &samples(20), 8, 2).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

#[test]
fn it_learns_as_in_f32() {
    let device = need_f16!();
    let settings = Fit::new().epochs(60).batch_size(8).silent();
    let accuracy = |precision| {
        let mut model = classifier(&device, Adam::new(0.02));
        model.set_precision(precision).unwrap();
        let history = model.fit(&samples(64), &settings).unwrap();
        assert!(history.skipped_steps < 5, "{} steps skipped", history.skipped_steps);
        let rows = model.evaluate(&samples(64)).unwrap();
        (rows.get("accuracy").unwrap(), history.last("loss").unwrap())
    };
    let ((full, full_loss), (half, half_loss)) = (accuracy(Precision::F32), accuracy(Precision::F16));
    assert!(full > 0.9 && half > 0.9, "{full} in f32, {half} in f16");
    assert!((half_loss - full_loss).abs() < 0.1 * full_loss.max(0.05), "{full_loss} in f32, {half_loss} in f16");
}

/// Gradients come back without the loss scale: those of f32, but for the roundings of f16.
#[test]
fn gradients_are_not_scaled() {
    let device = need_f16!();
    let gradients = |precision| {
        let mut model = line(&device, 1e-3);
        model.set_precision(precision).unwrap();
        assert_eq!(model.gradient_norm().unwrap(), 0.0);
        model.fit(&points(1.5), &Fit::new().epochs(1).silent()).unwrap();
        (model.gradients().unwrap(), model.gradient_norm().unwrap())
    };
    let ((full, norm), (half, half_norm)) = (gradients(Precision::F32), gradients(Precision::F16));
    // Three values on the way are rounded: the output of the first layer, twice, and its gradient.
    let allowed = 3.0 / 1024.0;
    for (full, half) in full.iter().zip(&half) {
        let largest = full.data.iter().fold(0.0f32, |most, g| most.max(g.abs()));
        for (a, b) in full.data.iter().zip(&half.data) {
            assert!((a - b).abs() <= allowed * largest, "{}: {a} in f32, {b} in f16", full.name);
        }
    }
    assert!((norm - half_norm).abs() <= f64::from(allowed) * norm, "{norm} in f32, {half_norm} in f16");
}

/// 65,536 times a gradient of 20,000 is beyond f16 (a hidden layer's is stored in it): the step must not be taken, and
/// the next one has half the scale.
#[test]
fn an_overflow_is_passed_over_and_counted() {
    let device = need_f16!();
    let mut model = line(&device, 1e-9);
    model.set_precision(Precision::F16).unwrap();
    let scale = |model: &mut Model| model.loss_scale().unwrap().map(|state| (state.scale, state.skipped)).unwrap();
    assert_eq!(scale(&mut model), (65_536.0, 0));
    let before = bits(&model.weights().unwrap());
    let history = model.fit(&points(10_000.0), &Fit::new().epochs(1).silent()).unwrap();
    assert_eq!(history.skipped_steps, 1);
    assert_eq!(scale(&mut model), (32_768.0, 1));
    assert_eq!(bits(&model.weights().unwrap()), before, "an overflow moved the weights");
    // Until the gradient fits: about 10,000 s fits for s below 6.5.
    let history = model.fit(&points(10_000.0), &Fit::new().epochs(30).silent()).unwrap();
    let (last, skipped) = scale(&mut model);
    assert!((2.0..=8.0).contains(&last), "the scale came down to {last}");
    assert_eq!((history.skipped_steps, f64::from(last)), (skipped - 1, 65_536.0 / 2f64.powi(skipped as i32)));
    assert!(model.weights().unwrap().iter().flat_map(|weight| &weight.data).all(|x| x.is_finite()));
    assert!(history.get("loss")[29] < history.get("loss")[0]);
}

/// Where no scale helps, the run ends and says why, with the weights as they were.
#[test]
fn gradients_beyond_every_scale_end_the_run() {
    let device = need_f16!();
    let mut model = line(&device, 1e-3);
    model.set_precision(Precision::F16).unwrap();
    let before = bits(&model.weights().unwrap());
    let history = model.fit(&points(1e18), &Fit::new().epochs(40).silent()).unwrap();
    let reason = history.stopped.unwrap();
    assert!(reason.ends_with("had finite gradients, at a loss scale of 1"), "{reason}");
    assert_eq!(history.epochs.len(), 17, "{reason}"); // 65,536 is 2^16, and one more step at 1
    assert_eq!(bits(&model.weights().unwrap()), before);
}

/// Numbers become f16 as IEEE 754 says, on every adapter: from 65,520 on they are infinite.
#[test]
fn what_rounds_beyond_f16_is_infinite() {
    let device = need_f16!();
    let sizes = [65_503.0, 65_504.0, 65_519.996, 65_520.0, 65_536.0, 1e30, f32::MAX, f32::INFINITY, 1e-7, 1e-30, 0.1];
    let x: Vec<f32> = sizes.into_iter().flat_map(|size| [size, -size]).chain([f32::NAN]).collect();
    let kernel = Kernel::from(ActivationForward::new(Activation::Identity, x.len() as u32));
    let y = kernel.spec().entry().bindings[1];
    let (name, writes) = ("identity".to_owned(), vec![vec![0.0; x.len()]]);
    let halves = Halves::NONE.with(&y);
    let case = Case { kernel, name, reads: vec![x.clone()], writes, step: Case::step(), halves };
    let got = run_case(&mut *device.executor(), &case).unwrap().unwrap().remove(0);
    for (x, got) in x.into_iter().zip(got) {
        let wanted = half::f16::from_f32(x).to_f32();
        assert!(got == wanted || got.is_nan() && wanted.is_nan(), "{x:e}: {got:e}, not {wanted:e}");
    }
}

/// What no scale of the loss can help: an activation too large for f16, found by running the epoch again.
#[test]
fn an_activation_beyond_f16_is_named() {
    let device = need_f16!();
    let big = axone::Initializer::Constant(300.0);
    let net = Sequential::new(1).add(Dense::new(4).activation(Activation::Relu).weights(big)).add(Dense::new(1));
    let mut model = net.compile(device, Loss::MeanSquaredError, Sgd::new(1e-3)).unwrap();
    model.set_precision(Precision::F16).unwrap();
    let data = Dataset::new([[0.5], [1_000.0]], [[1.0], [1.0]]).unwrap();
    let settings = Fit::new().epochs(3).batch_size(2).callback(TerminateOnNonFinite::new()).silent();
    let reason = model.fit(&data, &settings).unwrap().stopped.unwrap();
    assert!(reason.starts_with("epoch 1, step 1: inf arose in dense_1 (matmul"), "{reason}");
}

#[test]
fn inputs_beyond_f16_are_refused() {
    let device = need_f16!();
    let mut model = line(&device, 1e-3);
    let data = Dataset::new([[0.5], [70_000.0]], [[1.0], [1.0]]).unwrap();
    model.fit(&data, &Fit::new().epochs(1).silent()).unwrap();
    model.set_precision(Precision::F16).unwrap();
    let error = model.fit(&data, &Fit::new().epochs(1).silent()).unwrap_err().to_string();
    let wanted = "inputs[0] row 1, column 0: 70000, beyond 65504, the largest number of Precision::F16";
    assert_eq!(error, wanted);
}

/// There and back: a model that has been in f16 trains in f32 with the bits of one that never was. Training by hand is
/// in f32 all along.
#[test]
fn f32_stays_as_it_is() {
    let device = need_f16!();
    let settings = Fit::new().epochs(2).batch_size(8).silent();
    let trained = |visit: bool| {
        let mut model = classifier(&device, Adam::new(0.02));
        if visit {
            model.set_precision(Precision::F16).unwrap();
            model.evaluate(&samples(9)).unwrap();
            model.set_precision(Precision::F32).unwrap();
        }
        model.fit(&samples(20), &settings).unwrap();
        bits(&model.weights().unwrap())
    };
    assert_eq!(trained(true), trained(false));
    let by_hand = |precision| {
        let mut model = classifier(&device, Adam::new(0.02));
        model.set_precision(precision).unwrap();
        model.train_on_batch(&samples(8)).unwrap();
        model.compute_gradients(&samples(8)).unwrap();
        let gradients = bits(&model.gradients().unwrap());
        model.apply_gradients().unwrap();
        (gradients, bits(&model.weights().unwrap()))
    };
    assert_eq!(by_hand(Precision::F16), by_hand(Precision::F32));
}

/// Gradients that were gathered before are gone, and applying them is an error, not a step of zeros.
#[test]
fn gathered_gradients_are_forgotten() {
    let mut model = classifier(&need_f16!(), Adam::new(0.02));
    model.compute_gradients(&samples(8)).unwrap();
    model.set_precision(Precision::F16).unwrap();
    assert!(model.apply_gradients().is_err());
}

/// The loss scale is part of a checkpoint, and a run goes on in the precision it began in.
#[cfg(feature = "save")]
#[test]
fn a_run_goes_on_with_its_loss_scale() {
    let device = need_f16!();
    let folder = std::env::temp_dir().join(format!("axone-precision-{}", std::process::id()));
    let settings = |epochs| Fit::new().epochs(epochs).checkpoint(folder.as_path()).silent();
    let model = || {
        let mut model = line(&device, 1e-9);
        model.set_precision(Precision::F16).unwrap();
        model
    };
    let data = points(10_000.0);
    let mut whole = model();
    let at_once = whole.fit(&data, &Fit::new().epochs(20).silent()).unwrap();
    model().fit(&data, &settings(6)).unwrap();
    let mut resumed = model();
    let in_two = resumed.fit(&data, &settings(20).resume(folder.as_path())).unwrap();
    assert_eq!(resumed.loss_scale().unwrap(), whole.loss_scale().unwrap());
    assert_eq!(in_two.skipped_steps, at_once.skipped_steps);
    assert_eq!(bits(&resumed.weights().unwrap()), bits(&whole.weights().unwrap()));
    let error = line(&device, 1e-9).fit(&data, &settings(20).resume(folder.as_path())).unwrap_err().to_string();
    std::fs::remove_dir_all(&folder).or_else(|_| std::fs::remove_file(&folder)).unwrap();
    assert!(error.contains("precision"), "{error}");
}
