//! The rules of the functions that formulas are made of; the contract is that of `pull_back`. Each derivative is made of
//! such functions itself, so that it can be differentiated again, and folded into one dispatch.

use super::{Share, unbroadcast};
use crate::Result;
use crate::formula::Function::{self, *};
use crate::graph::{Graph, NodeId, Op, Shape};

/// The shares of `of`, the arguments of `function`, whose value is `y`.
pub(super) fn pull_back(
    graph: &mut Graph,
    function: Function,
    (y, of): (NodeId, &[NodeId]),
    name: &str,
    dy: NodeId,
    wanted: &[bool],
) -> Result<Vec<Share>> {
    let &[a, ref rest @ ..] = of else { return Ok(Vec::new()) };
    let b = rest.first().copied().unwrap_or(a);
    let mut shares = Vec::new();
    for (this, is_right) in [(a, false), (b, true)].into_iter().take(of.len()).filter(|(this, _)| wanted[this.0]) {
        let mut f = |function, of: &[NodeId]| graph.function(name, function, of);
        let share = match (function, is_right) {
            (Add, _) | (Sub, false) => dy,
            (Mul, _) => f(Mul, &[dy, if is_right { a } else { b }])?,
            (Div, false) => f(Div, &[dy, b])?,
            (Div, true) => {
                let slope = f(Div, &[y, b])?;
                let share = f(Mul, &[dy, slope])?;
                negated(graph, name, share)?
            }
            (Pow, false) => {
                let less = match graph.node(b).op {
                    Op::Fill(exponent) => graph.fill(name, exponent - 1.0, graph.shape(b)),
                    _ => {
                        let one = number(graph, name, 1.0);
                        graph.function(name, Sub, &[b, one])?
                    }
                };
                let power = graph.function(name, Pow, &[a, less])?;
                let slope = graph.function(name, Mul, &[b, power])?;
                graph.function(name, Mul, &[dy, slope])?
            }
            (Pow, true) => {
                let log = f(Ln, &[a])?;
                let slope = f(Mul, &[y, log])?;
                f(Mul, &[dy, slope])?
            }
            (Min, _) | (Max, _) => {
                let (more, less) = if function == Max { (b, a) } else { (a, b) };
                let is_b = f(Greater, &[more, less])?;
                let taken = if is_right { is_b } else { complement(graph, name, is_b)? };
                graph.function(name, Keep, &[taken, dy])?
            }
            (Keep, true) => f(Keep, &[a, dy])?,
            (Abs, _) => {
                let sign = f(Sign, &[a])?;
                f(Mul, &[dy, sign])?
            }
            (Sqrt, _) => {
                let half = number(graph, name, 0.5);
                let slope = graph.function(name, Div, &[half, y])?;
                graph.function(name, Mul, &[dy, slope])?
            }
            (Exp, _) => f(Mul, &[dy, y])?,
            (Ln, _) => f(Div, &[dy, a])?,
            (Sin, _) => {
                let slope = f(Cos, &[a])?;
                f(Mul, &[dy, slope])?
            }
            (Cos, _) => {
                let slope = f(Sin, &[a])?;
                let share = f(Mul, &[dy, slope])?;
                negated(graph, name, share)?
            }
            (Sigmoid, _) => {
                let rest = complement(graph, name, y)?;
                let slope = graph.function(name, Mul, &[y, rest])?;
                graph.function(name, Mul, &[dy, slope])?
            }
            (Tanh, _) => {
                let one = number(graph, name, 1.0);
                let [below, above] = [graph.function(name, Sub, &[one, y])?, graph.function(name, Add, &[one, y])?];
                let slope = graph.function(name, Mul, &[below, above])?;
                graph.function(name, Mul, &[dy, slope])?
            }
            (Softplus, _) => {
                let slope = f(Sigmoid, &[a])?;
                f(Mul, &[dy, slope])?
            }
            (Sub, true) => negated(graph, name, dy)?,
            // Steps, flat wherever they have a derivative.
            (Greater | Sign, _) | (Keep, false) => continue,
        };
        shares.push((this, unbroadcast(graph, name, share, graph.shape(this))));
    }
    Ok(shares)
}

fn number(graph: &mut Graph, name: &str, number: f32) -> NodeId {
    graph.fill(name, number, Shape::SCALAR)
}

fn negated(graph: &mut Graph, name: &str, x: NodeId) -> Result<NodeId> {
    let minus = number(graph, name, -1.0);
    graph.function(name, Mul, &[x, minus])
}

fn complement(graph: &mut Graph, name: &str, x: NodeId) -> Result<NodeId> {
    let one = number(graph, name, 1.0);
    graph.function(name, Sub, &[one, x])
}
