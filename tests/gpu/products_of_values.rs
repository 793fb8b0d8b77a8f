//! Products of two values in models on a GPU; the checks are in `tests/common`.

use crate::common::products_of_values as products;
use crate::need_device;

#[test]
fn in_models() {
    products::every_dispatch_agrees_with_f64(&need_device!());
}
