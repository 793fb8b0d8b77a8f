//! The matrix product: sizes, forms, epilogues and tiles.

use super::{Case, numbers};
use crate::kernels::matmul::PART_ALIGNMENT;
use crate::kernels::{Activation, Epilogue, Halves, Kernel, Matmul, Tile};

/// Rows, columns, length of the sums: of each either all are multiples of 4, and every operand is read as vec4, or none.
const SIZES: [(usize, usize, usize); 13] = [
    (1, 1, 1),
    (5, 3, 1),
    (7, 1, 33),
    (1, 50, 17),
    (33, 65, 41),
    (130, 70, 129),
    (65, 10, 1031),
    (4, 4, 4),
    (20, 16, 16),
    (64, 64, 64),
    (68, 36, 44),
    (4, 140, 100),
    (132, 140, 100),
];

/// Those of a quick check: every tile takes one of them.
const QUICK_SIZES: [(usize, usize, usize); 4] = [(1, 50, 17), (65, 10, 129), (4, 16, 44), (132, 140, 100)];

/// [`matmul_cases`] at few sizes.
pub(in crate::check) fn quick_matmul_cases() -> Vec<Case> {
    cases_of(&QUICK_SIZES)
}

/// The matrix product: every tile at every size that it takes with the forms and epilogues of a network; then, with the
/// device's own choice of tile, every mixture of operands with and without vec4, and every activation.
pub fn matmul_cases() -> Vec<Case> {
    cases_of(&SIZES)
}

fn cases_of(sizes: &[(usize, usize, usize)]) -> Vec<Case> {
    let bias = |f| Epilogue::Bias(f);
    let (tanh, bias_row) =
        (Activation::Tanh, |m: usize, n: usize| Epilogue::BiasRow { at: (m * n).next_multiple_of(64) });
    let mut all = Vec::new();
    for &(m, n, k) in sizes {
        for tile in Tile::ALL {
            let product = |a, b| Matmul { tile: Some(tile), ..Matmul::new(m, n, k, a, b) };
            if !tile.takes(&product(false, false).params) {
                continue;
            }
            for (a, b) in [(false, false), (false, true), (true, true)] {
                all.push(matmul_case(product(a, b)));
            }
            all.push(matmul_case(product(false, false).with_epilogue(bias(tanh))));
            all.push(matmul_case(product(false, true).with_epilogue(Epilogue::Gradient(tanh))));
            all.push(matmul_case(product(true, false).with_epilogue(bias_row(m, n))));
            all.push(matmul_case(product(true, false).with_epilogue(Epilogue::InParts { steps: PART_ALIGNMENT })));
            if m > 1 && k > 1 {
                all.extend(in_half(tile, (m, n, k)));
            }
        }
        for tile in Tile::COOPERATIVE {
            all.extend(in_half(tile, (m, n, k)));
        }
    }
    let mixed = |m, n, k, a, b, epilogue| matmul_case(Matmul::new(m, n, k, a, b).with_epilogue(epilogue));
    all.push(mixed(33, 10, 40, false, false, bias(tanh)));
    all.push(mixed(40, 10, 33, true, false, bias_row(40, 10)));
    all.push(mixed(33, 40, 10, false, true, Epilogue::Gradient(tanh)));
    all.push(mixed(33, 40, 33, false, false, bias(tanh)));
    all.push(mixed(33, 33, 40, false, true, Epilogue::Gradient(tanh)));
    all.push(mixed(40, 40, 33, true, true, Epilogue::Plain));
    all.push(mixed(33, 33, 40, true, true, Epilogue::Plain));
    for &f in Activation::ELEMENTWISE {
        all.push(mixed(68, 36, 44, false, false, bias(f)));
        all.push(mixed(68, 36, 44, false, true, Epilogue::Gradient(f)));
    }
    all
}

/// Products as a plan has them whose activations are f16: parameters and their gradients are not.
fn in_half(tile: Tile, (m, n, k): (usize, usize, usize)) -> Vec<Case> {
    let product = |a, b| Matmul { tile: Some(tile), ..Matmul::new(m, n, k, a, b) };
    if !tile.takes(&product(false, false).params) {
        return Vec::new();
    }
    let silu = Activation::Silu;
    let db = Epilogue::BiasRow { at: (m * n).next_multiple_of(64) };
    let parts = Epilogue::InParts { steps: PART_ALIGNMENT };
    vec![
        matmul_case(product(false, false).with_epilogue(Epilogue::Bias(silu))).in_half(&["a", "c"]),
        matmul_case(product(false, true).with_epilogue(Epilogue::Gradient(silu))).in_half(&["a", "saved", "c"]),
        matmul_case(product(true, false).with_epilogue(db)).in_half(&["a", "b"]),
        matmul_case(product(true, false).with_epilogue(parts)).in_half(&["a", "b"]),
        matmul_case(product(true, true)).in_half(&[]),
    ]
}

pub(super) fn matmul_case(kernel: Matmul) -> Case {
    let (m, n, k) = (kernel.params.m as usize, kernel.params.n as usize, kernel.params.k as usize);
    let mut reads = vec![numbers(20, m * k, -2.0, 2.0), numbers(21, k * n, -2.0, 2.0)];
    let mut writes = vec![vec![f32::NAN; m * n]];
    match kernel.epilogue {
        Epilogue::Plain => {}
        Epilogue::InParts { .. } => writes = vec![vec![f32::NAN; kernel.parts() * m * n]],
        Epilogue::BiasRow { at } => {
            // What lies between dw and db belongs to nobody and must stay as it is.
            writes = vec![[vec![f32::NAN; m * n], vec![0.5; at - m * n], vec![f32::NAN; n]].concat()];
        }
        Epilogue::Bias(_) => reads.push(numbers(22, n, -1.0, 1.0)),
        Epilogue::Gradient(f) if f.saves_output() => reads.push(numbers(23, m * n, 0.01, 0.99)),
        Epilogue::Gradient(_) => reads.push(numbers(23, m * n, -9.0, 9.0)),
    }
    let form = |transposed| if transposed { "t" } else { "n" };
    let (a, b) = (form(kernel.transpose_a), form(kernel.transpose_b));
    let what = match kernel.epilogue {
        Epilogue::Plain => String::new(),
        Epilogue::InParts { steps } => format!(" in parts of {steps}"),
        Epilogue::BiasRow { .. } => " bias row".to_owned(),
        Epilogue::Bias(f) | Epilogue::Gradient(f) => format!(" {}", f.name()),
    };
    let tile = kernel.tile.map_or("chosen".to_owned(), |tile| format!("{tile:?}"));
    let name = format!("{m}x{n}x{k} {a}{b} {tile}{what}");
    Case { kernel: Kernel::Matmul(kernel), name, reads, writes, step: Case::step(), halves: Halves::NONE }
}
