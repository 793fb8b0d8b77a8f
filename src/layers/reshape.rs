//! The layer that makes a matrix of each row.

use super::{Apply, Built, Place};
use crate::graph::Graph;
use crate::{Error, Result};

/// Reads the numbers of each row as a matrix or other grid of these sides, row by row: `(B, 12)` becomes `(B, 3, 4)`. What
/// [`Flatten`](super::Flatten) takes back, and what [`Network::matmul`](crate::model::Network::matmul) multiplies.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(5).add(Dense::new(12)).add(Reshape::new([3, 4])).add(Flatten).add(Dense::new(1));
/// println!("{}", net.summary()?);
/// let error = Sequential::new(5).add(Reshape::new([2, 3])).network().unwrap_err();
/// assert_eq!(error.to_string(), "reshape_1: expected rows of 6 numbers for [2, 3], got [5]");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Reshape {
    pub(crate) sides: Vec<usize>,
}

impl Reshape {
    /// Into a grid of these sides.
    pub fn new<const N: usize>(sides: [usize; N]) -> Self {
        Self { sides: sides.to_vec() }
    }
}

impl Apply for Reshape {
    fn kind(&self) -> &'static str {
        "reshape"
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        let numbers = self.sides.iter().try_fold(1usize, |product, side| product.checked_mul(*side));
        let sides = &self.sides;
        if sides.is_empty() || sides.contains(&0) {
            return Err(Error::value(name, "sides", "at least one, each at least 1", format!("{sides:?}")));
        }
        if numbers != Some(input.iter().product()) {
            let numbers = numbers.map_or("more".to_owned(), |numbers| numbers.to_string());
            return Err(Error::shape(name, format!("rows of {numbers} numbers for {sides:?}"), format!("{input:?}")));
        }
        Ok(sides.clone())
    }

    fn build(&self, _: &mut Graph, place: &Place<'_>) -> Result<Built> {
        Ok(place.same())
    }
}
