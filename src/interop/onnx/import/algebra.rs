//! Sums added, multiplied and divided: where exporters' patterns become functions and layers again.

use super::super::tensor::Reason;
use super::form::{Atom, Coef, Form, Origin};
use crate::formula::Function;
use crate::kernels::Activation;
use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// An atom, how many columns it has, and which operation made it.
pub(super) struct Made {
    pub atom: Atom,
    pub width: usize,
    pub node: usize,
    /// The columns of inputs that it is, where it is no more than that.
    origins: Option<Vec<Origin>>,
}

/// Columns whose origins are kept: tables have fewer, and what a file doubles again and again does not grow beyond.
const MOST_ORIGINS: usize = 1 << 20;

/// All atoms, each made of earlier ones.
#[derive(Default)]
pub(super) struct Sums {
    pub atoms: Vec<Made>,
    /// The operation that is read.
    pub node: usize,
    /// Of all atoms together.
    origins: usize,
}

/// Whether constants that exporters round are equal.
fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-4 * b.abs()
}

/// `k`, or the multiple of a quarter that it is but for rounding.
fn snapped(k: f64) -> f64 {
    let quarter = (4.0 * k).round() / 4.0;
    if quarter != 0.0 && (k - quarter).abs() <= 1e-5 * quarter.abs() { quarter } else { k }
}

impl Sums {
    pub fn make(&mut self, atom: Atom, width: usize) -> Form {
        let origins = self.find_origins(&atom, width);
        self.origins += origins.as_ref().map_or(0, Vec::len);
        self.atoms.push(Made { atom, width, node: self.node, origins });
        Form::of(self.atoms.len() - 1)
    }

    fn find_origins(&self, atom: &Atom, width: usize) -> Option<Vec<Origin>> {
        let of = |form: &Form| form.bare().and_then(|at| self.origins(at));
        if self.origins.saturating_add(width) > MOST_ORIGINS {
            return None;
        }
        match atom {
            Atom::Input(input) => {
                Some((0..width).map(|column| Origin { input: *input, column, renamed: None }).collect())
            }
            Atom::Shared(form) => of(form).map(<[Origin]>::to_vec),
            Atom::Columns(form, picked) => {
                let all = of(form)?;
                picked.iter().map(|at| all.get(*at).cloned()).collect()
            }
            Atom::Concat(parts) => parts.iter().map(of).collect::<Option<Vec<_>>>().map(|parts| parts.concat()),
            Atom::Renamed(origin) => Some(vec![origin.clone()]),
            _ => None,
        }
    }

    /// The columns of inputs that an atom is, where it is no more than that.
    pub fn origins(&self, atom: usize) -> Option<&[Origin]> {
        self.atoms.get(atom)?.origins.as_deref()
    }

    pub fn atom(&self, at: usize) -> Option<&Atom> {
        self.atoms.get(at).map(|made| &made.atom)
    }

    /// Columns of `form`, which broadcasts.
    pub fn width(&self, form: &Form) -> usize {
        let atoms =
            form.terms.iter().map(|(atom, coef)| self.atoms.get(*atom).map_or(1, |made| made.width).max(coef.len()));
        atoms.chain(form.shift.as_ref().map(Coef::len)).max().unwrap_or(1)
    }

    pub fn is_whole(&self, form: &Form) -> bool {
        !form.terms.is_empty() && form.terms.iter().all(|(atom, _)| self.atom(*atom).is_some_and(Atom::is_whole))
    }

    fn is_product(&self, atom: usize) -> bool {
        matches!(self.atom(atom), Some(Atom::Product(..) | Atom::LayerNorm(..)))
    }

    /// `form` as an atom of its own, if it is a value that layers compute and is not one yet.
    pub fn share(&mut self, form: Form) -> Form {
        // A multiple is shorter than a name for it, and tells what it is a multiple of.
        let multiple = form.single().filter(|(_, coef)| coef.uniform().is_some());
        if !self.is_whole(&form) || multiple.is_some_and(|(atom, _)| !self.is_product(atom)) {
            return form;
        }
        let width = self.width(&form);
        self.make(Atom::Shared(form), width)
    }

    /// A complete summand: constants that belong to it stay with it.
    fn summand(&mut self, form: Form) -> Form {
        if form.shift.is_some() || form.terms.len() > 1 { self.share(form) } else { form }
    }

    pub fn add(&mut self, a: Form, b: Form) -> Result<Form, Reason> {
        // The sums of the left one are those of (a + b) + c.
        let a = if a.shift.is_some() { self.share(a) } else { a };
        let b = self.summand(b);
        let mut sum = a.add(&b)?;
        // x / σ and mean / σ, multiplied out.
        let found = sum.terms.iter().enumerate().find_map(|(i, (at, coef))| {
            let Some(Atom::Scaled(x, epsilon)) = self.atom(*at) else { return None };
            let minus = coef.map(|c| -c);
            let is_mean = |(at, coef): &(usize, Coef)| {
                matches!(self.atom(*at), Some(Atom::ScaledMean(of, e)) if of == x && e == epsilon) && *coef == minus
            };
            Some((i, sum.terms.iter().position(is_mean)?, x.clone(), *epsilon, coef.clone()))
        });
        if let Some((scaled, mean, x, epsilon, coef)) = found {
            let shift = sum.shift.take();
            let mut at = 0;
            sum.terms.retain(|_| {
                at += 1;
                at - 1 != scaled && at - 1 != mean
            });
            let width = self.width(&x);
            sum = self.make(Atom::LayerNorm(x, epsilon), width).times(&coef)?.add(&sum)?;
            sum.shift = shift;
        }
        Ok(sum)
    }

    pub fn function(&mut self, function: Activation, x: Form) -> Form {
        let width = self.width(&x);
        self.make(Atom::Function(function, x), width)
    }

    /// A function of values that is no layer of its own.
    pub fn call(&mut self, function: Function, of: Vec<Form>) -> Form {
        let width = of.iter().map(|form| self.width(form)).max().unwrap_or(1);
        self.make(Atom::Call(function, of), width)
    }

    fn scaled(form: &Form, factor: f64) -> Result<Form, Reason> {
        form.times(&Coef::of(factor))
    }

    pub fn square(&mut self, x: Form) -> Form {
        let width = self.width(&x);
        match self.deviates(&x) {
            Some((of, 1.0)) => self.make(Atom::Deviation(of), width),
            _ => self.make(Atom::Square(x), width),
        }
    }

    /// `x` and `k`, where `form` is `k (x - mean of x)`.
    fn deviates(&self, form: &Form) -> Option<(Form, f64)> {
        form.terms.iter().find_map(|(at, coef)| {
            let Some(Atom::Mean(x)) = self.atom(*at) else { return None };
            let rest = Form {
                terms: form.terms.iter().filter(|(other, _)| other != at).cloned().collect(),
                shift: form.shift.clone(),
            };
            let k = rest.ratio(x)?;
            (coef.uniform()? == -k).then(|| (x.clone(), k))
        })
    }

    pub fn multiply(&mut self, a: Form, b: Form) -> Result<Form, Reason> {
        if a == b {
            return Ok(self.square(a));
        }
        for (f, g) in [(&a, &b), (&b, &a)] {
            if let Some(product) = self.pattern(f, g)? {
                return Ok(product);
            }
        }
        // A factor stands better in front of the product.
        let factor = |form: &Form| form.single().map_or(Coef::of(1.0), |(_, coef)| coef.clone());
        match (factor(&a).uniform(), factor(&b).uniform()) {
            (Some(k), Some(l)) if k * l != 1.0 && k != 0.0 && l != 0.0 => {
                let of = vec![Self::scaled(&a, 1.0 / k)?, Self::scaled(&b, 1.0 / l)?];
                Self::scaled(&self.call(Function::Mul, of), k * l)
            }
            _ => Ok(self.call(Function::Mul, vec![a, b])),
        }
    }

    /// `f g`, if that is something known.
    fn pattern(&mut self, f: &Form, g: &Form) -> Result<Option<Form>, Reason> {
        if let Some((at, coef)) = g.single() {
            let coef = coef.clone();
            match self.atom(at).cloned() {
                Some(Atom::InverseSpread(x, epsilon)) => return self.normalised(f, &x, epsilon, &coef),
                Some(Atom::Function(Activation::Sigmoid, z)) => {
                    return f
                        .ratio(&z)
                        .map(|k| self.function(Activation::Silu, z).times(&coef.map(|c| c * k)))
                        .transpose();
                }
                Some(Atom::Function(Activation::Tanh, z)) => {
                    if let Some(Atom::Function(Activation::Softplus, z)) = z.bare().and_then(|z| self.atom(z)).cloned()
                    {
                        return f
                            .ratio(&z)
                            .map(|k| self.function(Activation::Mish, z).times(&coef.map(|c| c * k)))
                            .transpose();
                    }
                }
                Some(Atom::Square(z)) => {
                    if let Some(k) = f.ratio(&z) {
                        let width = self.width(&z);
                        return self.make(Atom::Cube(z), width).times(&coef.map(|c| c * k)).map(Some);
                    }
                }
                _ => {}
            }
        }
        let Some((at, p, q)) = g.single_shifted() else { return Ok(None) };
        match self.atom(at).cloned() {
            // k/√2 x (p erf(x/√2) + p)
            Some(Atom::Erf(z)) if near(p, q) => {
                let Some(k) = f.ratio(&z).map(|k| snapped(k / SQRT_2)).filter(|k| *k != 0.0) else { return Ok(None) };
                let x = Self::scaled(f, 1.0 / k)?;
                Self::scaled(&self.function(Activation::Gelu, x), 2.0 * p * k).map(Some)
            }
            // k x (p tanh(√(2/π) (x + 0.044715 x³)) + p)
            Some(Atom::Function(Activation::Tanh, z)) if near(p, q) => {
                let Some(x) = self.cubic(&z) else { return Ok(None) };
                let Some(k) = f.ratio(&x) else { return Ok(None) };
                Self::scaled(&self.function(Activation::GeluTanh, x), 2.0 * p * k).map(Some)
            }
            // f (p z² + q), where f is k z
            Some(Atom::Square(z)) => {
                let Some(k) = f.ratio(&z) else { return Ok(None) };
                let width = self.width(&z);
                let cube = self.make(Atom::Cube(z), width);
                Self::scaled(f, q)?.add(&Self::scaled(&cube, p * k)?).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `x`, where `form` is `√(2/π) (x + 0.044715 x³)`.
    fn cubic(&self, form: &Form) -> Option<Form> {
        let height = FRAC_2_SQRT_PI / SQRT_2;
        form.terms.iter().find_map(|(at, coef)| {
            let Some(Atom::Cube(x)) = self.atom(*at) else { return None };
            let rest = Form {
                terms: form.terms.iter().filter(|(other, _)| other != at).cloned().collect(),
                shift: form.shift.clone(),
            };
            let fits = near(rest.ratio(x)?, height) && near(coef.uniform()?, 0.044_715 * height);
            fits.then(|| x.clone())
        })
    }

    /// `f · coef / √(variance of x + ε)`.
    fn normalised(&mut self, f: &Form, x: &Form, epsilon: f64, coef: &Coef) -> Result<Option<Form>, Reason> {
        let width = self.width(x);
        let mean_of = |sums: &Self, at: usize| matches!(sums.atom(at), Some(Atom::Mean(of)) if of == x);
        let (atom, k) = if let Some(k) = f.ratio(x) {
            (Atom::Scaled(x.clone(), epsilon), Coef::of(k))
        } else if let Some((at, k)) = f.single()
            && mean_of(self, at)
        {
            (Atom::ScaledMean(x.clone(), epsilon), k.clone())
        } else if let Some((_, k)) = self.deviates(f).filter(|(of, _)| of == x) {
            (Atom::LayerNorm(x.clone(), epsilon), Coef::of(k))
        } else {
            return Ok(None);
        };
        self.make(atom, width).times(&coef.times(&k)?).map(Some)
    }

    /// `1 / x`.
    pub fn reciprocal(&mut self, x: &Form) -> Result<Form, Reason> {
        if let Some((at, coef)) = x.single()
            && let Some(Atom::Spread(of, epsilon)) = self.atom(at).cloned()
        {
            return self.make(Atom::InverseSpread(of, epsilon), 1).times(&coef.map(|c| 1.0 / c));
        }
        if let Some((at, p, q)) = x.single_shifted()
            && let Some(Atom::Exp(z)) = self.atom(at).cloned()
            && p == q
        {
            let minus = Self::scaled(&z, -1.0)?;
            return Self::scaled(&self.function(Activation::Sigmoid, minus), 1.0 / p);
        }
        let width = self.width(x);
        Ok(self.make(Atom::Reciprocal(x.clone()), width))
    }

    pub fn divide(&mut self, a: Form, b: &Form) -> Result<Form, Reason> {
        if let Some((at, p, q)) = b.single_shifted()
            && let Some(Atom::Abs(x)) = self.atom(at).cloned()
            && p == q
            && let Some(k) = a.ratio(&x)
        {
            return Self::scaled(&self.function(Activation::Softsign, x), k / p);
        }
        let inverse = self.reciprocal(b)?;
        match inverse.bare().and_then(|at| self.atom(at)) {
            Some(Atom::Reciprocal(_)) => Ok(self.call(Function::Div, vec![a, b.clone()])),
            _ => self.multiply(a, inverse),
        }
    }

    pub fn root(&mut self, x: &Form) -> Result<Form, Reason> {
        if let Some((at, p, epsilon)) = x.single_shifted()
            && let Some(Atom::Variance(of)) = self.atom(at).cloned()
            && p == 1.0
        {
            return Ok(self.make(Atom::Spread(of, epsilon), 1));
        }
        Ok(self.call(Function::Sqrt, vec![x.clone()]))
    }

    pub fn logarithm(&mut self, x: &Form) -> Result<Form, Reason> {
        if let Some((at, p, q)) = x.single_shifted()
            && let Some(Atom::Exp(z)) = self.atom(at).cloned()
            && (p, q) == (1.0, 1.0)
        {
            return Ok(self.function(Activation::Softplus, z));
        }
        match x.bare().and_then(|at| self.atom(at)).cloned() {
            Some(Atom::Function(Activation::Softmax, z)) => Ok(self.function(Activation::LogSoftmax, z)),
            Some(Atom::Function(Activation::Sigmoid, z)) => {
                let minus = Self::scaled(&z, -1.0)?;
                Self::scaled(&self.function(Activation::Softplus, minus), -1.0)
            }
            _ => Ok(self.call(Function::Ln, vec![x.clone()])),
        }
    }

    pub fn power(&mut self, x: Form, exponent: f64) -> Result<Form, Reason> {
        let width = self.width(&x);
        match exponent {
            1.0 => Ok(x),
            2.0 => Ok(self.square(x)),
            3.0 => Ok(self.make(Atom::Cube(x), width)),
            0.5 => self.root(&x),
            -1.0 => self.reciprocal(&x),
            -0.5 => {
                let root = self.root(&x)?;
                self.reciprocal(&root)
            }
            _ if exponent.is_finite() => Ok(self.make(Atom::Power(x, exponent), width)),
            _ => Err(format!("the power {exponent}")),
        }
    }

    /// Mean over the columns.
    pub fn mean(&mut self, x: Form) -> Form {
        match x.bare().and_then(|at| self.atom(at)).cloned() {
            Some(Atom::Deviation(of)) => self.make(Atom::Variance(of), 1),
            _ => {
                let known = self.atoms.iter().rposition(|made| matches!(&made.atom, Atom::Mean(of) if *of == x));
                known.map_or_else(|| self.make(Atom::Mean(x), 1), Form::of)
            }
        }
    }

    /// `x` held between two bounds.
    pub fn clip(&mut self, x: Form, low: f64, high: f64) -> Result<Form, Reason> {
        let bounded = |form: Form, by: f64| if by == 0.0 { Ok(form) } else { form.plus(&Coef::of(by)) };
        if low == f64::NEG_INFINITY && high == f64::INFINITY {
            return Ok(x);
        }
        if low.is_nan() || high.is_nan() || low >= high {
            return Err(format!("bounds {low} and {high}"));
        }
        if high == f64::INFINITY {
            let above = self.function(Activation::Relu, bounded(x, -low)?);
            return bounded(above, low);
        }
        if low == f64::NEG_INFINITY {
            let below = bounded(Self::scaled(&x, -1.0)?, high)?;
            let below = self.function(Activation::Relu, below);
            return bounded(Self::scaled(&below, -1.0)?, high);
        }
        let range = high - low;
        let inner = bounded(Self::scaled(&x, 6.0 / range)?, -6.0 * low / range - 3.0)?;
        let clipped = self.function(Activation::HardSigmoid, inner);
        bounded(Self::scaled(&clipped, range)?, low)
    }

    /// `x` above 0, else `slope · x`.
    pub fn kinked(&mut self, x: Form, slope: &Coef) -> Result<Form, Reason> {
        match slope.uniform() {
            Some(0.0) => Ok(self.function(Activation::Relu, x)),
            Some(slope) if slope > 0.0 => Ok(self.function(Activation::LeakyRelu { slope: slope as f32 }, x)),
            _ => {
                let width = self.width(&x).max(slope.len());
                Ok(self.make(Atom::Kinked(x, slope.clone()), width))
            }
        }
    }
}
