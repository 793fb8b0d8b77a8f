//! Rows from files, as a model takes them.

use crate::arguments::Reading;
use crate::models::{Loaded, extension};
use crate::said::Failure;
use axone::Result;
use axone::data::{Array, Matrix, Npz, Schema, Table, TableOptions, read_npy};
use std::path::Path;

/// The inputs of the model, from the file at `path`.
pub fn read(path: &Path, loaded: &Loaded, reading: &Reading) -> Result<Vec<Matrix>, Failure> {
    match (extension(path).as_str(), loaded.model.schema()) {
        ("npy", Some(schema)) => Ok(schema.inputs(&rows_of(path, schema, read_npy(path)?)?)?),
        ("npy", None) => match loaded.model.program().network().input_shapes().as_slice() {
            [_] => Ok(vec![read_npy(path)?.into_matrix()?]),
            inputs => Err(several(path, inputs)),
        },
        ("npz", Some(schema)) => Ok(schema.inputs(&columns_of(path, schema)?)?),
        ("npz", None) => arrays(path, loaded),
        (_, Some(schema)) => {
            let options = reading.of(schema.options().clone());
            let table = Table::read(path, &options)?;
            match in_order(&table, schema).filter(|_| loaded.format != "axone") {
                Some(table) => Ok(schema.inputs(&table?)?),
                None => Ok(schema.inputs(&table)?),
            }
        }
        (_, None) => columns(path, loaded, reading),
    }
}

/// As many columns as an input of another library has, which knows no names of them.
fn in_order(table: &Table, schema: &Schema) -> Option<Result<Table>> {
    let names: Vec<String> = schema.input_columns().iter().map(ToString::to_string).collect();
    let header = table.header()?;
    if names.len() != header.len() || names.iter().any(|name| header.contains(name)) {
        return None;
    }
    let row = |row: usize| (0..names.len()).map(move |column| table.field(row, column).unwrap_or_default());
    Some(Table::from_rows(&names, (0..table.rows()).map(row)))
}

/// An array as the rows of the table that the model was trained on.
fn rows_of(path: &Path, schema: &Schema, array: Array) -> Result<Table, Failure> {
    let (names, x) = (schema.input_columns(), array.into_matrix()?);
    if x.cols() != names.len() {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let wanted = format!("{} columns ({})", names.len(), names.join(", "));
        return Err(Failure::failed(format!("{}: expected {wanted}, got {}", path.display(), x.cols())));
    }
    Ok(Table::from_rows(names.iter().map(ToString::to_string), x.iter_rows())?)
}

/// Arrays called as the columns of that table, or one array of all of them.
fn columns_of(path: &Path, schema: &Schema) -> Result<Table, Failure> {
    let (mut file, names) = (Npz::open(path)?, schema.input_columns());
    let there = file.names();
    if let ([only], false) = (there.as_slice(), names.iter().any(|name| there.contains(&name.to_string()))) {
        return rows_of(path, schema, file.read(only)?);
    }
    let mut columns = Vec::with_capacity(names.len());
    for name in &names {
        let name = name.to_string();
        // The columns of a wider input of another library are called as it, with their number.
        let wider =
            name.rsplit_once('_').filter(|(input, _)| !there.contains(&name) && there.iter().any(|own| own == input));
        let (array, at) = wider.and_then(|(input, at)| Some((input, at.parse().ok()?))).unwrap_or((name.as_str(), 0));
        let fields = file.read_fields(array)?;
        let column = fields.into_iter().map(|mut row| if at < row.len() { row.swap_remove(at) } else { String::new() });
        columns.push(column.collect::<Vec<String>>());
    }
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    let row = |row: usize| columns.iter().map(move |column| column.get(row).cloned().unwrap_or_default());
    Ok(Table::from_rows(names.iter().map(ToString::to_string), (0..rows).map(row))?)
}

/// Arrays by the names of the inputs; a single one is that of a single input.
fn arrays(path: &Path, loaded: &Loaded) -> Result<Vec<Matrix>, Failure> {
    let mut file = Npz::open(path)?;
    let (inputs, there) = (loaded.model.program().network().input_shapes(), file.names());
    if let ([_], [only]) = (inputs.as_slice(), there.as_slice()) {
        return Ok(vec![file.read(only)?.into_matrix()?]);
    }
    inputs.iter().map(|(name, _)| Ok(file.read(name)?.into_matrix()?)).collect()
}

/// The columns of a table: all of them for a single input, by name for inputs of one column each.
fn columns(path: &Path, loaded: &Loaded, reading: &Reading) -> Result<Vec<Matrix>, Failure> {
    let inputs = loaded.model.program().network().input_shapes();
    let options = reading.of(TableOptions::inputs_only()).ignore(reading.ignored());
    match inputs.as_slice() {
        [(name, shape)] => {
            let table = Table::read(path, &options)?;
            let x = numbers(&table, options)?;
            let width: usize = shape.iter().product();
            if x.cols() != width {
                let known = table.header().map_or(String::new(), |names| format!(" ({})", names.join(", ")));
                return Err(Failure::failed(format!(
                    "{}: input {name} takes {width} columns, the table has {}{known}; --ignore COLUMN leaves one out",
                    path.display(),
                    x.cols()
                )));
            }
            Ok(vec![x])
        }
        inputs if inputs.iter().all(|(_, shape)| shape.iter().product::<usize>() == 1) => {
            let table = Table::read(path, &options)?;
            let column = |name: &str| numbers(&table, reading.of(TableOptions::inputs_only()).inputs([name]));
            Ok(inputs.iter().map(|(name, _)| column(name)).collect::<Result<_>>()?)
        }
        inputs => Err(several(path, inputs)),
    }
}

fn numbers(table: &Table, options: TableOptions) -> Result<Matrix> {
    let mut inputs = Schema::fit(table, options)?.inputs(table)?;
    Ok(inputs.drain(..).next().unwrap_or_default())
}

fn several(path: &Path, inputs: &[(&str, &[usize])]) -> Failure {
    let names: Vec<String> = inputs.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
    Failure::failed(format!(
        "{}: the model has several inputs ({}): give each as an array of its name in an .npz file",
        path.display(),
        names.join(", ")
    ))
}
