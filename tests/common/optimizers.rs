//! What is done to gradients before a method's formula, in closed form, and every method against f64, on any device.
//!
//! A step of gradient descent is `w' = w - r (c g + λ₂ w + λ₁ sign w) - r λ w`: on numbers read as f32 a device makes at
//! most eight roundings of it, each at most u of the sum of the sizes of its terms.

use super::api::{bits, classifier, samples};
use super::{U32, assert_none, differences};
use axone::check::{Case, run_case};
use axone::kernels::{Access, Formula, Halves, Kernel, Update, UpdateParams};
use axone::layers::Activation;
use axone::model::Weight;
use axone::prelude::*;

const ROUNDINGS: f64 = 8.0;

/// Every method, some with all that an optimizer can be told.
pub fn all() -> Vec<Optimizer> {
    vec![
        Sgd::new(0.05).l2(0.01).clip_norm(0.3),
        Sgd::new(0.05).momentum(0.9).into(),
        Sgd::new(0.05).momentum(0.9).nesterov().weight_decay(0.01),
        Adagrad::new(0.05).into(),
        Adadelta::default().l1(0.001),
        RmsProp::new(0.01).clip_value(0.05),
        RmsProp::new(0.01).momentum(0.9).into(),
        AdamW::new(0.01).decay_biases().clip_norm(0.5),
        Adam::new(0.01).amsgrad().into(),
        Adamax::new(0.01).l2(0.01),
        Nadam::new(0.01).into(),
    ]
}

/// Every dispatch of a few steps against f64, fused and unfused, and the weights after them.
pub fn every_method_agrees_with_f64(device: &Device) {
    for optimizer in all() {
        let report = axone::check::compare(&mut classifier(device, optimizer), &samples(12), 4, 3).unwrap();
        assert_eq!(report.failed(), 0, "{optimizer:?}\n{report}");
    }
}

/// One step of `layer`, alone, on four rows.
struct OneStep {
    before: Vec<Weight>,
    gradients: Vec<Weight>,
    after: Vec<Weight>,
    norm: f64,
}

fn one_step(device: &Device, layer: Dense, optimizer: Optimizer) -> OneStep {
    let layer = layer.weights(Initializer::GlorotNormal).bias(Initializer::LecunNormal);
    let net = Sequential::new(5).add(layer.activation(Activation::Softmax));
    let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer).unwrap();
    let before = model.weights().unwrap();
    model.fit(&samples(4), &Fit::new().epochs(1).batch_size(4).silent()).unwrap();
    let (gradients, after) = (model.gradients().unwrap(), model.weights().unwrap());
    OneStep { before, gradients, after, norm: model.gradient_norm().unwrap() }
}

/// Rate, L2, L1 and decay of the weights, then of the bias.
type Rules = [[f64; 4]; 2];

impl OneStep {
    /// What differs from the closed form with `clip` for every gradient.
    fn violations(&self, what: &str, rules: Rules, clip: impl Fn(f64) -> f64) -> Vec<String> {
        let mut found = Vec::new();
        for (i, [rate, l2, l1, decay]) in rules.into_iter().enumerate() {
            let wide = |weight: &Weight| weight.data.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
            let (before, after) = (wide(&self.before[i]), wide(&self.after[i]));
            let parts = before.iter().zip(wide(&self.gradients[i])).map(|(w, g)| {
                let sign = if *w == 0.0 { 0.0 } else { w.signum() };
                [*w, -rate * clip(g), -rate * l2 * w, -rate * l1 * sign, -rate * decay * w]
            });
            let parts: Vec<[f64; 5]> = parts.collect();
            let want: Vec<f64> = parts.iter().map(|parts| parts.iter().sum()).collect();
            let size = |i: usize| parts[i].iter().map(|part| part.abs()).sum::<f64>();
            found.extend(differences(what, &after, &want, |i| ROUNDINGS * U32 * size(i)));
        }
        found
    }
}

/// The factor that brings `norm` down to `most`.
fn norm_factor(norm: f64, most: f64) -> f64 {
    (most / (norm + 1e-6)).min(1.0)
}

pub fn penalties_and_clipping_in_closed_form(device: &Device) {
    let dense = || Dense::new(3);
    // f32 values, widened: what the device is told.
    let [rate, l2, l1, decay] = [0.5f32, 0.03, 0.02, 0.25].map(f64::from);
    let sgd = Sgd::new(0.5);
    let mut found = Vec::new();
    let step = one_step(device, dense(), sgd.l2(0.03).l1(0.02).weight_decay(0.25));
    found.extend(step.violations("biases spared", [[rate, l2, l1, decay], [rate, 0.0, 0.0, 0.0]], |g| g));
    let step = one_step(device, dense(), sgd.l2(0.03).l1(0.02).weight_decay(0.25).decay_biases());
    found.extend(step.violations("biases decayed", [[rate, l2, l1, decay]; 2], |g| g));
    let layer = dense().l2(0.25).l1(0.0).rate_factor(2.0);
    let step = one_step(device, layer, sgd.l2(0.03).l1(0.02).decay_biases());
    let own = [2.0 * rate, 0.25, 0.0, 0.0];
    found.extend(step.violations("layer's own", [own, [2.0 * rate, l2, l1, 0.0]], |g| g));
    let limit = f64::from(0.05f32);
    let step = one_step(device, dense(), sgd.clip_value(0.05).l1(0.02));
    let clipped = step.gradients.iter().flat_map(|weight| &weight.data).filter(|g| g.abs() > 0.05).count();
    assert!(clipped > 0, "nothing to clip");
    let by_value = |g: f64| g.clamp(-limit, limit);
    found.extend(step.violations("clip by value", [[rate, 0.0, l1, 0.0], [rate, 0.0, 0.0, 0.0]], by_value));
    for most in [0.1f32, 100.0] {
        let step = one_step(device, dense(), sgd.clip_norm(most).l2(0.03));
        let factor = norm_factor(step.norm, most.into());
        assert_eq!(factor < 1.0, most < 1.0, "norm {}", step.norm);
        found.extend(step.violations("clip by norm", [[rate, l2, 0.0, 0.0], [rate, 0.0, 0.0, 0.0]], |g| factor * g));
    }
    assert_none(&found);
}

/// A canary: the closed form with a norm that is off by 1e-5 of itself does not fit.
pub fn a_wrong_norm_is_seen(device: &Device) {
    let step = one_step(device, Dense::new(3), Sgd::new(0.5).clip_norm(0.1));
    let factor = norm_factor(step.norm * (1.0 + 1e-5), f64::from(0.1f32));
    assert!(!step.violations("wrong", [[0.5, 0.0, 0.0, 0.0]; 2], |g| factor * g).is_empty());
}

/// Training in two parts gives the bits of training in one, for what has a memory or looks at the step's number.
pub fn every_method_counts_on(device: &Device) {
    let fit = |model: &mut Model, epochs: usize| {
        let settings = Fit::new().epochs(epochs).batch_size(4).without_shuffle().silent();
        model.fit(&samples(12), &settings).unwrap();
    };
    for optimizer in all() {
        let (mut whole, mut parts) = (classifier(device, optimizer), classifier(device, optimizer));
        fit(&mut whole, 3);
        fit(&mut parts, 1);
        fit(&mut parts, 2);
        assert_eq!(bits(&mut whole), bits(&mut parts), "{optimizer:?}");
    }
}

/// Moments of a unit whose gradient is 0 fade to 0, not to subnormal numbers: 0.9 of the smallest of those is itself.
pub fn moments_fade_to_zero(device: &Device) {
    let n = 64;
    let params = UpdateParams::new(n, 0.9, 0.999, 1e-8);
    let update = |by_rules| move |&formula: &Formula| Kernel::Update(Update { formula, params, by_rules });
    let plain = Formula::ALL.iter().filter(|formula| formula.plain().is_some()).map(update(false));
    // Adagrad's never fades, the largest of AMSGrad and Adamax' size do not become small.
    let fading = |kernel: &Kernel| match kernel {
        Kernel::Update(Update { formula: Formula::Sgd | Formula::Adagrad, .. }) => 0,
        Kernel::Update(Update { formula: Formula::Adamax, .. }) => 1,
        Kernel::Update(Update { formula, .. }) => formula.moments().len().min(2),
        _ => 2,
    };
    for kernel in plain.chain(Formula::ALL.iter().map(update(true))) {
        let (fading, sizes) = (fading(&kernel), kernel.spec().sizes());
        let writes = kernel.spec().entry().bindings.iter().filter(|binding| binding.access != Access::Read).count();
        let (reads, written) = sizes.split_at(sizes.len() - writes);
        let of = |value: f32| move |len: &usize| vec![value; *len];
        let mut case = Case {
            name: format!("{kernel:?}"),
            reads: reads.iter().map(of(0.0)).collect(),
            // Just above the smallest normal number: a step takes them below.
            writes: written.iter().map(of(1.1755e-38)).collect(),
            step: Case::step(),
            halves: Halves::NONE,
            kernel,
        };
        if let [_, clip, rules] = case.reads.as_mut_slice() {
            (clip[0], *rules) = (1.0, vec![1.0, 0.0, 0.0, 0.0]);
        }
        let got = run_case(&mut *device.executor(), &case).unwrap().unwrap();
        for (i, moment) in got.iter().skip(1).take(fading).enumerate() {
            assert_eq!(moment[0].to_bits(), 0, "{}: moment {i} is {:e}", case.name, moment[0]);
        }
    }
}
