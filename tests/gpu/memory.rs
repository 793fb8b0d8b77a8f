//! What a model on a GPU holds on the host; the checks are in `tests/common/memory.rs`.

use crate::common::memory::{self, alone};
use crate::need_device;

#[test]
fn data_are_shared_and_let_go() {
    alone("memory::child_whose_data_are_let_go");
}

#[test]
#[ignore = "counts what its process allocates: started by `data_are_shared_and_let_go`"]
fn child_whose_data_are_let_go() {
    memory::data_are_shared_and_let_go(&need_device!());
}

#[test]
fn nothing_grows() {
    alone("memory::child_that_does_not_grow");
}

#[test]
#[ignore = "counts what its process allocates: started by `nothing_grows`"]
fn child_that_does_not_grow() {
    memory::nothing_grows(&need_device!());
}
