//! Profiles on the CPU backend; the checks are in `tests/common/profile.rs`.

use crate::common::api::{bits, classifier, samples};
use crate::common::profile;
use axone::plan::Clock;
use axone::prelude::*;

#[test]
fn rows_are_the_dispatches() {
    profile::rows_are_the_dispatches(&Device::cpu());
}

#[test]
fn the_trace_is_json() {
    profile::the_trace_is_json(&Device::cpu());
}

#[test]
fn the_model_stays_as_it_is() {
    profile::the_model_stays_as_it_is(&Device::cpu());
}

#[test]
fn the_oracle_keeps_its_digits() {
    // In f64 a weight read and written back would be rounded to f32: training on would show it.
    let data = samples(8);
    let (mut profiled, mut plain) =
        (classifier(&Device::cpu_f64(), Sgd::new(0.1)), classifier(&Device::cpu_f64(), Sgd::new(0.1)));
    let fit = Fit::new().epochs(3).batch_size(2).silent();
    let losses = |model: &mut Model| model.fit(&data, &fit).unwrap().get("loss");
    assert_eq!(losses(&mut profiled), losses(&mut plain));
    profiled.profile(&data, 4).unwrap();
    assert_eq!(losses(&mut profiled), losses(&mut plain));
    assert_eq!(bits(&mut profiled), bits(&mut plain));
}

#[test]
fn branches() {
    profile::branches(&Device::cpu());
}

#[test]
fn bad_input() {
    profile::bad_input(&Device::cpu());
}

#[test]
fn it_says_how_it_was_timed() {
    let profile = classifier(&Device::cpu(), Sgd::new(0.1)).profile(&samples(4), 2).unwrap();
    assert_eq!(profile.clock, Clock::Host);
    let table = profile.to_string();
    assert!(table.contains("timed by the host clock") && table.contains("best matmul"), "{table}");
    let widths: Vec<usize> = table.lines().skip_while(|line| !line.is_empty()).skip(1).map(str::len).collect();
    assert_eq!(widths.len(), profile.rows.len() + 2, "{table}");
    assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
}
