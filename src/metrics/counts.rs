//! Right and wrong rows of each class.

use super::{Average, check_rows};
use crate::data::MOST_CLASSES;
use crate::{Error, Result};

/// Sums of the rows' weights for each class.
pub(crate) struct Counts {
    /// Rightly taken for it.
    hits: Vec<f64>,
    /// Of it.
    truths: Vec<f64>,
    /// Taken for it.
    predictions: Vec<f64>,
    /// Whether a row is of it or taken for it, whatever its weight.
    occurs: Vec<bool>,
}

/// Largest label + 1.
pub(super) fn classes(name: &str, truth: &[u32], predicted: &[Option<u32>], most: usize) -> Result<usize> {
    let largest = truth.iter().chain(predicted.iter().flatten()).max().map_or(0, |label| *label as usize);
    if largest >= most {
        return Err(Error::value(name, "labels", format!("less than {most}"), largest));
    }
    Ok(largest + 1)
}

impl Counts {
    /// Of true classes, and those that rows are taken for: none, where a model gives NaN.
    pub fn new(name: &str, truth: &[u32], predicted: &[Option<u32>], weights: Option<&[f32]>) -> Result<Self> {
        check_rows(name, truth.len(), &[("predicted", predicted.len())], weights)?;
        let classes = classes(name, truth, predicted, MOST_CLASSES)?;
        let zeros = || vec![0.0; classes];
        let (mut hits, mut truths, mut predictions) = (zeros(), zeros(), zeros());
        let mut occurs = vec![false; classes];
        for (row, (&truth, &predicted)) in truth.iter().zip(predicted).enumerate() {
            let (weight, of) = (super::weight(weights, row), truth as usize);
            (truths[of], occurs[of]) = (truths[of] + weight, true);
            if let Some(predicted) = predicted.map(|class| class as usize) {
                (predictions[predicted], occurs[predicted]) = (predictions[predicted] + weight, true);
                hits[of] += if of == predicted { weight } else { 0.0 };
            }
        }
        Ok(Self { hits, truths, predictions, occurs })
    }

    pub fn precision(&self, average: Average) -> Result<f64> {
        self.average("precision", average, |hits, _, predictions| ratio(hits, predictions))
    }

    pub fn recall(&self, average: Average) -> Result<f64> {
        self.average("recall", average, |hits, truths, _| ratio(hits, truths))
    }

    pub fn f1(&self, average: Average) -> Result<f64> {
        self.average("f1", average, |hits, truths, predictions| ratio(2.0 * hits, truths + predictions))
    }

    fn average(&self, name: &str, average: Average, value: impl Fn(f64, f64, f64) -> f64) -> Result<f64> {
        let count = self.occurs.len();
        let of = |class: usize| value(self.hits[class], self.truths[class], self.predictions[class]);
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        match average {
            Average::Binary if count > 2 => {
                let fits = format!("Macro, Micro or Weighted for {count} classes");
                Err(Error::value(name, "average", fits, "Binary"))
            }
            // No row is of class 1 or taken for it.
            Average::Binary if count < 2 => Ok(0.0),
            Average::Binary => Ok(of(1)),
            Average::Micro => Ok(value(sum(&self.hits), sum(&self.truths), sum(&self.predictions))),
            Average::Macro => {
                let known: Vec<usize> = (0..count).filter(|&class| self.occurs[class]).collect();
                Ok(ratio(known.iter().map(|&class| of(class)).sum(), known.len() as f64))
            }
            Average::Weighted => {
                Ok(ratio((0..count).map(|class| of(class) * self.truths[class]).sum(), sum(&self.truths)))
            }
        }
    }
}

/// `a / b`, 0 where both are 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}
