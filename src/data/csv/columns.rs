//! Which columns of a table are what: as asked for, and as found in its first line.

use super::field::quoted;
use super::options::{CsvOptions, Kind};
use crate::data::LabelEncoder;
use crate::{Error, Result};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A column of a table: by the name in its header, or by its number, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub enum Column {
    /// The name that stands in the first line.
    Name(String),
    /// The number, counted from 0.
    Index(usize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Column::Name(name.into())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Column::Name(name)
    }
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Column::Index(index)
    }
}

/// A column of the table that is read.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub index: usize,
    /// Its name; its number where it has none.
    pub name: String,
    /// Whether whole numbers may be rounded.
    pub round: bool,
}

/// Which fields of a line are inputs and targets.
pub(super) struct Columns {
    pub inputs: Vec<Found>,
    pub categories: Vec<Found>,
    pub targets: Vec<Found>,
}

/// What a column is used as.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Target,
    Category,
    Input,
    Ignored,
}

impl Columns {
    /// Without `with_targets` the targets need not be there; where they are, they are no inputs.
    pub fn find(place: &str, first: &[Cow<'_, str>], options: &CsvOptions, with_targets: bool) -> Result<Self> {
        let header = Header::new(place, first, options.has_header());
        let find = |columns: &[Column]| columns.iter().map(|column| header.find(column)).collect::<Result<Vec<_>>>();
        let there = |columns: &[Column]| columns.iter().filter_map(|column| header.find(column).ok()).collect();
        let find_or_not = |columns| if with_targets { find(columns) } else { Ok(there(columns)) };
        let targets = find_or_not(&options.targets)?;
        if with_targets && targets.is_empty() {
            return Err(Error::data(place, format!("no target columns are left of {}", first.len())));
        }
        let (categories, ignored) = (find(&options.categories)?, find(&options.ignored)?);
        let mut uses: Vec<Option<Use>> = vec![None; first.len()];
        header.mark(&mut uses, &targets, Use::Target)?;
        header.mark(&mut uses, &categories, Use::Category)?;
        let inputs = match &options.inputs {
            Some(inputs) => {
                let inputs = find(inputs)?;
                header.mark(&mut uses, &inputs, Use::Input)?;
                header.mark(&mut uses, &ignored, Use::Ignored)?;
                inputs
            }
            None => {
                header.mark(&mut uses, &ignored, Use::Ignored)?;
                let others: Vec<usize> =
                    (0..).zip(&uses).filter(|(_, it)| it.is_none()).map(|(index, _)| index).collect();
                header.check_names(&others)?;
                others
            }
        };
        let rounded = find_or_not(&options.rounded)?;
        let found = |columns: Vec<usize>| -> Vec<Found> {
            let of = |index| Found { index, name: header.name(index), round: rounded.contains(&index) };
            columns.into_iter().map(of).collect()
        };
        if inputs.is_empty() && categories.is_empty() {
            return Err(Error::data(place, format!("no input columns are left of {}", first.len())));
        }
        Ok(Self { inputs: found(inputs), categories: found(categories), targets: found(targets) })
    }

    /// `options` with what the table of these columns had: where they are found, and how the names of its categories and
    /// classes are numbered.
    pub fn learned(
        &self,
        options: CsvOptions,
        header: &Header<'_>,
        categories: &[Vec<String>],
        names: &[String],
    ) -> CsvOptions {
        let all = |found: &[Found]| found.iter().map(|column| header.column(column)).collect::<Vec<_>>();
        let (targets, inputs, picked) = (all(&self.targets), all(&self.inputs), all(&self.categories));
        let mut every = targets.iter().chain(&inputs).chain(&picked);
        let width = every.any(|column| matches!(column, Column::Index(_))).then_some(header.names.len());
        let rounded = self.inputs.iter().chain(&self.targets).filter(|column| column.round);
        let fit = |names: &[String]| LabelEncoder::fit(names.iter().cloned());
        let encoders = options.encoders.unwrap_or_else(|| categories.iter().map(|names| fit(names)).collect());
        let is_named = options.kind == Kind::ClassNames;
        CsvOptions {
            encoders: Some(encoders),
            labels: options.labels.or_else(|| is_named.then(|| fit(names))),
            rounded: rounded.map(|column| header.column(column)).collect(),
            ignored: Vec::new(),
            inputs: Some(inputs),
            categories: picked,
            targets,
            header: Some(header.is_header),
            width,
            ..options
        }
    }
}

/// The first line of a table, to find columns by.
pub(super) struct Header<'a> {
    place: &'a str,
    names: &'a [Cow<'a, str>],
    /// The columns of each name; none where the first line is no header.
    by_name: BTreeMap<&'a str, Vec<usize>>,
    is_header: bool,
}

impl<'a> Header<'a> {
    pub fn new(place: &'a str, names: &'a [Cow<'a, str>], is_header: bool) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, name) in names.iter().enumerate().filter(|_| is_header) {
            by_name.entry(name).or_default().push(index);
        }
        Self { place, names, by_name, is_header }
    }

    fn name(&self, index: usize) -> String {
        match self.names.get(index) {
            Some(name) if self.is_header && !name.is_empty() => name.to_string(),
            _ => index.to_string(),
        }
    }

    /// What finds `column` in another table of this kind: its name, if it alone has it.
    pub fn column(&self, column: &Found) -> Column {
        let is_alone = |name: &&Cow<'_, str>| self.by_name.get(name.as_ref()).is_some_and(|all| all.len() == 1);
        match self.names.get(column.index).filter(is_alone) {
            Some(name) if !name.is_empty() => Column::Name(name.to_string()),
            _ => Column::Index(column.index),
        }
    }

    fn find(&self, column: &Column) -> Result<usize> {
        let wrong = |expected: String, got: String| Err(Error::value(self.place, "column", expected, got));
        match column {
            Column::Index(index) if *index < self.names.len() => Ok(*index),
            Column::Index(index) => wrong(format!("below {}", self.names.len()), index.to_string()),
            Column::Name(text) if !self.is_header => {
                wrong("a number where the table has no header".into(), format!("`{text}`"))
            }
            Column::Name(text) => match self.by_name.get(text.as_str()).map(Vec::as_slice) {
                Some([index]) => Ok(*index),
                Some([one, two, ..]) => {
                    wrong(format!("a number, as columns {one} and {two} share that name"), format!("`{text}`"))
                }
                _ => {
                    let mut known: Vec<String> = self.names.iter().take(20).map(|name| quoted(name)).collect();
                    if self.names.len() > known.len() {
                        known.push("..".into());
                    }
                    wrong(format!("one of {}", known.join(", ")), format!("`{text}`"))
                }
            },
        }
    }

    /// Notes that `columns` are used as `this`, and refuses two uses of one.
    fn mark(&self, uses: &mut [Option<Use>], columns: &[usize], this: Use) -> Result<()> {
        for index in columns {
            let Some(slot) = uses.get_mut(*index) else { continue };
            let problem = match (slot.replace(this), this) {
                (None, _) | (Some(Use::Ignored), Use::Ignored) => continue,
                (Some(Use::Target), Use::Input | Use::Category) => "both input and target",
                (Some(Use::Category), Use::Input) => "both number and category",
                (Some(Use::Target), Use::Ignored) => "both target and ignored",
                (Some(Use::Category), Use::Ignored) => "both category and ignored",
                (Some(Use::Input), Use::Ignored) => "both input and ignored",
                _ => "asked for twice",
            };
            return Err(Error::data(self.place, format!("column `{}` is {problem}", self.name(*index))));
        }
        Ok(())
    }

    /// Columns that nobody asked for by number must have a name each: one without is most often a row number.
    fn check_names(&self, columns: &[usize]) -> Result<()> {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for &index in columns.iter().filter(|_| self.is_header) {
            let Some(name) = self.names.get(index) else { continue };
            if name.is_empty() {
                let problem = "has no name: use it, or leave it out, by its number, as in";
                return Err(Error::data(self.place, format!("column {index} {problem} `ignore([{index}])`")));
            }
            if let Some(first) = known.insert(name, index) {
                let problem = "use them, or leave them out, by their numbers, as in";
                let share = format!("columns {first} and {index} share the name `{name}`");
                return Err(Error::data(self.place, format!("{share}: {problem} `ignore([{index}])`")));
            }
        }
        Ok(())
    }
}
