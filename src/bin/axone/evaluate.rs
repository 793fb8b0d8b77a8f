//! `axone evaluate`: loss and metrics of a model on rows whose targets are known.

use crate::arguments::{Common, Evaluate};
use crate::models::{Loaded, extension};
use crate::said::{Failure, Said};
use crate::{inputs, models, train};
use axone::Error;
use axone::data::{LabelEncoder, Npz, Schema, Table, TableOptions};
use axone::prelude::*;
use serde_json::json;

pub fn run(args: &Evaluate, common: &Common) -> Result<Said, Failure> {
    let mut loaded = models::load(&args.model, common.device()?)?;
    let data = data(args, &loaded)?;
    let model = &mut loaded.model;
    model.set_metrics(metrics(model))?;
    let judged = model.evaluate(&data)?;
    let labels = model.schema().and_then(|schema| schema.labels());
    let matrix = judged.confusion_matrix().cloned();
    let matrix = match labels {
        Some(labels) => matrix.map(|matrix| matrix.with_labels(labels.classes().iter().cloned())).transpose()?,
        None => matrix,
    };
    let mut text = format!("{} rows: {}\n", data.len(), train::shown(&judged));
    if let Some(matrix) = matrix.as_ref().filter(|matrix| matrix.classes() <= 20) {
        text += &format!("{matrix}\n");
    }
    let counts = matrix.map(|matrix| {
        let row = |truth: usize| (0..matrix.classes()).map(|class| matrix.count(truth, class)).collect::<Vec<_>>();
        json!({ "classes": matrix.labels(), "truth_by_predicted": (0..matrix.classes()).map(row).collect::<Vec<_>>() })
    });
    Ok(Said::new(text, json!({ "rows": data.len(), "values": train::values(&judged), "confusion": counts })))
}

/// Those that fit the first output.
fn metrics(model: &Model) -> Vec<Metric> {
    let program = model.program();
    let (outputs, losses) = (program.network().output_shapes(), program.losses());
    let [(_, shape)] = outputs.as_slice() else { return Vec::new() };
    match (losses.first().map(|loss| loss.metric()), shape.iter().product::<usize>()) {
        (Some("accuracy"), _) => vec![Metric::F1(Average::Macro), Metric::ConfusionMatrix],
        (Some("binary_accuracy"), 1) => vec![Metric::RocAuc, Metric::F1(Average::Binary), Metric::ConfusionMatrix],
        (Some("mae"), _) => vec![Metric::RootMeanSquaredError, Metric::R2],
        _ => Vec::new(),
    }
}

fn data(args: &Evaluate, loaded: &Loaded) -> Result<Dataset, Failure> {
    let is_array = extension(&args.data) == "npz";
    if let (Some(schema), true, false) = (loaded.model.schema(), args.target.is_empty(), is_array) {
        return Ok(schema.dataset(&Table::read(&args.data, &args.reading.of(schema.options().clone()))?)?);
    }
    let Some(target) = args.target.first() else {
        let what = if is_array { "array" } else { "column" };
        return Err(Failure::usage(format!("--target names the {what} with what the model should have said")));
    };
    let takes_classes = loaded.model.program().losses().first().is_some_and(|loss| loss.metric() != "mae");
    let (inputs, targets) = if is_array {
        let array = Npz::open(&args.data)?.read(target)?;
        let is_list = array.shape.iter().skip(1).product::<usize>() == 1;
        let targets = if takes_classes && is_list {
            axone::data::Targets::Classes(array.data.iter().map(|label| label_of(*label)).collect::<Result<_>>()?)
        } else {
            array.into_matrix()?.into()
        };
        (inputs::read(&args.data, loaded, &args.reading)?, targets)
    } else {
        let columns = args.reading.columns(&args.target);
        let classes = loaded.named.iter().find_map(|output| output.classes.clone());
        let options = match (columns.as_slice(), takes_classes, classes) {
            ([column], true, Some(names)) => {
                TableOptions::class_names(column.clone()).labels(LabelEncoder::from_classes(names)?)
            }
            ([column], true, None) => TableOptions::classes(column.clone()),
            _ => TableOptions::values(columns.clone()),
        };
        let options = args.reading.of(options).ignore(args.reading.ignored());
        let table = Table::read(&args.data, &options)?;
        let set = Schema::fit(&table, options)?.dataset(&table)?;
        (set.inputs().to_vec(), set.targets()[0].clone())
    };
    let mut inputs = inputs.into_iter();
    let set = Dataset::new(inputs.next().unwrap_or_default(), targets)?;
    Ok(inputs.try_fold(set, Dataset::with_input)?)
}

fn label_of(value: f32) -> Result<u32> {
    let problem = || Error::Data { place: "targets".into(), problem: format!("{value} is no class number") };
    if (0.0..16_777_216.0).contains(&value) && value.fract() == 0.0 { Ok(value as u32) } else { Err(problem()) }
}
