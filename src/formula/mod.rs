//! Formulas: small differentiable functions of values, written once as a closure over symbols and kept as data.
//!
//! A network's arithmetic, a user's own activation and a user's own loss are the same thing: a list of terms, each of
//! which names a function and the terms that it reads. It can be printed, compared, saved, and appended to a graph, where
//! it is differentiated like any other operation.

mod symbol;

pub use symbol::{Operand, Symbol};

use crate::{Error, Result};
use std::cell::RefCell;
use std::fmt;
use std::sync::Mutex;

/// Writes [`Function`] from one table: name, number of arguments, and how it is printed.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $text:literal, $arity:literal, $shown:literal;)*) => {
        /// A function of one or two numbers, applied element by element. Its number in `shaders/expression.wgsl` is its
        /// place in this list, from 1 on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
        pub enum Function {
            $($(#[$doc])* $name,)*
        }

        impl Function {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in plans and graphs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// How many arguments it takes.
            pub const fn arity(self) -> usize {
                match self {
                    $(Self::$name => $arity,)*
                }
            }

            /// How it is printed: `#` stands for the first argument, `@` for the second.
            const fn shown(self) -> &'static str {
                match self {
                    $(Self::$name => $shown,)*
                }
            }
        }
    };
}

functions! {
    /// `a + b`.
    Add: "add", 2, "(# + @)";
    /// `a - b`.
    Sub: "sub", 2, "(# - @)";
    /// `a · b`.
    Mul: "mul", 2, "(# * @)";
    /// `a / b`.
    Div: "div", 2, "(# / @)";
    /// `aᵇ`, as in C: 1 for b = 0, NaN for a negative `a` and a `b` that is no integer.
    Pow: "pow", 2, "pow(#, @)";
    /// The smaller; the gradient of equal ones goes to `a`.
    Min: "min", 2, "min(#, @)";
    /// The larger; the gradient of equal ones goes to `a`.
    Max: "max", 2, "max(#, @)";
    /// 1 where `a > b`, else 0; no gradient.
    Greater: "greater", 2, "(# > @)";
    /// `b` where `a` is not 0, else 0, whatever `b` is; no gradient for `a`.
    Keep: "keep", 2, "keep(#, @)";
    /// `|a|`; derivative 0 at 0.
    Abs: "abs", 1, "abs(#)";
    /// -1, 0 or 1; no gradient.
    Sign: "sign", 1, "sign(#)";
    /// `√a`.
    Sqrt: "sqrt", 1, "sqrt(#)";
    /// `eᵃ`.
    Exp: "exp", 1, "exp(#)";
    /// `ln a`.
    Ln: "ln", 1, "ln(#)";
    /// `sin a`.
    Sin: "sin", 1, "sin(#)";
    /// `cos a`.
    Cos: "cos", 1, "cos(#)";
    /// `1 / (1 + e⁻ᵃ)`.
    Sigmoid: "sigmoid", 1, "sigmoid(#)";
    /// `tanh a`.
    Tanh: "tanh", 1, "tanh(#)";
    /// `ln(1 + eᵃ)`.
    Softplus: "softplus", 1, "softplus(#)";
}

impl Function {
    /// The number of this function in `shaders/expression.wgsl`; 0 stands for a constant.
    pub const fn number(self) -> u32 {
        self as u32 + 1
    }

    /// Whether its value or slope may be infinite for finite arguments of ordinary size.
    const fn is_singular(self) -> bool {
        matches!(self, Self::Div | Self::Pow | Self::Sqrt | Self::Ln)
    }
}

/// One step of a formula. Places count the inputs first, then the terms.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Term {
    /// A constant.
    Number(f32),
    /// A function of these places, with NumPy's broadcasting.
    Function(Function, Vec<usize>),
    /// Columns `from .. from + count`.
    Columns {
        /// Of this place.
        of: usize,
        /// First column.
        from: usize,
        /// Columns.
        count: usize,
    },
    /// Sum over the columns.
    Sum(usize),
    /// Mean over the columns.
    Mean(usize),
    /// Softmax over the columns.
    Softmax(usize),
    /// Logarithm of the softmax over the columns.
    LogSoftmax(usize),
}

impl Term {
    pub(crate) fn reads(&self) -> Vec<usize> {
        match self {
            Term::Number(_) => Vec::new(),
            Term::Function(_, of) => of.clone(),
            Term::Columns { of, .. } => vec![*of],
            Term::Sum(of) | Term::Mean(of) | Term::Softmax(of) | Term::LogSoftmax(of) => vec![*of],
        }
    }
}

/// What a formula is.
#[derive(Debug, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
struct Text {
    name: String,
    inputs: Vec<String>,
    terms: Vec<Term>,
    result: usize,
}

/// A function of values as data, which [`Activation::custom`](crate::layers::Activation::custom),
/// [`Loss::custom`](crate::Loss::custom) and [`Network::formula`](crate::model::Network::formula) make.
///
/// Formulas are kept once each for as long as the program runs, so that a copy is a reference: descriptions that hold one
/// stay as light as those of built-in functions.
#[derive(Clone, Copy)]
pub struct Formula(&'static Text);

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {self}", self.name())
    }
}

impl PartialEq for Formula {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Formula {
    /// What `build` makes of symbols for `inputs`.
    pub(crate) fn new<const N: usize>(
        name: &str,
        inputs: [&str; N],
        build: impl for<'a> FnOnce([Symbol<'a>; N]) -> Symbol<'a>,
    ) -> Self {
        let terms = RefCell::new(Vec::new());
        let result = build(std::array::from_fn(|at| Symbol::new(&terms, N, at))).at();
        let terms = terms.into_inner();
        Self::keep(Text { name: name.to_owned(), inputs: inputs.map(str::to_owned).to_vec(), terms, result })
    }

    fn keep(text: Text) -> Self {
        static KNOWN: Mutex<Vec<&Text>> = Mutex::new(Vec::new());
        let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(same) = known.iter().find(|known| ***known == text) {
            return Self(same);
        }
        let kept: &'static Text = Box::leak(Box::new(text));
        known.push(kept);
        Self(kept)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.0.name.as_str()
    }

    /// How many values it is a function of.
    pub fn inputs(self) -> usize {
        self.0.inputs.len()
    }

    /// Its steps.
    pub fn terms(self) -> &'static [Term] {
        &self.0.terms
    }

    /// The place of its value.
    pub(crate) fn result(self) -> usize {
        self.0.result
    }

    /// Whether its value or a derivative may be infinite at values as ordinary as 0.
    pub(crate) fn is_singular(self) -> bool {
        self.terms().iter().any(|term| matches!(term, Term::Function(function, _) if function.is_singular()))
    }

    /// Refuses constants that are not finite, and a result that does not depend on the first `needed` inputs.
    pub(crate) fn check(self, place: &str, needed: usize) -> Result<()> {
        let (inputs, terms) = (self.inputs(), self.terms());
        if let Some(number) = terms.iter().find_map(|term| match term {
            Term::Number(number) if !number.is_finite() => Some(number),
            _ => None,
        }) {
            return Err(Error::value(place, "number", "finite", number));
        }
        let mut used = vec![false; inputs + terms.len()];
        used[self.result()] = true;
        for (at, term) in terms.iter().enumerate().rev() {
            if used[inputs + at] {
                term.reads().into_iter().for_each(|read| used[read] = true);
            }
        }
        match (0..needed.min(inputs)).find(|at| !used[*at]) {
            Some(at) => {
                Err(Error::value(place, "formula", format!("a function of {}", self.0.inputs[at]), self.to_string()))
            }
            None => Ok(()),
        }
    }

    /// Refuses a result that has not the columns of the first input.
    pub(crate) fn check_width(self, place: &str) -> Result<()> {
        let mut wide = vec![true; self.inputs()];
        for term in self.terms() {
            wide.push(match term {
                Term::Number(_) | Term::Columns { .. } | Term::Sum(_) | Term::Mean(_) => false,
                Term::Function(_, of) => of.iter().any(|at| wide[*at]),
                Term::Softmax(of) | Term::LogSoftmax(of) => wide[*of],
            });
        }
        if wide[self.result()] {
            return Ok(());
        }
        Err(Error::value(place, "formula", format!("as wide as {}", self.0.inputs[0]), self.to_string()))
    }

    /// The term at `place`, in words.
    pub(crate) fn shown(self, place: usize) -> String {
        let Some(term) = place.checked_sub(self.inputs()).and_then(|at| self.terms().get(at)) else {
            return self.0.inputs.get(place).cloned().unwrap_or_default();
        };
        match term {
            Term::Number(number) => number.to_string(),
            Term::Function(Function::Mul, of) if of.first() == of.get(1) => format!("square({})", self.shown(of[0])),
            Term::Function(function, of) => {
                let args: Vec<String> = of.iter().map(|at| self.shown(*at)).collect();
                let [first, second] = [0, 1].map(|at| args.get(at).map_or("", String::as_str));
                // Both at once: a name may hold either sign.
                let parts = function.shown().split_inclusive(['#', '@']);
                let filled = parts.map(|part| match part.strip_suffix('#') {
                    Some(before) => format!("{before}{first}"),
                    None => part.strip_suffix('@').map_or(part.to_owned(), |before| format!("{before}{second}")),
                });
                filled.collect()
            }
            Term::Columns { of, from, count } => {
                format!("{}[{from}..{}]", self.shown(*of), from.saturating_add(*count))
            }
            Term::Sum(of) => format!("sum({})", self.shown(*of)),
            Term::Mean(of) => format!("mean({})", self.shown(*of)),
            Term::Softmax(of) => format!("softmax({})", self.shown(*of)),
            Term::LogSoftmax(of) => format!("log_softmax({})", self.shown(*of)),
        }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.shown(self.result());
        f.pad(shown.strip_prefix('(').and_then(|shown| shown.strip_suffix(')')).unwrap_or(&shown))
    }
}

#[cfg(feature = "save")]
impl serde::Serialize for Formula {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

#[cfg(feature = "save")]
impl<'de> serde::Deserialize<'de> for Formula {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = Text::deserialize(deserializer)?;
        let known = text.inputs.len();
        let misfit = text.terms.iter().enumerate().position(|(at, term)| {
            let arity = matches!(term, Term::Function(function, of) if of.len() != function.arity());
            arity || term.reads().iter().any(|read| *read >= known + at)
        });
        match misfit {
            Some(at) => Err(D::Error::custom(format!("formula {}: term {at} reads what is not there", text.name))),
            None if text.result >= known + text.terms.len() => {
                Err(D::Error::custom(format!("formula {}: no term {}", text.name, text.result)))
            }
            None => Ok(Self::keep(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_printed_and_kept_once() {
        let swish = || Formula::new("swish", ["x"], |[x]| x * (1.7 * x).sigmoid());
        assert_eq!(swish().to_string(), "x * sigmoid((1.7 * x))");
        assert_eq!(swish(), swish());
        assert!(std::ptr::eq(swish().0, swish().0));
        let other = Formula::new("swish", ["x"], |[x]| x * (1.5 * x).sigmoid());
        assert_ne!(swish(), other);
    }

    #[test]
    fn what_does_not_depend_on_its_input_is_refused() {
        let error = Formula::new("far", ["x"], |[x]| x.number(2.0)).check("far", 1).unwrap_err();
        assert_eq!(error.to_string(), "far: formula must be a function of x, got 2");
        let error = Formula::new("far", ["x"], |[x]| x * f32::NAN).check("far", 1).unwrap_err();
        assert_eq!(error.to_string(), "far: number must be finite, got NaN");
    }
}
