//! The matrix product: sizes, forms, epilogues and tiles.

use super::{Case, numbers};
use crate::kernels::{Activation, Epilogue, Kernel, Matmul, Tile};

/// The matrix product: sizes, forms, epilogues and tiles.
pub fn matmul_cases() -> Vec<Case> {
    const SIZES: [(usize, usize, usize); 12] = [
        (1, 1, 1),
        (5, 3, 1),
        (7, 1, 33),
        (1, 50, 17),
        (17, 16, 16),
        (33, 65, 40),
        (64, 64, 64),
        (130, 70, 129),
        (65, 10, 1031),
        // Leading dimensions that are multiples of 4: operands are read as vec4.
        (4, 4, 4),
        (68, 36, 44),
        (132, 140, 100),
    ];
    let mut all = Vec::new();
    for (m, n, k) in SIZES {
        let at = (m * n).next_multiple_of(64);
        let (bias, gradient) = (Epilogue::Bias(Activation::Tanh), Epilogue::Gradient(Activation::Tanh));
        for tile in Tile::ALL {
            let product = |a, b| Matmul { tile: Some(tile), ..Matmul::new(m, n, k, a, b) };
            for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(matmul_case(product(a, b)));
            }
            all.push(matmul_case(product(false, false).with_epilogue(bias)));
            all.push(matmul_case(product(false, true).with_epilogue(gradient)));
            all.push(matmul_case(product(true, false).with_epilogue(Epilogue::BiasRow { at })));
        }
        // The device's own choice of tile.
        for f in Activation::ALL {
            all.push(matmul_case(Matmul::new(m, n, k, false, false).with_epilogue(Epilogue::Bias(f))));
            all.push(matmul_case(Matmul::new(m, n, k, false, true).with_epilogue(Epilogue::Gradient(f))));
        }
    }
    all
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
    Case { kernel: Kernel::Matmul(kernel), name, reads, writes }
}
