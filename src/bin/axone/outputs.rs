//! What a model says of rows, and files of it.

use crate::models::{Loaded, extension};
use crate::said::Failure;
use axone::Result;
use axone::data::{Matrix, NpzWriter, Table, write_npy};
use std::path::Path;

/// One output: its name, the names of its columns, what it is for each row.
pub struct Output {
    pub name: String,
    pub columns: Vec<String>,
    pub values: Values,
}

pub enum Values {
    Numbers(Matrix),
    /// The name of a class.
    Names(Vec<String>),
}

/// The outputs of the model for these inputs, as its file names them. A model that knows what it was trained for says the
/// class first.
pub fn of(loaded: &mut Loaded, inputs: &[Matrix]) -> Result<Vec<Output>> {
    let results = loaded.model.predict_all(inputs)?;
    let numbers = |name: &str, columns: Vec<String>, values: Matrix| Output {
        name: name.to_owned(),
        columns,
        values: Values::Numbers(values),
    };
    // The schema of a model of ours says more than the names that ONNX gives its outputs.
    let labels = loaded.model.schema().and_then(|schema| schema.labels());
    let by_file = labels.is_none() || loaded.named.iter().any(|output| output.classes.is_some());
    if by_file && !loaded.named.is_empty() {
        let result = |output: &axone::interop::Output| {
            Ok(match output.names(&results)? {
                Some(names) => {
                    let name = output.name.clone();
                    Output { columns: vec![name.clone()], name, values: Values::Names(names) }
                }
                None => {
                    let values = output.numbers(&results);
                    numbers(&output.name, numbered(&output.name, values.cols()), values)
                }
            })
        };
        return loaded.named.iter().map(result).collect();
    }

    let model = &mut loaded.model;
    let says_classes = {
        let (program, shapes) = (model.program(), model.program().network().output_shapes());
        match (program.losses().first().map(|loss| loss.metric()), shapes.first()) {
            (Some("accuracy"), _) => true,
            (Some("binary_accuracy"), Some((_, shape))) => shape.iter().product::<usize>() == 1,
            _ => false,
        }
    };
    let classes = if says_classes { Some(model.predict_classes_of(inputs)?) } else { None };
    let (schema, network) = (model.schema(), model.program().network());
    let labels = schema.and_then(|schema| schema.labels());
    let targets: Vec<String> =
        schema.iter().flat_map(|schema| schema.target_columns()).map(ToString::to_string).collect();
    let mut outputs = Vec::new();
    if let Some(classes) = classes {
        let names = match labels {
            Some(labels) => labels.inverse(&classes)?.into_iter().map(str::to_owned).collect(),
            None => classes.iter().map(u32::to_string).collect(),
        };
        let name = targets.first().cloned().unwrap_or_else(|| "class".to_owned());
        outputs.push(Output { columns: vec![name.clone()], name, values: Values::Names(names) });
    }
    for (place, ((name, _), values)) in network.output_shapes().into_iter().zip(results).enumerate() {
        let columns = match labels.map(|labels| labels.classes()) {
            Some([_, yes]) if place == 0 && values.cols() == 1 => vec![format!("P({yes})")],
            Some(names) if place == 0 && values.cols() == names.len() => {
                names.iter().map(|name| format!("P({name})")).collect()
            }
            None if place == 0 && targets.len() == values.cols() => targets.clone(),
            _ => numbered(name, values.cols()),
        };
        outputs.push(numbers(name, columns, values));
    }
    Ok(outputs)
}

fn numbered(name: &str, columns: usize) -> Vec<String> {
    match columns {
        1 => vec![name.to_owned()],
        columns => (0..columns).map(|column| format!("{name}_{column}")).collect(),
    }
}

/// All outputs side by side, a column for each number.
pub fn table(outputs: &[Output]) -> Result<Table> {
    let names = outputs.iter().flat_map(|output| output.columns.iter().cloned());
    let rows = outputs.first().map_or(0, |output| match &output.values {
        Values::Numbers(values) => values.rows(),
        Values::Names(names) => names.len(),
    });
    let fields = |row: usize| {
        outputs.iter().flat_map(move |output| match &output.values {
            Values::Numbers(values) => values.row(row).unwrap_or_default().iter().map(f32::to_string).collect(),
            Values::Names(names) => names.get(row).cloned().into_iter().collect::<Vec<_>>(),
        })
    };
    Table::from_rows(names, (0..rows).map(fields))
}

/// Refuses a file that [`write`] could not write, before anything is computed.
pub fn check(path: &Path) -> Result<(), Failure> {
    match extension(path).as_str() {
        "npy" | "npz" => Ok(()),
        _ => Table::check_name(path).map_err(|error| Failure::usage(format!("{error}, .npy or .npz"))),
    }
}

/// Writes the outputs as the end of the name says.
pub fn write(path: &Path, outputs: Vec<Output>) -> Result<(), Failure> {
    match extension(path).as_str() {
        "npy" => {
            let first = outputs.into_iter().find_map(|output| match output.values {
                Values::Numbers(values) => Some(values),
                Values::Names(_) => None,
            });
            Ok(write_npy(path, first.unwrap_or_default())?)
        }
        "npz" => {
            let mut file = NpzWriter::new(path);
            for Output { name, values, .. } in outputs {
                match values {
                    Values::Numbers(values) => file.add(&name, values)?,
                    Values::Names(names) => {
                        let whole: std::result::Result<Vec<i64>, _> = names.iter().map(|name| name.parse()).collect();
                        match whole {
                            Ok(whole) => file.add_integers(&name, &whole)?,
                            Err(_) => file.add_texts(&name, &names)?,
                        }
                    }
                }
            }
            Ok(file.finish()?)
        }
        _ => Ok(table(&outputs)?.write(path)?),
    }
}
