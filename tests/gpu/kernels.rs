//! Every kernel on a software adapter against the f64 twins, and canaries: each kind of fault that the check is
//! for is made on purpose, and must turn a row red.

use axone::check::{Case, Check, Outcome, Row, cases, kernels, kernels_on, matmul_cases, run_case};
use axone::kernels::{Elementwise, ElementwiseOp, Kernel, SumRows};
use axone::train::Verbosity;

#[test]
fn every_kernel_at_every_size() {
    let Some(device) = crate::device("every_kernel_at_every_size") else { return };
    let report = kernels(&device).unwrap();
    println!("{report}");
    assert_eq!((report.failed(), report.skipped()), (0, 0), "{report}");
    let cooperative = |row: &&Row| row.kernel.starts_with("matmul_cooperative");
    let ran = report.rows.iter().filter(cooperative).any(|row| row.elements > 0);
    let has = device.info().features.iter().any(|feature| feature.contains("F16 to F32"));
    assert_eq!(ran, has, "{report}");
    if !has {
        crate::skip_part("every_kernel_at_every_size: cooperative matrices", "the adapter has none");
    }
    assert!(report.rows.len() > 1000, "only {} rows", report.rows.len());
}

/// Also what the next test runs with another environment.
#[test]
fn every_kernel_at_few_sizes() {
    let Some(device) = crate::device("every_kernel_at_few_sizes") else { return };
    let report = Check::quick().verbosity(Verbosity::Silent).run(&device).unwrap();
    assert_eq!((report.failed(), report.skipped()), (0, 0), "{report}");
}

/// Workgroup memory is not zeroed: a kernel that counted on zeros would take the junk for numbers that fills it here.
#[cfg(debug_assertions)]
#[test]
fn no_kernel_reads_workgroup_memory_before_it_writes_it() {
    if crate::device("no_kernel_reads_workgroup_memory_before_it_writes_it").is_none() {
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let child = child.args(["--exact", "kernels::every_kernel_at_few_sizes", "--nocapture"]).env("AXONE_POISON", "1");
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn case_of(wanted: fn(&Kernel) -> bool) -> Case {
    cases(3, 33).into_iter().chain(matmul_cases()).find(|case| wanted(&case.kernel)).unwrap()
}

/// Runs `run` on the device and judges the result as that of `claimed`.
fn outcome(run: Case, claimed: Case) -> Option<Outcome> {
    let device = crate::device("kernel canaries")?;
    let got = run_case(&mut *device.executor(), &run).unwrap().unwrap();
    let report = kernels_on(&device, [claimed.clone()]).unwrap();
    assert_eq!(report.failed(), 0, "the claimed case itself must pass: {report}");
    Some(axone::check::judge_outputs(&claimed, &got).unwrap().outcome)
}

fn is_red(outcome: Option<Outcome>) -> bool {
    outcome.is_none_or(|outcome| matches!(outcome, Outcome::Failed(_)))
}

#[test]
fn canary_an_element_off_by_more_than_its_tolerance() {
    let Some(device) = crate::device("canary_an_element_off_by_more_than_its_tolerance") else { return };
    let case = case_of(|kernel| matches!(kernel, Kernel::Matmul(_)));
    let mut got = run_case(&mut *device.executor(), &case).unwrap().unwrap();
    assert!(matches!(axone::check::judge_outputs(&case, &got).unwrap().outcome, Outcome::Passed));
    let middle = got[0].len() / 2;
    got[0][middle] *= 1.0 + 1e-5;
    assert!(matches!(axone::check::judge_outputs(&case, &got).unwrap().outcome, Outcome::Failed(_)));
    got[0][middle] = f32::NAN;
    assert!(matches!(axone::check::judge_outputs(&case, &got).unwrap().outcome, Outcome::Failed(_)));
}

#[test]
fn canary_two_bindings_exchanged() {
    let subtraction = |kernel: &Kernel| matches!(kernel, Kernel::Elementwise(p) if p.op == ElementwiseOp::Sub);
    let right = case_of(subtraction);
    let mut wrong = right.clone();
    wrong.reads.swap(0, 1);
    assert!(is_red(outcome(wrong, right)));
}

#[test]
fn canary_two_parameters_exchanged() {
    let right = case_of(|kernel| matches!(kernel, Kernel::SumRows(_)));
    let mut wrong = right.clone();
    wrong.kernel = Kernel::SumRows(SumRows { rows: 33, cols: 3 });
    assert!(is_red(outcome(wrong, right)));
}

#[test]
fn canary_another_operation() {
    let right = case_of(|kernel| matches!(kernel, Kernel::Elementwise(p) if p.op == ElementwiseOp::Add));
    let mut wrong = right.clone();
    wrong.kernel = Kernel::Elementwise(Elementwise::new(ElementwiseOp::Mul, (3, 33), (3, 33)));
    assert!(is_red(outcome(wrong, right)));
}

#[test]
fn canary_an_element_that_is_not_written() {
    let Some(device) = crate::device("canary_an_element_that_is_not_written") else { return };
    let right = case_of(|kernel| matches!(kernel, Kernel::Fill(_)));
    let mut short = right.clone();
    // The kernel believes in fewer elements than there are: the rest stays NaN.
    short.kernel = Kernel::Fill(axone::kernels::Fill { n: 98, value: 0.3 });
    let got = run_case(&mut *device.executor(), &short).unwrap().unwrap();
    assert!(got[0][98].is_nan());
    assert!(matches!(axone::check::judge_outputs(&right, &got).unwrap().outcome, Outcome::Failed(_)));
}
