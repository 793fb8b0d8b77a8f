//! Losses that the host computes, batch by batch.

use crate::data::{Dataset, Matrix, Targets};
use crate::model::Model;
use crate::{Error, Result};

/// From the outputs and the targets of a batch to the loss of each row, and its gradient by each output.
pub(in crate::train) type HostLoss<'f> = dyn FnMut(&[Matrix], &[Targets]) -> Result<(Vec<f32>, Vec<Matrix>)> + 'f;

/// Trains one epoch of batches in the order of their rows; `rate` is the learning rate of a step, and `done` hears how many
/// steps are done and says whether to go on. Returns the mean loss; `None` where `done` ended the epoch.
pub(super) fn epoch_by_host(
    model: &mut Model,
    (data, order, batch_size): (&Dataset, &[u32], usize),
    rate: impl Fn(usize) -> f32,
    loss: &mut HostLoss<'_>,
    mut done: impl FnMut(usize) -> bool,
) -> Result<Option<f64>> {
    // Those that the program has left would be added to.
    model.clear_gradients();
    let (mut sum, mut total) = (0.0, 0.0);
    let steps = order.len().div_ceil(batch_size);
    for (i, rows) in order.chunks(batch_size).enumerate() {
        let rows: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        let batch = data.gather(&rows);
        let outputs = model.forward(batch.inputs())?;
        let (losses, mut gradients) = loss(&outputs, batch.targets())?;
        check_losses(&losses, batch.len())?;
        let weight = batch.weight(0..batch.len() as u32);
        for gradient in &mut gradients {
            *gradient = of_mean(gradient, &batch, weight)?;
        }
        model.backward(batch.inputs(), &gradients)?;
        model.update_by_hand(rate(i))?;
        (sum, total) = (sum + weighted(&losses, &batch), total + weight);
        if !done(i + 1) && i + 1 < steps {
            return Ok(None);
        }
    }
    Ok(Some(sum / total))
}

/// The mean loss of `data`, without training.
pub(super) fn loss_by_host(model: &mut Model, data: &Dataset, loss: &mut HostLoss<'_>) -> Result<f64> {
    let outputs = model.predict_all(data.inputs())?;
    let (losses, _) = loss(&outputs, data.targets())?;
    check_losses(&losses, data.len())?;
    Ok(weighted(&losses, data) / data.weight(0..data.len() as u32))
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

/// The sum of the losses, each times the weight of its row.
fn weighted(losses: &[f32], data: &Dataset) -> f64 {
    let weight = |row: usize| data.weights().map_or(1.0, |weights| f64::from(weights[row]));
    losses.iter().enumerate().map(|(row, loss)| f64::from(*loss) * weight(row)).sum()
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
