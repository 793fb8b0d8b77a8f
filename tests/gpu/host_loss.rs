//! Losses by the host on a GPU; the checks are in `tests/common`.

use crate::common::host_loss;
use crate::need_device;

#[test]
fn a_loss_by_the_host() {
    let device = need_device!();
    host_loss::is_that_of_the_library(&device);
    host_loss::forward_is_what_predict_says(&device);
}
