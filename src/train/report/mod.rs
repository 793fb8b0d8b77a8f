//! From the log of an epoch to the values it reports.
//!
//! The log's slots are the losses of the outputs and those without a target, then the metrics of the outputs, then, output by output, what further
//! metrics need.

mod evaluation;
mod history;
#[cfg(feature = "plot")]
mod plot;

pub use evaluation::Evaluation;
pub(crate) use history::number;
pub use history::{Epoch, History};
pub(in crate::train) use history::{csv_header, csv_line};

use super::feed::log::Logged;
use crate::Result;
use crate::metrics::{Direction, Need, OutputLog, needs};
use crate::model::Model;
use crate::model::reported::{Entry, reported};
use evaluation::Details;

/// The names that an epoch reports, and which of their values are the better ones.
pub(super) fn names(model: &Model) -> Vec<(String, Direction)> {
    reported(model.program()).into_iter().map(|reported| (reported.name, reported.direction)).collect()
}

/// The names and values that an epoch reports.
pub(super) fn values(model: &Model, logged: &Logged<'_>) -> Result<Vec<(String, f64)>> {
    let outputs = outputs(model, logged);
    let value = |entry: Entry| match entry {
        Entry::Loss => Ok(logged.loss(&model.program().weights_of_losses())),
        Entry::Slot(slot, output) => Ok(logged.mean(slot, output)),
        Entry::More(output, metric) => outputs.get(output).map_or(Ok(f64::NAN), |of| of.value(&metric)),
    };
    reported(model.program()).into_iter().map(|reported| Ok((reported.name, value(reported.entry)?))).collect()
}

/// The values, with confusion matrices and curves.
pub(super) fn evaluation(model: &Model, logged: &Logged<'_>) -> Result<Evaluation> {
    let details = outputs(model, logged).into_iter().zip(&model.program().watched).map(|(output, watched)| Details {
        output: output.name.to_owned(),
        confusion: output.confusion_matrix(&watched.metrics),
        curve: output.roc_curve(&watched.metrics),
    });
    Ok(Evaluation { values: values(model, logged)?, details: details.collect() })
}

/// Leaves out what is reported of outputs that are not to `stay`.
pub(super) fn keep_outputs(model: &Model, found: &mut Evaluation, stay: impl Fn(usize) -> bool) {
    let stays = reported(model.program()).into_iter().map(|reported| match reported.entry {
        Entry::Loss | Entry::Slot(_, None) => true,
        Entry::Slot(_, Some(output)) | Entry::More(output, _) => stay(output),
    });
    let mut stays = stays.collect::<Vec<_>>().into_iter();
    found.values.retain(|_| stays.next() == Some(true));
    let mut output = 0..;
    found.details.retain(|_| output.next().is_some_and(&stay));
}

/// Each output with what the log has of it; none where the targets are not there, which is where no metric asks for
/// them.
fn outputs<'a>(model: &'a Model, logged: &'a Logged<'_>) -> Vec<OutputLog<'a>> {
    let program = model.program();
    let mut next = program.weights_of_losses().len() + program.losses.len();
    let parts = program.network.outputs().zip(&program.losses).zip(&program.watched).zip(logged.targets);
    let mut outputs = Vec::new();
    for (i, (((value, loss), watched), target)) in parts.enumerate() {
        let (task, columns) = (loss.task(), value.shape.iter().product());
        let mut read = |need: Need| {
            let own = next..next + need.slots(columns);
            next = own.end;
            (need, own.map(|slot| logged.by_row(slot)).collect())
        };
        outputs.push(OutputLog {
            name: &value.name,
            task,
            columns,
            threshold: watched.threshold,
            target,
            weights: logged.weights_of(Some(i)),
            order: &logged.order,
            logged: needs(&watched.metrics, task).into_iter().map(&mut read).collect(),
        });
    }
    outputs
}
