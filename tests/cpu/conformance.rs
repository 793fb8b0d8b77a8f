//! The CPU backend against PyTorch's float64 results, in f32 and in f64. Tolerances are derived in `tests/common`.

use crate::common::machine::Machine;
use crate::common::training::{Case, runs};
use crate::common::{assert_none, elementwise, fixtures, losses, more_losses, rows};
use axone::Device;
use axone::kernels::Activation;

fn machines() -> [Machine; 2] {
    [Machine::on(&Device::cpu()), Machine::oracle()]
}

#[test]
fn activations() {
    for mut machine in machines() {
        let found: Vec<_> =
            Activation::ELEMENTWISE.iter().flat_map(|f| elementwise::violations(&mut machine, *f)).collect();
        assert_none(&found);
    }
}

/// tanh, elu and their like keep the sign of a zero in PyTorch.
#[test]
fn zeros_keep_their_sign() {
    for mut machine in machines() {
        let zeros = |f: &Activation| elementwise::zeros_of_the_wrong_sign(&mut machine, *f);
        assert_none(&Activation::ELEMENTWISE.iter().flat_map(zeros).collect::<Vec<_>>());
    }
}

#[test]
fn softmax_and_log_softmax() {
    for mut machine in machines() {
        assert_none(&rows::violations(&mut machine, false));
        assert_none(&rows::violations(&mut machine, true));
    }
}

#[test]
fn losses() {
    for mut machine in machines() {
        for name in fixtures::names("losses") {
            assert_none(&losses::violations(&mut machine, &name, false));
            assert_none(&losses::violations(&mut machine, &name, true));
        }
    }
}

#[test]
fn more_losses() {
    for mut machine in machines() {
        for name in more_losses::NAMES {
            assert_none(&more_losses::violations(&mut machine, name, false));
            assert_none(&more_losses::violations(&mut machine, name, true));
        }
    }
}

#[test]
fn losses_of_models() {
    assert_none(&losses::violations_of_models(&Device::cpu_f64()));
}

/// The manifest's list of activations is the library's, so that none goes untested.
#[test]
fn nothing_is_left_out() {
    let own = Activation::ELEMENTWISE.iter().map(|f| f.name()).chain(["softmax", "log_softmax"]).collect::<Vec<_>>();
    assert_eq!(fixtures::names("activations"), own);
}

#[test]
fn training_runs() {
    for name in runs() {
        let case = Case::read(&name);
        for (device, is_f64) in [(Device::cpu(), false), (Device::cpu_f64(), true)] {
            let (found, used) = case.violations(&device, is_f64);
            println!("{name} on {}: {:.0} % of the allowance used", device.info().name, 100.0 * used);
            assert_none(&found);
        }
    }
}

/// A weight that is off by 2e-5 of itself is seen in an f32 run, one that is off by 2e-6 in an f64 run.
#[test]
fn a_spoiled_weight_is_seen() {
    let case = Case::read("multiclass_sgd");
    for (relative, is_f64) in [(2e-5, false), (2e-6, true)] {
        assert_eq!(case.compare(&case.spoiled(5, 0.0), is_f64).0.len(), 0);
        assert_eq!(case.compare(&case.spoiled(5, relative), is_f64).0.len(), 1, "off by {relative}");
    }
}
