//! Activation functions as layers, and as the end of one.

use super::{Activation, Apply, Built, Place};
use crate::Result;
use crate::graph::{Graph, NodeId};

/// What `activation` makes of `z`, and that it does; the identity appends nothing.
pub(super) fn activated(graph: &mut Graph, name: &str, activation: Activation, z: NodeId) -> Built {
    let value = match activation {
        Activation::Identity => z,
        Activation::Softmax => graph.softmax(name, z),
        Activation::LogSoftmax => graph.log_softmax(name, z),
        elementwise => graph.activation(name, elementwise, z),
    };
    Built { value, before: Some((activation, z)), penalty: None }
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
        Ok(activated(graph, place.name, *self, place.input.value))
    }
}
