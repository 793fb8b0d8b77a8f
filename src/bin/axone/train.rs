//! `axone train`: a network for a table, saved with its report.

use crate::arguments::{Common, Learning, Train};
use crate::models::extension;
use crate::prepare::{Prepared, Recipe};
use crate::said::{Failure, Said};
use axone::Error;
use axone::interop::onnx;
use axone::metrics::ConfusionMatrix;
use axone::prelude::*;
use axone::train::Evaluation;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub fn run(args: &Train, common: &Common) -> Result<Said, Failure> {
    check(&args.learning)?;
    let prepared = Prepared::of(&args.learning, common)?;
    let recipe = Recipe { hidden: args.hidden.clone(), rate: args.rate, dropout: args.dropout, decay: args.decay };
    train(&prepared, &recipe, &args.learning, common, Value::Null)
}

/// Refuses what would be found wrong only after the training.
pub fn check(args: &Learning) -> Result<(), Failure> {
    let output = &args.output;
    if !["safetensors", "onnx"].contains(&extension(output).as_str()) {
        let problem = "a model is written as .safetensors (of axone) or .onnx";
        return Err(Failure::usage(format!("{}: {problem}", output.display())));
    }
    let report = report_path(args);
    if report == *output {
        return Err(Failure::usage(format!("{}: for the model and for the report", output.display())));
    }
    for path in [output, &report] {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Failure::failed(format!("{}: its folder is not there", path.display())));
        }
    }
    Ok(())
}

fn report_path(args: &Learning) -> PathBuf {
    args.report.clone().unwrap_or_else(|| args.output.with_extension("json"))
}

/// Trains, judges and saves a model; `search` is what chose the recipe.
pub fn train(
    prepared: &Prepared,
    recipe: &Recipe,
    args: &Learning,
    common: &Common,
    search: Value,
) -> Result<Said, Failure> {
    let [train, validation, test] = prepared.rows();
    common.note(&format!("{train} rows to train on, {validation} to know when to stop, {test} to judge by"));
    let mut model = prepared.model(recipe, common.device()?, args.seed)?;
    let fit = prepared.fit(args).verbosity(common.verbosity()).stop_on_ctrl_c();
    let history = model.fit(&prepared.train, &fit)?;
    prepared.finish(&mut model)?;
    let judged = match &prepared.test {
        Some(test) => Some(evaluate(&mut model, test)?),
        None => None,
    };

    let (output, report) = (&args.output, report_path(args));
    save(&mut model, output)?;
    let best = history.best("val_loss");
    let task = if prepared.classes.is_some() { "classification" } else { "regression" };
    let json = json!({
        "data": args.data.display().to_string(),
        "target": args.target,
        "task": task,
        "classes": prepared.labels().map(|labels| labels.classes()),
        "columns": prepared.notes,
        "rows": { "train": train, "validation": validation, "test": test },
        "recipe": recipe,
        "search": search,
        "device": model.device().info().to_string(),
        "model": output.display().to_string(),
        "report": report.display().to_string(),
        "parameters": model.parameters(),
        "layers": model.summary().to_string().lines().collect::<Vec<_>>(),
        "epochs": history.epochs.len(),
        "stopped": history.stopped,
        "best_epoch": best.map(|(epoch, _)| epoch),
        "validation_loss": best.map(|(_, loss)| loss),
        "test": judged.as_ref().map(values),
        "confusion": judged.as_ref().and_then(|judged| confusion(judged, prepared)),
        "warnings": history.warnings,
        "history": history.epochs.iter().map(|epoch| {
            json!({ "epoch": epoch.epoch, "seconds": epoch.seconds, "values": numbers(&epoch.values) })
        }).collect::<Vec<_>>(),
    });
    let text = format!("{json:#}\n");
    std::fs::write(&report, text).map_err(|error| Error::File { path: report.clone(), message: error.to_string() })?;

    let mut lines = vec![format!("{task}, {} epochs, {} parameters", history.epochs.len(), model.parameters())];
    if let Some(judged) = &judged {
        lines.push(format!("on {test} rows that it has not seen: {}", shown(judged)));
        if let Some(matrix) = labelled(judged, prepared).filter(|matrix| matrix.classes() <= 20) {
            lines.push(matrix.to_string());
        }
    }
    if history.epochs.len() == args.epochs && best.is_some_and(|(epoch, _)| epoch + 2 > args.epochs) {
        lines.push(format!("it was still getting better: --epochs {} may give more", 3 * args.epochs));
    }
    lines.push(format!("model: {}\nreport: {}\n", output.display(), report.display()));
    Ok(Said::new(lines.join("\n"), json))
}

/// Writes the model as the end of the name says.
pub fn save(model: &mut Model, path: &Path) -> Result<(), Error> {
    if extension(path) == "onnx" { onnx::save(model, path) } else { model.save(path) }
}

fn evaluate(model: &mut Model, data: &Dataset) -> Result<Evaluation, Error> {
    model.evaluate(data)
}

/// Names and values as JSON; what is no number is null.
pub fn numbers(values: &[(String, f64)]) -> Value {
    values.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<serde_json::Map<_, _>>().into()
}

pub fn values(evaluation: &Evaluation) -> Value {
    numbers(&evaluation.values)
}

/// Names and values in a line.
pub fn shown(evaluation: &Evaluation) -> String {
    let values = evaluation.values.iter().filter(|(_, value)| !value.is_nan());
    values.map(|(name, value)| format!("{name} {value:.4}")).collect::<Vec<_>>().join(", ")
}

fn labelled(judged: &Evaluation, prepared: &Prepared) -> Option<ConfusionMatrix> {
    let (matrix, labels) = (judged.confusion_matrix()?.clone(), prepared.labels()?);
    matrix.with_labels(labels.classes().iter().cloned()).ok()
}

fn confusion(judged: &Evaluation, prepared: &Prepared) -> Option<Value> {
    let matrix = labelled(judged, prepared)?;
    let row = |truth: usize| (0..matrix.classes()).map(|class| matrix.count(truth, class)).collect::<Vec<_>>();
    Some(
        json!({ "classes": matrix.labels(), "truth_by_predicted": (0..matrix.classes()).map(row).collect::<Vec<_>>() }),
    )
}
