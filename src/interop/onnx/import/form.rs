//! What a value of an imported graph is: a sum of atoms, each times constants, and constants.
//!
//! Exporters write one function in many ways: GELU as five operations, batch normalisation as `Mul` and `Add`, layer
//! normalisation with its factors multiplied out. As sums they become equal, and no order of operations has to be
//! known by heart. Layers are made only of what an output needs, when the whole graph has been read.

use super::super::tensor::{Reason, Tensor};
use crate::formula::Function;
use crate::kernels::Activation;
use std::sync::Arc;

/// One number for all columns, or one a column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coef(pub Arc<[f64]>);

impl Coef {
    pub fn of(x: f64) -> Self {
        Self([x].into())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The number, if all are the same.
    pub fn uniform(&self) -> Option<f64> {
        let first = *self.0.first()?;
        self.0.iter().all(|x| *x == first).then_some(first)
    }

    pub fn is(&self, x: f64) -> bool {
        self.uniform() == Some(x)
    }

    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self(self.0.iter().map(|x| f(*x)).collect())
    }

    pub fn zip(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Result<Self, Reason> {
        match (&*self.0, &*other.0) {
            (&[a], b) => Ok(Self(b.iter().map(|b| f(a, *b)).collect())),
            (a, &[b]) => Ok(Self(a.iter().map(|a| f(*a, b)).collect())),
            (a, b) if a.len() == b.len() => Ok(Self(a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect())),
            (a, b) => Err(format!("{} constants beside {}", a.len(), b.len())),
        }
    }

    pub fn times(&self, other: &Self) -> Result<Self, Reason> {
        self.zip(other, |a, b| a * b)
    }

    /// `width` numbers.
    pub fn spread(&self, width: usize) -> Option<Vec<f32>> {
        match &*self.0 {
            &[x] => Some(vec![x as f32; width]),
            all if all.len() == width => Some(all.iter().map(|x| *x as f32).collect()),
            _ => None,
        }
    }
}

/// `Σ coefficient · atom + shift`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub terms: Vec<(usize, Coef)>,
    pub shift: Option<Coef>,
}

/// A column of an input of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Origin {
    pub input: usize,
    pub column: usize,
    /// A name, and the one that stands for it.
    pub renamed: Option<(String, String)>,
}

/// What sums are made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Atom {
    /// An input of the model, by number.
    Input(usize),
    /// A sum that several operations read, or that is complete.
    Shared(Form),
    /// `x W`.
    Product(Form, Tensor),
    Function(Activation, Form),
    /// Scale, shift, mean, variance; ε and momentum.
    BatchNorm(Form, [Arc<[f32]>; 4], f32, f32),
    /// `(x - mean) / √(variance + ε)` over the columns.
    LayerNorm(Form, f64),
    Concat(Vec<Form>),
    Columns(Form, Vec<usize>),
    /// Rows of a table, picked by a column of an input, or by all of its columns.
    Lookup {
        input: usize,
        column: Option<usize>,
        table: Tensor,
    },
    /// The row of a table that belongs to the name in a column; where it has one more than there are names, that is the
    /// row of all others.
    Category {
        origin: Origin,
        names: Arc<[String]>,
        table: Tensor,
    },
    /// A column of names, one of which another stands for.
    Renamed(Origin),
    /// `|x|`.
    Abs(Form),
    /// 1 where `x` is above 0, else 0.
    Step(Form),
    /// `x` above 0, else `slope · x`.
    Kinked(Form, Coef),
    /// A function of values, element by element.
    Call(Function, Vec<Form>),
    /// `xᵃ`.
    Power(Form, f64),
    /// `1 / x`.
    Reciprocal(Form),
    /// Sum over the columns.
    Total(Form),

    // Those below are parts of what is above; where the rest is missing, formulas compute most of them.
    /// Mean over the columns.
    Mean(Form),
    /// `(x - mean)²`.
    Deviation(Form),
    Variance(Form),
    /// `√(variance + ε)`.
    Spread(Form, f64),
    /// `1 / √(variance + ε)`.
    InverseSpread(Form, f64),
    /// `x / √(variance + ε)`.
    Scaled(Form, f64),
    /// `mean / √(variance + ε)`.
    ScaledMean(Form, f64),
    Erf(Form),
    Exp(Form),
    Square(Form),
    Cube(Form),
}

impl Atom {
    /// Whether layers can compute it.
    pub fn is_whole(&self) -> bool {
        match self {
            Atom::Input(_)
            | Atom::Shared(_)
            | Atom::Product(..)
            | Atom::Function(..)
            | Atom::BatchNorm(..)
            | Atom::LayerNorm(..)
            | Atom::Concat(_)
            | Atom::Columns(..)
            | Atom::Lookup { .. }
            | Atom::Category { .. }
            | Atom::Renamed(_)
            | Atom::Abs(_)
            | Atom::Step(_)
            | Atom::Kinked(..)
            | Atom::Call(..)
            | Atom::Power(..)
            | Atom::Reciprocal(_)
            | Atom::Total(_) => true,
            Atom::Mean(_)
            | Atom::Deviation(_)
            | Atom::Variance(_)
            | Atom::Spread(..)
            | Atom::InverseSpread(..)
            | Atom::Scaled(..)
            | Atom::ScaledMean(..)
            | Atom::Erf(_)
            | Atom::Exp(_)
            | Atom::Square(_)
            | Atom::Cube(_) => false,
        }
    }

    /// The sums that it is made of.
    pub fn parts(&self) -> &[Form] {
        match self {
            Atom::Input(_) | Atom::Lookup { .. } | Atom::Category { .. } | Atom::Renamed(_) => &[],
            Atom::Concat(parts) | Atom::Call(_, parts) => parts,
            Atom::Power(x, _) | Atom::Reciprocal(x) | Atom::Total(x) => std::slice::from_ref(x),
            Atom::Shared(x)
            | Atom::Product(x, _)
            | Atom::Function(_, x)
            | Atom::BatchNorm(x, ..)
            | Atom::LayerNorm(x, _)
            | Atom::Columns(x, _)
            | Atom::Abs(x)
            | Atom::Step(x)
            | Atom::Kinked(x, _)
            | Atom::Mean(x)
            | Atom::Deviation(x)
            | Atom::Variance(x)
            | Atom::Spread(x, _)
            | Atom::InverseSpread(x, _)
            | Atom::Scaled(x, _)
            | Atom::ScaledMean(x, _)
            | Atom::Erf(x)
            | Atom::Exp(x)
            | Atom::Square(x)
            | Atom::Cube(x) => std::slice::from_ref(x),
        }
    }
}

impl Form {
    pub fn of(atom: usize) -> Self {
        Self { terms: vec![(atom, Coef::of(1.0))], shift: None }
    }

    /// The atom, if it is one and nothing else.
    pub fn bare(&self) -> Option<usize> {
        match (self.terms.as_slice(), &self.shift) {
            ([(atom, coef)], None) if coef.is(1.0) => Some(*atom),
            _ => None,
        }
    }

    /// Atom and coefficient of a single term without a shift.
    pub fn single(&self) -> Option<(usize, &Coef)> {
        match (self.terms.as_slice(), &self.shift) {
            ([(atom, coef)], None) => Some((*atom, coef)),
            _ => None,
        }
    }

    /// Atom, coefficient and shift of a single term with a shift, each the same for all columns.
    pub fn single_shifted(&self) -> Option<(usize, f64, f64)> {
        match (self.terms.as_slice(), &self.shift) {
            ([(atom, coef)], Some(shift)) => Some((*atom, coef.uniform()?, shift.uniform()?)),
            _ => None,
        }
    }

    pub fn times(&self, factor: &Coef) -> Result<Self, Reason> {
        if factor.is(1.0) {
            return Ok(self.clone());
        }
        let terms: Result<Vec<_>, Reason> =
            self.terms.iter().map(|(atom, coef)| Ok((*atom, coef.times(factor)?))).collect();
        let shift = self.shift.as_ref().map(|shift| shift.times(factor)).transpose()?;
        Ok(Self { terms: terms?, shift })
    }

    pub fn plus(mut self, shift: &Coef) -> Result<Self, Reason> {
        self.shift = Some(match &self.shift {
            Some(own) => own.zip(shift, |a, b| a + b)?,
            None => shift.clone(),
        });
        Ok(self)
    }

    /// The sum of both. Terms of one atom become one, but where an atom is added to itself as it is.
    pub fn add(mut self, other: &Self) -> Result<Self, Reason> {
        for (atom, coef) in &other.terms {
            let known =
                self.terms.iter_mut().find(|(own, own_coef)| own == atom && !(own_coef.is(1.0) && coef.is(1.0)));
            match known {
                Some((_, own)) => *own = own.zip(coef, |a, b| a + b)?,
                None => self.terms.push((*atom, coef.clone())),
            }
        }
        self.terms.retain(|(_, coef)| !coef.is(0.0));
        match &other.shift {
            Some(shift) => self.plus(shift),
            None => Ok(self),
        }
    }

    /// `k`, where this is `k` times `other`.
    pub fn ratio(&self, other: &Self) -> Option<f64> {
        let (_, own) = self.terms.first()?;
        let (_, theirs) = other.terms.first()?;
        let (own, theirs) = (own.0.first()?, theirs.0.first()?);
        let k = own / theirs;
        let close = |a: &Coef, b: &Coef| {
            a.len() == b.len() && a.0.iter().zip(&*b.0).all(|(a, b)| (a - k * b).abs() <= 1e-6 * a.abs().max(1e-30))
        };
        let same_terms = self.terms.len() == other.terms.len()
            && self.terms.iter().zip(&other.terms).all(|((a, x), (b, y))| a == b && close(x, y));
        let same_shift = match (&self.shift, &other.shift) {
            (None, None) => true,
            (Some(a), Some(b)) => close(a, b),
            _ => false,
        };
        (k.is_finite() && same_terms && same_shift).then_some(k)
    }
}
