//! Same adapter, same seed: the same bits. And what is drawn at random is the same on every device.

use crate::common::api::{bits, classifier, samples};
use crate::common::numbers;
use crate::need_device;
use axone::Device;
use axone::graph::Graph;
use axone::kernels::Step;
use axone::layers::Activation;
use axone::plan::Executor;
use axone::prelude::*;

/// A model with dropout, large enough for both matmul tiles.
fn model(device: &Device) -> Model {
    let net = Sequential::new(20)
        .add(Dense::new(70).activation(Activation::Gelu))
        .add(Dropout::new(0.3))
        .add(Dense::new(50).activation(Activation::Relu))
        .add(Dropout::new(0.1))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap()
}

fn data() -> Dataset {
    let x = crate::common::matrix(9, 150, 20);
    let y = crate::common::labels(&x, 3);
    Dataset::new(x, y).unwrap()
}

fn trained(device: &Device, seed: u64) -> (Vec<u32>, Vec<f64>) {
    let mut model = model(device);
    let history = model.fit(&data(), &Fit::new().epochs(4).batch_size(64).seed(seed).silent()).unwrap();
    (bits(&mut model), history.get("loss"))
}

#[test]
fn two_trainings_give_the_same_bits() {
    let device = need_device!();
    let (first, second) = (trained(&device, 5), trained(&device, 5));
    assert_eq!(first, second);
    assert_ne!(first, trained(&device, 6), "the seed changes nothing");
}

#[test]
fn initial_weights_are_the_same_everywhere() {
    let device = need_device!();
    for initializer in [
        Initializer::GlorotUniform,
        Initializer::GlorotNormal,
        Initializer::HeUniform,
        Initializer::HeNormal,
        Initializer::LecunUniform,
        Initializer::LecunNormal,
        Initializer::Constant(0.25),
    ] {
        let start = |device: &Device, seed: u64| {
            let net = Sequential::new(33).add(Dense::new(17).weights(initializer).bias(Initializer::HeUniform));
            let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::default()).unwrap();
            model.reset(seed).unwrap();
            bits(&mut model)
        };
        assert_eq!(start(&device, 7), start(&Device::cpu(), 7), "{initializer:?}");
        assert_ne!(start(&device, 7), start(&device, 8), "{initializer:?}: the bias does not depend on the seed");
    }
}

/// The output of dropout on `x` at `step`.
fn dropped(executor: &mut dyn Executor, rate: f32, stream: u32, x: &[f32], step: &Step) -> Vec<u32> {
    let mut graph = Graph::new();
    let input = graph.input("x", x.len() / 8).unwrap();
    let y = graph.dropout("dropout", rate, stream, input).unwrap();
    let plan = crate::common::machine::plan(&graph, &[y], 8, true);
    let id = executor.load(&plan).unwrap();
    let place = plan.inputs[0].unwrap();
    executor.write(id, place.buffer, place.offset, x).unwrap();
    executor.run(id, std::slice::from_ref(step)).unwrap();
    executor.read(id, plan.outputs[0]).unwrap().into_iter().map(f32::to_bits).collect()
}

#[test]
fn dropout_masks_are_the_same_everywhere() {
    let (mut gpu, mut cpu) = (need_device!().executor(), Device::cpu().executor());
    let x = numbers(4, 8 * 1031);
    let mut masks = Vec::new();
    for (rate, stream, number, seed) in
        [(0.5, 1, 1, 0u64), (0.5, 2, 1, 0), (0.5, 1, 2, 0), (0.1, 1, 1, 0), (0.5, 1, 1, 1 << 40)]
    {
        let step = Step { step: number, seed_low: seed as u32, seed_high: (seed >> 32) as u32, ..Step::default() };
        let on_gpu = dropped(&mut *gpu, rate, stream, &x, &step);
        assert_eq!(on_gpu, dropped(&mut *cpu, rate, stream, &x, &step), "rate {rate}, stream {stream}, step {number}");
        let zeros = on_gpu.iter().filter(|bits| **bits == 0).count() as f64 / x.len() as f64;
        // Six standard deviations of a binomial share.
        assert!((zeros - f64::from(rate)).abs() < 6.0 * (0.25 / x.len() as f64).sqrt(), "{zeros} for {rate}");
        masks.push(on_gpu);
    }
    masks.sort();
    masks.dedup();
    assert_eq!(masks.len(), 5, "stream, step, rate and seed must each change the mask");
}

/// Two `fit`s that differ in their epochs alone create the same number of buffers, bind groups and pipelines: so a
/// training step, a validation and a reading of the log create none.
#[test]
fn a_step_creates_nothing() {
    let device = need_device!(own);
    let mut model = model(&device);
    let mut created = |epochs: usize, budget: u64| {
        let before = device.objects_created();
        let settings = Fit::new().epochs(epochs).batch_size(64).validation(&data()).data_budget(budget).silent();
        model.fit(&data(), &settings).unwrap();
        device.objects_created() - before
    };
    for budget in [1 << 20, 10_000] {
        created(1, budget);
        let (two, five) = (created(2, budget), created(5, budget));
        assert_eq!(two, five, "objects for 2 and for 5 epochs, {budget} bytes of data on the device");
    }
    // The counter counts: another batch size needs another plan.
    let before = device.objects_created();
    classifier(&device, Sgd::default()).fit(&samples(8), &Fit::new().epochs(1).silent()).unwrap();
    assert!(device.objects_created() > before + 10);
}

/// A row gets the same bits alone and among others, and once every batch size has been seen a prediction creates
/// nothing.
#[test]
fn predictions_create_nothing_and_do_not_depend_on_their_company() {
    let device = need_device!(own);
    let mut model = model(&device);
    let x = crate::common::matrix(9, 2500, 20);
    let rows =
        |from: usize, count: usize| Matrix::new(count, 20, x.data()[20 * from..20 * (from + count)].to_vec()).unwrap();
    let mut predict = |x: &Matrix| model.predict(x).unwrap().data().iter().map(|y| y.to_bits()).collect::<Vec<_>>();
    let all = predict(&x);
    let parts = [(0, 1), (7, 1), (100, 3), (1000, 17), (1023, 1477)];
    for round in 0..2 {
        let before = device.objects_created();
        for (from, count) in parts {
            assert_eq!(predict(&rows(from, count)), all[3 * from..3 * (from + count)], "{count} rows from {from}");
        }
        assert_eq!(predict(&x), all);
        let made = device.objects_created() - before;
        assert_eq!(made == 0, round == 1, "{made} objects in round {round}");
    }
}
