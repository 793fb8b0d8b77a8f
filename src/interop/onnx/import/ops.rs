//! Each operation: what it makes of sums and constants.

use super::super::proto::{self, Node, element};
use super::super::tensor::{Reason, Tensor};
use super::fold::{axes, axis, fold, reshaped, squeezed, unsqueezed};
use super::form::{Atom, Coef, Form};
use super::{Importer, Kind, Labels, Rows, Value, coefficient, is_default};
use crate::formula::Function;
use crate::kernels::Activation;
use std::sync::Arc;

/// The inputs of one node.
struct Call<'a> {
    node: &'a Node,
    inputs: &'a [Option<Value>],
}

impl Call<'_> {
    fn value(&self, at: usize) -> Result<&Value, Reason> {
        self.inputs.get(at).and_then(Option::as_ref).ok_or_else(|| format!("input {at} is missing"))
    }

    fn rows(&self, at: usize) -> Result<&Rows, Reason> {
        match self.value(at)? {
            Value::Rows(rows) => Ok(rows),
            Value::Constant(_) => Err(format!("input {at} is a constant")),
            Value::Above(..) => Err(format!("input {at} is a comparison, which no layer computes")),
            Value::Labels(_) => Err(format!("input {at} is the number of a class")),
            Value::Wrong => Err(format!("input {at} could not be read")),
        }
    }

    /// Rows that are calculated with.
    fn real(&self, at: usize) -> Result<&Rows, Reason> {
        let rows = self.rows(at)?;
        match rows.kind {
            Kind::Real => Ok(rows),
            Kind::Whole | Kind::Cut => Err(format!("input {at} holds whole numbers")),
        }
    }

    fn constant(&self, at: usize) -> Result<&Tensor, Reason> {
        match self.value(at)? {
            Value::Constant(tensor) => Ok(tensor),
            _ => Err(format!("input {at} is not constant")),
        }
    }

    fn optional(&self, at: usize) -> Result<Option<&Tensor>, Reason> {
        if self.inputs.get(at).is_none_or(Option::is_none) { Ok(None) } else { self.constant(at).map(Some) }
    }
}

impl Rows {
    fn with(&self, form: Form) -> Value {
        Value::Rows(Rows { form, shape: self.shape.clone(), kind: Kind::Real })
    }

    fn reshaped(&self, shape: Vec<usize>) -> Value {
        Value::Rows(Rows { form: self.form.clone(), shape, kind: self.kind })
    }

    fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The width, where rows have one dimension that is not 1, the last.
    fn columns(&self) -> Result<usize, Reason> {
        match self.shape.split_last() {
            Some((last, front)) if front.iter().all(|side| *side == 1) => Ok(*last),
            _ => Err(format!("rows of {:?}, and one dimension is needed", self.shape)),
        }
    }

    /// Refuses an axis other than the last.
    fn check_last(&self, at: i64) -> Result<(), Reason> {
        let rank = self.shape.len() + 1;
        self.columns()?;
        if axis(at, rank)? + 1 == rank { Ok(()) } else { Err(format!("axis {at} of rows of {:?}", self.shape)) }
    }
}

/// The shape of one row that `a` and `b` have together.
fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Reason> {
    let rank = a.len().max(b.len());
    let side = |shape: &[usize], at: usize| (at + shape.len()).checked_sub(rank).and_then(|at| shape.get(at)).copied();
    let sides = (0..rank).map(|at| match (side(a, at).unwrap_or(1), side(b, at).unwrap_or(1)) {
        (1, other) | (other, 1) => Ok(other),
        (x, y) if x == y => Ok(x),
        _ => Err(format!("rows of {a:?} beside {b:?}")),
    });
    sides.collect()
}

/// The sides of a constant beside rows of `shape`: without that of the batch.
fn beside<'a>(tensor: &'a Tensor, shape: &[usize]) -> &'a [usize] {
    let extra =
        tensor.dims.len().saturating_sub(shape.len()).min(tensor.dims.iter().take_while(|side| **side == 1).count());
    tensor.dims.get(extra..).unwrap_or_default()
}

fn identity_permutation(perm: Option<&[i64]>) -> bool {
    perm.is_some_and(|perm| perm.iter().zip(0..).all(|(p, at)| *p == at))
}

impl<'a> Importer<'a> {
    /// What `node` makes of `inputs`.
    pub(super) fn evaluate(&mut self, node: &Node, inputs: &[Option<Value>]) -> Result<Vec<Value>, Reason> {
        let call = Call { node, inputs };
        let is_ml = node.domain == "ai.onnx.ml";
        if !(is_default(&node.domain) || is_ml) {
            return Err(format!("domain {:?}", node.domain));
        }
        if is_ml {
            return Ok(vec![self.learning(&call)?]);
        }
        if node.op_type == "Constant" {
            return constant(node).map(|tensor| vec![Value::Constant(tensor)]);
        }
        let constants = inputs.iter().map(|value| match value {
            Some(Value::Constant(tensor)) => Some(Some(tensor)),
            None => Some(None),
            Some(_) => None,
        });
        if let Some(constants) = constants.collect::<Option<Vec<_>>>()
            && let Some(folded) = fold(node, self.opset, &constants)?
        {
            return Ok(vec![Value::Constant(folded)]);
        }
        if let Some(Value::Labels(labels)) = inputs.first().and_then(Option::as_ref) {
            return match node.op_type.as_str() {
                "Cast" | "Reshape" | "Identity" | "Squeeze" | "Unsqueeze" | "Flatten" => {
                    Ok(vec![Value::Labels(labels.clone())])
                }
                _ => Err("calculates with the number of a class".to_owned()),
            };
        }
        match node.op_type.as_str() {
            "Split" => self.split(&call),
            "Constant" | "Identity" | "Dropout" => Ok(vec![call.value(0)?.clone()]),
            _ => self.operation_of(&call).map(|value| vec![value]),
        }
    }

    fn operation_of(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        if let Some(function) = function(call.node) {
            return self.apply(call, function?);
        }
        match call.node.op_type.as_str() {
            "Cast" => cast(call),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Transpose" | "Shape" => self.shaped(call),
            "MatMul" => self.matmul(call),
            "Gemm" => self.gemm(call),
            "Add" => self.add(call, 1.0),
            "Sub" => self.add(call, -1.0),
            "Sum" => self.sum(call),
            "Mul" => self.mul(call),
            "Div" => self.div(call),
            "Pow" => {
                let (x, exponent) = (call.real(0)?, call.constant(1)?.scalar()?);
                self.sums.power(x.form.clone(), exponent).map(|form| x.with(form))
            }
            "Neg" => scaled(call.real(0)?, -1.0),
            "Reciprocal" => {
                let x = call.real(0)?;
                self.sums.reciprocal(&x.form).map(|form| x.with(form))
            }
            "Sqrt" => {
                let x = call.real(0)?;
                self.sums.root(&x.form).map(|form| x.with(form))
            }
            "Log" => {
                let x = call.real(0)?;
                self.sums.logarithm(&x.form).map(|form| x.with(form))
            }
            "Sin" => self.element(call, Function::Sin),
            "Cos" => self.element(call, Function::Cos),
            "Sign" => self.element(call, Function::Sign),
            "HardSwish" => {
                let x = call.real(0)?;
                let gate = self.hard_sigmoid(&x.form, 1.0 / 6.0, 0.5)?;
                Ok(x.with(self.sums.call(Function::Mul, vec![x.form.clone(), gate])))
            }
            "ReduceSum" => self.total(call),
            "Abs" => self.part(call, Atom::Abs),
            "Erf" => self.part(call, Atom::Erf),
            "Exp" => self.part(call, Atom::Exp),
            "Clip" => self.clip(call),
            "Max" | "Min" => self.extreme(call),
            "PRelu" => {
                let (x, slope) = (call.real(0)?, coefficient(call.constant(1)?, &call.real(0)?.shape)?);
                self.sums.kinked(x.form.clone(), &slope).map(|form| x.with(form))
            }
            "HardSigmoid" => {
                let (x, alpha, beta) = (call.real(0)?, call.node.float("alpha", 0.2), call.node.float("beta", 0.5));
                let form = self.hard_sigmoid(&x.form, f64::from(alpha), f64::from(beta))?;
                Ok(x.with(form))
            }
            "LeakyRelu" => {
                let (x, slope) = (call.real(0)?, Coef::of(call.node.float("alpha", 0.01).into()));
                self.sums.kinked(x.form.clone(), &slope).map(|form| x.with(form))
            }
            "Celu" => {
                self.stretched(call, Activation::Elu { alpha: 1.0 }, 1.0 / f64::from(call.node.float("alpha", 1.0)))
            }
            "Swish" => self.stretched(call, Activation::Silu, call.node.float("alpha", 1.0).into()),
            "Selu" => {
                let (alpha, gamma) = (call.node.float("alpha", 1.673_263_2), call.node.float("gamma", 1.050_701));
                let x = call.real(0)?;
                let standard = (alpha - 1.673_263_2).abs() < 1e-5 && (gamma - 1.050_701).abs() < 1e-5;
                let function = if standard { Activation::Selu } else { Activation::Elu { alpha } };
                let form = self.sums.function(function, x.form.clone());
                let form = if standard { form } else { form.times(&Coef::of(gamma.into()))? };
                Ok(x.with(form))
            }
            "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" => compared(call),
            "Where" => self.choose(call),
            "ReduceMean" => self.mean(call),
            "BatchNormalization" => self.batch_norm(call),
            "LayerNormalization" => self.layer_norm(call),
            "Concat" => self.concat(call),
            "Gather" => self.gather(call),
            "Slice" => self.slice(call),
            "ArgMax" => {
                let x = call.rows(0)?;
                x.check_last(call.node.int("axis", 0))?;
                if call.node.int("select_last_index", 0) != 0 {
                    return Err("of equal columns the last".to_owned());
                }
                Ok(labels(x, Vec::new(), None))
            }
            _ => Err("no layer computes this".to_owned()),
        }
    }

    fn apply(&mut self, call: &Call<'_>, function: Activation) -> Result<Value, Reason> {
        let x = call.real(0)?;
        if matches!(function, Activation::Softmax | Activation::LogSoftmax) {
            let default = if self.opset < 13 { 1 } else { -1 };
            x.check_last(call.node.int("axis", default))?;
        }
        Ok(x.with(self.sums.function(function, x.form.clone())))
    }

    fn part(&mut self, call: &Call<'_>, atom: fn(Form) -> Atom) -> Result<Value, Reason> {
        let x = call.real(0)?;
        let width = x.width();
        Ok(x.with(self.sums.make(atom(x.form.clone()), width)))
    }

    fn element(&mut self, call: &Call<'_>, function: Function) -> Result<Value, Reason> {
        let x = call.real(0)?;
        Ok(x.with(self.sums.call(function, vec![x.form.clone()])))
    }

    /// `f(k x) / k`.
    fn stretched(&mut self, call: &Call<'_>, function: Activation, k: f64) -> Result<Value, Reason> {
        let x = call.real(0)?;
        if !k.is_finite() || k == 0.0 {
            return Err(format!("a factor of {k}"));
        }
        let inner = x.form.times(&Coef::of(k))?;
        let form = self.sums.function(function, inner).times(&Coef::of(1.0 / k))?;
        Ok(x.with(form))
    }

    /// `αx + β` held between 0 and 1; ours is that of α 1/6, β 1/2.
    fn hard_sigmoid(&mut self, x: &Form, alpha: f64, beta: f64) -> Result<Form, Reason> {
        let ours = (alpha - 1.0 / 6.0).abs() < 1e-6 && (beta - 0.5).abs() < 1e-6;
        let inner =
            if ours { x.clone() } else { x.times(&Coef::of(6.0 * alpha))?.plus(&Coef::of(6.0 * beta - 3.0))? };
        Ok(self.sums.function(Activation::HardSigmoid, inner))
    }

    fn shaped(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let x = call.rows(0)?;
        // The batch stands in front, as -1 where it is open.
        let batch = self.batch.map_or(-1, |rows| rows as i64);
        let all = |shape: &[usize]| -> Vec<usize> { [1].iter().chain(shape).copied().collect() };
        let rows_stay = |at: i64| -> Result<(), Reason> {
            if axis(at, x.shape.len() + 1)? == 0 { Err("moves the rows of the batch".to_owned()) } else { Ok(()) }
        };
        match call.node.op_type.as_str() {
            "Shape" => {
                let sides = x.shape.iter().map(|side| *side as i64);
                return Ok(Value::Constant(Tensor::whole([-1].into_iter().chain(sides).collect())));
            }
            "Transpose" if identity_permutation(call.node.ints("perm")) => return Ok(call.value(0)?.clone()),
            "Transpose" => return Err(format!("rows of {:?} transposed", x.shape)),
            "Flatten" => {
                let at = call.node.int("axis", 1);
                rows_stay(at)?;
                if axis(at, x.shape.len() + 1)? == 1 {
                    return Ok(x.reshaped(vec![x.width()]));
                }
                return Err(format!("axis {at} of rows of {:?}", x.shape));
            }
            "Squeeze" => {
                let Some(axes) = axes(call.node, self.opset, call.optional(1)?)? else {
                    return Ok(x.reshaped(x.shape.iter().copied().filter(|side| *side != 1).collect()));
                };
                axes.iter().try_for_each(|at| rows_stay(*at))?;
                let dims = squeezed(&all(&x.shape), Some(axes))?;
                return Ok(x.reshaped(dims.get(1..).unwrap_or_default().to_vec()));
            }
            "Unsqueeze" => {
                let axes = axes(call.node, self.opset, call.optional(1)?)?.unwrap_or_default();
                let dims = unsqueezed(&all(&x.shape), &axes)?;
                let rank = dims.len();
                if axes.iter().any(|at| axis(*at, rank).is_ok_and(|at| at == 0)) {
                    return Err("moves the rows of the batch".to_owned());
                }
                return Ok(x.reshaped(dims.get(1..).unwrap_or_default().to_vec()));
            }
            _ => {}
        }
        let to = call.constant(1)?.indices()?;
        let problem = || format!("rows of {:?} as {to:?}", x.shape);
        let (first, sides) = to.split_first().ok_or_else(problem)?;
        let is_batch = match first {
            -1 | 0 => true,
            rows => *rows == batch,
        };
        if !is_batch {
            return Err(problem());
        }
        // A second open side is what is left of the row, as the first is the batch.
        let front_of = |shape: &[usize]| -> Result<Vec<usize>, Reason> {
            let to: Vec<i64> = [1].into_iter().chain(sides.iter().copied()).collect();
            reshaped(&all(shape), &to)
        };
        let dims = front_of(&x.shape).map_err(|_| problem())?;
        Ok(x.reshaped(dims.get(1..).unwrap_or_default().to_vec()))
    }

    fn product(&mut self, x: &Rows, weights: &Tensor) -> Result<Rows, Reason> {
        let width = x.columns()?;
        let &[inputs, outputs] = weights.dims.as_slice() else {
            return Err(format!("a product with constants of {:?}", weights.dims));
        };
        if inputs != width || outputs == 0 {
            return Err(format!("rows of {width} times constants of ({inputs}, {outputs})"));
        }
        let mut shape = x.shape.clone();
        shape.pop();
        shape.push(outputs);
        let form = self.sums.make(Atom::Product(x.form.clone(), weights.clone()), outputs);
        Ok(Rows { form, shape, kind: Kind::Real })
    }

    fn matmul(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let (x, weights) = (call.real(0)?, call.constant(1)?);
        self.product(x, weights).map(Value::Rows)
    }

    fn gemm(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let (x, weights) = (call.real(0)?, call.constant(1)?);
        if call.node.int("transA", 0) != 0 {
            return Err("the batch transposed".to_owned());
        }
        let turned;
        let weights = if call.node.int("transB", 0) != 0 {
            turned = super::fold::transposed(weights, Some(&[1, 0]))?;
            &turned
        } else {
            weights
        };
        let mut rows = self.product(x, weights)?;
        rows.form = rows.form.times(&Coef::of(call.node.float("alpha", 1.0).into()))?;
        let beta = Coef::of(call.node.float("beta", 1.0).into());
        match call.inputs.get(2).and_then(Option::as_ref) {
            None => {}
            Some(Value::Constant(bias)) => {
                rows.form = rows.form.plus(&coefficient(bias, &rows.shape)?.times(&beta)?)?;
            }
            Some(_) => {
                let c = call.real(2)?;
                broadcast(&rows.shape, &c.shape)?;
                rows.form = self.sums.add(rows.form, c.form.times(&beta)?)?;
                rows.form = self.sums.share(rows.form);
            }
        }
        Ok(Value::Rows(rows))
    }

    fn add(&mut self, call: &Call<'_>, sign: f64) -> Result<Value, Reason> {
        let sign = Coef::of(sign);
        match (call.value(0)?, call.value(1)?) {
            (Value::Constant(c), _) => {
                let x = call.real(1)?;
                let form = x.form.times(&sign)?.plus(&coefficient(c, &x.shape)?)?;
                Ok(Value::Rows(Rows { form, shape: broadcast(&x.shape, beside(c, &x.shape))?, kind: Kind::Real }))
            }
            (_, Value::Constant(c)) => {
                let x = call.real(0)?;
                let form = x.form.clone().plus(&coefficient(c, &x.shape)?.times(&sign)?)?;
                Ok(Value::Rows(Rows { form, shape: broadcast(&x.shape, beside(c, &x.shape))?, kind: Kind::Real }))
            }
            _ => {
                let (a, b) = (call.real(0)?, call.real(1)?);
                let shape = broadcast(&a.shape, &b.shape)?;
                let form = self.sums.add(a.form.clone(), b.form.times(&sign)?)?;
                // A sum of the file is a sum of the network.
                let form = self.sums.share(form);
                Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
            }
        }
    }

    fn sum(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let first = call.real(0)?;
        let (mut form, mut shape) = (first.form.clone(), first.shape.clone());
        for at in 1..call.inputs.len() {
            let next = call.real(at)?;
            shape = broadcast(&shape, &next.shape)?;
            form = self.sums.add(form, next.form.clone())?;
        }
        let form = self.sums.share(form);
        Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
    }

    fn mul(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let (x, c) = match (call.value(0)?, call.value(1)?) {
            (Value::Constant(c), _) => (call.real(1)?, c),
            (_, Value::Constant(c)) => (call.real(0)?, c),
            _ => {
                let (a, b) = (call.real(0)?, call.real(1)?);
                let shape = broadcast(&a.shape, &b.shape)?;
                let form = self.sums.multiply(a.form.clone(), b.form.clone())?;
                return Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }));
            }
        };
        let form = x.form.times(&coefficient(c, &x.shape)?)?;
        Ok(Value::Rows(Rows { form, shape: broadcast(&x.shape, beside(c, &x.shape))?, kind: Kind::Real }))
    }

    fn div(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        match (call.value(0)?, call.value(1)?) {
            (_, Value::Constant(c)) => {
                let x = call.real(0)?;
                let factor = coefficient(c, &x.shape)?.map(|c| 1.0 / c);
                let shape = broadcast(&x.shape, beside(c, &x.shape))?;
                Ok(Value::Rows(Rows { form: x.form.times(&factor)?, shape, kind: Kind::Real }))
            }
            (Value::Constant(c), _) => {
                let x = call.real(1)?;
                let form = self.sums.reciprocal(&x.form)?.times(&coefficient(c, &x.shape)?)?;
                Ok(x.with(form))
            }
            _ => {
                let (a, b) = (call.real(0)?, call.real(1)?);
                let shape = broadcast(&a.shape, &b.shape)?;
                let form = self.sums.divide(a.form.clone(), &b.form)?;
                Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
            }
        }
    }

    fn clip(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    fn extreme(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    /// A function in two parts: softplus that leaves large `x` as they are, leaky relu.
    fn choose(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let problem = || "chooses between two values, which no layer computes".to_owned();
        let Value::Above(x, bound) = call.value(0)? else { return Err(problem()) };
        let (above, below) = (call.real(1)?, call.real(2)?);
        if let Some((at, coef)) = below.form.single()
            && let (Some(Atom::Function(Activation::Softplus, z)), Some(k)) = (self.sums.atom(at), coef.uniform())
            && x.ratio(z).is_some_and(|k| (k - 1.0).abs() < 1e-6)
            && above.form.ratio(z).is_some_and(|ratio| (ratio - k).abs() <= 1e-6 * k.abs())
            && *bound >= 15.0
        {
            return Ok(call.value(2)?.clone());
        }
        let scale = above.form.ratio(x);
        if *bound == 0.0
            && scale == Some(1.0)
            && let Some(slope) = below.form.ratio(x)
        {
            return self.sums.kinked(x.clone(), &Coef::of(slope)).map(|form| above.with(form));
        }
        Err(problem())
    }

    fn mean(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let shape = self.reduced(call, "mean", 18)?;
        let form = self.sums.mean(call.real(0)?.form.clone());
        Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
    }

    fn total(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let shape = self.reduced(call, "sum", 13)?;
        let form = self.sums.make(Atom::Total(call.real(0)?.form.clone()), 1);
        Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
    }

    /// The shape of a row whose columns have become one; `since` this version the axes are an input.
    fn reduced(&self, call: &Call<'_>, what: &str, since: i64) -> Result<Vec<usize>, Reason> {
        let x = call.real(0)?;
        let axes = axes(call.node, if self.opset >= since { 13 } else { 1 }, call.optional(1)?)?;
        match axes.as_deref() {
            Some(&[at]) => x.check_last(at)?,
            _ => return Err(format!("a {what} over other than the columns")),
        }
        if call.node.int("keepdims", 1) != 1 {
            return Err(format!("a {what} that does not keep its dimension"));
        }
        let mut shape = x.shape.clone();
        shape.pop();
        shape.push(1);
        Ok(shape)
    }

    fn batch_norm(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let x = call.real(0)?;
        let width = x.columns()?;
        if call.node.int("training_mode", 0) != 0 {
            return Err("in training mode: export the model for inference (`eval()`)".to_owned());
        }
        let parameter = |at: usize| -> Result<Arc<[f32]>, Reason> {
            let numbers = call.constant(at)?.floats()?;
            if numbers.len() == width {
                Ok(numbers)
            } else {
                Err(format!("input {at} has {} numbers for {width}", numbers.len()))
            }
        };
        let parameters = [parameter(1)?, parameter(2)?, parameter(3)?, parameter(4)?];
        let momentum = (1.0 - f64::from(call.node.float("momentum", 0.9))).clamp(0.0, 1.0);
        let momentum = ((momentum * 1e6).round() / 1e6) as f32;
        let epsilon = call.node.float("epsilon", 1e-5);
        Ok(x.with(self.sums.make(Atom::BatchNorm(x.form.clone(), parameters, epsilon, momentum), width)))
    }

    fn layer_norm(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let x = call.real(0)?;
        x.check_last(call.node.int("axis", -1))?;
        let width = x.columns()?;
        let scale = coefficient(call.constant(1)?, &x.shape)?;
        let epsilon = call.node.float("epsilon", 1e-5);
        let mut form = self.sums.make(Atom::LayerNorm(x.form.clone(), epsilon.into()), width).times(&scale)?;
        if let Some(shift) = call.optional(2)? {
            form = form.plus(&coefficient(shift, &x.shape)?)?;
        }
        Ok(x.with(form))
    }

    fn concat(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let (mut parts, mut width) = (Vec::with_capacity(call.inputs.len()), 0usize);
        let mut kind = None;
        for at in 0..call.inputs.len() {
            let x = call.rows(at)?;
            x.check_last(call.node.int("axis", 1))?;
            if kind.is_some_and(|kind| kind != x.kind) {
                return Err("whole numbers beside real ones".to_owned());
            }
            kind = Some(x.kind);
            width = width.saturating_add(x.columns()?);
            parts.push(x.form.clone());
        }
        let form = if parts.len() == 1 { parts.swap_remove(0) } else { self.sums.make(Atom::Concat(parts), width) };
        Ok(Value::Rows(Rows { form, shape: vec![width], kind: kind.unwrap_or(Kind::Real) }))
    }

    /// Columns `picked` of `x`, as rows of `shape`.
    fn columns(&mut self, x: &Rows, picked: Vec<usize>, shape: Vec<usize>) -> Value {
        let width = picked.len();
        let form = if picked.iter().copied().eq(0..x.width()) {
            x.form.clone()
        } else {
            self.sums.make(Atom::Columns(x.form.clone(), picked), width)
        };
        Value::Rows(Rows { form, shape, kind: x.kind })
    }

    fn gather(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        if let Value::Constant(table) = call.value(0)? {
            return self.lookup(call, table);
        }
        let (x, picked) = (call.rows(0)?, call.constant(1)?);
        x.check_last(call.node.int("axis", 0))?;
        let width = x.columns()?;
        let columns: Result<Vec<usize>, Reason> = picked.indices()?.iter().map(|at| axis(*at, width)).collect();
        Ok(self.columns(x, columns?, picked.dims.clone()))
    }

    fn lookup(&mut self, call: &Call<'_>, table: &Tensor) -> Result<Value, Reason> {
        let x = call.rows(1)?;
        if x.kind == Kind::Real || axis(call.node.int("axis", 0), table.dims.len())? != 0 {
            return Err("rows picked by real numbers, or along another axis than the first".to_owned());
        }
        let &[_, width] = table.dims.as_slice() else { return Err(format!("a table of {:?}", table.dims)) };
        let atom = x.form.bare().and_then(|at| Some((at, self.sums.atom(at)?)));
        let (input, column) = match atom {
            Some((_, Atom::Input(input))) => (*input, None),
            Some((_, Atom::Columns(of, columns))) => {
                let input = match (of.bare().and_then(|at| self.sums.atom(at)), columns.as_slice()) {
                    (Some(Atom::Input(input)), &[column]) => Some((*input, Some(column))),
                    _ => None,
                };
                input.ok_or("categories that are not one column of an input")?
            }
            _ => return Err("categories that are computed, and not an input".to_owned()),
        };
        let columns = x.width();
        let mut shape = x.shape.clone();
        shape.push(width);
        let atom = Atom::Lookup { input, column, table: table.clone() };
        let form = self.sums.make(atom, columns.saturating_mul(width));
        Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
    }

    fn slice(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let x = call.rows(0)?;
        let part = |at: usize, name: &str| -> Result<Option<Vec<i64>>, Reason> {
            match call.optional(at)? {
                Some(tensor) => tensor.indices().map(|all| Some(all.to_vec())),
                None => Ok(call.node.ints(name).map(<[i64]>::to_vec)),
            }
        };
        let (starts, ends) = (part(1, "starts")?, part(2, "ends")?);
        let (axes, steps) = (part(3, "axes")?, part(4, "steps")?);
        let (Some(&[start]), Some(&[end]), Some(&[at])) = (starts.as_deref(), ends.as_deref(), axes.as_deref()) else {
            return Err("a slice along other than the columns".to_owned());
        };
        x.check_last(at)?;
        if steps.is_some_and(|steps| steps != [1]) {
            return Err("a slice with steps".to_owned());
        }
        let width = x.columns()?;
        let place = |at: i64| {
            let from_end = if at < 0 { at.saturating_add(width as i64) } else { at };
            usize::try_from(from_end.max(0)).unwrap_or(width).min(width)
        };
        let picked: Vec<usize> = (place(start)..place(end)).collect();
        if picked.is_empty() {
            return Err("a slice without columns".to_owned());
        }
        let shape = vec![picked.len()];
        Ok(self.columns(x, picked, shape))
    }

    fn split(&mut self, call: &Call<'_>) -> Result<Vec<Value>, Reason> {
        let x = call.rows(0)?;
        x.check_last(call.node.int("axis", 0))?;
        let (width, parts) = (x.columns()?, call.node.output.len());
        let given = match call.optional(1)? {
            Some(tensor) => Some(tensor.indices()?.to_vec()),
            None => call.node.ints("split").map(<[i64]>::to_vec),
        };
        let each = width.div_ceil(parts.max(1)).max(1);
        let sizes: Vec<usize> = match given {
            Some(sizes) => sizes.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect(),
            None => (0..parts).map(|at| each.min(width.saturating_sub(at.saturating_mul(each)))).collect(),
        };
        let total = sizes.iter().fold(0usize, |sum, size| sum.saturating_add(*size));
        if total != width || sizes.contains(&0) || sizes.len() != parts {
            return Err(format!("{width} columns in parts of {sizes:?}"));
        }
        let mut from = 0;
        let cut = |size: usize| {
            from += size;
            self.columns(x, (from - size..from).collect(), vec![size])
        };
        Ok(sizes.into_iter().map(cut).collect())
    }

    /// What scikit-learn's pipelines are made of.
    fn learning(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        match call.node.op_type.as_str() {
            "Scaler" => {
                let x = call.rows(0)?;
                let constants = |name: &str, none: f64| {
                    let given = call.node.floats(name).filter(|given| !given.is_empty());
                    let tensor = given.map(|given| Coef(given.iter().map(|x| f64::from(*x)).collect()));
                    tensor.unwrap_or_else(|| Coef::of(none))
                };
                let (offset, scale) = (constants("offset", 0.0), constants("scale", 1.0));
                let form = x.form.clone().plus(&offset.map(|x| -x))?.times(&scale)?;
                Ok(x.with(form))
            }
            "ArrayFeatureExtractor" => match (call.value(0)?, call.value(1)?) {
                (Value::Constant(names), Value::Labels(of)) => {
                    let columns: usize = of.shape.iter().product();
                    if names.len() != columns || of.threshold.is_some() {
                        return Err(format!("{} names of {columns} classes", names.len()));
                    }
                    Ok(Value::Labels(Labels { names: names.names(), ..of.clone() }))
                }
                (Value::Rows(x), Value::Constant(picked)) => {
                    let width = x.columns()?;
                    let columns: Result<Vec<usize>, Reason> =
                        picked.indices()?.iter().map(|at| axis(*at, width)).collect();
                    let columns = columns?;
                    let shape = vec![columns.len()];
                    Ok(self.columns(x, columns, shape))
                }
                _ => Err("elements picked by a value".to_owned()),
            },
            // A map by class name for each row: the columns are the same numbers.
            "ZipMap" => Ok(call.value(0)?.clone()),
            "Binarizer" => Ok(labels(call.rows(0)?, Vec::new(), Some(call.node.float("threshold", 0.0).into()))),
            "Imputer" => {
                Err("no layer replaces missing numbers: do it before the model, and export the rest".to_owned())
            }
            "OneHotEncoder" => {
                Err("no layer encodes names: do it before the model (`LabelEncoder`, `one_hot`), and export the rest"
                    .to_owned())
            }
            _ => Err("no layer computes this".to_owned()),
        }
    }
}

fn labels(x: &Rows, names: Vec<String>, threshold: Option<f64>) -> Value {
    Value::Labels(Labels { of: x.form.clone(), shape: x.shape.clone(), names, threshold })
}

fn scaled(x: &Rows, factor: f64) -> Result<Value, Reason> {
    x.form.times(&Coef::of(factor)).map(|form| x.with(form))
}

/// The operations that are one function each.
fn function(node: &Node) -> Option<Result<Activation, Reason>> {
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

fn cast(call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.rows(0)?;
    let to = i32::try_from(call.node.int("to", 0)).unwrap_or_default();
    let kind = match (to, x.kind) {
        (element::FLOAT | element::DOUBLE, Kind::Real | Kind::Whole) => Kind::Real,
        (element::INT64 | element::INT32, Kind::Real | Kind::Cut) => Kind::Cut,
        (element::INT64 | element::INT32, Kind::Whole) => Kind::Whole,
        _ => return Err(format!("a cast to data type {to} that changes the numbers")),
    };
    Ok(Value::Rows(Rows { kind, ..x.clone() }))
}

fn compared(call: &Call<'_>) -> Result<Value, Reason> {
    let greater = call.node.op_type.starts_with("Greater");
    match (call.value(0)?, call.value(1)?) {
        (Value::Rows(x), Value::Constant(bound)) if greater => Ok(Value::Above(x.form.clone(), bound.scalar()?)),
        (Value::Constant(bound), Value::Rows(x)) if !greater => Ok(Value::Above(x.form.clone(), bound.scalar()?)),
        _ => Err("a comparison, which no layer computes".to_owned()),
    }
}

/// The value of a `Constant`.
fn constant(node: &Node) -> Result<Tensor, Reason> {
    let attribute = node.attribute.first().ok_or("no value")?;
    let floats = |all: &[f32], dims: Vec<usize>| Tensor { dims, data: super::super::tensor::Data::Floats(all.into()) };
    match attribute.name.as_str() {
        "value" => Tensor::read(attribute.t.as_ref().unwrap_or(&proto::Tensor::default()), None),
        "value_float" => Ok(floats(&[attribute.f.unwrap_or(0.0)], Vec::new())),
        "value_floats" => Ok(floats(&attribute.floats, vec![attribute.floats.len()])),
        "value_int" => Ok(Tensor { dims: Vec::new(), ..Tensor::whole(vec![attribute.i.unwrap_or(0)]) }),
        "value_ints" => Ok(Tensor::whole(attribute.ints.clone())),
        other => Err(format!("a constant by {other:?}")),
    }
}
