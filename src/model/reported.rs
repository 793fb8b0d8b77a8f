//! What a model reports of each epoch: names, their directions, and where in the log a value comes from.

use super::Program;
use crate::losses::Task;
use crate::metrics::{Direction, Metric};
use crate::{Error, Result};

/// A value of the report, under its name.
pub(crate) struct Reported {
    pub name: String,
    pub direction: Direction,
    pub entry: Entry,
}

/// Where a value comes from.
pub(crate) enum Entry {
    Loss,
    /// The mean of a slot of the log; of which output, if of one.
    Slot(usize, Option<usize>),
    /// Of an output.
    More(usize, Metric),
}

/// The values that an epoch reports, by name: `loss`, then of each output its loss (where there are several) and its
/// metrics; then the losses without a target.
pub(crate) fn reported(program: &Program) -> Vec<Reported> {
    let count = program.losses.len();
    let loss = |name: String, entry| Reported { name, direction: Direction::Minimize, entry };
    let mut entries = vec![loss("loss".to_owned(), Entry::Loss)];
    let losses = count + program.network.added_losses().count();
    let parts = program.network.outputs().zip(&program.losses).zip(&program.watched);
    for (i, ((output, of_output), watched)) in parts.enumerate() {
        let prefix = if count == 1 { String::new() } else { format!("{}_", output.name) };
        if count > 1 {
            entries.push(loss(format!("{prefix}loss"), Entry::Slot(i, Some(i))));
        }
        let own = match of_output.task() {
            Task::Classes | Task::YesNo => Metric::Accuracy,
            Task::Numbers => Metric::MeanAbsoluteError,
        };
        let more = watched.metrics.iter().filter(|metric| **metric != own).cloned();
        let more = more.map(|metric| (metric.name(), metric.direction(), Entry::More(i, metric)));
        let first = (of_output.metric().to_owned(), own.direction(), Entry::Slot(losses + i, Some(i)));
        entries.extend([first].into_iter().chain(more).filter_map(|(name, direction, entry)| {
            Some(Reported { name: format!("{prefix}{name}"), direction: direction?, entry })
        }));
    }
    let added = program.network.added_losses().zip(count..);
    entries.extend(added.map(|((value, _), slot)| loss(format!("{value}_loss"), Entry::Slot(slot, None))));
    entries
}

/// Refuses names of outputs by which two values of a report would have one name; `place` is the call that asks for it.
pub(super) fn check_names(program: &Program, place: &str) -> Result<()> {
    let count = program.losses.len();
    let added: Vec<&str> = program.network.added_losses().map(|(value, _)| value).collect();
    let output = |i: usize| program.network.outputs().nth(i).map_or("", |output| &output.name);
    let meaning = |entry| match entry {
        Entry::Loss => "the loss of all outputs".to_owned(),
        Entry::Slot(slot, None) => format!("the loss of {}", added[slot - count]),
        Entry::Slot(slot, Some(i)) if slot < count => format!("the loss of {}", output(i)),
        Entry::Slot(_, Some(i)) => {
            format!("the {} of {}", program.losses[i].metric(), output(i))
        }
        Entry::More(i, metric) => format!("the {metric} of {}", output(i)),
    };
    let own: Vec<_> = reported(program).into_iter().map(|it| (it.name, meaning(it.entry))).collect();
    let held_out = own.iter().map(|(name, what)| (format!("val_{name}"), format!("{what} on validation data")));
    let all: Vec<_> = own.iter().cloned().chain(held_out).collect();
    for (i, (name, second)) in all.iter().enumerate() {
        if let Some((_, first)) = all[..i].iter().find(|(known, _)| known == name) {
            let wanted = "such that every reported value has a name of its own";
            let got = format!("\"{name}\" for {first} and for {second}");
            return Err(Error::value(place, "output names", wanted, got));
        }
    }
    Ok(())
}
