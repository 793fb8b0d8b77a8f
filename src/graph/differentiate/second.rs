//! The rules of the operations that are gradients themselves: second derivatives. The contract is that of `pull_back`.
//!
//! Such an operation is linear in the gradient `before` that it received, so what that is owed is the operation itself. In
//! the rest it is told by a formula of functions, each of which has a derivative made of functions: there are third
//! derivatives and further ones.

use super::{Share, refuse_target, walk_through};
use crate::formula::{Formula, Function, Symbol};
use crate::graph::{Graph, LayerOp, Node, NodeId, Op};
use crate::kernels::{Activation, ElementwiseLoss, EntropyKind};
use crate::{Error, Result};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

/// From `[saved, before]`, whose product is `before · f'(saved)`.
pub(super) fn activation(
    graph: &mut Graph,
    kind: Activation,
    node: &Node,
    name: &str,
    dy: NodeId,
) -> Result<Vec<Share>> {
    let [saved, before] = node.inputs()?;
    let mut shares = vec![(before, graph.activation_grad(name, kind, saved, dy)?)];
    if let Some(formula) = curvature(kind) {
        shares.push((saved, graph.formula(name, formula, &[saved, before, dy], false)?));
    }
    Ok(shares)
}

/// `before · dy · ∂f'/∂saved`, where `saved` is what `f'` is written in; `None` for what is made of straight pieces,
/// whose second derivative is 0.
fn curvature(kind: Activation) -> Option<Formula> {
    match kind {
        Activation::Sigmoid => of_saved(kind, |y| 1.0 - 2.0 * y),
        Activation::Tanh => of_saved(kind, |y| -2.0 * y),
        Activation::Elu { .. } | Activation::Selu => of_saved(kind, |y| 1.0 - y.greater(0.0)),
        Activation::Silu => of_saved(kind, |x| {
            let (yes, no) = (x.sigmoid(), (-x).sigmoid());
            yes * no * (2.0 + x * (no - yes))
        }),
        Activation::Gelu => of_saved(kind, |x| {
            let x = x.clamp(-40.0, 40.0);
            let density = exactly(x, FRAC_2_SQRT_PI / SQRT_2 / 2.0) * (-0.5 * x.square()).exp();
            density * (2.0 - x.square())
        }),
        // x σ(u)
        Activation::GeluTanh => of_saved(kind, |x| {
            let x = x.clamp(-40.0, 40.0);
            let (slope, cubic) = (exactly(x, 2.0 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2), exactly(x, 0.044715));
            let u = slope * x * (1.0 + cubic * x.square());
            let (du, ddu) = (slope * (1.0 + 3.0 * cubic * x.square()), 6.0 * slope * cubic * x);
            let (yes, no) = (u.sigmoid(), (-u).sigmoid());
            yes * no * (2.0 * du + x * ((no - yes) * du.square() + ddu))
        }),
        Activation::Softplus => of_saved(kind, |x| x.sigmoid() * (-x).sigmoid()),
        Activation::Softsign => of_saved(kind, |x| {
            let r = 1.0 / (1.0 + x.abs());
            -2.0 * x.sign() * r * r.square()
        }),
        // x w
        Activation::Mish => of_saved(kind, |x| {
            let (w, yes, no) = (x.softplus().tanh(), x.sigmoid(), (-x).sigmoid());
            let dw = yes * (1.0 - w) * (1.0 + w);
            dw * (2.0 + x * (no - 2.0 * w * yes))
        }),
        Activation::Identity | Activation::Relu | Activation::LeakyRelu { .. } | Activation::HardSigmoid => None,
        Activation::Softmax | Activation::LogSoftmax | Activation::Custom(_) => None,
    }
}

fn of_saved(kind: Activation, slope: impl for<'a> FnOnce(Symbol<'a>) -> Symbol<'a>) -> Option<Formula> {
    let inputs = ["saved", "before", "dy"];
    Some(Formula::new(kind.name(), inputs, |[saved, before, dy]| before * dy * slope(saved)))
}

/// A number that f32 rounds, as the f64 twin has it too.
fn exactly(of: Symbol<'_>, number: f64) -> Symbol<'_> {
    let rounded = number as f32;
    of.number(rounded) + (number - f64::from(rounded)) as f32
}

/// From `[y, before]`: `y (before - Σ y before)`.
pub(super) fn softmax(graph: &mut Graph, node: &Node, name: &str, dy: NodeId) -> Result<Vec<Share>> {
    let [y, before] = node.inputs()?;
    let formula = Formula::new("softmax", ["y", "before", "dy"], |[y, before, dy]| {
        dy * (before - (y * before).sum()) - before * (y * dy).sum()
    });
    Ok(vec![
        (before, graph.push(name, Op::SoftmaxGrad, &[y, dy], node.shape)),
        (y, graph.formula(name, formula, &[y, before, dy], false)?),
    ])
}

/// From `[y, before]`: `before - eʸ Σ before`.
pub(super) fn log_softmax(graph: &mut Graph, node: &Node, name: &str, dy: NodeId) -> Result<Vec<Share>> {
    let [y, before] = node.inputs()?;
    let of_before = Formula::new("log_softmax", ["y", "dy"], |[y, dy]| dy - (dy * y.exp()).sum());
    let of_y = Formula::new("log_softmax", ["y", "before", "dy"], |[y, before, dy]| -dy * y.exp() * before.sum());
    Ok(vec![
        (before, graph.formula(name, of_before, &[y, dy], false)?),
        (y, graph.formula(name, of_y, &[y, before, dy], false)?),
    ])
}

/// From `[prediction, target, before]`, the gradient of a loss of rows times `before (B, 1)`.
pub(super) fn loss(graph: &mut Graph, node: &Node, name: &str, dy: NodeId, wanted: &[bool]) -> Result<Vec<Share>> {
    let [prediction, target, before] = node.inputs()?;
    refuse_target(graph, target, wanted)?;
    let mut shares = Vec::new();
    if wanted[before.0] {
        let ones = graph.fill(name, 1.0, graph.shape(before));
        let whole = graph.push(name, node.op, &[prediction, target, ones], node.shape);
        let product = Formula::new("product", ["dy", "whole"], |[dy, whole]| (dy * whole).sum());
        shares.push((before, graph.formula(name, product, &[dy, whole], false)?));
    }
    if wanted[prediction.0] {
        let dy = graph.function(name, Function::Mul, &[dy, before])?;
        let first = graph.nodes().len();
        let gradient = gradient_of_loss(graph, node, name, (prediction, target))?;
        shares.extend(walk_through(graph, first, (gradient, dy), wanted)?);
    }
    Ok(shares)
}

/// The gradient of a loss with respect to `prediction`, less what does not depend on it.
fn gradient_of_loss(
    graph: &mut Graph,
    node: &Node,
    name: &str,
    (prediction, target): (NodeId, NodeId),
) -> Result<NodeId> {
    let formula = match node.op {
        Op::SoftmaxCrossEntropyGrad { classes, kind: EntropyKind::Focal { gamma } } => {
            let kind = EntropyKind::CrossEntropy { smoothing: 0.0 };
            let entropy = graph.entropy_loss(name, kind, prediction, target, classes)?;
            let ones = graph.fill(name, 1.0, graph.shape(entropy));
            let op = Op::SoftmaxCrossEntropyGrad { classes, kind };
            let gradient = graph.push(name, op, &[prediction, target, ones], node.shape);
            // (1 - e⁻ᵉ)^γ e by e.
            let focal = Formula::new("focal", ["entropy", "gradient"], |[entropy, gradient]| {
                let entropy = entropy.max(1e-6);
                let rest = 1.0 - (-entropy).exp();
                let focus = (gamma * rest.ln()).exp();
                gradient * focus * (gamma * (-entropy).exp() * entropy / rest + 1.0)
            });
            return graph.formula(name, focal, &[entropy, gradient], false);
        }
        Op::SoftmaxCrossEntropyGrad { classes: true, .. } => return Ok(graph.softmax(name, prediction)),
        Op::SoftmaxCrossEntropyGrad { kind, .. } => {
            let smoothing = if let EntropyKind::CrossEntropy { smoothing } = kind { smoothing } else { 0.0 };
            Formula::new("entropy", ["z", "t"], |[z, t]| z.softmax(1.0) * ((1.0 - smoothing) * t.sum() + smoothing))
        }
        Op::CosineLossGrad => cosine(),
        Op::ElementwiseLossGrad(loss) => {
            let share = 1.0 / graph.shape(prediction).cols as f32;
            Formula::new(loss.name(), ["p", "t"], |[p, t]| slope_of_loss(loss, p, t) * share)
        }
        _ => return Err(super::not_differentiable(node)),
    };
    graph.formula(name, formula, &[prediction, target], false)
}

/// `((u · v) u - v) / ‖p‖` of the unit vectors u of p and v of t; 0 for a row of zeros.
fn cosine() -> Formula {
    fn squared_length(x: Symbol<'_>) -> (Symbol<'_>, Symbol<'_>) {
        let square = x.square().sum();
        let is_any = square.greater(0.0);
        // 1 for a row of zeros, where a root has no slope.
        (is_any, square + (1.0 - is_any))
    }
    Formula::new("cosine", ["p", "t"], |[p, t]| {
        let ((is_any, p_square), (_, t_square)) = (squared_length(p), squared_length(t));
        let (u, v) = (p / p_square.sqrt(), t / t_square.sqrt());
        is_any * ((u * v).sum() * u - v) / p_square.sqrt()
    })
}

/// From `[x, statistics, scale, before]`: `(g - Σ g / n - ν Σ g ν / n) / deviation` with `g = scale before` and the
/// normalised rows ν.
pub(super) fn layer_norm(
    graph: &mut Graph,
    node: &Node,
    name: &str,
    dy: NodeId,
    wanted: &[bool],
) -> Result<Vec<Share>> {
    let [x, statistics, scale, before] = node.inputs()?;
    let epsilon = row_epsilon(graph, statistics)?;
    let formula = Formula::new("layer_norm", ["x", "scale", "before"], |[x, scale, before]| {
        let (normal, inverse) = normalized(x, epsilon);
        let g = scale * before;
        inverse * (g - g.mean() - normal * (g * normal).mean())
    });
    let first = graph.nodes().len();
    let gradient = graph.formula(name, formula, &[x, scale, before], false)?;
    walk_through(graph, first, (gradient, dy), wanted)
}

/// From `[x, statistics, before]`: `Σ before ν` over the rows.
pub(super) fn layer_norm_scale(
    graph: &mut Graph,
    node: &Node,
    name: &str,
    dy: NodeId,
    wanted: &[bool],
) -> Result<Vec<Share>> {
    let [x, statistics, before] = node.inputs()?;
    let epsilon = row_epsilon(graph, statistics)?;
    let formula = Formula::new("layer_norm", ["x", "before"], |[x, before]| before * normalized(x, epsilon).0);
    let first = graph.nodes().len();
    let products = graph.formula(name, formula, &[x, before], false)?;
    let gradient = graph.sum_rows(name, products);
    walk_through(graph, first, (gradient, dy), wanted)
}

fn row_epsilon(graph: &Graph, statistics: NodeId) -> Result<f32> {
    match graph.node(statistics).op {
        Op::Layer(LayerOp::RowStatistics { epsilon }) => Ok(epsilon),
        op => Err(Error::Internal(format!("rows normalised by {}", op.name()))),
    }
}

/// The normalised rows of `x`, and 1 over their deviation.
fn normalized(x: Symbol<'_>, epsilon: f32) -> (Symbol<'_>, Symbol<'_>) {
    let centered = x - x.mean();
    let inverse = 1.0 / (centered.square().mean() + epsilon).sqrt();
    (centered * inverse, inverse)
}

/// Of a batch normalisation by running statistics, from `[x, mean, variance, scale, before]`:
/// `scale before / √(variance + ε)`.
pub(super) fn batch_norm(
    graph: &mut Graph,
    (node, epsilon): (&Node, f32),
    name: &str,
    dy: NodeId,
    wanted: &[bool],
) -> Result<Vec<Share>> {
    let [_, mean, variance, scale, before] = node.inputs()?;
    let formula = Formula::new("batch_norm", ["variance", "scale", "before"], |[variance, scale, before]| {
        scale * before / (variance + epsilon).sqrt()
    });
    let first = graph.nodes().len();
    let gradient = graph.formula(name, formula, &[variance, scale, before], false)?;
    walk_through(graph, first, (gradient, dy), &without(wanted, &[mean, variance]))
}

/// From `[x, mean, variance, before]`: `Σ before (x - mean) / √(variance + ε)` over the rows.
pub(super) fn batch_norm_scale(
    graph: &mut Graph,
    (node, epsilon): (&Node, f32),
    name: &str,
    dy: NodeId,
    wanted: &[bool],
) -> Result<Vec<Share>> {
    let inputs = ["x", "mean", "variance", "before"];
    let formula = Formula::new("batch_norm", inputs, |[x, mean, variance, before]| {
        before * (x - mean) / (variance + epsilon).sqrt()
    });
    let first = graph.nodes().len();
    let products = graph.formula(name, formula, &node.inputs, false)?;
    let gradient = graph.sum_rows(name, products);
    walk_through(graph, first, (gradient, dy), &without(wanted, &node.inputs[1..3]))
}

/// The running statistics are gathered, not trained: they receive none.
fn without(wanted: &[bool], statistics: &[NodeId]) -> Vec<bool> {
    wanted.iter().enumerate().map(|(i, wanted)| *wanted && !statistics.contains(&NodeId(i))).collect()
}

/// Of one table, from `[x, before]`: the rows of what `dy` is for the table, in the columns that it filled.
pub(super) fn embedding(
    graph: &mut Graph,
    (node, from, columns): (&Node, usize, usize),
    name: &str,
    dy: NodeId,
) -> Result<Vec<Share>> {
    let [x, before] = node.inputs()?;
    let (all, width) = (graph.shape(before), graph.shape(dy).cols);
    let picked = graph.slice(name, x, from, columns)?;
    let rows = graph.embedding(name, picked, &[dy])?;
    Ok(vec![(before, graph.padded(name, rows, from * width, all)?)])
}

/// The derivative of a loss of an element with respect to the prediction `p`.
fn slope_of_loss<'a>(loss: ElementwiseLoss, p: Symbol<'a>, t: Symbol<'a>) -> Symbol<'a> {
    let d = p - t;
    // 1 for yes, -1 for no, and 1 minus that times p.
    let answer = || 2.0 * t.greater(0.5) - 1.0;
    let margin = || 1.0 - answer() * p;
    match loss {
        ElementwiseLoss::Mse => 2.0 * d,
        ElementwiseLoss::Mae => d.sign(),
        ElementwiseLoss::Huber { delta } => d.clamp(-delta, delta),
        ElementwiseLoss::BinaryCrossEntropy => d / (p * (1.0 - p)).max(1e-12),
        ElementwiseLoss::SigmoidBinaryCrossEntropy => p.sigmoid() - t,
        ElementwiseLoss::Focal { gamma, positive, negative } => {
            let slope = |x: Symbol<'a>| {
                let focus = (-gamma * x.softplus()).exp();
                -focus * (gamma * x.sigmoid() * (-x).softplus() + (-x).sigmoid())
            };
            positive * t * slope(p) - negative * (1.0 - t) * slope(-p)
        }
        ElementwiseLoss::Hinge => -margin().greater(0.0) * answer(),
        ElementwiseLoss::SquaredHinge => -2.0 * margin().relu() * answer(),
        ElementwiseLoss::PoissonLog => p.exp() - t,
        ElementwiseLoss::Poisson => 1.0 - t / (p + 1e-8),
        ElementwiseLoss::Quantile { quantile } => d.greater(0.0) * (1.0 - quantile) - d.less(0.0) * quantile,
        ElementwiseLoss::LogCosh => d.tanh(),
    }
}
