//! Calibration: of the rows to which a model gives a probability of 0.8, are 80 % positive?

use super::{check_rows, weight};
use crate::{Error, Result};

/// Most bins.
const MOST: usize = 1000;

/// The rows whose probability falls into one bin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The mean of their probabilities, by weight; NaN where there are none.
    pub predicted: f64,
    /// The share of positive rows among them, by weight; NaN where there are none.
    pub observed: f64,
    /// Their weight.
    pub weight: f64,
}

/// What a model promises against what comes true, in bins of equal width from 0 to 1.
///
/// With the feature `plot` it draws itself: `write_svg`.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationCurve {
    bins: Vec<CalibrationBin>,
}

impl CalibrationCurve {
    /// The bins, from 0 up. The first holds 0 and its upper end, the others their upper end alone.
    pub fn bins(&self) -> &[CalibrationBin] {
        &self.bins
    }

    /// The expected calibration error, `Σ w |observed - predicted| / Σ w` over the bins: 0 for a model that means what it
    /// says.
    pub fn expected_error(&self) -> f64 {
        let total: f64 = self.bins.iter().map(|bin| bin.weight).sum();
        let filled = self.bins.iter().filter(|bin| bin.weight > 0.0);
        filled.map(|bin| bin.weight * (bin.observed - bin.predicted).abs()).sum::<f64>() / total
    }
}

/// The calibration of `probabilities` against `truth`, in which 1 is positive and 0 negative, in `bins` bins of equal
/// width. Bins with rows are those of scikit-learn's `calibration_curve(strategy="uniform")`.
///
/// M. H. DeGroot, S. E. Fienberg, "The Comparison and Evaluation of Forecasters", The Statistician 32, 1983; the error:
/// M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015.
///
/// # Errors
/// As [`accuracy`](super::accuracy); [`Error::Data`] for a label other than 0 and 1 and for a number that is no
/// probability; [`Error::Value`] unless there are 1 to 1000 bins.
///
/// ```
/// let curve = axone::metrics::calibration_curve(&[0, 1, 1, 1], &[0.1, 0.3, 0.8, 0.9], 2, None)?;
/// assert_eq!((curve.bins()[0].observed, curve.bins()[1].observed), (0.5, 1.0));
/// assert!((curve.expected_error() - (0.5 * 0.3 + 0.5 * 0.15)).abs() < 1e-7);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn calibration_curve(
    truth: &[u32],
    probabilities: &[f32],
    bins: usize,
    weights: Option<&[f32]>,
) -> Result<CalibrationCurve> {
    check_rows("calibration", truth.len(), &[("probabilities", probabilities.len())], weights)?;
    if !(1..=MOST).contains(&bins) {
        return Err(Error::value("calibration", "bins", format!("1 to {MOST}"), bins));
    }
    let mut sums = vec![[0.0; 3]; bins]; // weight, of the positive, times the probability
    for (row, (&label, &probability)) in truth.iter().zip(probabilities).enumerate() {
        let weight = weight(weights, row);
        if weight == 0.0 {
            continue;
        }
        if label > 1 {
            return Err(Error::data(format!("calibration truth row {row}"), format!("{label} is neither 0 nor 1")));
        }
        if !(0.0..=1.0).contains(&probability) {
            let place = format!("calibration probabilities row {row}");
            return Err(Error::data(place, format!("{probability} is not a probability from 0 to 1")));
        }
        // As many inner ends as lie below.
        let bin = (1..bins).filter(|end| *end as f64 / (bins as f64) < f64::from(probability)).count();
        let of = &mut sums[bin];
        *of = [of[0] + weight, of[1] + weight * f64::from(label), of[2] + weight * f64::from(probability)];
    }
    let bin = |[weight, positive, predicted]: [f64; 3]| CalibrationBin {
        predicted: predicted / weight,
        observed: positive / weight,
        weight,
    };
    Ok(CalibrationCurve { bins: sums.into_iter().map(bin).collect() })
}
