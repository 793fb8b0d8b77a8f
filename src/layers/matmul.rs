//! The product of the matrices that two values hold in each row.

use super::{Apply, Built, Place};
use crate::graph::{BatchProduct, Graph};
use crate::{Error, Result};

/// `a b`, or `a bᵀ`, in each row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct MatMul {
    pub(crate) transposed: bool,
    /// Rows and columns of `a`, columns of the product.
    pub(crate) sizes: [usize; 3],
}

impl MatMul {
    /// For rows of these shapes: a matrix, or a vector, which is a row on the left and a column on the right.
    pub(crate) fn new(name: &str, a: &[usize], b: &[usize], transposed: bool) -> Result<Self> {
        let misfit = || Error::shape(name, "a vector or matrix in each row of both", format!("{a:?} and {b:?}"));
        let (m, k) = match *a {
            [k] => (1, k),
            [m, k] => (m, k),
            _ => return Err(misfit()),
        };
        let (rows, n) = match *b {
            [k] => (k, 1),
            [n, k] if transposed => (k, n),
            [k, n] => (k, n),
            _ => return Err(misfit()),
        };
        if rows != k {
            let wanted = match (b.len(), transposed) {
                (1, _) => format!("[{k}] on the right of {a:?}"),
                (_, false) => format!("[{k}, n] on the right of {a:?}"),
                (_, true) => format!("[n, {k}], to be transposed, on the right of {a:?}"),
            };
            return Err(Error::shape(name, wanted, format!("{b:?}")));
        }
        Ok(Self { transposed, sizes: [m, k, n] })
    }
}

impl Apply for MatMul {
    fn kind(&self) -> &'static str {
        "matmul"
    }

    fn shown(&self) -> String {
        let [m, k, n] = self.sizes;
        format!("matmul, ({m}, {k}) ({k}, {n})")
    }

    fn merges(&self) -> bool {
        true
    }

    fn output_shape(&self, name: &str, a: &[usize], others: &[&[usize]]) -> Result<Vec<usize>> {
        let &[b] = others else { return Err(Error::value(name, "inputs", "two values", others.len() + 1)) };
        let found = Self::new(name, a, b, self.transposed)?;
        if found != *self {
            return Err(Error::value(name, "sizes", format!("{:?}", found.sizes), format!("{:?}", self.sizes)));
        }
        let [m, _, n] = self.sizes;
        Ok(match (a.len(), b.len()) {
            (1, 1) => vec![1],
            (1, _) => vec![n],
            (_, 1) => vec![m],
            _ => vec![m, n],
        })
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let (a, b) = (place.input.value, place.others.first().unwrap_or(&place.input).value);
        let product = BatchProduct { sizes: self.sizes, transpose_a: false, transpose_b: self.transposed };
        graph.batch_matmul(place.name, product, a, b).map(Built::from)
    }
}
