//! Layers that merge several values into one.

use super::{Apply, Built, Place, one_dimension};
use crate::graph::{Graph, NodeId};
use crate::{Error, Result};

pub(super) struct Add;

impl Apply for Add {
    fn kind(&self) -> &'static str {
        "add"
    }

    fn merges(&self) -> bool {
        true
    }

    fn output_shape(&self, name: &str, input: &[usize], others: &[&[usize]]) -> Result<Vec<usize>> {
        let batch_of = |shape: &[usize]| {
            let sides: Vec<_> = shape.iter().map(usize::to_string).collect();
            format!("(B, {})", sides.join(", "))
        };
        match others.iter().find(|shape| **shape != input) {
            Some(other) => Err(Error::shape(name, batch_of(input), batch_of(other))),
            None => Ok(input.to_vec()),
        }
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let mut others = place.others.iter();
        others.try_fold(place.input.value, |sum, other| graph.add(place.name, sum, other.value)).map(Built::from)
    }
}

pub(super) struct Concat;

impl Apply for Concat {
    fn kind(&self) -> &'static str {
        "concat"
    }

    fn merges(&self) -> bool {
        true
    }

    fn output_shape(&self, name: &str, input: &[usize], others: &[&[usize]]) -> Result<Vec<usize>> {
        let mut widths = others.iter().map(|shape| one_dimension(name, shape));
        let first = one_dimension(name, input)?;
        Ok(vec![widths.try_fold(first, |sum, width| Ok::<_, Error>(sum.saturating_add(width?)))?])
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let values: Vec<NodeId> = [&place.input].into_iter().chain(place.others).map(|input| input.value).collect();
        graph.concat(place.name, &values).map(Built::from)
    }
}
