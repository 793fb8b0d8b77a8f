//! Optimizers on a GPU; the checks are in `tests/common/optimizers.rs`.

use crate::common::api::{classifier, samples};
use crate::common::optimizers;
use crate::need_device;
use axone::prelude::*;

#[test]
fn every_method_agrees_with_f64() {
    optimizers::every_method_agrees_with_f64(&need_device!());
}

#[test]
fn penalties_and_clipping_in_closed_form() {
    let device = need_device!();
    optimizers::penalties_and_clipping_in_closed_form(&device);
    optimizers::a_wrong_norm_is_seen(&device);
}

#[test]
fn moments_fade_to_zero() {
    optimizers::moments_fade_to_zero(&need_device!());
}

#[test]
fn every_method_counts_on() {
    optimizers::every_method_counts_on(&need_device!());
}

#[test]
fn steps_by_rules_create_no_gpu_objects() {
    let device = need_device!(own);
    let mut model = classifier(&device, AdamW::new(0.01).clip_norm(0.5));
    let settings = |epochs| Fit::new().epochs(epochs).batch_size(4).silent();
    let mut created = |epochs| {
        let before = device.objects_created();
        model.fit(&samples(12), &settings(epochs)).unwrap();
        device.objects_created() - before
    };
    created(1);
    assert_eq!(created(1), created(9));
}
