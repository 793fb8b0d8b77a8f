//! Activation functions as layers, and as the ends of others.

use super::{Apply, Built, Place};
use crate::Result;
use crate::graph::{Graph, NodeId};
use crate::kernels::Activation;

impl Activation {
    /// Appends the function to `graph`; the identity appends nothing.
    pub(crate) fn apply(self, graph: &mut Graph, name: &str, x: NodeId) -> NodeId {
        match self {
            Activation::Identity => x,
            Activation::Softmax => graph.softmax(name, x),
            Activation::LogSoftmax => graph.log_softmax(name, x),
            elementwise => graph.activation(name, elementwise, x),
        }
    }

    /// As the end of a layer.
    pub(super) fn built(self, graph: &mut Graph, name: &str, z: NodeId) -> Built {
        Built { value: self.apply(graph, name, z), before: Some((self, z)), penalty: None }
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
        Ok(self.built(graph, place.name, place.input.value))
    }
}
