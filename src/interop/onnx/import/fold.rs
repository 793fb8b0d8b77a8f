//! Operations of constants alone, computed when the graph is read.

use super::super::proto::{Node, element};
use super::super::tensor::{Data, Reason, Tensor};
use crate::size;

/// Most numbers that folding makes of others: what exporters leave unfolded are shapes and a few weights.
const MOST: usize = 1 << 24;

/// The result of `node`; `None` for operations that are not folded.
pub(super) fn fold(node: &Node, opset: i64, inputs: &[Option<&Tensor>]) -> Result<Option<Tensor>, Reason> {
    let first = || inputs.first().copied().flatten().ok_or_else(|| "an input is missing".to_owned());
    let second = || inputs.get(1).copied().flatten().ok_or_else(|| "an input is missing".to_owned());
    let folded = match node.op_type.as_str() {
        "Identity" | "Dropout" => first()?.clone(),
        "Cast" => cast(first()?, node.int("to", 0))?,
        "Neg" => map(first()?, |x| -x)?,
        "Abs" => map(first()?, f64::abs)?,
        "Sqrt" => map(first()?, f64::sqrt)?,
        "Exp" => map(first()?, f64::exp)?,
        "Log" => map(first()?, f64::ln)?,
        "Reciprocal" => map(first()?, |x| 1.0 / x)?,
        "Add" => zip(first()?, second()?, |a, b| a + b)?,
        "Sub" => zip(first()?, second()?, |a, b| a - b)?,
        "Mul" => zip(first()?, second()?, |a, b| a * b)?,
        "Div" => zip(first()?, second()?, |a, b| a / b)?,
        "Pow" => zip(first()?, second()?, f64::powf)?,
        "Shape" => Tensor::whole(first()?.dims.iter().map(|side| *side as i64).collect()),
        "Reshape" => {
            let (x, to) = (first()?, second()?.indices()?);
            Tensor { dims: reshaped(&x.dims, to)?, data: x.data.clone() }
        }
        "Flatten" => {
            let x = first()?;
            let at = axis(node.int("axis", 1), x.dims.len() + 1)?;
            let (rows, cols) = x.dims.split_at(at);
            Tensor { dims: vec![rows.iter().product(), cols.iter().product()], data: x.data.clone() }
        }
        "Unsqueeze" | "Squeeze" => {
            let x = first()?;
            let axes = axes(node, opset, inputs.get(1).copied().flatten())?;
            let dims = if node.op_type == "Squeeze" {
                squeezed(&x.dims, axes)?
            } else {
                unsqueezed(&x.dims, &axes.unwrap_or_default())?
            };
            Tensor { dims, data: x.data.clone() }
        }
        "Transpose" => transposed(first()?, node.ints("perm"))?,
        "Concat" => {
            let all: Option<Vec<&Tensor>> = inputs.iter().copied().collect();
            concat(&all.ok_or("an input is missing")?, node.int("axis", 0))?
        }
        "Gather" => gather(first()?, second()?, node.int("axis", 0))?,
        _ => return Ok(None),
    };
    Ok(Some(folded))
}

/// `axis`, counted from the end if negative, of `rank` dimensions.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Reason> {
    let from_end = |axis: i64| rank.checked_sub(usize::try_from(axis.unsigned_abs()).ok()?);
    let at = if axis < 0 { from_end(axis) } else { usize::try_from(axis).ok() };
    at.filter(|at| *at < rank).ok_or_else(|| format!("axis {axis} of {rank} dimensions"))
}

/// Axes from the attribute or, in newer operations, from an input.
pub(super) fn axes(node: &Node, opset: i64, input: Option<&Tensor>) -> Result<Option<Vec<i64>>, Reason> {
    match input {
        Some(tensor) if opset >= 13 => Ok(Some(tensor.indices()?.to_vec())),
        _ => Ok(node.ints("axes").map(<[i64]>::to_vec)),
    }
}

pub(super) fn squeezed(dims: &[usize], axes: Option<Vec<i64>>) -> Result<Vec<usize>, Reason> {
    let Some(axes) = axes else { return Ok(dims.iter().copied().filter(|side| *side != 1).collect()) };
    let gone: Result<Vec<usize>, Reason> = axes.iter().map(|at| axis(*at, dims.len())).collect();
    let gone = gone?;
    if let Some(side) = gone.iter().filter_map(|at| dims.get(*at)).find(|side| **side != 1) {
        return Err(format!("a side of {side} squeezed"));
    }
    Ok(dims.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, side)| *side).collect())
}

pub(super) fn unsqueezed(dims: &[usize], axes: &[i64]) -> Result<Vec<usize>, Reason> {
    let rank = dims.len() + axes.len();
    let new: Result<Vec<usize>, Reason> = axes.iter().map(|at| axis(*at, rank)).collect();
    let new = new?;
    let mut old = dims.iter();
    let mut all = Vec::with_capacity(rank);
    for at in 0..rank {
        let side = if new.contains(&at) { Some(1) } else { old.next().copied() };
        all.push(side.ok_or("an axis twice")?);
    }
    if old.next().is_some() { Err("an axis twice".to_owned()) } else { Ok(all) }
}

/// `dims` as `to` says: 0 keeps a side, -1 takes what is left.
pub(super) fn reshaped(dims: &[usize], to: &[i64]) -> Result<Vec<usize>, Reason> {
    let problem = || format!("{dims:?} as {to:?}");
    let total = size::product(dims).ok_or_else(problem)?;
    let side = |(at, side): (usize, &i64)| match side {
        -1 => Some(1),
        0 => dims.get(at).copied(),
        side => usize::try_from(*side).ok(),
    };
    let sides: Option<Vec<usize>> = to.iter().enumerate().map(side).collect();
    let mut sides = sides.ok_or_else(problem)?;
    let open: Vec<usize> = to.iter().enumerate().filter(|(_, side)| **side == -1).map(|(at, _)| at).collect();
    let known = size::product(&sides).ok_or_else(problem)?;
    match open.as_slice() {
        [] if known == total => Ok(sides),
        &[at] if known > 0 && total.is_multiple_of(known) => {
            sides[at] = total / known;
            Ok(sides)
        }
        _ => Err(problem()),
    }
}

fn map(x: &Tensor, f: impl Fn(f64) -> f64) -> Result<Tensor, Reason> {
    Ok(like(x, x.dims.clone(), x.numbers()?.into_iter().map(f).collect()))
}

/// `numbers` in the type of `x`.
fn like(x: &Tensor, dims: Vec<usize>, numbers: Vec<f64>) -> Tensor {
    let data = match &x.data {
        Data::Whole(_) => Data::Whole(numbers.into_iter().map(|x| x as i64).collect()),
        Data::Floats(_) | Data::Text(_) => Data::Floats(numbers.into_iter().map(|x| x as f32).collect()),
    };
    Tensor { dims, data }
}

fn cast(x: &Tensor, to: i64) -> Result<Tensor, Reason> {
    let data = match i32::try_from(to).unwrap_or_default() {
        element::FLOAT | element::DOUBLE => Data::Floats(x.floats()?),
        element::INT64 | element::INT32 => Data::Whole(x.numbers()?.into_iter().map(|x| x as i64).collect()),
        _ => return Err(format!("a cast of constants to data type {to}")),
    };
    Ok(Tensor { dims: x.dims.clone(), data })
}

fn zip(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> f64) -> Result<Tensor, Reason> {
    let (x, y) = (a.numbers()?, b.numbers()?);
    if a.dims == b.dims {
        return Ok(like(a, a.dims.clone(), x.iter().zip(&y).map(|(x, y)| f(*x, *y)).collect()));
    }
    match (x.as_slice(), y.as_slice()) {
        (all, &[y]) if b.dims.len() <= a.dims.len() => {
            Ok(like(a, a.dims.clone(), all.iter().map(|x| f(*x, y)).collect()))
        }
        (&[x], all) if a.dims.len() <= b.dims.len() => {
            Ok(like(a, b.dims.clone(), all.iter().map(|y| f(x, *y)).collect()))
        }
        _ => Err(format!("constants of {:?} and {:?}", a.dims, b.dims)),
    }
}

pub(super) fn transposed(x: &Tensor, perm: Option<&[i64]>) -> Result<Tensor, Reason> {
    let swaps = match perm {
        None => x.dims.len() == 2,
        Some([1, 0]) => true,
        Some(perm) if perm.iter().zip(0..).all(|(p, at)| *p == at) => return Ok(x.clone()),
        Some(_) => false,
    };
    let (true, &[rows, cols]) = (swaps, x.dims.as_slice()) else { return Err(format!("{:?} transposed", x.dims)) };
    let numbers = x.floats()?;
    let turned = (0..cols).flat_map(|col| numbers.iter().skip(col).step_by(cols.max(1)).copied());
    Ok(Tensor { dims: vec![cols, rows], data: Data::Floats(turned.collect()) })
}

fn concat(all: &[&Tensor], at: i64) -> Result<Tensor, Reason> {
    let first = all.first().ok_or("no input")?;
    if all.iter().any(|x| x.dims.len() != 1) || axis(at, 1)? != 0 {
        return Err("constants of several dimensions joined".to_owned());
    }
    let total: usize = all.iter().map(|x| x.len()).fold(0, usize::saturating_add);
    if total > MOST {
        return Err(format!("{total} constants joined"));
    }
    let numbers: Result<Vec<Vec<f64>>, Reason> = all.iter().map(|x| x.numbers()).collect();
    Ok(like(first, vec![total], numbers?.concat()))
}

fn gather(x: &Tensor, at: &Tensor, along: i64) -> Result<Tensor, Reason> {
    if x.dims.len() != 1 || axis(along, 1)? != 0 {
        return Err(format!("elements of {:?} picked", x.dims));
    }
    let numbers = x.numbers()?;
    let pick = |index: &i64| {
        let at = if *index < 0 { index.checked_add(numbers.len() as i64) } else { Some(*index) };
        let picked = at.and_then(|at| numbers.get(usize::try_from(at).ok()?));
        picked.copied().ok_or_else(|| format!("element {index} of {}", numbers.len()))
    };
    let picked: Result<Vec<f64>, Reason> = at.indices()?.iter().map(pick).collect();
    Ok(like(x, at.dims.clone(), picked?))
}
