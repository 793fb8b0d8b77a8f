//! Products, sums and quotients, and reductions of the columns.

use super::super::super::tensor::{Reason, Tensor};
use super::super::fold::{axes, transposed};
use super::super::form::{Atom, Coef};
use super::super::{Importer, Kind, Rows, Value, coefficient};
use super::{Call, beside, broadcast};
use std::sync::Arc;

impl Importer<'_> {
    pub(super) fn product(&mut self, x: &Rows, weights: &Tensor) -> Result<Rows, Reason> {
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

    pub(super) fn matmul(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let (x, weights) = (call.real(0)?, call.constant(1)?);
        self.product(x, weights).map(Value::Rows)
    }

    pub(super) fn gemm(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let (x, weights) = (call.real(0)?, call.constant(1)?);
        if call.node.int("transA", 0) != 0 {
            return Err("the batch transposed".to_owned());
        }
        let turned;
        let weights = if call.node.int("transB", 0) != 0 {
            turned = transposed(weights, Some(&[1, 0]))?;
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

    pub(super) fn add(&mut self, call: &Call<'_>, sign: f64) -> Result<Value, Reason> {
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

    pub(super) fn sum(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    pub(super) fn mul(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    pub(super) fn div(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    pub(super) fn mean(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let shape = self.reduced(call, "mean", 18)?;
        let form = self.sums.mean(call.real(0)?.form.clone());
        Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
    }

    pub(super) fn total(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let shape = self.reduced(call, "sum", 13)?;
        let form = self.sums.make(Atom::Total(call.real(0)?.form.clone()), 1);
        Ok(Value::Rows(Rows { form, shape, kind: Kind::Real }))
    }

    /// The shape of a row whose columns have become one; `since` this version the axes are an input.
    pub(super) fn reduced(&self, call: &Call<'_>, what: &str, since: i64) -> Result<Vec<usize>, Reason> {
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

    pub(super) fn batch_norm(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    pub(super) fn layer_norm(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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
}

pub(super) fn scaled(x: &Rows, factor: f64) -> Result<Value, Reason> {
    x.form.times(&Coef::of(factor)).map(|form| x.with(form))
}
