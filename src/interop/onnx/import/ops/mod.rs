//! Each operation: what it makes of sums and constants.

mod arithmetic;
mod functions;
mod learning;
mod shapes;

use super::super::proto::Node;
use super::super::tensor::{Reason, Tensor};
use super::fold::{axis, fold};
use super::form::{Atom, Coef, Form};
use super::{Importer, Kind, Labels, Rows, Value, coefficient, is_default};
use crate::formula::Function;
use crate::kernels::Activation;
use arithmetic::scaled;
use functions::function;
use shapes::constant;

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
            Value::Truth(_) | Value::IsName(..) => Err(format!("input {at} is a comparison, and no number")),
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
            Kind::Text => Err(format!("input {at} holds names")),
        }
    }

    /// Rows that are compared, or are yes where they are not 0.
    fn number(&self, at: usize) -> Result<&Rows, Reason> {
        let rows = self.rows(at)?;
        if matches!(rows.kind, Kind::Real | Kind::Whole) { Ok(rows) } else { self.real(at) }
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

impl<'a> Importer<'a> {
    /// What `node` makes of `inputs`.
    pub(super) fn evaluate(&mut self, node: &Node, inputs: &[Option<Value>]) -> Result<Vec<Value>, Reason> {
        let call = Call { node, inputs };
        let is_ml = node.domain == "ai.onnx.ml";
        if !(is_default(&node.domain) || is_ml) {
            return Err(format!("domain {:?}", node.domain));
        }
        if is_ml {
            return self.learning(&call);
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
        let counted;
        let mut call = call;
        if let Some(Value::Labels(labels)) = inputs.first().and_then(Option::as_ref) {
            match (node.op_type.as_str(), labels.threshold) {
                ("Cast" | "Reshape" | "Identity" | "Squeeze" | "Unsqueeze" | "Flatten", _) => {
                    return Ok(vec![Value::Labels(labels.clone())]);
                }
                (_, None) => return Err("calculates with the number of a class".to_owned()),
                (_, Some(threshold)) => {
                    let above = labels.of.clone().plus(&Coef::of(-threshold))?;
                    let (form, shape) = (self.step(above), labels.shape.clone());
                    let first = Value::Rows(Rows { form, shape, kind: Kind::Real });
                    counted = [&[Some(first)], inputs.get(1..).unwrap_or_default()].concat();
                    call = Call { node, inputs: &counted };
                }
            }
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
            "Cast" => self.cast(call),
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
            "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Equal" => self.compared(call),
            "And" | "Or" | "Xor" | "Not" => self.joined(call),
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
}

fn labels(x: &Rows, names: Vec<String>, threshold: Option<f64>) -> Value {
    Value::Labels(Labels { of: x.form.clone(), shape: x.shape.clone(), names, threshold })
}
