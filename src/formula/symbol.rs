//! Symbols: what the closure of a formula computes with.

use super::{Function, Term};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ops::{Add, Div, Mul, Neg, Range, Sub};

/// A value of a formula in the making. The lifetime keeps it within its own formula.
#[derive(Debug, Clone, Copy)]
pub struct Symbol<'a> {
    terms: &'a RefCell<Vec<Term>>,
    /// How many places the inputs take.
    inputs: usize,
    at: usize,
    /// Two formulas have two lifetimes, neither of which stands for the other.
    own: PhantomData<Cell<&'a ()>>,
}

/// What stands beside a symbol: another one, or a number.
pub trait Operand<'a> {
    /// As a symbol of the formula of `of`.
    fn beside(self, of: Symbol<'a>) -> Symbol<'a>;
}

impl<'a> Operand<'a> for Symbol<'a> {
    fn beside(self, _: Symbol<'a>) -> Symbol<'a> {
        self
    }
}

impl<'a> Operand<'a> for f32 {
    fn beside(self, of: Symbol<'a>) -> Symbol<'a> {
        of.number(self)
    }
}

impl<'a> Symbol<'a> {
    pub(super) fn new(terms: &'a RefCell<Vec<Term>>, inputs: usize, at: usize) -> Self {
        Self { terms, inputs, at, own: PhantomData }
    }

    pub(super) fn at(self) -> usize {
        self.at
    }

    /// The same term again is the same place.
    fn term(self, term: Term) -> Self {
        let mut terms = self.terms.borrow_mut();
        let known = terms.iter().position(|known| *known == term);
        let at = self.inputs + known.unwrap_or(terms.len());
        if known.is_none() {
            terms.push(term);
        }
        Self { at, ..self }
    }

    pub(crate) fn one(self, function: Function) -> Self {
        self.term(Term::Function(function, vec![self.at]))
    }

    pub(crate) fn two(self, function: Function, other: impl Operand<'a>) -> Self {
        let other = other.beside(self);
        self.term(Term::Function(function, vec![self.at, other.at]))
    }

    /// A constant, where no symbol stands beside it.
    pub fn number(self, number: f32) -> Self {
        self.term(Term::Number(number))
    }

    /// `|x|`; derivative 0 at 0.
    pub fn abs(self) -> Self {
        self.one(Function::Abs)
    }

    /// -1, 0 or 1; no gradient.
    pub fn sign(self) -> Self {
        self.one(Function::Sign)
    }

    /// `x²`.
    pub fn square(self) -> Self {
        self * self
    }

    /// `√x`.
    pub fn sqrt(self) -> Self {
        self.one(Function::Sqrt)
    }

    /// `eˣ`.
    pub fn exp(self) -> Self {
        self.one(Function::Exp)
    }

    /// `ln x`.
    pub fn ln(self) -> Self {
        self.one(Function::Ln)
    }

    /// `sin x`.
    pub fn sin(self) -> Self {
        self.one(Function::Sin)
    }

    /// `cos x`.
    pub fn cos(self) -> Self {
        self.one(Function::Cos)
    }

    /// `1 / (1 + e⁻ˣ)`.
    pub fn sigmoid(self) -> Self {
        self.one(Function::Sigmoid)
    }

    /// `tanh x`.
    pub fn tanh(self) -> Self {
        self.one(Function::Tanh)
    }

    /// `ln(1 + eˣ)`.
    pub fn softplus(self) -> Self {
        self.one(Function::Softplus)
    }

    /// `max(x, 0)`; derivative 0 at 0.
    pub fn relu(self) -> Self {
        self.number(0.0).max(self)
    }

    /// `x` to the power of a number or a value: 1 for an exponent of 0, NaN for a negative `x` and an exponent that is no
    /// integer. [`square`](Self::square) and [`sqrt`](Self::sqrt) are exact where this is not.
    pub fn pow(self, exponent: impl Operand<'a>) -> Self {
        self.two(Function::Pow, exponent)
    }

    /// The smaller of both; the gradient of equal ones goes to `self`.
    pub fn min(self, other: impl Operand<'a>) -> Self {
        self.two(Function::Min, other)
    }

    /// The larger of both; the gradient of equal ones goes to `self`.
    pub fn max(self, other: impl Operand<'a>) -> Self {
        self.two(Function::Max, other)
    }

    /// Held within `low` and `high`; slope 1 at both, 0 beyond.
    pub fn clamp(self, low: impl Operand<'a>, high: impl Operand<'a>) -> Self {
        self.max(low).min(high)
    }

    /// 1 where `self` is greater, else 0. No gradient.
    pub fn greater(self, other: impl Operand<'a>) -> Self {
        self.two(Function::Greater, other)
    }

    /// 1 where `self` is less, else 0. No gradient.
    pub fn less(self, other: impl Operand<'a>) -> Self {
        other.beside(self).greater(self)
    }

    /// `yes` where this is 1, `no` where it is 0; what is not taken may be infinite.
    pub fn select(self, yes: impl Operand<'a>, no: impl Operand<'a>) -> Self {
        self.two(Function::Keep, yes) + (1.0 - self).two(Function::Keep, no)
    }

    /// These columns.
    pub fn columns(self, columns: Range<usize>) -> Self {
        let count = columns.end.saturating_sub(columns.start);
        self.term(Term::Columns { of: self.at, from: columns.start, count })
    }

    /// The sum of each row, one column.
    pub fn sum(self) -> Self {
        self.term(Term::Sum(self.at))
    }

    /// The mean of each row, one column.
    pub fn mean(self) -> Self {
        self.term(Term::Mean(self.at))
    }

    /// Softmax of each row of `x / temperature`.
    pub fn softmax(self, temperature: f32) -> Self {
        let x = self.cooled(temperature);
        x.term(Term::Softmax(x.at))
    }

    /// Logarithm of [`softmax`](Self::softmax).
    pub fn log_softmax(self, temperature: f32) -> Self {
        let x = self.cooled(temperature);
        x.term(Term::LogSoftmax(x.at))
    }

    fn cooled(self, temperature: f32) -> Self {
        if temperature == 1.0 { self } else { self * (1.0 / temperature) }
    }
}

macro_rules! operators {
    ($($operator:ident, $method:ident;)*) => {
        $(
            impl<'a, B: Operand<'a>> $operator<B> for Symbol<'a> {
                type Output = Self;

                fn $method(self, other: B) -> Self {
                    self.two(Function::$operator, other)
                }
            }

            impl<'a> $operator<Symbol<'a>> for f32 {
                type Output = Symbol<'a>;

                fn $method(self, other: Symbol<'a>) -> Symbol<'a> {
                    other.number(self).two(Function::$operator, other)
                }
            }
        )*
    };
}

operators! {
    Add, add;
    Sub, sub;
    Mul, mul;
    Div, div;
}

impl Neg for Symbol<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self * -1.0
    }
}
