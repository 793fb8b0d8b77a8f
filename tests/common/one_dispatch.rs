//! Classifiers whose training step one dispatch can run.

use axone::Device;
use axone::layers::Activation;
use axone::model::{Program, Purpose};
use axone::plan::Plan;
use axone::prelude::*;

/// Dense layers of `widths`, the first of which are the inputs, with `activation` between them.
pub fn chain(widths: &[usize], activation: Activation) -> Sequential {
    let mut net = Sequential::new(widths[0]);
    for (i, &units) in widths[1..].iter().enumerate() {
        let last = i + 2 == widths.len();
        net = net.add(Dense::new(units).activation(if last { Activation::Softmax } else { activation }));
    }
    net
}

/// What trains `net` to tell classes apart.
pub fn program(net: Sequential, optimizer: impl Into<Optimizer>) -> Program {
    net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, optimizer).unwrap().program().clone()
}

/// Its training plan for `batch` rows whose targets are classes.
pub fn train(program: &Program, batch: usize) -> Plan {
    program.plan(Purpose::Train, batch, &[true], true).unwrap()
}
