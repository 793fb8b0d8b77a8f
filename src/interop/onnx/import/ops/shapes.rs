//! Rows in another form: cut, joined, picked, cast.

use super::super::super::proto::{self, Node, element};
use super::super::super::tensor::{Data, Reason, Tensor};
use super::super::fold::{axes, axis, reshaped, squeezed, unsqueezed};
use super::super::form::Atom;
use super::super::{Importer, Kind, Rows, Truth, Value};
use super::Call;

impl Importer<'_> {
    pub(super) fn shaped(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    pub(super) fn concat(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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
    pub(super) fn columns(&mut self, x: &Rows, picked: Vec<usize>, shape: Vec<usize>) -> Value {
        let width = picked.len();
        let form = if picked.iter().copied().eq(0..x.width()) {
            x.form.clone()
        } else {
            self.sums.make(Atom::Columns(x.form.clone(), picked), width)
        };
        Value::Rows(Rows { form, shape, kind: x.kind })
    }

    pub(super) fn gather(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        if let Value::Constant(table) = call.value(0)? {
            return self.lookup(call, table);
        }
        let (x, picked) = (call.rows(0)?, call.constant(1)?);
        x.check_last(call.node.int("axis", 0))?;
        let width = x.columns()?;
        let columns: Result<Vec<usize>, Reason> = picked.indices()?.iter().map(|at| axis(*at, width)).collect();
        Ok(self.columns(x, columns?, picked.dims.clone()))
    }

    pub(super) fn lookup(&mut self, call: &Call<'_>, table: &Tensor) -> Result<Value, Reason> {
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

    pub(super) fn slice(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
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

    pub(super) fn split(&mut self, call: &Call<'_>) -> Result<Vec<Value>, Reason> {
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

    pub(super) fn cast(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let to = i32::try_from(call.node.int("to", 0)).unwrap_or_default();
        match call.value(0)? {
            Value::Truth(truth) if to == element::BOOL => return Ok(Value::Truth(truth.clone())),
            Value::Truth(Truth { form, shape, .. }) if to != element::STRING => {
                return Ok(Value::Rows(Rows { form: form.clone(), shape: shape.clone(), kind: Kind::Real }));
            }
            Value::IsName(..) if to == element::BOOL => return Ok(call.value(0)?.clone()),
            Value::Rows(_) if to == element::BOOL => return self.truth(call.number(0)?),
            _ => {}
        }
        let x = call.rows(0)?;
        let kind = match (to, x.kind) {
            (element::FLOAT | element::DOUBLE, Kind::Real | Kind::Whole) => Kind::Real,
            (element::INT64 | element::INT32, Kind::Real | Kind::Cut) => Kind::Cut,
            (element::INT64 | element::INT32, Kind::Whole) => Kind::Whole,
            (element::STRING, Kind::Text) => Kind::Text,
            _ => return Err(format!("a cast to data type {to} that changes the numbers")),
        };
        Ok(Value::Rows(Rows { kind, ..x.clone() }))
    }
}

fn identity_permutation(perm: Option<&[i64]>) -> bool {
    perm.is_some_and(|perm| perm.iter().zip(0..).all(|(p, at)| *p == at))
}

/// The value of a `Constant`.
pub(super) fn constant(node: &Node) -> Result<Tensor, Reason> {
    let attribute = node.attribute.first().ok_or("no value")?;
    let floats = |all: &[f32], dims: Vec<usize>| Tensor { dims, data: Data::Floats(all.into()) };
    match attribute.name.as_str() {
        "value" => Tensor::read(attribute.t.as_ref().unwrap_or(&proto::Tensor::default()), None),
        "value_float" => Ok(floats(&[attribute.f.unwrap_or(0.0)], Vec::new())),
        "value_floats" => Ok(floats(&attribute.floats, vec![attribute.floats.len()])),
        "value_int" => Ok(Tensor { dims: Vec::new(), ..Tensor::whole(vec![attribute.i.unwrap_or(0)]) }),
        "value_ints" => Ok(Tensor::whole(attribute.ints.clone())),
        other => Err(format!("a constant by {other:?}")),
    }
}
