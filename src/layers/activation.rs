//! Activation functions as layers, and as the end of one.

use super::{Activation, Apply, Built, Place};
use crate::Result;
use crate::graph::{Graph, NodeId};

impl Activation {
    /// Appends the function to `graph`; the identity appends nothing.
    fn apply(self, graph: &mut Graph, place: &Place<'_>, x: NodeId) -> Result<NodeId> {
        let name = place.name;
        Ok(match self {
            Activation::Identity => x,
            Activation::Softmax => graph.softmax(name, x),
            Activation::LogSoftmax => graph.log_softmax(name, x),
            Activation::Custom(formula) => graph.formula(name, formula, &[x], place.training)?,
            elementwise => graph.activation(name, elementwise, x),
        })
    }

    /// As the end of a layer.
    pub(super) fn built(self, graph: &mut Graph, place: &Place<'_>, z: NodeId) -> Result<Built> {
        Ok(Built { value: self.apply(graph, place, z)?, before: Some((self, z)), penalty: None })
    }
}

impl Apply for Activation {
    fn kind(&self) -> &'static str {
        self.name()
    }

    fn activation(&self) -> Activation {
        *self
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        self.check(name).map(|()| input.to_vec())
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        self.built(graph, place, place.input.value)
    }
}
