//! The f32 twin of every kernel against its f64 twin, over the shapes where indexing goes wrong.
//!
//! `allowed = ε (ulp |want| + terms)`: `ulp` covers the elementary functions, `terms` the rounding of a
//! sum, which is relative to the sum of the sizes of its terms and not to the result. Inputs lie in
//! [-2, 2], so a row of C terms gives at most a few C; it errs by √C of that in practice.

use axone::cpu::run;
use axone::kernels::elementwise::Op;
use axone::kernels::*;
use axone::random::{threefry2x32, uniform};

pub struct Case {
    pub kernel: Kernel,
    pub reads: Vec<Vec<f32>>,
    pub writes: Vec<Vec<f32>>,
    pub ulp: f64,
    pub terms: f64,
}

pub const ORDER_LENGTH: u32 = 100_000;

pub fn step() -> Step {
    Step {
        learning_rate: 0.01,
        step: 3,
        start: 2,
        valid: 3,
        inverse_weight: 0.25,
        log_row: 1,
        seed_low: 7,
        seed_high: 9,
        correction1: 0.271,
        correction2: 0.002_997_001,
    }
}

/// A permutation that is no identity.
pub fn order() -> Vec<u32> {
    (0..ORDER_LENGTH).map(|i| (i * 7 + 3) % 11).collect()
}

/// `n` numbers from `low` to `high`, different for every `stream`.
fn numbers(stream: u32, n: usize, low: f32, high: f32) -> Vec<f32> {
    (0..n as u32).map(|i| low + (high - low) * uniform(threefry2x32([stream, 1], [i, 0])[0])).collect()
}

/// Every kernel at one shape.
pub fn cases(rows: u32, cols: u32) -> Vec<Case> {
    let (r, c) = (rows as usize, cols as usize);
    let n = r * c;
    let x = || numbers(1, n, -2.0, 2.0);
    let dy = || numbers(2, n, -2.0, 2.0);
    let drow = || numbers(3, r, 0.5, 1.5);
    let classes = || (0..rows).map(|row| (row % cols) as f32).collect::<Vec<_>>();
    let probabilities = || numbers(4, n, 0.05, 0.95);
    let (rf, cf) = (r as f64, c as f64);
    let mut cases = Vec::new();
    let mut add = |kernel, reads, writes: &[usize], ulp, terms| {
        let writes = writes.iter().map(|n| vec![f32::NAN; *n]).collect();
        cases.push(Case { kernel, reads, writes, ulp, terms });
    };
    add(Kernel::BiasAdd(BiasAdd { rows, cols }), vec![x(), numbers(5, c, -1.0, 1.0)], &[n], 2.0, 4.0);
    add(Kernel::SumRows(SumRows { rows, cols }), vec![x()], &[c], 2.0, 2.0 * rf);
    add(Kernel::SumCols(SumCols { rows, cols }), vec![x()], &[r], 2.0, 2.0 * cf);
    for f in Activation::ALL {
        let wide = || numbers(6, n, -9.0, 9.0);
        add(Kernel::Activation(ActivationForward::new(f, n as u32)), vec![wide()], &[n], 200.0, 0.0);
        let saved = if f.saves_output() { numbers(7, n, 0.01, 0.99) } else { wide() };
        add(Kernel::ActivationGrad(ActivationGrad::new(f, n as u32)), vec![saved, dy()], &[n], 8.0, 64.0);
    }
    add(Kernel::Softmax(Softmax { rows, cols }), vec![x()], &[n], 16.0 + cf.sqrt(), 0.0);
    add(Kernel::SoftmaxGrad(SoftmaxGrad { rows, cols }), vec![probabilities(), dy()], &[n], 4.0, 8.0 * cf);
    add(Kernel::LogSoftmax(LogSoftmax { rows, cols }), vec![x()], &[n], 4.0, 16.0 + cf.sqrt());
    add(Kernel::LogSoftmaxGrad(LogSoftmaxGrad { rows, cols }), vec![x(), dy()], &[n], 4.0, 32.0 * cf);
    for part in [Part::Loss, Part::Grad, Part::LossAndGrad] {
        let inputs = |pred, target| if part == Part::Loss { vec![pred, target] } else { vec![pred, target, drow()] };
        let outputs: &[usize] = match part {
            Part::Loss => &[r],
            Part::Grad => &[n],
            Part::LossAndGrad => &[r, n],
        };
        for is_classes in [true, false] {
            let params = SoftmaxCrossEntropyParams { rows, cols, smoothing: 0.1 };
            let kernel = SoftmaxCrossEntropy { part, classes: is_classes, params };
            let target = if is_classes { classes() } else { probabilities() };
            add(Kernel::SoftmaxCrossEntropy(kernel), inputs(x(), target), outputs, 16.0, 16.0 + 8.0 * cf);
        }
        for loss in ElementwiseLoss::ALL {
            let kernel = Kernel::ElementwiseLoss(ElementwiseLossKernel::new(part, loss, rows, cols));
            let ulp = 32.0 + cf.sqrt();
            add(kernel, inputs(probabilities(), numbers(8, n, 0.0, 1.0)), outputs, ulp, 32.0);
        }
    }
    for op in [Op::Add, Op::Sub, Op::Mul] {
        add(Kernel::Elementwise(Elementwise::new(op, (rows, cols), (rows, cols))), vec![x(), dy()], &[n], 1.0, 4.0);
        add(
            Kernel::Elementwise(Elementwise::new(op, (rows, 1), (1, cols))),
            vec![drow(), numbers(9, c, -1.0, 1.0)],
            &[n],
            1.0,
            4.0,
        );
        add(Kernel::Elementwise(Elementwise::new(op, (1, 1), (rows, cols))), vec![vec![0.7], x()], &[n], 1.0, 4.0);
    }
    add(Kernel::Scale(Scale { n: n as u32, factor: 0.3 }), vec![x()], &[n], 1.0, 0.0);
    add(Kernel::Fill(Fill { n: n as u32, value: 0.3 }), vec![], &[n], 0.0, 0.0);
    let copy = CopyColumns { rows, cols, from_width: cols, from_column: 0, to_width: cols, to_column: 0 };
    add(Kernel::CopyColumns(copy), vec![x()], &[n], 0.0, 0.0);
    let data = || numbers(10, 11 * c, -2.0, 2.0);
    add(Kernel::Gather(Gather { rows, cols }), vec![data()], &[n], 0.0, 0.0);
    add(Kernel::GatherWeights(GatherWeights { rows }), vec![numbers(10, 11, 0.0, 2.0)], &[r], 1.0, 0.0);
    add(Kernel::Dropout(Dropout::new(n as u32, 0.4, 5)), vec![x()], &[n], 1.0, 0.0);
    for kind in [AccuracyKind::Classes, AccuracyKind::OneHot, AccuracyKind::Binary { threshold: 0.1 }] {
        let target = if kind == AccuracyKind::Classes { classes() } else { probabilities() };
        add(Kernel::Accuracy(Accuracy::new(kind, rows, cols)), vec![x(), target], &[r], 2.0, 0.0);
    }
    add(
        Kernel::WeightedSum(WeightedSum { n: n as u32, slot: 0, slots: 0 }),
        vec![x(), dy()],
        &[1],
        2.0,
        4.0 * n as f64,
    );
    let square = || numbers(11, n, 0.0, 1.0);
    let in_place = [
        (Kernel::Sgd(Sgd { n: n as u32 }), vec![x()]),
        (Kernel::Adam(Adam::new(n as u32, 0.9, 0.999, 1e-8)), vec![x(), dy(), square()]),
    ];
    for (kernel, writes) in in_place {
        cases.push(Case { kernel, reads: vec![dy()], writes, ulp: 16.0, terms: 8.0 });
    }
    let kernel = Kernel::WeightedSum(WeightedSum { n: n as u32, slot: 2, slots: 3 });
    cases.push(Case { kernel, reads: vec![x(), dy()], writes: vec![vec![0.5; 6]], ulp: 2.0, terms: 4.0 * n as f64 });
    cases
}

/// The f64 twin on the same numbers.
pub fn oracle(case: &Case) -> Vec<Vec<f64>> {
    let widen = |buffers: &[Vec<f32>]| -> Vec<Vec<f64>> {
        buffers.iter().map(|b| b.iter().map(|x| f64::from(*x)).collect()).collect()
    };
    let (reads, mut writes) = (widen(&case.reads), widen(&case.writes));
    let reads: Vec<&[f64]> = reads.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<&mut [f64]> = writes.iter_mut().map(Vec::as_mut_slice).collect();
    run(&case.kernel, &reads, &mut outputs, &order(), &step()).unwrap();
    writes
}

/// The first element of `got` outside of what is allowed.
pub fn first_error(case: &Case, got: &[Vec<f32>], want: &[Vec<f64>]) -> Option<String> {
    for (b, (got, want)) in got.iter().zip(want).enumerate() {
        for (i, (got, want)) in got.iter().zip(want).enumerate() {
            let allowed = f64::from(f32::EPSILON) * (case.ulp * want.abs() + case.terms);
            let error = (f64::from(*got) - want).abs();
            // 2e-38: what a GPU may flush. NaN fits nothing.
            let fits = error <= allowed + 2e-38;
            if !fits {
                return Some(format!("{:?}: output {b}[{i}]: {got}, want {want}, allowed {allowed:e}", case.kernel));
            }
        }
    }
    None
}

pub const SHAPES: [(u32, u32); 9] =
    [(1, 1), (1, 7), (5, 1), (3, 33), (9, 16), (130, 17), (3, 300), (2, 1031), (7000, 3)];

#[test]
fn f32_twins_agree_with_f64_twins() {
    for (rows, cols) in SHAPES {
        for case in cases(rows, cols) {
            let mut writes = case.writes.clone();
            let reads: Vec<&[f32]> = case.reads.iter().map(Vec::as_slice).collect();
            let mut outputs: Vec<&mut [f32]> = writes.iter_mut().map(Vec::as_mut_slice).collect();
            run(&case.kernel, &reads, &mut outputs, &order(), &step()).unwrap();
            if let Some(error) = first_error(&case, &writes, &oracle(&case)) {
                panic!("{error}");
            }
        }
    }
}

#[test]
fn a_wrong_element_is_seen() {
    let case = cases(3, 33).swap_remove(0);
    let want = oracle(&case);
    let mut got: Vec<Vec<f32>> = want.iter().map(|b| b.iter().map(|x| *x as f32).collect()).collect();
    assert_eq!(first_error(&case, &got, &want), None);
    got[0][50] += 1e-4;
    assert!(first_error(&case, &got, &want).is_some());
    got[0][50] = f32::NAN;
    assert!(first_error(&case, &got, &want).is_some());
}

#[test]
fn buffers_that_do_not_fit_are_an_error() {
    let kernel = Kernel::Scale(Scale { n: 1, factor: 1.0 });
    assert!(run::<f32>(&kernel, &[], &mut [&mut [0.0]], &[], &Step::default()).is_err());
}
