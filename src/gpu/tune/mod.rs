//! Fits a plan to one adapter: the tile of each matrix product. A plan does not know where it will run, so lowering
//! leaves the tile open and loading settles it here, by a rule ([`choose`]) or by a race between the tiles that the
//! adapter can run. Tiles agree bit for bit, and a tile that does not loses its race: so a timing that comes out
//! differently the next day changes no result. So does a tile that a driver does not compile or run: the smallest, which
//! judges, is the only one that must.
//!
//! The environment variable `AXONE_TUNE` says how:
//!
//! | value | tile |
//! |---|---|
//! | `off` | the one that runs everywhere, for every product |
//! | `rule` | by the rule; the default on software adapters, where it was measured |
//! | `time` | the fastest; the default on hardware, where the rule is a guess |
//!
//! A product with an operand of f16 goes to cooperative matrices where the adapter has them, by a rule alone, since their
//! bits are their own. Before the first such product of a form they must multiply numbers right whose sums are exact.
//!
//! Products of about one size, form and epilogue are a class; a class is timed once, in about a fifth of a second
//! beside the compilation of its kernels, and the choice is kept on disk ([`Cache`]).

mod cache;
mod race;
mod runner;

pub use race::{Race, race};

use super::{Context, GpuExecutor};
use crate::kernels::matmul::{choose, choose_cooperative};
use crate::kernels::{Abilities, Epilogue, Kernel, Matmul, Spec, Tile};
use crate::plan::device_info::DeviceKind;
use crate::plan::{Executor, Plan};
use crate::text::say;
use crate::{Error, Result};
use cache::Cache;
use race::objection;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How tiles are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Rule,
    Time,
}

impl Mode {
    fn of(kind: DeviceKind) -> Result<Self> {
        let wanted = std::env::var_os("AXONE_TUNE").unwrap_or_default();
        match wanted.to_str() {
            Some("") if kind == DeviceKind::Software => Ok(Mode::Rule),
            Some("" | "time") => Ok(Mode::Time),
            Some("rule") => Ok(Mode::Rule),
            Some("off") => Ok(Mode::Off),
            _ => {
                let got = format!("\"{}\"", wanted.to_string_lossy());
                Err(Error::value("environment", "AXONE_TUNE", "`off`, `rule` or `time`", got))
            }
        }
    }
}

/// What an open device has found out about its tiles.
#[derive(Default)]
pub(super) struct Tuner {
    cache: Mutex<Option<Cache>>,
    /// Whether a tile of cooperative matrices is right, by tile and form.
    proved: Mutex<HashMap<(Tile, bool, bool), bool>>,
}

/// `plan` with every choice made that was left to the device, where the device can run it.
pub(super) fn fitted(context: &Arc<Context>, plan: &Plan) -> Result<Plan> {
    if !context.has_f16() && plan.temporaries.iter().any(|storage| storage.half) {
        let (what, device) = (format!("plan {} in f16", plan.name), context.info().name.clone());
        return Err(Error::Unsupported { what, device });
    }
    let (bytes, largest) = plan.largest();
    context.check_size(|| format!("{largest} of plan {} (batch {})", plan.name, plan.batch), bytes)?;
    tuned(context, plan)
}

/// `plan` with every choice made that depends on the adapter; one that was made already must run there.
fn tuned(context: &Arc<Context>, plan: &Plan) -> Result<Plan> {
    let (mut plan, given) = (plan.clone(), plan);
    for step in &mut plan.steps {
        let in_half = step.operands.iter().take(2).any(|range| given.is_half(range.buffer));
        let Kernel::Matmul(matmul) = &mut step.kernel else { continue };
        let ruled = if in_half && matmul.tile.is_none() { cooperative(context, matmul)? } else { None };
        let tile = match matmul.tile.or(ruled) {
            Some(tile) => tile,
            None => choice(context, matmul)?,
        };
        if !tile.runs_on(context.abilities) || !tile.takes(&matmul.params) {
            let (m, n) = (matmul.params.m, matmul.params.n);
            let (what, device) = (format!("matmul tile {tile} for {m} x {n}"), context.info().name.clone());
            return Err(Error::Unsupported { what, device });
        }
        matmul.tile = Some(tile);
        matmul.pairs = context.abilities.int64 && !in_half;
    }
    Ok(plan)
}

/// Sizes that cooperative matrices must multiply right: one that no block divides, and one with many slices of the sums in
/// many workgroups, where a slice that is read before it is written would show.
const PROOFS: [(usize, usize, usize); 2] = [(140, 132, 100), (512, 512, 2048)];

/// The tile of cooperative matrices for a product with an operand of f16, where the adapter has one and it is right.
fn cooperative(context: &Arc<Context>, matmul: &Matmul) -> Result<Option<Tile>> {
    let Some(tile) = choose_cooperative(matmul, context.abilities) else { return Ok(None) };
    if matches!(Mode::of(context.info().kind)?, Mode::Off) {
        return Ok(None);
    }
    let (a, b) = (matmul.transpose_a, matmul.transpose_b);
    let proved = || context.tuner.proved.lock().unwrap_or_else(PoisonError::into_inner);
    let known = proved().get(&(tile, a, b)).copied();
    let right = match known {
        Some(right) => right,
        None => {
            let executor = || -> Box<dyn Executor> { Box::new(GpuExecutor::new(Arc::clone(context))) };
            let mut against = None;
            for (m, n, k) in PROOFS {
                let product = |tile| Matmul { tile: Some(tile), ..Matmul::new(m, n, k, a, b) };
                against = against.or(objection(&executor, &product(Tile::Small), &product(tile))?);
            }
            if let Some(reason) = &against {
                let device = &context.info().name;
                say(&format!("axone: {device}: matmul tile {tile} {reason}: not used"));
            }
            proved().insert((tile, a, b), against.is_none());
            against.is_none()
        }
    };
    Ok(right.then_some(tile))
}

fn choice(context: &Arc<Context>, matmul: &Matmul) -> Result<Tile> {
    let tiles = match Mode::of(context.info().kind)? {
        Mode::Off => return Ok(Tile::Small),
        Mode::Rule => return Ok(choose(matmul, context.abilities)),
        Mode::Time => candidates(matmul, context.abilities),
    };
    let class = class(matmul);
    let known = |cache: &mut Option<Cache>| {
        let cache = cache.get_or_insert_with(|| Cache::read(context.info()));
        cache.get(&class).filter(|tile| tiles.contains(tile))
    };
    let kept = || context.tuner.cache.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tile) = known(&mut kept()) {
        return Ok(tile);
    }
    // The lock is free while the race runs: its own plans come through here too.
    let products: Vec<Matmul> = tiles.iter().map(|&tile| Matmul { tile: Some(tile), ..matmul.clone() }).collect();
    let executor = || -> Box<dyn Executor> { Box::new(GpuExecutor::new(Arc::clone(context))) };
    let race = race(&executor, &products)?;
    let device = &context.info().name;
    for tile in race.wrong.iter().filter_map(|&i| tiles.get(i)) {
        let small = Tile::Small;
        say(&format!("axone: {device}: matmul tile {tile} computes other bits than {small} in {class}: not used"));
    }
    for (tile, error) in race.failed.iter().filter_map(|(i, error)| tiles.get(*i).zip(Some(error))) {
        say(&format!("axone: {device}: matmul tile {tile} does not run in {class}: {error}: not used"));
    }
    let fastest = tiles.get(race.fastest).copied().unwrap_or(Tile::Small);
    if let Some(cache) = kept().as_mut() {
        cache.insert(class, fastest);
    }
    Ok(fastest)
}

/// Workgroups of the smallest tile that leave no GPU idle.
const MANY_WORKGROUPS: u64 = 512;

/// The tiles worth a race: the smallest, which judges the others, those whose block is not mostly beside the result, and
/// the finest where a GPU may have more room than the others fill.
fn candidates(matmul: &Matmul, device: Abilities) -> Vec<Tile> {
    let (m, n) = (matmul.params.m as usize, matmul.params.n as usize);
    let fits = |(rows, cols): (usize, usize)| {
        let wide_enough = |block: usize, size: usize| block <= size.next_power_of_two().max(32);
        wide_enough(rows, m) && (wide_enough(cols, n) || rows == 4) && (rows > 4 || m <= 16) && (cols > 16 || n <= 64)
    };
    let idle = Matmul { tile: Some(Tile::Small), ..matmul.clone() }.workgroups() < MANY_WORKGROUPS;
    let fits = |tile: &Tile| fits(tile.block()) && (*tile != Tile::Fine || idle);
    let can = |tile: &Tile| tile.runs_on(device) && tile.takes(&matmul.params) && fits(tile);
    let others = Tile::ALL.into_iter().filter(|tile| *tile != Tile::Small && can(tile));
    std::iter::once(Tile::Small).chain(others).collect()
}

/// Form, epilogue, alignment, and sizes to the next power of two: what is taken to have one best tile.
fn class(matmul: &Matmul) -> String {
    let p = matmul.params;
    let form = |transposed: bool| if transposed { 't' } else { 'n' };
    let (a, b) = (form(matmul.transpose_a), form(matmul.transpose_b));
    let epilogue = match matmul.epilogue {
        Epilogue::Plain => "plain",
        Epilogue::BiasRow { .. } => "bias_row",
        Epilogue::Bias(_) => "bias",
        Epilogue::Gradient(_) => "gradient",
        Epilogue::InParts { .. } => "in_parts",
    };
    let [m, n, k] = [p.m, p.n, p.k].map(|size| u64::from(size).next_power_of_two());
    let aligned: String = [p.m, p.n, p.k].map(|size| if size % 4 == 0 { '4' } else { '1' }).iter().collect();
    format!("{a}{b} {epilogue} {m}x{n}x{k} by {aligned}")
}
