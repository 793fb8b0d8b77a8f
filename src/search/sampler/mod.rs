//! Samplers: who names the parameters of the next trial.
//!
//! Every draw comes from a stream of its own, keyed by the seed of the study, the number of the trial and the name of
//! the parameter: what a trial gets depends neither on the order in which it asks nor on what other trials draw.

mod grid;
mod parzen;
mod tpe;

pub use grid::Grid;
pub(super) use parzen::Mixture;
pub use tpe::Tpe;

use super::{Domain, Record, Value};
use crate::metrics::Direction;
use crate::random::{Stream, stream_key, threefry2x32};
use crate::{Error, Result};
use rand::RngExt;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Away from initialisation, shuffling, splits and dropout.
const SEARCH_STREAM: u32 = u32::from_be_bytes(*b"sear");

/// The random numbers of a trial for one purpose.
pub(super) fn stream(seed: u64, number: usize, name: &str) -> Stream {
    let key = stream_key(seed, SEARCH_STREAM, number as u32);
    let words = name.as_bytes().chunks(4).map(|chunk| chunk.iter().fold(0, |word, byte| word << 8 | u32::from(*byte)));
    Stream::of_key(words.zip(1..).fold(key, |key, (word, place)| threefry2x32(key, [word, place])))
}

/// Random search (Bergstra & Bengio 2012, "Random search for hyper-parameter optimization"): every parameter uniform on
/// its scale, independent of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Random;

/// Who names the parameters of a study.
#[derive(Debug, Clone, PartialEq)]
pub enum Sampler {
    /// Each combination of lists once.
    Grid(Grid),
    /// At random.
    Random,
    /// Where good trials are dense.
    Tpe(Tpe),
}

impl Default for Sampler {
    fn default() -> Self {
        Sampler::Tpe(Tpe::new())
    }
}

impl From<Random> for Sampler {
    fn from(_: Random) -> Self {
        Sampler::Random
    }
}

impl From<Grid> for Sampler {
    fn from(grid: Grid) -> Self {
        Sampler::Grid(grid)
    }
}

impl From<Tpe> for Sampler {
    fn from(tpe: Tpe) -> Self {
        Sampler::Tpe(tpe)
    }
}

/// What a sampler may look at when it settles a trial before it begins.
pub(super) struct Past<'a> {
    /// Trials that have ended and whose numbers are far enough back.
    pub known: &'a [Arc<Record>],
    /// What the trials between those and this one were given.
    pub pending: &'a [BTreeMap<String, Value>],
    pub space: &'a BTreeMap<String, Domain>,
    pub direction: Direction,
    pub seed: u64,
}

impl Sampler {
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Sampler::Grid(grid) => grid.check(),
            Sampler::Random => Ok(()),
            Sampler::Tpe(tpe) => tpe.check(),
        }
    }

    /// How many trials there can be.
    pub(super) fn most(&self) -> Option<usize> {
        match self {
            Sampler::Grid(grid) => Some(grid.len()),
            Sampler::Random | Sampler::Tpe(_) => None,
        }
    }

    /// Whether it learns from trials that have ended.
    pub(super) fn learns(&self) -> bool {
        matches!(self, Sampler::Tpe(_))
    }

    /// What is settled before trial `number` begins.
    pub(super) fn propose(&self, number: usize, past: &Past<'_>) -> BTreeMap<String, Value> {
        match self {
            Sampler::Grid(grid) => grid.point(number),
            Sampler::Random => BTreeMap::new(),
            Sampler::Tpe(tpe) => tpe.propose(number, past),
        }
    }

    /// The value of a parameter that was not settled; `at` is the seed of the study and the number of the trial. What
    /// the trials that are known never asked for, nobody has learnt anything about.
    pub(super) fn alone(&self, name: &str, domain: &Domain, at: (u64, usize)) -> Result<Value> {
        match self {
            Sampler::Grid(grid) => {
                let expected = format!("one of {}", grid.names().join(", "));
                Err(Error::value(format!("grid, trial {}", at.1), "parameter", expected, name))
            }
            Sampler::Random | Sampler::Tpe(_) => Ok(uniform(domain, &mut stream(at.0, at.1, name))),
        }
    }
}

/// Any value of a domain, each part of its scale as likely as any other.
fn uniform(domain: &Domain, random: &mut Stream) -> Value {
    match domain {
        Domain::Choice { options } => domain.option(random.random_range(0..options.len())),
        _ => domain.value(random.random::<f64>()),
    }
}
