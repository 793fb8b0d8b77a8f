//! Predictors on a GPU; the checks are in `tests/common/predictor.rs`.

use super::api::owned;
use crate::common::{matrix, predictor};
use crate::need_device;
use axone::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_row_gives_the_same_whatever_comes_with_it() {
    predictor::a_row_gives_the_same_whatever_comes_with_it(&need_device!());
}

#[test]
fn every_layer_is_served() {
    predictor::every_layer_is_served(&need_device!());
}

#[test]
fn threads_share_it() {
    predictor::threads_share_it(&need_device!());
}

#[test]
fn a_file_is_served() {
    predictor::a_file_is_served(&need_device!());
}

#[test]
fn numbers_that_are_none_are_named() {
    predictor::numbers_that_are_none_are_named(&need_device!());
}

#[test]
fn what_does_not_fit_is_refused() {
    predictor::what_does_not_fit_is_refused(&need_device!());
}

/// Predictions on their way together, awaited in another order while another thread polls.
#[test]
fn predictions_are_awaited() {
    let mut model = predictor::chain(&need_device!(), &[20, 40, 4]);
    let predictor = model.predictor().unwrap();
    let inputs: Vec<Matrix> = [1, 300, 7, 1500].into_iter().map(|rows| matrix(rows as u32, rows, 20)).collect();
    let expected: Vec<Matrix> = inputs.iter().map(|x| predictor.predict(x).unwrap()).collect();
    let (done, own) = (Arc::new(AtomicBool::new(false)), predictor.clone());
    let stop = Arc::clone(&done);
    let poller = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            own.poll().unwrap();
            std::thread::yield_now();
        }
    });
    let mut answers: Vec<_> =
        inputs.iter().map(|x| predictor.predict_async(std::slice::from_ref(x)).unwrap()).collect();
    for expected in expected.iter().rev() {
        let got = pollster::block_on(answers.pop().unwrap()).unwrap();
        assert_eq!(&got[0], expected);
    }
    // One that nobody waits for keeps nothing up.
    drop(predictor.predict_async(&inputs[..1]).unwrap());
    assert_eq!(predictor.predict(&inputs[2]).unwrap(), expected[2]);
    done.store(true, Ordering::Relaxed);
    poller.join().unwrap();
}

/// From a buffer of the program to another, both on its own device.
#[test]
fn buffers_are_predicted() {
    let (device, raw, queue) = owned(&need_device!());
    let mut model = predictor::chain(&device, &[3, 8, 2]);
    let predictor = model.predictor().unwrap();
    let x = matrix(1, 5, 3);
    let buffer = |size, usage| {
        raw.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false })
    };
    use wgpu::BufferUsages as Usage;
    let from = buffer(5 * 3 * 4, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST);
    let to = buffer(5 * 2 * 4, Usage::COPY_DST | Usage::MAP_READ);
    queue.write_buffer(&from, 0, bytemuck::cast_slice(x.data()));
    predictor.predict_buffers(5, &[&from], &[&to]).unwrap();
    to.slice(..).map_async(wgpu::MapMode::Read, |mapped| mapped.unwrap());
    raw.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    let got: Vec<f32> = bytemuck::pod_collect_to_vec(&to.slice(..).get_mapped_range().unwrap());
    assert_eq!(got, predictor.predict(&x).unwrap().data());
    let refused =
        |rows, inputs: &[&_], outputs: &[&_]| predictor.predict_buffers(rows, inputs, outputs).unwrap_err().to_string();
    assert_eq!(refused(0, &[&from], &[&to]), "predict_buffers: rows must be from 1 to 1024, got 0");
    assert_eq!(refused(5, &[], &[&to]), "predict_buffers, inputs: expected 1 buffers, got 0");
    assert_eq!(refused(6, &[&from], &[&to]), "predict_buffers, inputs[0]: expected at least 72 bytes, got 60");
    let on_cpu = predictor::chain(&Device::cpu(), &[3, 8, 2]).predictor().unwrap();
    assert!(on_cpu.predict_buffers(5, &[&from], &[&to]).is_err());
}
