//! A race between ways to compute one matrix product.
//!
//! Each runs on random numbers of the product's sizes. The first is right by definition: whatever computes other bits
//! is out. The others take turns, so that a busy machine slows all alike, and the one with the fastest turn wins.

use super::runner::{Runner, smaller};
use crate::kernels::Matmul;
use crate::plan::Executor;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// Turns of each runner, as long as the budget lasts; the first is always run.
const TURNS: usize = 5;
/// For the turns of all runners together.
const BUDGET: Duration = Duration::from_millis(150);
/// Products of a proof at most.
const PROOFS: usize = 20;

/// How a race ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Race {
    /// The place among the runners of the fastest one that is right.
    pub fastest: usize,
    /// Seconds of each one's fastest product; `None` for those that are out.
    pub seconds: Vec<Option<f64>>,
    /// The places of those that computed other bits than the first.
    pub wrong: Vec<usize>,
    /// The places of those that could not be built or run, and why.
    pub failed: Vec<(usize, Error)>,
}

/// A race between `runners`, which all compute the same product, each on an executor of its own. A runner that cannot be
/// built or run is out, as one is that computes other bits than the first.
///
/// # Errors
/// [`Error::Gpu`] where the first cannot be built or run, [`Error::Internal`] without runners.
///
/// ```
/// use axone::gpu::race;
/// use axone::kernels::Matmul;
///
/// let product = Matmul::new(8, 8, 8, false, false);
/// let other = Matmul::new(8, 8, 8, false, true);
/// let result = race(&|| axone::Device::cpu().executor(), &[product, other])?;
/// assert_eq!((result.fastest, result.wrong), (0, vec![1]));
/// # Ok::<(), axone::Error>(())
/// ```
pub fn race(executor: &dyn Fn() -> Box<dyn Executor>, runners: &[Matmul]) -> Result<Race> {
    let mut wanted: Option<Vec<u32>> = None;
    let (mut racing, mut wrong, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    // The first judges the others: where it fails, so does the race.
    let mut out = |place: usize, error: Error| match place {
        0 => Err(error),
        _ => {
            failed.push((place, error));
            Ok(())
        }
    };
    for (place, product) in runners.iter().enumerate() {
        let ready = Runner::new(executor(), &smaller(product)).and_then(|mut runner| {
            let got = runner.result()?;
            let right = *wanted.get_or_insert_with(|| got.clone()) == got;
            if right {
                runner.calibrate()?;
            }
            Ok((right, runner))
        });
        match ready {
            Ok((true, runner)) => racing.push((place, runner)),
            Ok((false, _)) => wrong.push(place),
            Err(error) => out(place, error)?,
        }
    }
    let begun = Instant::now();
    for turn in 0..TURNS {
        if turn > 0 && begun.elapsed() > BUDGET {
            break;
        }
        let mut still = Vec::with_capacity(racing.len());
        for (place, mut runner) in racing {
            match runner.time() {
                Ok(seconds) => {
                    runner.best = runner.best.min(seconds);
                    still.push((place, runner));
                }
                Err(error) => out(place, error)?,
            }
        }
        racing = still;
    }
    let fastest = racing.iter().min_by(|(_, a), (_, b)| a.best.total_cmp(&b.best));
    let (fastest, _) = fastest.ok_or_else(|| Error::Internal("a race without runners".to_owned()))?;
    let mut seconds = vec![None; runners.len()];
    for (place, runner) in &racing {
        seconds[*place] = Some(runner.best);
    }
    Ok(Race { fastest: *fastest, seconds, wrong, failed })
}

/// What speaks against `candidate`: that it cannot be built or run, or that its bits are not those of `judge`. Every sum
/// of the product is exact in f32, in any order, and its operands are exact in f16. It is repeated up to [`PROOFS`]
/// times, as long as the budget lasts: what is wrong in some runs alone is wrong.
///
/// # Errors
/// [`Error::Gpu`] where `judge` cannot be built or run.
pub(super) fn objection(
    executor: &dyn Fn() -> Box<dyn Executor>,
    judge: &Matmul,
    candidate: &Matmul,
) -> Result<Option<String>> {
    let exact = |x: f32| (x * 128.0).round() / 128.0;
    let wanted = Runner::with(executor(), judge, exact)?.result()?;
    let agrees = || -> Result<bool> {
        let mut runner = Runner::with(executor(), candidate, exact)?;
        let begun = Instant::now();
        for turn in 0..PROOFS {
            if turn > 0 && begun.elapsed() > BUDGET {
                break;
            }
            if runner.result()? != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    };
    Ok(match agrees() {
        Ok(true) => None,
        Ok(false) => Some("computes wrong sums".to_owned()),
        Err(error) => Some(format!("does not run: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Device;
    use crate::kernels::Tile;
    use std::cell::Cell;

    /// A device on which nothing is computed, and which has no cooperative matrices.
    fn noop() -> Device {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::NOOP;
        descriptor.backend_options.noop.enable = true;
        let instance = wgpu::Instance::new(descriptor);
        let adapter = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::NOOP)).remove(0);
        let (device, queue) = pollster::block_on(adapter.request_device(&Default::default())).unwrap();
        Device::from_wgpu(&adapter, device, queue)
    }

    /// Two forms of a product agree with themselves and not with each other.
    #[test]
    fn wrong_sums_are_seen() {
        let executor = || Device::cpu().executor();
        let product = |transposed| Matmul::new(16, 16, 16, false, transposed);
        let against = |a, b| objection(&executor, &product(a), &product(b)).unwrap();
        assert_eq!((against(false, false), against(true, true)), (None, None));
        assert_eq!(against(false, true).as_deref(), Some("computes wrong sums"));
    }

    /// A runner that its device refuses is out, in a race and in a proof; without the judge there is neither.
    #[test]
    fn what_does_not_run_is_out() {
        let built = Cell::new(0);
        // The second executor is one that cannot run the second product.
        let executor = || {
            let second = built.replace(built.get() + 1) % 3 == 1;
            if second { noop().executor() } else { Device::cpu().executor() }
        };
        let right = Matmul::new(16, 16, 16, false, false);
        let refused = Matmul { tile: Some(Tile::Cooperative16), ..right.clone() };
        let result = race(&executor, &[right.clone(), refused.clone(), right.clone()]).unwrap();
        assert!(matches!(result.failed.as_slice(), [(1, Error::Unsupported { .. })]), "{result:?}");
        assert!(result.fastest != 1 && result.seconds[1].is_none() && result.seconds[2].is_some(), "{result:?}");
        built.set(0);
        let objection = objection(&executor, &right, &refused).unwrap().unwrap();
        assert!(objection.starts_with("does not run: ") && objection.contains("cooperative_16"), "{objection}");
        built.set(1);
        assert!(race(&executor, &[refused, right]).is_err());
    }
}
