//! The trials of a study, shared out between workers.
//!
//! What a trial is told of others depends on its number alone ([`Study::concurrency`]): a worker that comes to a trial
//! too early waits for those that it has to know. So the number of workers changes the time, and nothing else.

use super::log::Log;
use super::progress::Progress;
use super::record::{Record, Score, State};
use super::sampler::Past;
use super::trial::{Asked, Context, Space};
use super::{Pruner, Study, Trial, Trials, Value, workers};
use crate::train::StopFlag;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

type Objective<'a> = dyn Fn(&Trial) -> Result<Score> + Sync + 'a;

/// A study that runs.
struct Search<'a> {
    study: &'a Study,
    objective: &'a Objective<'a>,
    space: Space,
    stop: StopFlag,
    shared: Mutex<Shared>,
    /// A trial has ended.
    ended: Condvar,
}

/// What the workers share.
struct Shared {
    /// By number.
    records: Vec<Option<Arc<Record>>>,
    /// All trials below have ended.
    whole: usize,
    /// The next trial to begin.
    next: usize,
    /// What the sampler settled for each trial, as far as it was asked.
    proposals: Vec<BTreeMap<String, Value>>,
    log: Option<Log>,
    progress: Progress,
    /// Why no further trial begins.
    failed: Option<Error>,
    /// The study ends, with what has ended.
    stopping: bool,
}

/// `idle` is called by each worker that has no trial left.
pub(super) fn run(study: &Study, objective: &Objective<'_>, idle: &(dyn Fn() + Sync)) -> Result<Trials> {
    study.check()?;
    let space = Space::default();
    let (log, known) = match &study.log {
        Some(path) => Log::open(path, study, &space).map(|(log, records)| (Some(log), records))?,
        None => (None, Vec::new()),
    };
    let planned = study.planned();
    let mut progress = Progress::new(study.verbosity, &study.name, study.direction, planned.max(known.len()));
    progress.resume(&known);
    let mut records: Vec<Option<Arc<Record>>> = vec![None; planned];
    for record in known {
        let number = record.number;
        if number >= records.len() {
            records.resize(number + 1, None); // a log of more trials than are asked for now
        }
        records[number] = Some(Arc::new(record));
    }
    let stop = study.stop_flag.clone().unwrap_or_default();
    #[cfg(feature = "ctrl-c")]
    let _listening = study.ctrl_c.then(|| {
        let listener = crate::train::CtrlC::raising(stop.clone());
        listener.inspect_err(|why| progress.note(&format!("warning: {why}"))).ok()
    });
    let shared =
        Shared { records, whole: 0, next: 0, proposals: Vec::new(), log, progress, failed: None, stopping: false };
    let search = Search { study, objective, space, stop, shared: Mutex::new(shared), ended: Condvar::new() };
    let count = study.workers_of(planned);
    // Each worker comes back when nothing is left to do.
    let outcomes = workers::for_each((count, study.threads), count, |_| {
        search.work();
        idle();
        Ok(())
    });
    search.lock().progress.finish();
    outcomes?;
    search.finish()
}

impl Search<'_> {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One worker.
    fn work(&self) {
        while let Some((trial, number)) = self.next() {
            // If the objective panics, the others must not wait for its trial.
            let guard = Panic(self);
            let begun = Instant::now();
            let outcome = (self.objective)(&trial);
            std::mem::forget(guard);
            self.end(&trial, number, outcome, begun.elapsed().as_secs_f64());
        }
    }

    /// The next trial, once those that it has to know have ended; `None` where there is none.
    fn next(&self) -> Option<(Trial, usize)> {
        let mut shared = self.lock();
        loop {
            while shared.records.get(shared.next).is_some_and(Option::is_some) {
                shared.next += 1;
            }
            let number = shared.next;
            shared.stopping |= self.stop.is_raised();
            if number >= shared.records.len() || shared.failed.is_some() || shared.stopping {
                return None;
            }
            if self.study.lag().is_none_or(|lag| shared.advance() >= (number + 1).saturating_sub(lag)) {
                shared.next += 1;
                let context = self.context(&mut shared, number);
                return Some((Trial::new(number, context), number));
            }
            shared = self.ended.wait(shared).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn context(&self, shared: &mut Shared, number: usize) -> Context {
        let study = self.study;
        let known = |shared: &Shared, number: usize| -> Vec<Arc<Record>> {
            let end = study.lag().map_or(0, |lag| (number + 1).saturating_sub(lag));
            shared.records.iter().take(end).flatten().cloned().collect()
        };
        let proposed = if study.sampler.learns() {
            while shared.proposals.len() <= number {
                let next = shared.proposals.len();
                let known = known(shared, next);
                let first = study.lag().map_or(next, |lag| (next + 1).saturating_sub(lag));
                let proposal = {
                    let space = self.space.lock().unwrap_or_else(PoisonError::into_inner);
                    let pending = &shared.proposals[first..];
                    let (direction, seed) = (study.direction, study.seed);
                    study.sampler.propose(next, &Past { known: &known, pending, space: &space, direction, seed })
                };
                shared.proposals.push(proposal);
            }
            shared.proposals[number].clone()
        } else {
            study.sampler.propose(
                number,
                &Past {
                    known: &[],
                    pending: &[],
                    space: &BTreeMap::new(),
                    direction: study.direction,
                    seed: study.seed,
                },
            )
        };
        Context {
            space: Arc::clone(&self.space),
            known: if study.pruner == Pruner::None { Vec::new() } else { known(shared, number) },
            proposed,
            sampler: Some(study.sampler.clone()),
            pruner: study.pruner.clone(),
            direction: study.direction,
            study_seed: study.seed,
            stop: self.stop.clone(),
        }
    }

    /// Keeps a trial that has ended, and lets those begin that waited for it.
    fn end(&self, trial: &Trial, number: usize, outcome: Result<Score>, seconds: f64) {
        let asked = std::mem::take(&mut *trial.asked());
        let mut shared = self.lock();
        let fault = asked.fault.clone().or_else(|| self.mistake(number, &asked, &outcome));
        if let Some(error) = fault {
            shared.failed.get_or_insert(error);
        } else if asked.cut && self.stop.is_raised() {
            shared.stopping = true; // the trial has to be run again
        } else {
            let (state, scores, note) = match outcome {
                Err(error) => (State::Failed, Vec::new(), Some(error.to_string())),
                Ok(_) if asked.pruned.is_some() => (State::Pruned, Vec::new(), asked.pruned),
                Ok(score) => (State::Complete, score.folds().to_vec(), None),
            };
            let score = match state {
                State::Complete => Score::from(scores.clone()).mean(),
                State::Pruned => asked.reports.last().map_or(f64::NAN, |(_, value)| *value),
                State::Failed => f64::NAN,
            };
            let (parameters, reports, seed) = (asked.parameters, asked.reports, trial.seed());
            let record = Record { number, state, score, scores, parameters, reports, seconds, seed, note };
            if let Some(Err(error)) = shared.log.as_mut().map(|log| log.write(&record, &self.space)) {
                shared.failed.get_or_insert(error);
            }
            shared.progress.ended(&record);
            shared.records[number] = Some(Arc::new(record));
        }
        drop(shared);
        self.ended.notify_all();
    }

    /// What every trial of this objective would repeat.
    fn mistake(&self, number: usize, asked: &Asked, outcome: &Result<Score>) -> Option<Error> {
        let score = outcome.as_ref().ok().filter(|_| asked.pruned.is_none() && !asked.cut)?;
        if asked.parameters.is_empty() {
            return Some(Error::value("study", "space", "at least one parameter that a trial asks for", "none"));
        }
        if score.folds().is_empty() {
            return Some(Error::value(format!("trial {number}"), "score", "at least one number", "none"));
        }
        self.study.sampler.left_out(number, &asked.parameters)
    }

    fn finish(self) -> Result<Trials> {
        let shared = self.shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = shared.failed {
            return Err(error);
        }
        let planned = shared.records.len();
        let records: Vec<Record> = shared.records.into_iter().flatten().map(Arc::unwrap_or_clone).collect();
        let text = || format!("stopped from outside after {} of {planned} trials", records.len());
        let stopped = (shared.stopping && records.len() < planned).then(text);
        if let Some(text) = &stopped {
            shared.progress.note(text);
        }
        Ok(Trials { name: self.study.name.clone(), direction: self.study.direction, records, stopped })
    }
}

impl Shared {
    /// How many trials from the first on have ended without a gap.
    fn advance(&mut self) -> usize {
        while self.records.get(self.whole).is_some_and(Option::is_some) {
            self.whole += 1;
        }
        self.whole
    }
}

/// Lets the other workers end if this one panics.
struct Panic<'a>(&'a Search<'a>);

impl Drop for Panic<'_> {
    fn drop(&mut self) {
        self.0.lock().stopping = true;
        self.0.ended.notify_all();
    }
}
