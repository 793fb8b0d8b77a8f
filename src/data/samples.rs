//! What a model is trained or judged on: rows in memory, or a stream of them.

use super::{Dataset, Stream};
use std::sync::Arc;

/// Rows in memory or streamed, as [`Model::fit`](crate::model::Model::fit) and
/// [`Model::evaluate`](crate::model::Model::evaluate) take them: made from `&Dataset` and from `&Stream`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Samples<'a> {
    /// All rows lie in memory.
    Memory(&'a Dataset),
    /// Rows are read anew in each epoch.
    Stream(&'a Stream),
}

macro_rules! from {
    ($($kind:ident: $($by:ty),*;)*) => {$($(
        impl<'a> From<&'a $by> for Samples<'a> {
            fn from(rows: &'a $by) -> Self {
                Samples::$kind(rows)
            }
        }
    )*)*};
}
from! {
    Memory: Dataset, &Dataset, &mut Dataset, Box<Dataset>, Arc<Dataset>;
    Stream: Stream, &Stream, &mut Stream;
}

/// The same, held on to: a clone of either shares its rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Held {
    Memory(Dataset),
    Stream(Stream),
}

impl Held {
    pub fn samples(&self) -> Samples<'_> {
        match self {
            Held::Memory(data) => Samples::Memory(data),
            Held::Stream(stream) => Samples::Stream(stream),
        }
    }
}

impl From<Samples<'_>> for Held {
    fn from(samples: Samples<'_>) -> Self {
        match samples {
            Samples::Memory(data) => Held::Memory(data.clone()),
            Samples::Stream(stream) => Held::Stream(stream.clone()),
        }
    }
}
