//! Runs over streams on a GPU; the checks are in `tests/common`.

use crate::common::stream;
use crate::need_device;

#[test]
fn a_stream_has_the_bits_of_memory() {
    stream::has_the_bits_of_memory(&need_device!());
}

#[test]
fn a_stream_is_shuffled_and_ends_with_its_reader() {
    let device = need_device!();
    stream::is_shuffled_in_windows(&device);
    stream::ends_with_the_error_of_its_reader(&device);
}
