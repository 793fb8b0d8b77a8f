//! Long sums and far columns on the CPU; the checks are in `tests/common/sums.rs`.

use crate::common::sums;
use axone::Device;

#[test]
fn columns_far_from_zero_have_their_variance() {
    sums::columns_far_from_zero_have_their_variance(&Device::cpu());
}

#[test]
fn a_constant_column_has_no_variance() {
    sums::a_constant_column_has_no_variance(&Device::cpu());
}

#[test]
fn far_columns_agree_with_f64() {
    sums::far_columns_agree_with_f64(&Device::cpu());
}

#[test]
fn far_rows_have_their_variance() {
    sums::far_rows_have_their_variance(&Device::cpu());
}

#[test]
fn equal_bias_gradients_add_up() {
    sums::equal_bias_gradients_add_up(&Device::cpu());
}

#[test]
fn equal_gradients_of_a_table_add_up() {
    sums::equal_gradients_of_a_table_add_up(&Device::cpu());
}
