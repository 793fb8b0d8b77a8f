//! What a model on the CPU backend holds; the checks are in `tests/common/memory.rs`.

use crate::common::memory::{self, alone};
use axone::Device;

#[test]
fn data_are_shared_and_let_go() {
    alone("memory::child_whose_data_are_let_go");
}

#[test]
#[ignore = "counts what its process allocates: started by `data_are_shared_and_let_go`"]
fn child_whose_data_are_let_go() {
    memory::data_are_shared_and_let_go(&Device::cpu());
}

#[test]
fn nothing_grows() {
    alone("memory::child_that_does_not_grow");
}

#[test]
#[ignore = "counts what its process allocates: started by `nothing_grows`"]
fn child_that_does_not_grow() {
    memory::nothing_grows(&Device::cpu());
}

#[test]
fn a_model_leaves_nothing() {
    alone("memory::child_that_leaves_nothing");
}

#[test]
#[ignore = "counts what its process allocates: started by `a_model_leaves_nothing`"]
fn child_that_leaves_nothing() {
    memory::a_model_leaves_nothing(&Device::cpu());
}
