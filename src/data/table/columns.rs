//! Which columns of a table are what: as asked for, and as found in its first line.

use super::Table;
use super::field::quoted;
use super::options::{Kind, Rule, TableOptions};
use crate::data::LabelEncoder;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::fmt;

/// A column of a table: by the name in its header, or by its number, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub enum Column {
    /// The name that stands in the first line.
    Name(String),
    /// The number, counted from 0.
    Index(usize),
}

/// The name, or the number.
impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Column::Name(name) => f.write_str(name),
            Column::Index(index) => index.fmt(f),
        }
    }
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
    /// Which of the options' rules says what stands for a missing value.
    pub rule: Option<usize>,
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
    pub fn find(header: &Header<'_>, options: &TableOptions, with_targets: bool) -> Result<Self> {
        let (place, width) = (header.place, header.width);
        let find = |columns: &[Column]| columns.iter().map(|column| header.find(column)).collect::<Result<Vec<_>>>();
        let there = |columns: &[Column]| columns.iter().filter_map(|column| header.find(column).ok()).collect();
        let find_or_not = |columns| if with_targets { find(columns) } else { Ok(there(columns)) };
        let targets = find_or_not(&options.targets)?;
        if with_targets && targets.is_empty() {
            return Err(Error::data(place, format!("no target columns are left of {width}")));
        }
        let (categories, ignored) = (find(&options.categories)?, find(&options.ignored)?);
        let mut uses: Vec<Option<Use>> = vec![None; width];
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
        let mut rules = BTreeMap::new();
        for (at, rule) in options.missing.iter().enumerate() {
            let index = match header.find(&rule.column) {
                Ok(index) => index,
                Err(_) if !with_targets && options.targets.contains(&rule.column) => continue,
                Err(error) => return Err(error),
            };
            if rules.insert(index, at).is_some() {
                let problem = format!("column `{}` has two rules for missing values", header.name(index));
                return Err(Error::data(place, problem));
            }
        }
        let used = || targets.iter().chain(&categories).chain(&inputs);
        if let Some(index) = rules.keys().find(|index| !used().any(|used| used == *index)) {
            let problem = "has a rule for missing values, but is no input, category or target";
            return Err(Error::data(place, format!("column `{}` {problem}", header.name(*index))));
        }
        let found = |columns: Vec<usize>| -> Vec<Found> {
            let of = |index| {
                let (round, rule) = (rounded.contains(&index), rules.get(&index).copied());
                Found { index, name: header.name(index), round, rule }
            };
            columns.into_iter().map(of).collect()
        };
        if inputs.is_empty() && categories.is_empty() {
            return Err(Error::data(place, format!("no input columns are left of {width}")));
        }
        Ok(Self { inputs: found(inputs), categories: found(categories), targets: found(targets) })
    }

    /// `options` with what the table of these columns had: where they are found, and how the names of its categories and
    /// classes are numbered.
    pub fn learned(
        &self,
        options: TableOptions,
        header: &Header<'_>,
        categories: &[Vec<String>],
        names: &[String],
    ) -> TableOptions {
        let all = |found: &[Found]| found.iter().map(|column| header.column(column)).collect::<Vec<_>>();
        let (targets, inputs, picked) = (all(&self.targets), all(&self.inputs), all(&self.categories));
        let mut every = targets.iter().chain(&inputs).chain(&picked);
        let width = every.any(|column| matches!(column, Column::Index(_))).then_some(header.width);
        let rounded = self.inputs.iter().chain(&self.targets).filter(|column| column.round);
        let fit = |names: &[String]| LabelEncoder::fit(names.iter().cloned());
        // What stands for a missing name is known even where none is missing yet.
        let fill = |column: &Found| options.missing.get(column.rule?)?.learned.clone();
        let fit_category =
            |(column, names): (&Found, &Vec<String>)| LabelEncoder::fit(names.iter().cloned().chain(fill(column)));
        let encoders = options.encoders.clone();
        let encoders = encoders.unwrap_or_else(|| self.categories.iter().zip(categories).map(fit_category).collect());
        let ruled = |column: &Found| {
            let rule = options.missing.get(column.rule?)?;
            Some(Rule { column: header.column(column), ..rule.clone() })
        };
        let missing = self.inputs.iter().chain(&self.categories).chain(&self.targets).filter_map(ruled).collect();
        let is_named = options.kind == Kind::ClassNames;
        TableOptions {
            encoders: Some(encoders),
            missing,
            labels: options.labels.or_else(|| is_named.then(|| fit(names))),
            rounded: rounded.map(|column| header.column(column)).collect(),
            ignored: Vec::new(),
            inputs: Some(inputs),
            categories: picked,
            targets,
            header: Some(header.names.is_some()),
            width,
            ..options
        }
    }
}

/// The names of a table's columns, to find them by.
pub(super) struct Header<'a> {
    place: &'a str,
    names: Option<&'a [String]>,
    width: usize,
    /// The columns of each name.
    by_name: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Header<'a> {
    pub fn of(table: &'a Table) -> Self {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, name) in table.header.iter().flatten().enumerate() {
            by_name.entry(name).or_default().push(index);
        }
        Self { place: &table.place, names: table.header.as_deref(), width: table.width, by_name }
    }

    pub fn given(&self, index: usize) -> Option<&'a str> {
        self.names?.get(index).map(String::as_str).filter(|name| !name.is_empty())
    }

    pub fn name(&self, index: usize) -> String {
        self.given(index).map_or_else(|| index.to_string(), str::to_owned)
    }

    /// What finds `column` in another table of this kind: its name, if it alone has it.
    pub fn column(&self, column: &Found) -> Column {
        let is_alone = |name: &&str| self.by_name.get(name).is_some_and(|all| all.len() == 1);
        match self.given(column.index).filter(is_alone) {
            Some(name) => Column::Name(name.to_owned()),
            None => Column::Index(column.index),
        }
    }

    pub fn find(&self, column: &Column) -> Result<usize> {
        let wrong = |expected: String, got: String| Err(Error::value(self.place, "column", expected, got));
        let text = match column {
            Column::Index(index) if *index < self.width => return Ok(*index),
            Column::Index(index) => return wrong(format!("below {}", self.width), index.to_string()),
            Column::Name(text) => text,
        };
        let Some(names) = self.names else {
            return wrong("a number where the table has no header".into(), format!("`{text}`"));
        };
        match self.by_name.get(text.as_str()).map(Vec::as_slice) {
            Some([index]) => Ok(*index),
            Some([one, two, ..]) => {
                wrong(format!("a number, as columns {one} and {two} share that name"), format!("`{text}`"))
            }
            _ => {
                let mut known: Vec<String> = names.iter().take(20).map(|name| quoted(name)).collect();
                if names.len() > known.len() {
                    known.push("..".into());
                }
                wrong(format!("one of {}", known.join(", ")), format!("`{text}`"))
            }
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
        for &index in columns.iter().filter(|_| self.names.is_some()) {
            let Some(name) = self.given(index) else {
                let problem = "has no name: use it, or leave it out, by its number, as in";
                return Err(Error::data(self.place, format!("column {index} {problem} `ignore([{index}])`")));
            };
            if let Some(first) = known.insert(name, index) {
                let problem = "use them, or leave them out, by their numbers, as in";
                let share = format!("columns {first} and {index} share the name `{name}`");
                return Err(Error::data(self.place, format!("{share}: {problem} `ignore([{index}])`")));
            }
        }
        Ok(())
    }
}
