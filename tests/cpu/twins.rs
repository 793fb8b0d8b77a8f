//! The f32 twin of every kernel against its f64 twin, over the shapes where indexing goes wrong and under the
//! tolerances that GPUs are held to.

use axone::Device;
use axone::check::kernels;
use axone::cpu::run;
use axone::kernels::{Kernel, Scale, Step};

#[test]
fn f32_twins_agree_with_f64_twins() {
    let report = kernels(&Device::cpu()).unwrap();
    assert_eq!((report.failed(), report.skipped()), (0, 0), "{report}");
}

#[test]
fn buffers_that_do_not_fit_are_an_error() {
    let kernel = Kernel::Scale(Scale { n: 1, factor: 1.0 });
    assert!(run::<f32>(&kernel, &[], &mut [&mut [0.0]], &[], &Step::default()).is_err());
}
