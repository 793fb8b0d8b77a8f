//! Twin of `shaders/expression.wgsl`: instruction by instruction over blocks that stay in the cache.

use super::Real;
use super::activation::{sigmoid, softplus};
use crate::formula::Function;
use crate::kernels::expression::{Expression, Instruction, MOST_INPUTS, MOST_INSTRUCTIONS, Source};

/// Elements of a block.
const BLOCK: usize = 128;

/// `y = f(a, b, …)`; a stride of 0 repeats.
#[inline(always)]
pub fn expression<T: Real>(p: &Expression, reads: &[&[T]], writes: &mut [&mut [T]]) -> bool {
    let [y] = writes else { return false };
    if reads.len() != p.strides.len() || reads.len() > MOST_INPUTS || p.code.len() > MOST_INSTRUCTIONS {
        return false;
    }
    let mut registers = [[T::zero(); BLOCK]; MOST_INPUTS + MOST_INSTRUCTIONS];
    let cols = p.params.cols as usize;
    for (block, y) in y.chunks_mut(BLOCK).enumerate() {
        let (start, n) = (block * BLOCK, y.len());
        for (at, (register, read)) in registers.iter_mut().zip(reads).enumerate() {
            let register = &mut register[..n];
            match p.strides[at] {
                [0, 0] => register.fill(read[0]),
                _ if p.is_whole(at) => register.copy_from_slice(&read[start..start + n]),
                [by_row, by_col] => {
                    for (i, x) in (start..).zip(register) {
                        *x = read[i / cols * by_row as usize + i % cols * by_col as usize];
                    }
                }
            }
        }
        let place = |source| match source {
            Source::Input(at) => at,
            Source::Value(at) => MOST_INPUTS + at,
        };
        let mut last = 0;
        for (at, instruction) in (MOST_INPUTS..).zip(&p.code) {
            let (before, rest) = registers.split_at_mut(at);
            last = at;
            match *instruction {
                Instruction::Number(number) => rest[0][..n].fill(T::of(number.into())),
                Instruction::Apply(function, [left, right]) => {
                    apply(function, &before[place(left)][..n], &before[place(right)][..n], &mut rest[0][..n]);
                }
            }
        }
        y.copy_from_slice(&registers[last][..n]);
    }
    true
}

#[inline(always)]
fn apply<T: Real>(function: Function, a: &[T], b: &[T], y: &mut [T]) {
    let (zero, one) = (T::zero(), T::one());
    match function {
        Function::Add => two(a, b, y, |a, b| a + b),
        Function::Sub => two(a, b, y, |a, b| a - b),
        Function::Mul => two(a, b, y, |a, b| a * b),
        Function::Div => two(a, b, y, |a, b| a / b),
        Function::Pow => two(a, b, y, |a, b| a.powf(b)),
        // Comparisons hand NaN on.
        Function::Min => two(a, b, y, |a, b| if b < a || b.is_nan() { b } else { a }),
        Function::Max => two(a, b, y, |a, b| if b > a || b.is_nan() { b } else { a }),
        Function::Greater => two(a, b, y, |a, b| if a > b { one } else { zero }),
        Function::Keep => two(a, b, y, |a, b| if a == zero { zero } else { b }),
        Function::Abs => each(a, y, |a| a.abs()),
        Function::Sign => each(a, y, |a| {
            if a > zero {
                one
            } else if a < zero {
                -one
            } else {
                a
            }
        }),
        Function::Sqrt => each(a, y, |a| a.sqrt()),
        Function::Exp => each(a, y, |a| a.exponential()),
        Function::Ln => each(a, y, |a| a.ln()),
        Function::Sin => each(a, y, |a| a.sin()),
        Function::Cos => each(a, y, |a| a.cos()),
        Function::Sigmoid => each(a, y, sigmoid),
        Function::Tanh => each(a, y, |a| a.tanh()),
        Function::Softplus => each(a, y, softplus),
    }
}

#[inline(always)]
fn each<T: Real>(a: &[T], y: &mut [T], f: impl Fn(T) -> T) {
    y.iter_mut().zip(a).for_each(|(y, a)| *y = f(*a));
}

#[inline(always)]
fn two<T: Real>(a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = f(*a, *b));
}
