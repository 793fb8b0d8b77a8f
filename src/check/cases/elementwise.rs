//! What treats each element by itself.

use super::{Shape, numbers};
use crate::formula::Function;
use crate::kernels::ElementwiseOp as Op;
use crate::kernels::{
    Activation, ActivationForward, ActivationGrad, BiasAdd, CopyColumns, Elementwise, Expression, Fill, Kernel, Scale,
};

pub(super) fn elementwise(s: &mut Shape) {
    let (rows, cols, n) = (s.rows, s.cols, s.n());
    let row = numbers(5, s.c(), -1.0, 1.0);
    s.add(Kernel::BiasAdd(BiasAdd { rows, cols }), vec![s.x(), row.clone()], &[n]);
    for op in [Op::Add, Op::Sub, Op::Mul] {
        let kernel = |a, b| Kernel::Elementwise(Elementwise::new(op, a, b));
        s.add(kernel((rows, cols), (rows, cols)), vec![s.x(), s.dy()], &[n]);
        s.add(kernel((rows, 1), (1, cols)), vec![s.per_row(), row.clone()], &[n]);
        s.add(kernel((1, 1), (rows, cols)), vec![vec![0.7], s.x()], &[n]);
    }
    for &function in Function::ALL {
        let kernel = |a, b| Kernel::Expression(Expression::new(function, a, b));
        let positive = matches!(function, Function::Pow | Function::Sqrt | Function::Ln);
        let x = if positive { s.probabilities() } else { s.x() };
        if function.arity() == 1 {
            s.add(kernel((rows, cols), (rows, cols)), vec![x], &[n]);
            continue;
        }
        // A quotient stays within what f16 holds.
        let away = |b: f32| if function == Function::Div && b.abs() < 1e-3 { 1e-3f32.copysign(b) } else { b };
        let second = |values: Vec<f32>| values.into_iter().map(away).collect();
        s.add(kernel((rows, cols), (rows, cols)), vec![x, second(s.dy())], &[n]);
        s.add(kernel((rows, 1), (1, cols)), vec![s.per_row(), second(row.clone())], &[n]);
    }
    s.add(Kernel::Scale(Scale { n: n as u32, factor: 0.3 }), vec![s.x()], &[n]);
    s.add(Kernel::Fill(Fill { n: n as u32, value: 0.3 }), vec![], &[n]);
    let columns = cols.div_ceil(2);
    let slice = CopyColumns {
        rows,
        cols: columns,
        from_width: cols,
        from_column: cols - columns,
        to_width: columns,
        to_column: 0,
    };
    s.add(Kernel::CopyColumns(slice), vec![s.x()], &[s.r() * columns as usize]);
    let paste = CopyColumns { rows, cols, from_width: cols, from_column: 0, to_width: cols + 2, to_column: 1 };
    s.update(Kernel::CopyColumns(paste), vec![s.x()], vec![vec![0.5; s.r() * (s.c() + 2)]]);
}

pub(super) fn activations(s: &mut Shape) {
    let n = s.n();
    let wide = numbers(6, n, -9.0, 9.0);
    for &f in Activation::ELEMENTWISE {
        s.add(Kernel::Activation(ActivationForward::new(f, n as u32)), vec![wide.clone()], &[n]);
        let saved = if f.saves_output() { numbers(7, n, 0.01, 0.99) } else { wide.clone() };
        s.add(Kernel::ActivationGrad(ActivationGrad::new(f, n as u32)), vec![saved, s.dy()], &[n]);
    }
}
