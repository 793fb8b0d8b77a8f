//! Targets with weights of their own on a GPU; the checks are in `tests/common/partial.rs`.

use crate::common::partial;
use crate::need_device;

#[test]
fn partial_targets() {
    let device = need_device!();
    partial::missing_targets_count_for_nothing(&device);
    partial::partial_targets_train_everywhere(&device);
    partial::some_outputs_are_evaluated(&device);
}
