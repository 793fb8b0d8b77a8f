//! The layer that makes one row of numbers of a grid.

use super::{Apply, Built, Place};
use crate::Result;
use crate::graph::Graph;

/// Turns the rows of an image or grid into one row of numbers: `(B, h, w)` becomes `(B, h·w)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub struct Flatten;

impl Apply for Flatten {
    fn kind(&self) -> &'static str {
        "flatten"
    }

    fn output_shape(&self, _: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(vec![input.iter().product()])
    }

    fn build(&self, _: &mut Graph, place: &Place<'_>) -> Result<Built> {
        Ok(place.same())
    }
}
