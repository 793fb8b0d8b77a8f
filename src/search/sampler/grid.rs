//! Grid search: the product of lists.

use crate::search::{Sampler, Value};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Every combination of the values of its lists once, the last list fastest. The objective asks for the parameters as
/// with any sampler, and the value has to lie within the range or among the options that it gives.
///
/// Parameters that only some combinations have are a grid of their own, as a list of dictionaries is for scikit-learn:
///
/// ```
/// use axone::search::{Grid, Study};
///
/// let sgd = Grid::new().values("kind", ["sgd"]).values("rate", [0.1, 0.01]).values("momentum", [0.0, 0.9]);
/// let adam = Grid::new().values("kind", ["adam"]).values("rate", [0.01, 0.001]);
/// let grid = sgd.or(adam);
/// assert_eq!(grid.len(), 6);
/// let trials = Study::minimize("value").sampler(grid).silent().run(|trial| {
///     let kind = trial.choice("kind", &["sgd", "adam"])?;
///     let rate = trial.float("rate", 1e-4..=1.0).get()?;
///     let momentum = if kind == "sgd" { trial.float("momentum", 0.0..=0.99).get()? } else { 0.0 };
///     Ok(rate - momentum)
/// })?;
/// assert_eq!(trials.len(), 6);
/// assert_eq!(trials.best()?.float("momentum")?, 0.9);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// Products, one after the other.
    products: Vec<Vec<(String, Vec<Value>)>>,
}

/// What a grid can list: numbers, and options by their `Debug` text, also those named `Inf` or `NaN`.
fn value<T: Debug>(item: &T) -> Value {
    let text = format!("{item:?}");
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(number), _) => Value::Int(number),
        (_, Ok(number)) if number.is_finite() => Value::Float(number),
        _ => Value::Choice(0, text),
    }
}

impl Grid {
    /// A grid without lists.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a list: numbers for [`float`](crate::search::Trial::float) and [`int`](crate::search::Trial::int), or
    /// options, by their `Debug` text, for [`choice`](crate::search::Trial::choice).
    pub fn values<T: Debug>(mut self, name: impl Into<String>, values: impl IntoIterator<Item = T>) -> Self {
        let list = (name.into(), values.into_iter().map(|item| value(&item)).collect());
        match self.products.last_mut() {
            Some(product) => product.push(list),
            None => self.products.push(vec![list]),
        }
        self
    }

    /// The combinations of this grid, then those of another.
    pub fn or(mut self, other: Grid) -> Self {
        self.products.extend(other.products);
        self
    }

    /// Number of combinations.
    pub fn len(&self) -> usize {
        self.products.iter().map(|product| Self::size(product)).fold(0, usize::saturating_add)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn size(product: &[(String, Vec<Value>)]) -> usize {
        product.iter().map(|(_, values)| values.len()).fold(1, usize::saturating_mul)
    }

    /// Every name of a list.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (name, _) in self.products.iter().flatten() {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.products.is_empty() {
            return Err(Error::value("Grid", "values", "at least one list", "none"));
        }
        for product in &self.products {
            for (index, (name, values)) in product.iter().enumerate() {
                let place = format!("grid, \"{name}\"");
                if values.is_empty() {
                    return Err(Error::value(place, "values", "at least one", "none"));
                }
                if product.iter().take(index).any(|(earlier, _)| earlier == name) {
                    return Err(Error::value(place, "values", "given once", "two lists"));
                }
                if let Some((_, twice)) = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
                    return Err(Error::value(place, "values", "different from each other", format!("{twice} twice")));
                }
            }
        }
        match self.len() {
            most if most >= u32::MAX as usize => {
                Err(Error::value("Grid", "values", "fewer than 2^32 combinations", most))
            }
            _ => Ok(()),
        }
    }

    /// Combination `number`: a number in the mixed radix of the lists' lengths.
    pub(super) fn point(&self, number: usize) -> BTreeMap<String, Value> {
        let mut rest = number;
        for product in &self.products {
            let size = Self::size(product);
            if rest >= size {
                rest -= size;
                continue;
            }
            let mut point = BTreeMap::new();
            for (name, values) in product.iter().rev() {
                point.extend(values.get(rest % values.len()).map(|value| (name.clone(), value.clone())));
                rest /= values.len();
            }
            return point;
        }
        BTreeMap::new()
    }
}

impl Sampler {
    /// A list of the grid that the trial should have asked for and did not: its combination came more than once.
    pub(in crate::search) fn left_out(&self, number: usize, asked: &[(String, Value)]) -> Option<Error> {
        let Sampler::Grid(grid) = self else { return None };
        let name = grid.point(number).into_keys().find(|name| asked.iter().all(|(own, _)| own != name))?;
        let expected = "asked for by every trial of its combinations (Grid::or has those without it)";
        Some(Error::value(format!("grid, trial {number}"), "parameter", expected, format!("no request for \"{name}\"")))
    }
}
