//! Tables made into numbers: what is not known yet is learned from the rows, what is known is applied to them.

use super::Table;
use super::columns::{Columns, Found, Header};
use super::field::{Field, quoted};
use super::missing::{Fill, Ordered, mean, median, most_frequent};
use super::options::{Kind, TableOptions};
use crate::data::{Dataset, LabelEncoder, Matrix, Scaler, Targets};
use crate::{Error, Result};

/// What was made of a table.
#[cfg_attr(not(feature = "datasets"), allow(dead_code, reason = "readers of files alone give names"))]
pub(in crate::data) struct Content {
    /// The columns of numbers and those of categories; what has no columns is left out.
    pub inputs: Vec<Matrix>,
    /// Without columns where they are not wanted.
    pub targets: Targets,
    /// The names of the columns of numbers, and of the targets.
    pub input_names: Vec<String>,
    pub target_names: Vec<String>,
    /// Those that read another table alike.
    pub options: TableOptions,
}

impl Content {
    pub fn of(table: &Table, options: TableOptions, with_targets: bool) -> Result<Self> {
        Self::of_part(table, options, with_targets)?.ok_or_else(|| {
            let problem = "no rows are left: each lacks a value without which it is dropped";
            Error::data(&table.place, problem)
        })
    }

    /// As [`of`](Self::of); `None` where no row is left.
    pub fn of_part(table: &Table, mut options: TableOptions, with_targets: bool) -> Result<Option<Self>> {
        options.check(table)?;
        let header = Header::of(table);
        let columns = Columns::find(&header, &options, with_targets)?;
        let targets = if with_targets { columns.targets.as_slice() } else { &[] };
        let rows = kept(table, &columns, &options, with_targets)?;
        if rows.is_empty() {
            return Ok(None);
        }
        learn(table, &columns, &rows, &mut options)?;

        let fills = columns.inputs.iter().map(|column| number_for(table, column, &options));
        let inputs = columns.inputs.iter().zip(fills.collect::<Result<Vec<_>>>()?).collect::<Vec<_>>();
        let indicators: Vec<&Found> = columns.inputs.iter().chain(&columns.categories).collect();
        let indicators: Vec<&Found> = indicators.into_iter().filter(|column| options.has_indicator(column)).collect();
        let (mut x, mut flags) = (Vec::new(), Vec::new());
        let (mut values, mut labels, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let mut picked: Vec<Vec<String>> = vec![Vec::new(); columns.categories.len()];
        for &row in &rows {
            for (column, fill) in &inputs {
                let field = Field::of(table, row, column);
                x.push(match fill {
                    Some(fill) if options.is_missing(field.text) => *fill,
                    _ => field.number()?,
                });
            }
            for column in &indicators {
                let is_missing = options.is_missing(Field::of(table, row, column).text);
                flags.push(if is_missing { 1.0 } else { 0.0 });
            }
            for (i, (column, names)) in columns.categories.iter().zip(&mut picked).enumerate() {
                let encoder = options.encoders.as_ref().and_then(|encoders| encoders.get(i));
                let field = Field::of(table, row, column);
                names.push(match options.filling(column) {
                    Some(fill) if options.is_missing_name(column, field.text, encoder) => known(&field, fill, encoder)?,
                    _ => field.name("a category", encoder)?,
                });
            }
            for column in targets {
                let field = Field::of(table, row, column);
                match options.kind {
                    Kind::Values => values.push(field.number()?),
                    Kind::Classes => labels.push(field.label()?),
                    Kind::ClassNames => names.push(field.name("a class name", options.labels.as_ref())?),
                }
            }
        }

        let mut numbers = Matrix::new(rows.len(), inputs.len(), x)?;
        if let (Some(kind), None) = (options.scaling, &options.scaler) {
            options.scaler = Some(Scaler::fit(kind, &numbers)?);
        }
        if let Some(scaler) = &options.scaler {
            numbers = scaler.transform(&numbers)?;
        }
        let numbers = beside(numbers, Matrix::new(rows.len(), indicators.len(), flags)?)?;
        let options = columns.learned(options, &header, &picked, &names);
        let targets = match (&options.labels, options.kind) {
            (Some(encoder), Kind::ClassNames) => Targets::Classes(encoder.transform(&names)?),
            (_, Kind::Values) => Targets::Values(Matrix::new(rows.len(), targets.len(), values)?),
            _ => Targets::Classes(labels),
        };
        let encoders = options.encoders.as_deref().unwrap_or_default();
        let mut matrices = vec![numbers, numbered(encoders, &picked, rows.len())?];
        matrices.retain(|input| input.cols() > 0);
        let flags = indicators.iter().map(|column| format!("{} is missing", column.name));
        let input_names = columns.inputs.iter().map(|column| column.name.clone()).chain(flags).collect();
        let target_names = columns.targets.iter().map(|column| column.name.clone()).collect();
        Ok(Some(Self { inputs: matrices, targets, input_names, target_names, options }))
    }

    pub fn into_dataset(self) -> Result<Dataset> {
        let mut inputs = self.inputs.into_iter();
        let dataset = Dataset::new(inputs.next().unwrap_or_default(), self.targets)?;
        inputs.try_fold(dataset, Dataset::with_input)
    }
}

/// The columns of both.
fn beside(left: Matrix, right: Matrix) -> Result<Matrix> {
    if right.cols() == 0 {
        return Ok(left);
    }
    let data = left.iter_rows().zip(right.iter_rows()).flat_map(|(left, right)| left.iter().chain(right).copied());
    Matrix::new(left.rows(), left.cols() + right.cols(), data.collect())
}

/// The rows that no rule leaves out.
fn kept(table: &Table, columns: &Columns, options: &TableOptions, with_targets: bool) -> Result<Vec<usize>> {
    let targets = if with_targets { columns.targets.as_slice() } else { &[] };
    let drops = |column: &&Found| options.rule(column).is_some_and(|rule| rule.policy.fill == Fill::DropRow);
    let dropping: Vec<&Found> = columns.inputs.iter().chain(&columns.categories).chain(targets).filter(drops).collect();
    let mut rows = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let mut fields = dropping.iter().map(|column| Field::of(table, row, column));
        match fields.find(|field| options.is_missing(field.text)) {
            None => rows.push(row),
            // Whoever predicts wants an answer for each row.
            Some(field) if !with_targets && !options.targets.is_empty() => {
                let problem = "a value is missing; rows of such are left out, and nothing is predicted from them";
                return Err(Error::data(field.place(), problem));
            }
            Some(_) => {}
        }
    }
    Ok(rows)
}

/// Learns what stands for missing values, where that is not known.
fn learn(table: &Table, columns: &Columns, rows: &[usize], options: &mut TableOptions) -> Result<()> {
    let place = |column: &Found| format!("{}, column `{}`", table.place, column.name);
    for column in &columns.targets {
        if options.rule(column).is_some_and(|rule| rule.policy.fill != Fill::DropRow || rule.policy.indicator) {
            return Err(Error::data(place(column), "the row of a missing target can be dropped, and nothing else"));
        }
    }
    let inputs = columns.inputs.iter().map(|column| (column, false));
    for (column, is_category) in inputs.chain(columns.categories.iter().map(|column| (column, true))) {
        let Some(rule) = options.rule(column) else { continue };
        let there = || rows.iter().map(|row| Field::of(table, *row, column)).filter(|it| !options.is_missing(it.text));
        let numbers = || there().map(|field| field.number().map(f64::from)).collect::<Result<Vec<_>>>();
        let (what, learned) = match (&rule.policy.fill, is_category) {
            (Fill::DropRow, _) if rule.policy.indicator => {
                return Err(Error::data(place(column), "what is missing is dropped, so that nothing is to indicate"));
            }
            _ if rule.policy.unknown && (!is_category || rule.policy.fill == Fill::DropRow) => {
                let problem = "a name that is not known can be replaced in a column of categories, and nothing else";
                return Err(Error::data(place(column), problem));
            }
            (Fill::DropRow, _) => continue,
            _ if rule.learned.is_some() => continue,
            (Fill::Constant(text), _) => ("", Some(text.clone())),
            (Fill::Mean, false) => ("mean", mean(&numbers()?).map(|it| (it as f32).to_string())),
            (Fill::Median, false) => ("median", median(&numbers()?).map(|it| (it as f32).to_string())),
            (Fill::MostFrequent, false) => {
                let most = most_frequent(numbers()?.into_iter().map(Ordered));
                ("most frequent value", most.map(|it| (it.0 as f32).to_string()))
            }
            (Fill::MostFrequent, true) => {
                let names = there().map(|field| field.name("a category", None)).collect::<Result<Vec<_>>>()?;
                ("most frequent name", most_frequent(names.into_iter()))
            }
            (Fill::Mean | Fill::Median, true) => {
                return Err(Error::data(place(column), "categories have no mean and no median"));
            }
        };
        let Some(learned) = learned else {
            return Err(Error::data(place(column), format!("no value is there to have a {what}")));
        };
        if let Some(rule) = column.rule.and_then(|at| options.missing.get_mut(at)) {
            rule.learned = Some(learned);
        }
    }
    Ok(())
}

/// What stands for a missing number.
fn number_for(table: &Table, column: &Found, options: &TableOptions) -> Result<Option<f32>> {
    let Some(text) = options.filling(column) else { return Ok(None) };
    let number = text.trim().parse().ok().filter(|number: &f32| number.is_finite());
    let problem = || format!("{} stands for what is missing, and is no finite number", quoted(text));
    number.map(Some).ok_or_else(|| Error::data(format!("{}, column `{}`", table.place, column.name), problem()))
}

/// The name that stands for a missing one, if it is one of those known.
fn known(field: &Field<'_>, fill: &str, encoder: Option<&LabelEncoder>) -> Result<String> {
    match encoder {
        Some(encoder) if !encoder.knows(fill) => {
            let problem = format!("{} stands for what is missing, and is none of {}", quoted(fill), encoder.known());
            Err(Error::data(field.place(), problem))
        }
        _ => Ok(fill.to_owned()),
    }
}

/// The numbers of the names of each column, a column each.
fn numbered(encoders: &[LabelEncoder], names: &[Vec<String>], rows: usize) -> Result<Matrix> {
    let columns: Vec<Vec<u32>> =
        encoders.iter().zip(names).map(|(encoder, names)| encoder.transform(names)).collect::<Result<_>>()?;
    let row = |row: usize| columns.iter().filter_map(move |column| column.get(row)).map(|number| *number as f32);
    Matrix::new(rows, columns.len(), (0..rows).flat_map(row).collect())
}
