//! The columns that a pipeline reads its numbers and names from, as a schema: what stands for missing numbers, and how
//! categories are numbered.

use super::super::Output;
use super::super::tensor::{Reason, Tensor};
use super::Input;
use super::algebra::Sums;
use super::form::{Atom, Origin};
use crate::Result;
use crate::data::{LabelEncoder, Missing, Schema, Table, TableOptions};
use std::collections::BTreeMap;

/// An input of the file, and a column of it.
type Place = (usize, usize);

/// The columns of the two inputs that a network has in place of those of the file.
pub(super) struct Columns {
    /// Of the input with numbers.
    pub numbers: BTreeMap<Place, usize>,
    /// Of the input with numbers of categories.
    pub categories: BTreeMap<Place, Category>,
}

/// A column of names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Category {
    /// Its place among its like.
    pub at: usize,
    pub names: Vec<String>,
    /// The rows for these names.
    pub rows: Vec<f32>,
    pub width: usize,
    /// The name that stands for all that are not known.
    others: Option<String>,
}

impl Category {
    fn new(origin: &Origin, names: &[String], table: &Tensor) -> Result<Self, Reason> {
        let &[_, width] = table.dims.as_slice() else { return Err("no table".to_owned()) };
        let mut rows = table.floats()?.to_vec();
        let mut names = names.to_vec();
        let others = rows.len() > names.len() * width;
        let others = others.then(|| {
            let mut name = "other".to_owned();
            while names.contains(&name) {
                name.push('_');
            }
            names.push(name.clone());
            name
        });
        if let Some((name, other)) = &origin.renamed
            && !names.contains(name)
        {
            let known =
                names.iter().position(|known| known == other).or_else(|| others.as_ref().map(|_| names.len() - 1));
            let at = known.ok_or_else(|| format!("{other:?} stands for {name:?}, and is no category"))?;
            let row = rows.get(at * width..(at + 1) * width).unwrap_or_default().to_vec();
            rows.extend(row);
            names.push(name.clone());
        }
        Ok(Self { at: 0, names, rows, width, others })
    }
}

impl Columns {
    /// Those of the atoms that are needed; `None` where the file's own inputs serve.
    pub fn of(
        sums: &Sums,
        needed: &[bool],
        inputs: &[Input],
        has_fills: bool,
    ) -> Result<Option<Self>, (usize, Reason)> {
        let used = || sums.atoms.iter().enumerate().filter(|(at, _)| needed.get(*at) == Some(&true));
        let mut categories = BTreeMap::<Place, Category>::new();
        for (at, made) in used() {
            let Atom::Category { origin, names, table } = &made.atom else { continue };
            let category = Category::new(origin, names, table).map_err(|reason| (at, reason))?;
            let known = categories.entry((origin.input, origin.column)).or_insert_with(|| category.clone());
            if *known != category {
                return Err((at, "one column is encoded in two ways".to_owned()));
            }
        }
        if categories.is_empty() && !has_fills {
            return Ok(None);
        }
        categories.values_mut().enumerate().for_each(|(at, category)| category.at = at);
        let read = used().filter_map(|(_, made)| match made.atom {
            Atom::Input(input) => inputs.get(input).filter(|own| !own.is_text).map(|own| (input, own)),
            _ => None,
        });
        let places = read.flat_map(|(input, own)| (0..own.width()).map(move |column| (input, column)));
        let mut places: Vec<Place> = places.filter(|place| !categories.contains_key(place)).collect();
        places.sort_unstable();
        Ok(Some(Self { numbers: places.into_iter().zip(0..).collect(), categories }))
    }

    /// Name and columns of each input of the network.
    pub fn inputs(&self, inputs: &[Input]) -> Vec<(String, Vec<usize>)> {
        let name = |mut places: Box<dyn Iterator<Item = &Place> + '_>, several: &str| {
            let first = places.next().map(|(input, _)| *input);
            let own = first.filter(|first| places.all(|(input, _)| input == first)).and_then(|first| inputs.get(first));
            own.map_or_else(|| several.to_owned(), |own| own.name.clone())
        };
        let mut all = vec![
            (name(Box::new(self.numbers.keys()), "numbers"), vec![self.numbers.len()]),
            (name(Box::new(self.categories.keys()), "categories"), vec![self.categories.len()]),
        ];
        all.retain(|(_, shape)| *shape != [0]);
        if let [(numbers, _), (categories, _)] = all.as_mut_slice()
            && numbers == categories
        {
            categories.push_str("_categories");
        }
        all
    }

    /// What tables are read by: columns called as the inputs of the file, those of a wider one with their number.
    pub fn schema(&self, inputs: &[Input], fills: &BTreeMap<Place, f32>, outputs: &[Output]) -> Result<Schema> {
        let name = |(input, column): &Place| match inputs.get(*input) {
            Some(own) if own.width() > 1 => format!("{}_{column}", own.name),
            Some(own) => own.name.clone(),
            None => String::new(),
        };
        let (numbers, names): (Vec<String>, Vec<String>) =
            (self.numbers.keys().map(name).collect(), self.categories.keys().map(name).collect());
        let is_class = |output: &&Output| output.value == 0 && output.threshold.is_none() && output.classes.is_some();
        let label = outputs.iter().find(is_class).and_then(|output| Some((&output.name, output.classes.as_ref()?)));
        let mut options = match label {
            Some((name, classes)) => {
                TableOptions::class_names(name.as_str()).labels(LabelEncoder::from_classes(classes)?)
            }
            None => TableOptions::inputs_only(),
        };
        let encoders = self.categories.values().map(|category| LabelEncoder::from_classes(&category.names));
        options = options.inputs(numbers.clone()).categories(names.clone()).encoders(encoders.collect::<Result<_>>()?);
        for (place, fill) in fills {
            if self.numbers.contains_key(place) || self.categories.contains_key(place) {
                options = options.missing([name(place)], Missing::constant(fill));
            }
        }
        for (place, category) in &self.categories {
            if let Some(others) = category.others.as_ref().filter(|_| !fills.contains_key(place)) {
                options = options.missing([name(place)], Missing::constant(others).or_unknown());
            }
        }
        // All is said, and nothing is learned of this row.
        let header = numbers.into_iter().chain(names).chain(label.map(|(name, _)| name.clone()));
        let zeros = self.numbers.keys().map(|_| "0".to_owned());
        let firsts = self.categories.values().map(|category| category.names.first().cloned().unwrap_or_default());
        let class = label.and_then(|(_, classes)| classes.first().cloned());
        Schema::fit(&Table::from_rows(header, [zeros.chain(firsts).chain(class)])?, options)
    }
}
