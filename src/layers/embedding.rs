//! Categories as learnt vectors.

use super::{Apply, Built, Place, one_dimension};
use crate::data::{MOST_CLASSES, Matrix};
use crate::graph::{Graph, NodeId, Role};
use crate::init::Initializer;
use crate::{Error, Result};

/// A learnt vector of `width` numbers for each category: `(B, C)` becomes `(B, C · width)`.
///
/// The columns of its input hold category numbers, from 0 to `categories - 1`; the layer looks each one up in a table
/// `(categories, width)`. All columns share one table ([`Embedding::new`]: tags of one kind), or each has its own
/// ([`Embedding::per_column`]: town, colour, weekday). Its input must be an input of the model: a number that is no
/// category is refused, with its row and column, before anything runs. Give categories an input of their own
/// ([`Dataset::with_input`](crate::data::Dataset::with_input)) and join the result to the numbers with
/// [`Network::concat`](crate::model::Network::concat); [`LabelEncoder`](crate::data::LabelEncoder) makes numbers of
/// names, and `CsvOptions::categories` reads both from one file.
///
/// The tables start uniform in ±0.05, as Keras' do (PyTorch: standard normal). They are called `w`, or `w0`, `w1`, …
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(2).add(Embedding::per_column([3, 5], 4)).add(Dense::new(1));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// assert_eq!(model.parameters(), (3 + 5) * 4 + 2 * 4 + 1);
/// assert!(model.predict(&[[2.0, 4.0], [0.0, 1.0]].into()).is_ok());
/// let error = model.predict(&[[2.0, 4.0], [3.0, 1.0]].into()).unwrap_err();
/// assert_eq!(error.to_string(), "inputs[0] row 1, column 0: 3 is no category of embedding_1, which knows 3 (0 to 2)");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Embedding {
    /// Categories of each table.
    pub(crate) categories: Vec<usize>,
    pub(crate) width: usize,
    /// One table for all columns.
    pub(crate) shared: bool,
    pub(crate) weights: Initializer,
    pub(crate) name: Option<String>,
}

impl Embedding {
    /// One table of `categories` vectors of `width` numbers, for all columns of the input.
    pub fn new(categories: usize, width: usize) -> Self {
        Self::of(vec![categories], width, true)
    }

    /// A table for each column of the input, with as many categories as the column has; all of one `width`.
    pub fn per_column(categories: impl IntoIterator<Item = usize>, width: usize) -> Self {
        Self::of(categories.into_iter().collect(), width, false)
    }

    fn of(categories: Vec<usize>, width: usize, shared: bool) -> Self {
        Self { categories, width, shared, weights: Initializer::Uniform(0.05), name: None }
    }

    /// How the tables start; uniform in ±0.05 if not told.
    pub fn weights(mut self, initializer: Initializer) -> Self {
        self.weights = initializer;
        self
    }

    /// A name for messages and files; `embedding_1`, `embedding_2`, … if not told.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Refuses a number of `x`, which stands at `place`, that is no category.
    pub(crate) fn check(&self, name: &str, place: &str, x: &Matrix) -> Result<()> {
        for (row, values) in x.iter_rows().enumerate() {
            for (column, &value) in values.iter().enumerate() {
                let known = self.categories.get(if self.shared { 0 } else { column }).copied().unwrap_or(0);
                if !(value >= 0.0 && value < known as f32 && value.fract() == 0.0) {
                    let last = known.saturating_sub(1);
                    let problem = format!("{value} is no category of {name}, which knows {known} (0 to {last})");
                    return Err(Error::data(format!("{place} row {row}, column {column}"), problem));
                }
            }
        }
        Ok(())
    }
}

impl Apply for Embedding {
    fn kind(&self) -> &'static str {
        "embedding"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        if self.width == 0 {
            return Err(Error::value(name, "width", "at least 1", 0));
        }
        if let Some(wrong) = self.categories.iter().find(|count| !(1..=MOST_CLASSES).contains(*count)) {
            return Err(Error::value(name, "categories", format!("from 1 to {MOST_CLASSES}"), wrong));
        }
        let columns = one_dimension(name, input)?;
        if !self.shared && self.categories.len() != columns {
            let expected = format!("input (B, {}), a column a table", self.categories.len());
            return Err(Error::shape(name, expected, format!("(B, {columns})")));
        }
        Ok(vec![columns.saturating_mul(self.width)])
    }

    fn initializers(&self) -> Vec<Initializer> {
        vec![self.weights; self.categories.len()]
    }

    fn parameters(&self, _: usize) -> (usize, usize) {
        (self.categories.iter().sum::<usize>().saturating_mul(self.width), 0)
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let name = place.name;
        let tables = self.categories.iter().enumerate().map(|(i, &categories)| {
            let name = if self.shared { format!("{name}.w") } else { format!("{name}.w{i}") };
            graph.parameter(&name, Role::Weight, categories, self.width)
        });
        let tables: Vec<NodeId> = tables.collect::<Result<_>>()?;
        graph.embedding(name, place.input.value, &tables).map(Built::from)
    }
}
