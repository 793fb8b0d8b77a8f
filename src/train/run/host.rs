//! Losses that the host computes, batch by batch.

use super::no_target_weights;
use crate::data::{Batches, Dataset, Matrix, Pass, Stream, Targets};
use crate::model::Model;
use crate::{Error, Result};

/// From the outputs and the targets of a batch to the loss of each row, and its gradient by each output.
pub(in crate::train) type HostLoss<'f> = dyn FnMut(&[Matrix], &[Targets]) -> Result<(Vec<f32>, Vec<Matrix>)> + 'f;

/// All rows of `stream` in the order in which `pass` reads them, each chunk checked against the inputs of `model`.
pub(super) fn batches(model: &Model, stream: &Stream, pass: Pass) -> Batches {
    let program = model.program().clone();
    let check = move |rows: &Dataset| match rows.weighs_targets() {
        true => Err(no_target_weights()),
        false => program.check_inputs(rows.inputs()),
    };
    stream.batches(Pass { check: Box::new(check), ..pass })
}

/// Trains one epoch of batches; `rate` is the learning rate of a step, and `done` hears how many steps are done and says
/// whether to go on. Returns the mean loss and how many rows there were; `None` where `done` ended the epoch.
pub(super) fn epoch_by_host(
    model: &mut Model,
    batches: impl Iterator<Item = Result<Dataset>>,
    rate: impl Fn(usize) -> f32,
    loss: &mut HostLoss<'_>,
    mut done: impl FnMut(usize) -> bool,
) -> Result<Option<(f64, usize)>> {
    // Those that the program has left would be added to.
    model.clear_gradients();
    let (mut sum, mut total, mut rows, mut steps) = (0.0, 0.0, 0, 0);
    let mut batches = batches.peekable();
    while let Some(batch) = batches.next().transpose()? {
        let outputs = model.forward(batch.inputs())?;
        let (losses, mut gradients) = loss(&outputs, batch.targets())?;
        check_losses(&losses, batch.len())?;
        let weight = batch.weight(0..batch.len() as u32);
        for gradient in &mut gradients {
            *gradient = of_mean(gradient, &batch, weight)?;
        }
        model.backward(batch.inputs(), &gradients)?;
        model.update_by_hand(rate(steps))?;
        (sum, total) = (sum + weighted(0.0, &losses, &batch), total + weight);
        (rows, steps) = (rows + batch.len(), steps + 1);
        if !done(steps) && batches.peek().is_some() {
            return Ok(None);
        }
    }
    Ok(Some((sum / total, rows)))
}

/// The mean loss of `parts`, without training.
pub(super) fn loss_by_host(
    model: &mut Model,
    parts: impl Iterator<Item = Result<Dataset>>,
    loss: &mut HostLoss<'_>,
) -> Result<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for part in parts {
        let part = part?;
        let outputs = model.predict_all(part.inputs())?;
        let (losses, _) = loss(&outputs, part.targets())?;
        check_losses(&losses, part.len())?;
        (sum, total) = (weighted(sum, &losses, &part), total + part.weight(0..part.len() as u32));
    }
    Ok(sum / total)
}

fn check_losses(losses: &[f32], rows: usize) -> Result<()> {
    if losses.len() != rows {
        return Err(Error::shape("fit_with", format!("{rows} losses, one for each row"), losses.len()));
    }
    match losses.iter().position(|loss| !loss.is_finite()) {
        Some(row) => Err(Error::data(format!("losses row {row}"), losses[row].to_string())),
        None => Ok(()),
    }
}

/// `sum` and the losses, each times the weight of its row.
fn weighted(sum: f64, losses: &[f32], data: &Dataset) -> f64 {
    let weight = |row: usize| data.weights().map_or(1.0, |weights| f64::from(weights[row]));
    losses.iter().enumerate().fold(sum, |sum, (row, loss)| sum + f64::from(*loss) * weight(row))
}

/// Gradients of the rows' own losses as those of the mean, each row counting by its weight.
fn of_mean(gradient: &Matrix, batch: &Dataset, weight: f64) -> Result<Matrix> {
    let share =
        |row: usize| batch.weights().map_or(1.0, |weights| f64::from(weights[row])) / weight.max(f64::MIN_POSITIVE);
    let (rows, cols) = (gradient.rows(), gradient.cols());
    if rows != batch.len() {
        return Err(Error::shape("fit_with", format!("gradients of {} rows", batch.len()), rows));
    }
    let values = gradient.data().iter().enumerate().map(|(at, value)| (f64::from(*value) * share(at / cols)) as f32);
    Matrix::new(rows, cols, values.collect())
}
