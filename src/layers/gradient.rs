//! The layer whose value is a derivative.

use super::{Apply, Built, Place};
use crate::graph::{Graph, vector_jacobian};
use crate::{Error, Result};

pub(super) struct Gradient;

impl Apply for Gradient {
    fn kind(&self) -> &'static str {
        "gradient"
    }

    fn merges(&self) -> bool {
        true
    }

    fn output_shape(&self, name: &str, _: &[usize], others: &[&[usize]]) -> Result<Vec<usize>> {
        match others {
            [with_respect_to] => Ok(with_respect_to.to_vec()),
            _ => Err(Error::value(name, "inputs", "two values", others.len() + 1)),
        }
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let of = place.input.value;
        let by = place.others.first().map_or(of, |by| by.value);
        let seed = graph.fill(place.name, 1.0, graph.shape(of));
        let found = vector_jacobian(graph, &[(of, seed)], &[by])?.into_iter().next().flatten();
        Ok(found.unwrap_or_else(|| graph.fill(place.name, 0.0, graph.shape(by))).into())
    }
}
