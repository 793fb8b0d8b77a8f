//! Long sums and far columns on a GPU; the checks are in `tests/common/sums.rs`.

use crate::common::sums;
use crate::need_device;

#[test]
fn columns_far_from_zero_have_their_variance() {
    sums::columns_far_from_zero_have_their_variance(&need_device!());
}

#[test]
fn a_constant_column_has_no_variance() {
    sums::a_constant_column_has_no_variance(&need_device!());
}

#[test]
fn far_columns_agree_with_f64() {
    sums::far_columns_agree_with_f64(&need_device!());
}

#[test]
fn far_rows_have_their_variance() {
    sums::far_rows_have_their_variance(&need_device!());
}

#[test]
fn equal_bias_gradients_add_up() {
    sums::equal_bias_gradients_add_up(&need_device!());
}

#[test]
fn equal_gradients_of_a_table_add_up() {
    sums::equal_gradients_of_a_table_add_up(&need_device!());
}
