//! Formulas and the functions they are made of.

use super::{Graph, NodeId, Op, Shape};
use crate::formula::{Formula, Function, Term};
use crate::{Error, Result};

impl Graph {
    /// `function` of one or two values, broadcast.
    pub fn function(&mut self, name: &str, function: Function, of: &[NodeId]) -> Result<NodeId> {
        let (Some(&first), true) = (of.first(), of.len() == function.arity()) else {
            let got = format!("{} of {}", function.name(), of.len());
            return Err(Error::value(name, "arguments", function.arity(), got));
        };
        let (left, right) = (self.shape(first), self.shape(of.last().copied().unwrap_or(first)));
        let shape = Shape::broadcast(left, right)
            .ok_or_else(|| Error::shape(name, format!("shapes that broadcast with {left}"), right))?;
        Ok(self.push(name, Op::Function(function), of, shape))
    }

    /// `formula` of `inputs`. Where it may be infinite at 0 and is `guarded`, rows of weight 0, which are zeros, come out as
    /// 0 and have no gradient.
    pub fn formula(&mut self, name: &str, formula: Formula, inputs: &[NodeId], guarded: bool) -> Result<NodeId> {
        if inputs.len() != formula.inputs() {
            return Err(Error::value(name, "inputs", formula.inputs(), inputs.len()));
        }
        let keeps = (guarded && formula.is_singular()).then(|| self.row_scale());
        let mut places: Vec<NodeId> = Vec::with_capacity(inputs.len() + formula.terms().len());
        for &input in inputs {
            let kept = keeps.map_or(Ok(input), |keeps| self.function(name, Function::Keep, &[keeps, input]))?;
            places.push(kept);
        }
        for term in formula.terms() {
            let at = |place: usize| places.get(place).copied().unwrap_or(NodeId(0));
            let said = |error: Error| match error {
                Error::Shape { expected, got, .. } => {
                    Error::shape(format!("{name}: {}", formula.shown(places.len())), expected, got)
                }
                other => other,
            };
            let id = match term {
                Term::Number(number) => self.fill(name, *number, Shape::SCALAR),
                Term::Function(function, of) => {
                    let of: Vec<NodeId> = of.iter().map(|place| at(*place)).collect();
                    self.function(name, *function, &of).map_err(said)?
                }
                Term::Columns { of, from, count } => self.slice(name, at(*of), *from, *count).map_err(said)?,
                Term::Sum(of) => self.sum_cols(name, at(*of)),
                Term::Mean(of) => self.mean_cols(name, at(*of))?,
                Term::Softmax(of) => self.softmax(name, at(*of)),
                Term::LogSoftmax(of) => self.log_softmax(name, at(*of)),
            };
            places.push(id);
        }
        let result = places.get(formula.result()).copied().unwrap_or(NodeId(0));
        keeps.map_or(Ok(result), |keeps| self.function(name, Function::Keep, &[keeps, result]))
    }

    /// Mean over the columns, `(rows, 1)`.
    pub fn mean_cols(&mut self, name: &str, x: NodeId) -> Result<NodeId> {
        let cols = self.shape(x).cols;
        let sum = self.sum_cols(name, x);
        let share = self.fill(name, 1.0 / cols as f32, Shape::SCALAR);
        self.function(name, Function::Mul, &[sum, share])
    }
}
