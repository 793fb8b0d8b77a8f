//! Training by hand on a GPU; the checks are in `tests/common/by_hand.rs` and `products.rs`. And that going on creates
//! nothing there.

use crate::common::api::{classifier, samples};
use crate::common::{by_hand, matrix, products};
use crate::need_device;
use axone::plan::Buffer;
use axone::prelude::*;

#[test]
fn steps_are_those_of_fit() {
    by_hand::steps_are_those_of_fit(&need_device!());
}

#[test]
fn accumulated_batches_are_one_batch() {
    by_hand::accumulated_batches_are_one_batch(&need_device!());
}

#[test]
fn accumulated_batches_draw_their_own_masks() {
    by_hand::accumulated_batches_draw_their_own_masks(&need_device!());
}

#[test]
fn given_gradients_are_applied() {
    by_hand::given_gradients_are_applied(&need_device!());
}

#[test]
fn a_loss_by_hand_is_the_loss() {
    products::a_loss_by_hand_is_the_loss(&need_device!());
}

#[test]
fn products_are_the_oracles() {
    products::products_are_the_oracles(&need_device!());
}

#[test]
fn passes_add_up() {
    products::passes_add_up(&need_device!());
}

#[test]
fn inputs_have_the_gradients_of_the_pass() {
    products::inputs_have_the_gradients_of_the_pass(&need_device!());
}

#[test]
fn the_loss_has_gradients_by_its_inputs() {
    products::the_loss_has_gradients_by_its_inputs(&need_device!());
}

#[cfg(feature = "save")]
#[test]
fn loops_go_on() {
    crate::common::loops::loops_go_on(&need_device!(), "gpu");
}

#[test]
fn statistics_move_once() {
    products::statistics_move_once(&need_device!());
}

#[test]
fn padding_changes_nothing() {
    by_hand::padding_changes_nothing(&need_device!());
}

#[test]
fn weights_move_to_another_model() {
    let device = need_device!();
    by_hand::weights_move_to_another_model(&device, &device);
    by_hand::weights_move_to_another_model(&device, &Device::cpu());
    by_hand::weights_move_to_another_model(&Device::cpu(), &device);
    by_hand::weights_move_to_another_model(&device, &need_device!(own));
}

#[test]
fn a_share_of_one_copies() {
    by_hand::a_share_of_one_copies(&need_device!());
}

#[test]
fn frozen_layers_stay() {
    by_hand::frozen_layers_stay(&need_device!());
}

/// Between executors of one device a slab is copied on it; another device says that it cannot.
#[test]
fn slabs_are_copied_on_the_device() {
    let device = need_device!();
    let plan =
        classifier(&device, Sgd::default()).program().plan(axone::model::Purpose::Predict, 1, &[], true).unwrap();
    let load = |device: &Device| {
        let mut executor = device.executor();
        executor.load(&plan).unwrap();
        executor
    };
    let lent = load(&device).lend(Buffer::Parameters).unwrap();
    assert!(load(&device).copy_lent(lent.as_ref(), Buffer::Parameters).unwrap());
    assert!(!load(&need_device!(own)).copy_lent(lent.as_ref(), Buffer::Parameters).unwrap());
    assert!(!load(&Device::cpu()).copy_lent(lent.as_ref(), Buffer::Parameters).unwrap());
}

/// Once every size has been met, nothing is created: whatever is asked for, in whatever order of sizes.
#[test]
fn going_on_creates_nothing() {
    let device = need_device!(own);
    let (mut model, mut target) = (classifier(&device, Adam::new(0.01)), classifier(&device, Adam::new(0.01)));
    let mut round = |sizes: &[usize]| {
        let before = device.objects_created();
        for &rows in sizes {
            let (data, dy) = (samples(rows), [matrix(3, rows, 3)]);
            model.queue_step(&data).unwrap();
            model.train_on_batch(&data).unwrap();
            model.accumulate_gradients(&data).unwrap();
            model.apply_gradients().unwrap();
            model.compute_gradients(&data).unwrap();
            let gradients = model.gradients().unwrap();
            model.set_gradients(&gradients).unwrap();
            model.apply_gradients().unwrap();
            model.forward(data.inputs()).unwrap();
            model.backward(data.inputs(), &dy).unwrap();
            model.backward(data.inputs(), &dy).unwrap();
            model.backward_to_inputs(data.inputs(), &dy).unwrap();
            model.clear_gradients();
            model.backward_to_inputs(data.inputs(), &dy).unwrap();
            model.input_gradients(data.inputs(), &dy).unwrap();
            model.input_gradients_of_loss(&data).unwrap();
            target.blend_weights_from(&mut model, 0.5).unwrap();
            target.copy_weights_from(&mut model).unwrap();
        }
        device.objects_created() - before
    };
    // Five sizes: the fifth is rounded up, to 16.
    let first = round(&[40, 7, 3, 1, 12]);
    assert!(first > 100, "{first} objects: the counter does not count");
    assert_eq!(round(&[1, 40, 12, 7, 3, 9, 16, 2, 30]), 0);
    assert!(round(&[100]) > 0, "a new size needs a plan");
}
