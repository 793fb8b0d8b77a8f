//! The GPU against PyTorch's float64 results. Tolerances are derived in `tests/common`, the same as for the CPU.

use crate::common::machine::Machine;
use crate::common::training::{Case, runs};
use crate::common::{assert_none, elementwise, fixtures, losses, more_losses, rows};
use crate::need_device;
use axone::kernels::Activation;

#[test]
fn activations() {
    let mut machine = Machine::on(&need_device!());
    let found: Vec<_> =
        Activation::ELEMENTWISE.iter().flat_map(|f| elementwise::violations(&mut machine, *f)).collect();
    assert_none(&found);
}

/// tanh, elu and their like keep the sign of a zero in PyTorch.
#[test]
fn zeros_keep_their_sign() {
    let mut machine = Machine::on(&need_device!());
    let zeros = |f: &Activation| elementwise::zeros_of_the_wrong_sign(&mut machine, *f);
    assert_none(&Activation::ELEMENTWISE.iter().flat_map(zeros).collect::<Vec<_>>());
}

#[test]
fn softmax_and_log_softmax() {
    let mut machine = Machine::on(&need_device!());
    assert_none(&rows::violations(&mut machine, false));
    assert_none(&rows::violations(&mut machine, true));
}

#[test]
fn losses() {
    let mut machine = Machine::on(&need_device!());
    for name in fixtures::names("losses") {
        assert_none(&losses::violations(&mut machine, &name, false));
        assert_none(&losses::violations(&mut machine, &name, true));
    }
}

#[test]
fn more_losses() {
    let mut machine = Machine::on(&need_device!());
    for name in more_losses::NAMES {
        assert_none(&more_losses::violations(&mut machine, name, false));
        assert_none(&more_losses::violations(&mut machine, name, true));
    }
}

#[test]
fn training_runs() {
    let device = need_device!();
    for name in runs() {
        let (found, used) = Case::read(&name).violations(&device, false);
        println!("{name}: {:.0} % of the allowance used", 100.0 * used);
        assert_none(&found);
    }
}
