//! The learning rate range test (Smith 2015, "Cyclical learning rates for training neural networks"): which rates a
//! model learns at, before it is trained.
//!
//! It runs on an executor of its own, with copies of the slabs: the model does not see it, whatever happens on the way.

#[cfg(feature = "plot")]
mod plot;

use super::feed::uniforms::{is_rate, shuffled};
use super::feed::{DATA_BUDGET, Feed};
use super::profile::copy_slabs;
use super::report::number;
use crate::data::Dataset;
use crate::kernels::Step;
use crate::model::{Model, Purpose};
use crate::{Error, Result};
use std::fmt;

/// The test ends where the smoothed loss is this many times its least value, if that is positive.
const DIVERGED: f64 = 4.0;

/// How to test: the settings of [`Model::range_test`](crate::model::Model::range_test).
///
/// Defaults: 100 steps from 1e-6 to 10, batches of 32, seed 0, smoothing 0.9.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangeTest {
    from: f64,
    to: f64,
    steps: usize,
    batch_size: usize,
    seed: u64,
    smoothing: f64,
}

impl Default for RangeTest {
    fn default() -> Self {
        Self { from: 1e-6, to: 10.0, steps: 100, batch_size: 32, seed: 0, smoothing: 0.9 }
    }
}

impl RangeTest {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The learning rates of the first and of the last step, both positive; between them each is the one before times
    /// the same factor.
    pub fn between(mut self, from: f64, to: f64) -> Self {
        (self.from, self.to) = (from, to);
        self
    }

    /// Training steps; at least 10.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Rows of a mini-batch; at least 1.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch_size = rows;
        self
    }

    /// Seed of shuffling and dropout.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// β of the moving average of the losses, at least 0 and below 1.
    pub fn smoothing(mut self, beta: f64) -> Self {
        self.smoothing = beta;
        self
    }

    fn check(&self) -> Result<()> {
        let wrong = |name, expected: &str, got: &dyn fmt::Display| {
            Err(Error::value("range_test", name, expected, got.to_string()))
        };
        if !is_rate(self.from) {
            return wrong("from", "positive and finite in f32", &self.from);
        }
        if !(self.to > self.from && is_rate(self.to)) {
            return wrong("to", &format!("above {} and finite in f32", self.from), &self.to);
        }
        if self.steps < 10 {
            return wrong("steps", "at least 10", &self.steps);
        }
        if self.batch_size == 0 {
            return wrong("batch_size", "at least 1", &self.batch_size);
        }
        if !(0.0..1.0).contains(&self.smoothing) {
            return wrong("smoothing", "at least 0 and below 1", &self.smoothing);
        }
        Ok(())
    }

    /// The learning rate of step `i`, counted from 0.
    fn rate(&self, i: usize) -> f64 {
        self.from * (self.to / self.from).powf(i.min(self.steps - 1) as f64 / (self.steps - 1) as f64)
    }
}

/// One step of a range test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RangePoint {
    /// The learning rate of the step.
    pub learning_rate: f64,
    /// The loss of its batch, before the step.
    pub loss: f64,
    /// The moving average of the losses up to here: `m ← β m + (1 - β) loss`, divided by `1 - βⁱ`.
    pub smoothed: f64,
}

/// What a range test found: the loss against the learning rate.
///
/// The curve ends where the loss diverges: at a NaN, an infinity, or four times the least smoothed loss. Where that is 0
/// or negative, as some losses may be, it ends above it by three times the largest size before. It prints as a table and
/// (feature `plot`) draws itself as SVG.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeCurve {
    /// The steps, with learning rates that grow.
    pub points: Vec<RangePoint>,
}

impl RangeCurve {
    /// `losses` of the steps; those of batches whose rows all weigh 0 are none, and make no point.
    fn new(settings: &RangeTest, losses: &[Option<f64>]) -> Self {
        let (mut points, mut mean) = (Vec::new(), 0.0);
        let (mut least, mut largest, mut size) = (f64::INFINITY, 0.0f64, 0.0);
        for (i, loss) in losses.iter().enumerate().filter_map(|(i, loss)| Some((i, (*loss)?))) {
            mean = settings.smoothing * mean + (1.0 - settings.smoothing) * loss;
            let smoothed = mean / (1.0 - settings.smoothing.powf((points.len() + 1) as f64));
            if !smoothed.is_finite() {
                break;
            }
            points.push(RangePoint { learning_rate: settings.rate(i), loss, smoothed });
            // How small a loss is that is not above 0 says nothing of what is far: the largest before it does.
            let limit = if least > 0.0 { DIVERGED * least } else { least + (DIVERGED - 1.0) * size };
            if smoothed > limit {
                break;
            }
            largest = largest.max(smoothed.abs());
            if smoothed < least {
                (least, size) = (smoothed, largest);
            }
        }
        Self { points }
    }

    /// The steps, with learning rates that grow.
    pub fn points(&self) -> &[RangePoint] {
        &self.points
    }

    /// Where the smoothed loss is least.
    fn lowest(&self) -> usize {
        let all = self.points.iter().enumerate();
        all.min_by(|a, b| a.1.smoothed.total_cmp(&b.1.smoothed)).map_or(0, |(at, _)| at)
    }

    /// The learning rate at which the smoothed loss falls fastest against the logarithm of the rate: the suggestion to
    /// train with. The first tenth of the steps is left out, where the average is over few, and so is all behind the
    /// least loss. `None` where the loss never falls.
    pub fn steepest(&self) -> Option<f64> {
        let last = self.lowest();
        let slope = |at: usize| {
            let (before, after) = (self.points.get(at.checked_sub(1)?)?, self.points.get(at + 1)?);
            Some(after.smoothed - before.smoothed)
        };
        let slopes = (self.points.len() / 10..last).filter_map(|at| Some((at, slope(at)?)));
        let falling = slopes.filter(|(_, slope)| *slope < 0.0);
        let (at, _) = falling.min_by(|a, b| a.1.total_cmp(&b.1))?;
        self.points.get(at).map(|point| point.learning_rate)
    }

    /// A tenth of the learning rate with the least smoothed loss: the more cautious rule. `None` for an empty curve.
    pub fn tenth_of_the_lowest(&self) -> Option<f64> {
        self.points.get(self.lowest()).map(|point| point.learning_rate / 10.0)
    }
}

/// A table of the steps, then what the rules suggest.
impl fmt::Display for RangeCurve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "learning_rate         loss     smoothed")?;
        for RangePoint { learning_rate, loss, smoothed } in &self.points {
            writeln!(f, "{learning_rate:>13.3e}  {:>11}  {:>11}", number(*loss), number(*smoothed))?;
        }
        let shown = |rate: Option<f64>| rate.map_or_else(|| "none".to_owned(), |rate| format!("{rate:.2e}"));
        write!(
            f,
            "steepest descent at {}, a tenth of the lowest loss's rate is {}",
            shown(self.steepest()),
            shown(self.tenth_of_the_lowest())
        )
    }
}

impl Model {
    /// A learning rate range test (Smith 2015): trains a copy of the model with a learning rate that grows from step to
    /// step, and reports the loss of each. The model stays as it is.
    ///
    /// # Errors
    /// As [`Model::fit`].
    ///
    /// ```
    /// use axone::prelude::*;
    /// use axone::train::RangeTest;
    ///
    /// let net = Sequential::new(1).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let before = model.weights()?;
    /// let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?;
    /// let curve = model.range_test(&data, &RangeTest::new())?;
    /// println!("{curve}");
    /// let rate = curve.steepest().unwrap();
    /// assert!(rate > 1e-3 && rate < 1.0);
    /// assert_eq!(model.weights()?, before);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn range_test(&mut self, data: &Dataset, settings: &RangeTest) -> Result<RangeCurve> {
        range_test(self, data, settings)
    }
}

fn range_test(model: &mut Model, data: &Dataset, settings: &RangeTest) -> Result<RangeCurve> {
    settings.check()?;
    let classes = model.check_data(data)?;
    let (device, optimizer) = (model.device().clone(), model.program().optimizer);
    let batch = settings.batch_size.min(data.len());
    let mut executor = device.executor();
    let id = executor.load(&model.program().plan(Purpose::Train, batch, &classes, true)?)?;
    let plan = executor.plan(id)?.clone();
    copy_slabs(model, &mut *executor)?;
    let mut feed = Feed::new(&mut *executor, &device, (id, &plan), data, DATA_BUDGET)?;
    let (before, weights) = (model.steps_done, model.program().weights_of_losses());
    let mut losses = Vec::new();
    for epoch in 1u64.. {
        let done = losses.len();
        if done >= settings.steps {
            break;
        }
        let order = shuffled(data.len(), settings.seed, epoch);
        let fill = |i: usize, step: &mut Step| {
            optimizer.fill(before.saturating_add((done + i) as u64 + 1), step);
            step.learning_rate = settings.rate(done + i) as f32;
            *step = step.seeded(settings.seed);
        };
        feed.run_steps(&mut *executor, &order, fill, |queued| done + queued < settings.steps)?;
        // More steps may have been queued than are left.
        let ran = feed.step_losses(&mut *executor, &order, &weights)?;
        losses.extend(ran.into_iter().take(settings.steps - done));
    }
    Ok(RangeCurve::new(settings, &losses))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(losses: &[f64]) -> usize {
        let losses: Vec<Option<f64>> = losses.iter().copied().map(Some).collect();
        RangeCurve::new(&RangeTest::new().smoothing(0.0), &losses).points.len()
    }

    #[test]
    fn a_curve_ends_where_the_loss_diverges_whatever_its_sign() {
        assert_eq!(steps(&[1.0, 0.5, 0.1, 0.3, 0.5, 9.0]), 5);
        // Through 0, as losses without a least value may go: what is small there is not what is far.
        assert_eq!(steps(&[2.0, 1.0, -0.001, 0.1, -0.5, 0.5, -2.0]), 7);
        assert_eq!(steps(&[0.5, 0.0, 0.5, 1.0, 1.6, 9.0]), 5);
        assert_eq!(steps(&[-1.0, -2.0, -1.0, 3.9, 4.1, 0.0]), 5);
        assert_eq!(steps(&[-1.0, -2.0, f64::NAN, 0.0]), 2);
    }
}
