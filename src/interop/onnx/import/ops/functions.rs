//! Functions element by element, and what compares and chooses.

use super::super::super::proto::Node;
use super::super::super::tensor::Reason;
use super::super::form::{Atom, Coef, Form};
use super::super::{Importer, Kind, Rows, Truth, Value, coefficient};
use super::{Call, beside, broadcast};
use crate::formula::Function;
use crate::kernels::Activation;

impl Importer<'_> {
    pub(super) fn apply(&mut self, call: &Call<'_>, function: Activation) -> Result<Value, Reason> {
        let x = call.real(0)?;
        if matches!(function, Activation::Softmax | Activation::LogSoftmax) {
            let default = if self.opset < 13 { 1 } else { -1 };
            x.check_last(call.node.int("axis", default))?;
        }
        Ok(x.with(self.sums.function(function, x.form.clone())))
    }

    pub(super) fn part(&mut self, call: &Call<'_>, atom: fn(Form) -> Atom) -> Result<Value, Reason> {
        let x = call.real(0)?;
        let width = x.width();
        Ok(x.with(self.sums.make(atom(x.form.clone()), width)))
    }

    pub(super) fn element(&mut self, call: &Call<'_>, function: Function) -> Result<Value, Reason> {
        let x = call.real(0)?;
        Ok(x.with(self.sums.call(function, vec![x.form.clone()])))
    }

    /// `f(k x) / k`.
    pub(super) fn stretched(&mut self, call: &Call<'_>, function: Activation, k: f64) -> Result<Value, Reason> {
        let x = call.real(0)?;
        if !k.is_finite() || k == 0.0 {
            return Err(format!("a factor of {k}"));
        }
        let inner = x.form.times(&Coef::of(k))?;
        let form = self.sums.function(function, inner).times(&Coef::of(1.0 / k))?;
        Ok(x.with(form))
    }

    /// `αx + β` held between 0 and 1; ours is that of α 1/6, β 1/2.
    pub(super) fn hard_sigmoid(&mut self, x: &Form, alpha: f64, beta: f64) -> Result<Form, Reason> {
        let ours = (alpha - 1.0 / 6.0).abs() < 1e-6 && (beta - 0.5).abs() < 1e-6;
        let inner =
            if ours { x.clone() } else { x.times(&Coef::of(6.0 * alpha))?.plus(&Coef::of(6.0 * beta - 3.0))? };
        Ok(self.sums.function(Activation::HardSigmoid, inner))
    }

    pub(super) fn clip(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let x = call.real(0)?;
        let bound = |at: usize, name: &str, none: f64| -> Result<f64, Reason> {
            match call.optional(at)? {
                Some(tensor) => tensor.scalar(),
                None => Ok(call.node.attribute(name).map_or(none, |a| a.f.unwrap_or(0.0).into())),
            }
        };
        // Without bounds of their own the old operation's are the largest numbers.
        let open = |bound: f64| if bound.abs() >= f64::from(f32::MAX) { bound.signum() * f64::INFINITY } else { bound };
        let low = open(bound(1, "min", f64::NEG_INFINITY)?);
        let high = open(bound(2, "max", f64::INFINITY)?);
        self.sums.clip(x.form.clone(), low, high).map(|form| x.with(form))
    }

    pub(super) fn extreme(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let greatest = call.node.op_type == "Max";
        let (x, c) = match (call.value(0)?, call.value(1)?) {
            (Value::Constant(c), _) => (call.real(1)?, c),
            (_, Value::Constant(c)) => (call.real(0)?, c),
            _ => {
                let (a, b) = (call.real(0)?, call.real(1)?);
                if call.inputs.len() != 2 {
                    return Err(format!("{} inputs", call.inputs.len()));
                }
                if let Some(slope) = b.form.ratio(&a.form).filter(|k| greatest && (0.0..1.0).contains(k)) {
                    return self.sums.kinked(a.form.clone(), &Coef::of(slope)).map(|form| a.with(form));
                }
                let shape = broadcast(&a.shape, &b.shape)?;
                let function = if greatest { Function::Max } else { Function::Min };
                let form = self.sums.call(function, vec![a.form.clone(), b.form.clone()]);
                return Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }));
            }
        };
        if call.inputs.len() != 2 {
            return Err(format!("{} inputs", call.inputs.len()));
        }
        let bound = c.scalar()?;
        let (low, high) = if greatest { (bound, f64::INFINITY) } else { (f64::NEG_INFINITY, bound) };
        self.sums.clip(x.form.clone(), low, high).map(|form| x.with(form))
    }

    /// One of two values: softplus that leaves large `x` as they are, leaky relu, or any other.
    pub(super) fn choose(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let truth = match call.value(0)? {
            Value::Truth(truth) => truth,
            Value::IsName(origin, name) => return self.renamed(call, origin, name),
            _ => return Err("chooses by what is no comparison".to_owned()),
        };
        if let (Some((x, bound)), Ok(above), Ok(below)) = (&truth.above, call.real(1), call.real(2)) {
            if let Some((at, coef)) = below.form.single()
                && let (Some(Atom::Function(Activation::Softplus, z)), Some(k)) = (self.sums.atom(at), coef.uniform())
                && x.ratio(z).is_some_and(|k| (k - 1.0).abs() < 1e-6)
                && above.form.ratio(z).is_some_and(|ratio| (ratio - k).abs() <= 1e-6 * k.abs())
                && *bound >= 15.0
            {
                return Ok(call.value(2)?.clone());
            }
            if *bound == 0.0
                && above.form.ratio(x) == Some(1.0)
                && let Some(slope) = below.form.ratio(x)
            {
                return self.sums.kinked(x.clone(), &Coef::of(slope)).map(|form| above.with(form));
            }
        }
        let mut shape = truth.shape.clone();
        for at in [1, 2] {
            shape = match call.value(at)? {
                Value::Constant(c) => broadcast(&shape, beside(c, &shape))?,
                _ => broadcast(&shape, &call.real(at)?.shape)?,
            };
        }
        let not = opposite(&truth.form)?;
        let parts = [self.kept(call, 1, &truth.form, &shape)?, self.kept(call, 2, &not, &shape)?];
        let form = match parts {
            [Some(yes), Some(no)] => self.sums.add(yes, no)?,
            [one, other] => one.or(other).unwrap_or(Form { terms: Vec::new(), shift: Some(Coef::of(0.0)) }),
        };
        Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
    }

    /// Input `at` where `mask` is 1, else 0; `None` where that is always 0.
    fn kept(&mut self, call: &Call<'_>, at: usize, mask: &Form, shape: &[usize]) -> Result<Option<Form>, Reason> {
        let Value::Constant(c) = call.value(at)? else {
            let x = call.real(at)?.form.clone();
            return Ok(Some(self.sums.call(Function::Keep, vec![mask.clone(), x])));
        };
        let c = coefficient(c, shape)?;
        if c.0.iter().any(|c| !c.is_finite()) {
            return Err("chooses between a value and a number that is not finite".to_owned());
        }
        if c.is(0.0) { Ok(None) } else { mask.times(&c).map(Some) }
    }

    /// 1 where `x` is above 0, else 0.
    pub(super) fn step(&mut self, x: Form) -> Form {
        let width = self.sums.width(&x);
        self.sums.make(Atom::Step(x), width)
    }

    /// Whether `x` is not 0.
    pub(super) fn truth(&mut self, x: &Rows) -> Result<Value, Reason> {
        let atom = x.form.bare().and_then(|at| self.sums.atom(at));
        let is_truth = matches!(atom, Some(Atom::Step(_) | Atom::Call(Function::Greater, _)));
        let form = if is_truth { x.form.clone() } else { self.is_not_zero(x.form.clone()) };
        Ok(Value::Truth(Truth { form, shape: x.shape.clone(), above: None }))
    }

    /// 1 where `x` is not 0, else 0.
    pub(super) fn is_not_zero(&mut self, x: Form) -> Form {
        let sign = self.sums.call(Function::Sign, vec![x]);
        self.sums.call(Function::Abs, vec![sign])
    }

    /// Comparisons, all made of "is above". No file of a dense network asks what NaN is like.
    pub(super) fn compared(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let op = call.node.op_type.as_str();
        let (form, shape) = match op {
            "Greater" => self.above(call, 0, 1)?,
            "Less" => self.above(call, 1, 0)?,
            "GreaterOrEqual" => self.not_above(call, 1, 0)?,
            "LessOrEqual" => self.not_above(call, 0, 1)?,
            _ => {
                let ((a, shape), (b, _)) = (self.not_above(call, 0, 1)?, self.not_above(call, 1, 0)?);
                (self.sums.call(Function::Mul, vec![a, b]), shape)
            }
        };
        let above = match (op, call.value(0)?, call.value(1)?) {
            ("Greater" | "GreaterOrEqual", Value::Rows(x), Value::Constant(bound))
            | ("Less" | "LessOrEqual", Value::Constant(bound), Value::Rows(x)) => {
                bound.scalar().ok().map(|bound| (x.form.clone(), bound))
            }
            _ => None,
        };
        Ok(Value::Truth(Truth { form, shape, above }))
    }

    /// 1 where input `at` is above input `other`, else 0, and the shape of a row.
    fn above(&mut self, call: &Call<'_>, at: usize, other: usize) -> Result<(Form, Vec<usize>), Reason> {
        let minus = Coef::of(-1.0);
        let (form, shape) = match (call.value(at)?, call.value(other)?) {
            (Value::Constant(c), _) => {
                let x = call.number(other)?;
                let difference = x.form.times(&minus)?.plus(&coefficient(c, &x.shape)?)?;
                (self.step(difference), broadcast(&x.shape, beside(c, &x.shape))?)
            }
            (_, Value::Constant(c)) => {
                let x = call.number(at)?;
                let difference = x.form.clone().plus(&coefficient(c, &x.shape)?.times(&minus)?)?;
                (self.step(difference), broadcast(&x.shape, beside(c, &x.shape))?)
            }
            _ => {
                let (a, b) = (call.number(at)?, call.number(other)?);
                let shape = broadcast(&a.shape, &b.shape)?;
                (self.sums.call(Function::Greater, vec![a.form.clone(), b.form.clone()]), shape)
            }
        };
        Ok((form, shape))
    }

    fn not_above(&mut self, call: &Call<'_>, at: usize, other: usize) -> Result<(Form, Vec<usize>), Reason> {
        let (form, shape) = self.above(call, at, other)?;
        Ok((opposite(&form)?, shape))
    }

    /// And, or, exclusive or, not.
    pub(super) fn joined(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let truth = |at: usize| match call.value(at)? {
            Value::Truth(truth) => Ok(truth),
            _ => Err(format!("input {at} is no comparison")),
        };
        let a = truth(0)?;
        if call.node.op_type == "Not" {
            return Ok(Value::Truth(Truth { form: opposite(&a.form)?, shape: a.shape.clone(), above: None }));
        }
        let b = truth(1)?;
        let (both, shape) = (vec![a.form.clone(), b.form.clone()], broadcast(&a.shape, &b.shape)?);
        let form = match call.node.op_type.as_str() {
            "And" => self.sums.call(Function::Mul, both),
            "Or" => self.sums.call(Function::Max, both),
            _ => {
                let difference = self.sums.call(Function::Sub, both);
                self.sums.call(Function::Abs, vec![difference])
            }
        };
        Ok(Value::Truth(Truth { form, shape, above: None }))
    }
}

/// The operations that are one function each.
pub(super) fn function(node: &Node) -> Option<Result<Activation, Reason>> {
    Some(Ok(match node.op_type.as_str() {
        "Relu" => Activation::Relu,
        "Sigmoid" => Activation::Sigmoid,
        "Tanh" => Activation::Tanh,
        "Softplus" => Activation::Softplus,
        "Softsign" => Activation::Softsign,
        "Mish" => Activation::Mish,
        "Softmax" => Activation::Softmax,
        "LogSoftmax" => Activation::LogSoftmax,
        "Elu" => Activation::Elu { alpha: node.float("alpha", 1.0) },
        "Gelu" => match node.text("approximate").as_deref() {
            None | Some("none") => Activation::Gelu,
            Some("tanh") => Activation::GeluTanh,
            Some(other) => return Some(Err(format!("the approximation {other:?}"))),
        },
        _ => return None,
    }))
}

/// `1 - x`, of what is 0 or 1.
fn opposite(x: &Form) -> Result<Form, Reason> {
    x.times(&Coef::of(-1.0))?.plus(&Coef::of(1.0))
}
