//! What the columns of a table seem to be: options to begin with, and a line for each choice.

use super::columns::{Column, Found, Header};
use super::field::{number, quoted};
use super::missing::MISSING_TEXTS;
use super::options::TableOptions;
use super::{Missing, Table};
use crate::data::{LabelEncoder, Scaling};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// Most classes that a target of whole numbers is taken for.
const MOST_NUMBERED_CLASSES: usize = 20;
/// From so many rows a class on whole numbers are taken for classes rather than values.
const ROWS_A_CLASS: usize = 5;
/// Up to so many names are categories, however few rows there are.
const FEW_NAMES: usize = 20;
/// What columns that count their rows are called; a column without a name is one, too.
const ROW_NUMBERS: [&str; 5] = ["", "id", "index", "row", "unnamed: 0"];
/// What stands for a missing name.
const MISSING_NAME: &str = "missing";

/// Finds out what the columns of a table are: what is to be predicted, and from what.
///
/// A column of numbers is a number, and where some are missing their median stands for them and another column says so. A
/// column of text is one of categories. Left out are columns that tell nothing: those of one value, those that number the
/// rows (called `id`, `index` or nothing), and texts that are different in nearly every row. A column that is numbers in most
/// rows and not in all is an error with its line. Numbers are scaled to mean 0 and standard deviation 1.
///
/// A target of text is one of classes, and so is one of whole numbers if there are 2 of them, or at most 20 and at least 5
/// rows for each; any other is a number. Rows without a target are left out.
///
/// ```
/// use axone::data::{Inference, Schema, Table};
/// let names = ["id", "size", "town", "kind"];
/// let rows = [["1", "10", "Ulm", "cat"], ["2", "", "Bonn", "cat"], ["3", "60", "Ulm", "dog"]];
/// let table = Table::from_rows(names, rows)?;
/// let found = Inference::new(["kind"]).of(&table)?;
/// assert_eq!(found.classes, Some(2));
/// assert_eq!(found.notes[1], "`id` numbers the rows: left out");
/// let schema = Schema::fit(&table, found.options)?;
/// assert_eq!(schema.widths(), [2, 1]); // the size and whether it is missing; the town
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Inference {
    targets: Vec<Column>,
    ignored: Vec<Column>,
    categories: Vec<Column>,
    classes: Option<bool>,
}

/// What [`Inference::of`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Inferred {
    /// What the columns are. Names of categories and classes are those of all rows; what stands for missing values and how
    /// numbers are scaled is learned by [`Schema::fit`](super::Schema::fit), of the rows that train.
    pub options: TableOptions,
    /// The number of classes; `None` where the target is numbers.
    pub classes: Option<usize>,
    /// A line for each choice, that of the target first.
    pub notes: Vec<String>,
}

/// The fields of a column that are not missing.
struct Fields<'a> {
    name: String,
    rows: Vec<(usize, &'a str)>,
    distinct: BTreeSet<&'a str>,
    missing: usize,
}

impl<'a> Fields<'a> {
    fn of(table: &'a Table, index: usize, name: String) -> Self {
        let all = (0..table.rows()).map(|row| (row, table.field(row, index).unwrap_or_default()));
        let (rows, missing): (Vec<_>, Vec<_>) = all.partition(|(_, text)| !MISSING_TEXTS.contains(&text.trim()));
        let distinct = rows.iter().map(|(_, text)| *text).collect();
        Self { name, rows, distinct, missing: missing.len() }
    }

    fn are_numbers(&self) -> bool {
        self.distinct.iter().all(|text| number(text).is_some())
    }

    fn are_whole(&self) -> bool {
        self.distinct.iter().all(|text| number(text).is_some_and(|number| number.fract() == 0.0))
    }

    /// A different text in nearly every row.
    fn tell_rows_apart(&self) -> bool {
        self.distinct.len() > FEW_NAMES && 2 * self.distinct.len() > self.rows.len()
    }

    /// Names in the order of numbers where they are such, else as text.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<&str> = self.distinct.iter().copied().collect();
        if self.are_numbers() {
            names.sort_by(|a, b| number(a).unwrap_or_default().total_cmp(&number(b).unwrap_or_default()));
        }
        names.into_iter().map(str::to_owned).collect()
    }
}

impl Inference {
    /// For these targets: one of classes, or one or more of numbers.
    pub fn new(targets: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        let targets = targets.into_iter().map(Into::into).collect();
        Self { targets, ignored: Vec::new(), categories: Vec::new(), classes: None }
    }

    /// Leaves these columns out.
    pub fn ignore(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.ignored.extend(columns.into_iter().map(Into::into));
        self
    }

    /// These columns hold names, even where they look like numbers.
    pub fn categories(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.categories.extend(columns.into_iter().map(Into::into));
        self
    }

    /// The target is classes (`true`) or numbers (`false`), whatever it looks like.
    pub fn classes(mut self, classes: bool) -> Self {
        self.classes = Some(classes);
        self
    }

    /// What the columns of `table` are.
    ///
    /// # Errors
    /// [`Error::Value`] for a column that is not there; [`Error::Data`] for a target that tells nothing, and for a column of
    /// numbers and other texts, with the line of the first of these.
    pub fn of(&self, table: &Table) -> Result<Inferred> {
        let header = Header::of(table);
        let find = |columns: &[Column]| columns.iter().map(|column| header.find(column)).collect::<Result<Vec<_>>>();
        let (targets, ignored, named) = (find(&self.targets)?, find(&self.ignored)?, find(&self.categories)?);
        let fields = |index: usize| Fields::of(table, index, header.name(index));
        let column = |index: usize| header.column(&Found { index, name: header.name(index), round: false, rule: None });
        let (mut options, classes, mut notes) = self.target(table, &targets, &fields, &column)?;

        let (mut categories, mut encoders, mut left) = (Vec::new(), Vec::new(), ignored.clone());
        for index in (0..table.width()).filter(|index| !targets.contains(index) && !ignored.contains(index)) {
            let fields = fields(index);
            let name = quoted(&fields.name);
            let mut leave = |why: &str| {
                notes.push(format!("{name} {why}: left out"));
                left.push(index);
            };
            let is_number = fields.are_numbers() && !named.contains(&index);
            let is_row_number = ROW_NUMBERS.contains(&header.given(index).unwrap_or_default().to_lowercase().as_str());
            match fields.distinct.len() {
                0 => leave("is empty"),
                1 if fields.missing == 0 => leave("has one value alone"),
                distinct if is_row_number && is_number && fields.are_whole() && distinct == table.rows() => {
                    leave("numbers the rows");
                }
                _ if is_number => {
                    if fields.missing > 0 {
                        notes.push(format!(
                            "{name} is missing in {} of {} rows: the median stands there, and a column says so",
                            fields.missing,
                            table.rows()
                        ));
                        options = options.missing([column(index)], Missing::median().indicator());
                    }
                    if fields.distinct.iter().any(|text| number(text).is_some_and(|it| it.abs() >= 16_777_216.0)) {
                        notes.push(format!("{name} has numbers of more than 7 digits: they are rounded"));
                        options = options.round([column(index)]);
                    }
                }
                distinct if !named.contains(&index) => {
                    fields.refuse_stray_texts(table)?;
                    if fields.tell_rows_apart() {
                        leave(&format!("has {distinct} different texts in {} rows", fields.rows.len()));
                    } else {
                        categories.push((index, fields));
                    }
                }
                _ => categories.push((index, fields)),
            }
        }
        for (index, fields) in &categories {
            let mut names: BTreeSet<&str> = fields.distinct.clone();
            let mut note = format!("{} is categories: {} names", quoted(&fields.name), names.len());
            if fields.missing > 0 {
                names.insert(MISSING_NAME);
                note += &format!(", and `{MISSING_NAME}` in {} rows", fields.missing);
                options = options.missing([column(*index)], Missing::constant(MISSING_NAME));
            }
            notes.push(note);
            encoders.push(LabelEncoder::fit(names));
        }
        if left.len() + targets.len() == table.width() {
            let problem = format!("no column is left to predict from ({})", notes.join("; "));
            return Err(Error::data(&table.place, problem));
        }
        let columns = categories.iter().map(|(index, _)| column(*index));
        options = options.categories(columns).encoders(encoders).ignore(left.into_iter().map(column));
        Ok(Inferred { options: options.scale(Scaling::Standard), classes, notes })
    }

    /// Options with the target alone, the number of its classes, and what is to be said of it.
    fn target<'a>(
        &self,
        table: &Table,
        targets: &[usize],
        fields: &dyn Fn(usize) -> Fields<'a>,
        column: &dyn Fn(usize) -> Column,
    ) -> Result<(TableOptions, Option<usize>, Vec<String>)> {
        let all: Vec<Fields<'a>> = targets.iter().map(|index| fields(*index)).collect();
        let wrong = |fields: &Fields<'_>, problem: String| {
            Err(Error::data(format!("{}, column {}", table.place, quoted(&fields.name)), problem))
        };
        for fields in &all {
            if fields.distinct.len() < 2 {
                let what =
                    fields.distinct.first().map_or("nothing".to_owned(), |value| format!("{} alone", quoted(value)));
                return wrong(fields, format!("holds {what}; a target needs two values"));
            }
        }
        let looks_like_classes = |fields: &Fields<'_>| {
            let distinct = fields.distinct.len();
            let few = distinct <= MOST_NUMBERED_CLASSES && fields.rows.len() >= ROWS_A_CLASS * distinct;
            !fields.are_numbers() || fields.are_whole() && (distinct == 2 || few)
        };
        let mut notes = Vec::new();
        let (mut options, classes) = match all.as_slice() {
            [] => return Err(Error::data(&table.place, "no target is named")),
            [one] if self.classes.unwrap_or_else(|| looks_like_classes(one)) => {
                if self.classes.is_none() {
                    one.refuse_stray_texts(table)?;
                }
                if one.tell_rows_apart() {
                    let problem = format!("has {} different values in {} rows", one.distinct.len(), one.rows.len());
                    return wrong(one, format!("{problem}, which are no classes"));
                }
                let names = one.names();
                notes.push(format!(
                    "classification: {} is one of {} classes ({})",
                    quoted(&one.name),
                    names.len(),
                    some(&names)
                ));
                let count = names.len();
                let options = TableOptions::class_names(column(targets[0])).labels(LabelEncoder::from_classes(names)?);
                (options, Some(count))
            }
            several => {
                for fields in several {
                    if let Some((row, text)) = fields.rows.iter().find(|(_, text)| number(text).is_none()) {
                        let place = format!("{}, column {}", table.row_name(*row), quoted(&fields.name));
                        return Err(Error::data(place, format!("expected a number to predict, got {}", quoted(text))));
                    }
                }
                let names: Vec<String> = several.iter().map(|fields| quoted(&fields.name)).collect();
                let is = if names.len() == 1 { "is a number" } else { "are numbers" };
                notes.push(format!("regression: {} {is}", names.join(", ")));
                (TableOptions::values(targets.iter().map(|index| column(*index))), None)
            }
        };
        for (fields, index) in all.iter().zip(targets).filter(|(fields, _)| fields.missing > 0) {
            notes.push(format!("{} is missing in {} rows: left out", quoted(&fields.name), fields.missing));
            options = options.missing([column(*index)], Missing::drop_row());
        }
        Ok((options, classes, notes))
    }
}

impl Fields<'_> {
    /// Refuses a text where most others are numbers.
    fn refuse_stray_texts(&self, table: &Table) -> Result<()> {
        let mut strays = self.rows.iter().filter(|(_, text)| number(text).is_none());
        let Some((row, text)) = strays.next() else { return Ok(()) };
        let count = 1 + strays.count();
        if 2 * count < self.rows.len() {
            let others = self.rows.len() - count;
            let problem = format!(
                "{} is no number, as {others} other values are ({count} are not): mend it, leave it empty, or take the column \
                 as one of categories",
                quoted(text)
            );
            return Err(Error::data(format!("{}, column {}", table.row_name(*row), quoted(&self.name)), problem));
        }
        Ok(())
    }
}

/// The first of them.
fn some(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(5).map(|name| quoted(name)).collect();
    if names.len() > shown.len() {
        shown.push("..".to_owned());
    }
    shown.join(", ")
}
