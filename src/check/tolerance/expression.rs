//! Bounds of programs: each instruction on numbers that carry their error.
//!
//! A function is 6 ulp off that of an argument which is 2 ulp off beside its own error, as everywhere; how far that moves
//! the result is seen at both ends of the argument's range, which is exact for what is monotone. Sine and cosine move no
//! further than their argument. A power is the exponential of a product, whose rounding counts as many times as that is
//! large. A comparison is certain where the difference is larger than both errors, and a step of full size otherwise.

use super::near::Near;
use super::{ARGUMENT, FUNCTION, Judged, SMALLEST, ULP};
use crate::cpu::Number;
use crate::formula::Function;
use crate::kernels::Expression;
use crate::kernels::expression::{Instruction, Source};

/// The bound of each element.
pub(super) fn expression(p: &Expression, judged: &Judged<'_>) -> Vec<f64> {
    let cols = p.params.cols as usize;
    let element = |i: usize| {
        let input = |at: usize| {
            let [row, col] = p.strides[at].map(|stride| stride as usize);
            Near::of(judged.reads[at][i / cols * row + i % cols * col])
        };
        let mut values: Vec<Near> = Vec::with_capacity(p.code.len());
        for instruction in &p.code {
            let read = |source| match source {
                Source::Input(at) => input(at),
                Source::Value(at) => values[at],
            };
            let value = match *instruction {
                Instruction::Number(number) => Near::of(number.into()),
                Instruction::Apply(function, of) => apply(function, of.map(read)),
            };
            let off = if value.off.is_nan() { f64::INFINITY } else { value.off };
            values.push(Near { off, ..value });
        }
        values.last().map_or(0.0, |value| value.off)
    };
    (0..judged.expected.first().map_or(0, Vec::len)).map(element).collect()
}

fn apply(function: Function, [a, b]: [Near; 2]) -> Near {
    let exact = |x: f64, off: f64| Near { x, off };
    match function {
        Function::Add => a + b,
        Function::Sub => a - b,
        Function::Mul => a * b,
        Function::Div => {
            // What 1 / b can be where b may be off by much of itself.
            let least = b.x.abs() - b.off;
            let quotient = a / b;
            let off = if least > 0.0 { quotient.off * b.x.abs() / least } else { f64::INFINITY };
            if b.off == 0.0 { quotient } else { exact(quotient.x, off) }
        }
        Function::Pow => power(a, b),
        Function::Min => exact(if b.x < a.x || b.x.is_nan() { b.x } else { a.x }, a.off.max(b.off)),
        Function::Max => exact(if b.x > a.x || b.x.is_nan() { b.x } else { a.x }, a.off.max(b.off)),
        Function::Greater => {
            let certain = (a.x - b.x).abs() >= a.off + b.off;
            exact(f64::from(u8::from(a.x > b.x)), if certain { 0.0 } else { 1.0 })
        }
        Function::Keep => {
            let certain = a.off == 0.0 || a.x.abs() > a.off;
            let x = if a.x == 0.0 { 0.0 } else { b.x };
            exact(x, if certain { if a.x == 0.0 { 0.0 } else { b.off } } else { b.x.abs() + b.off })
        }
        Function::Abs => a.abs(),
        Function::Sign => {
            let x = if a.x == 0.0 { 0.0 } else { a.x.signum() };
            exact(x, if a.off == 0.0 || a.x.abs() > a.off { 0.0 } else { 2.0 })
        }
        Function::Sqrt if a.x < 0.0 => exact(f64::NAN, if -a.x > a.off { 0.0 } else { f64::INFINITY }),
        Function::Sqrt => a.sqrt(),
        Function::Exp => monotone(a, f64::exp),
        Function::Ln => monotone(a, f64::ln),
        Function::Sigmoid => monotone(a, |x| 1.0 / (1.0 + (-x).exp())),
        Function::Tanh => monotone(a, f64::tanh),
        Function::Softplus => monotone(a, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        Function::Sin => turned(a, a.x.sin(), a.x.cos()),
        Function::Cos => turned(a, a.x.cos(), a.x.sin()),
    }
}

/// What the argument may be off by when it arrives.
fn arriving(a: Near) -> f64 {
    a.off + ARGUMENT * ULP * a.x.abs()
}

fn monotone(a: Near, f: impl Fn(f64) -> f64) -> Near {
    let (x, off) = (f(a.x), arriving(a));
    let moved = (f(a.x + off) - x).abs().max((f(a.x - off) - x).abs());
    // An infinity is exact where both ends are the same.
    let moved = if f(a.x + off) == x && f(a.x - off) == x { 0.0 } else { moved };
    Near { x, off: moved + FUNCTION * ULP * if x.is_finite() { x.abs() } else { 0.0 } + SMALLEST }
}

/// A sine or cosine: `slope` at the point, and no more than 1 on the way, where the slope moves as the argument does.
fn turned(a: Near, x: f64, slope: f64) -> Near {
    let off = arriving(a);
    Near { x, off: (off * (slope.abs() + off).min(1.0)).min(2.0) + FUNCTION * ULP * x.abs() + SMALLEST }
}

fn power(a: Near, b: Near) -> Near {
    let x = a.x.powf(b.x);
    if x.is_nan() || b.x == 0.0 && b.off == 0.0 || a.x == 1.0 && a.off == 0.0 {
        return Near { x, off: if a.off + b.off == 0.0 { 0.0 } else { f64::INFINITY } };
    }
    let (size, least) = (a.x.abs(), (a.x.abs() - a.off).max(0.0));
    let corners = [least, size + a.off].map(|a| [b.x - b.off, b.x + b.off].map(|b| (a.powf(b) - x.abs()).abs()));
    let moved =
        if a.off + b.off == 0.0 { 0.0 } else { corners.as_flattened().iter().fold(0.0, |most: f64, c| most.max(*c)) };
    let exponent = if size > 0.0 { (b.x * size.ln()).abs() } else { 0.0 };
    let rounding = if x.is_finite() { x.abs() * ULP * (FUNCTION + (FUNCTION + ARGUMENT) * exponent) } else { 0.0 };
    Near { x, off: moved + rounding + SMALLEST }
}
