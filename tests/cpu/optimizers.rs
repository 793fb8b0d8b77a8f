//! Optimizers on the CPU; the checks are in `tests/common/optimizers.rs`.

use crate::common::api::classifier;
use crate::common::optimizers;
use axone::prelude::*;

#[test]
fn every_method_agrees_with_f64() {
    optimizers::every_method_agrees_with_f64(&Device::cpu());
}

#[test]
fn penalties_and_clipping_in_closed_form() {
    [Device::cpu(), Device::cpu_f64()].iter().for_each(optimizers::penalties_and_clipping_in_closed_form);
    optimizers::a_wrong_norm_is_seen(&Device::cpu());
}

#[test]
fn moments_fade_to_zero() {
    optimizers::moments_fade_to_zero(&Device::cpu());
}

#[test]
fn every_method_counts_on() {
    optimizers::every_method_counts_on(&Device::cpu());
}

/// What a file holds of an optimizer is the optimizer.
#[cfg(feature = "save")]
#[test]
fn every_method_is_saved() {
    let path = std::env::temp_dir().join(format!("axone-optimizers-{}.safetensors", std::process::id()));
    for optimizer in optimizers::all() {
        classifier(&Device::cpu(), optimizer).save(&path).unwrap();
        let again = Model::load_from(&path, Device::cpu()).unwrap();
        assert_eq!(again.program(), classifier(&Device::cpu(), optimizer).program());
    }
    std::fs::remove_file(&path).unwrap();
}

/// Rules cost no kernel where none is set: plain SGD and Adam keep the plans they had.
#[test]
fn the_update_is_one_dispatch() {
    let last = |optimizer: Optimizer| {
        let model = classifier(&Device::cpu(), optimizer);
        let plan = model.program().plan(axone::model::Purpose::Train, 4, &[true], true).unwrap();
        let names: Vec<_> = plan.steps.iter().map(|step| step.kernel_name()).collect();
        let backward = names.iter().rposition(|name| name.starts_with("matmul")).unwrap();
        names[backward + 1..].join(" ")
    };
    assert_eq!(last(Sgd::new(0.1).into()), "sgd");
    assert_eq!(last(Adam::new(0.1).into()), "adam");
    assert_eq!(last(Sgd::new(0.1).l2(0.1)), "sgd_ruled");
    assert_eq!(last(Sgd::new(0.1).momentum(0.9).into()), "sgd_ruled.momentum");
    assert_eq!(last(Adagrad::new(0.1).into()), "adagrad");
    assert_eq!(last(Adadelta::new(0.1).into()), "adadelta");
    assert_eq!(last(RmsProp::new(0.1).into()), "rmsprop");
    assert_eq!(last(RmsProp::new(0.1).momentum(0.9).into()), "rmsprop.momentum");
    assert_eq!(last(AdamW::new(0.1).into()), "adam_ruled");
    assert_eq!(last(Adam::new(0.1).amsgrad().into()), "adam_ruled.amsgrad");
    assert_eq!(last(Adamax::new(0.1).into()), "adamax");
    assert_eq!(last(Nadam::new(0.1).into()), "nadam");
    assert_eq!(last(Adam::new(0.1).clip_value(1.0)), "adam_ruled");
    assert_eq!(last(Adam::new(0.1).clip_norm(1.0)), "gradient_norm.partials gradient_norm.factor adam_ruled");
}
