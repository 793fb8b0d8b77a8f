//! Which numbers a loss takes as targets.

use super::Loss;
use crate::data::Targets;
use crate::{Error, Result};

/// What each number of a target must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetRange {
    Any,
    /// From 0 to 1.
    Probability,
    /// 0 or 1, a single 1 in each row.
    OneHot,
    /// 0 and 1, or -1 and 1.
    Answer,
    /// 0 or more.
    Count,
}

impl Loss {
    pub(crate) fn target_range(&self) -> TargetRange {
        match self {
            Loss::CategoricalCrossEntropy | Loss::SmoothedCrossEntropy(_) => TargetRange::Probability,
            Loss::KullbackLeibler | Loss::BinaryCrossEntropy | Loss::Focal { .. } => TargetRange::Probability,
            Loss::CategoricalFocal(_) => TargetRange::OneHot,
            Loss::Hinge | Loss::SquaredHinge => TargetRange::Answer,
            Loss::Poisson => TargetRange::Count,
            _ => TargetRange::Any,
        }
    }

    /// The number of classes that labels may tell apart at an output of `units` columns; `None`: labels are numbers
    /// like any other.
    pub(crate) fn label_limit(&self, units: usize) -> Option<usize> {
        match self.target_range() {
            TargetRange::Any | TargetRange::Count => None,
            _ if self.takes_classes() => Some(units),
            _ => Some(2),
        }
    }

    /// Refuses targets that do not fit an output of this name and so many units; returns whether they are class indices.
    pub(crate) fn check_target(&self, place: &str, (name, units): (&str, usize), target: &Targets) -> Result<bool> {
        let by_class = self.takes_classes() && matches!(target, Targets::Classes(_));
        let width = if by_class { 1 } else { units };
        if target.width() != width {
            let hint = match target {
                Targets::Values(values) if self.takes_classes() && values.cols() == 1 => {
                    "; class numbers are integers (u32, i32, usize, ..), these are f32"
                }
                Targets::Classes(_) => "; `one_hot` makes rows of class numbers",
                Targets::Values(_) => "",
            };
            let (expected, got) = (format!("targets (B, {width})"), format!("(B, {}){hint}", target.width()));
            return Err(Error::shape(name, expected, got));
        }
        match target {
            Targets::Classes(labels) => {
                let Some(limit) = self.label_limit(units) else {
                    return check_exact(place, labels).map(|()| by_class);
                };
                if let Some((row, label)) = labels.iter().enumerate().find(|(_, label)| **label as usize >= limit) {
                    let problem = format!("class {label}, but {name} tells {limit} classes apart (0 to {})", limit - 1);
                    return Err(Error::data(format!("{place} row {row}"), problem));
                }
            }
            Targets::Values(values) => {
                if let Some((at, problem)) = self.target_range().misfit(values.data(), width, self.name()) {
                    let (row, column) = (at / width, at % width);
                    return Err(Error::data(format!("{place} row {row}, column {column}"), problem));
                }
            }
        }
        Ok(by_class)
    }
}

/// Refuses labels that count as numbers and that f32 would round.
fn check_exact(place: &str, labels: &[u32]) -> Result<()> {
    let rounded = |label: &u32| f64::from(*label as f32) != f64::from(*label);
    match labels.iter().enumerate().find(|(_, label)| rounded(label)) {
        Some((row, label)) => {
            let problem = format!("{label} is a whole number that f32 rounds to {}", f64::from(*label as f32));
            Err(Error::data(format!("{place} row {row}"), problem))
        }
        None => Ok(()),
    }
}

impl TargetRange {
    /// The first place of `rows` (each of `width` numbers) that does not fit, and what is wrong there.
    pub fn misfit(self, values: &[f32], width: usize, loss: &str) -> Option<(usize, String)> {
        let find = |fits: &dyn Fn(f32) -> bool, problem: &str| {
            let at = values.iter().position(|value| !fits(*value))?;
            Some((at, format!("{} {problem}, which {loss} needs", values[at])))
        };
        match self {
            TargetRange::Any => None,
            TargetRange::Probability => find(&|v| (0.0..=1.0).contains(&v), "is no probability"),
            TargetRange::Count => find(&|v| v >= 0.0, "is less than 0, no count"),
            TargetRange::Answer => {
                let minus = values.contains(&-1.0);
                let words = if minus { "is neither -1 nor 1" } else { "is neither 0 nor 1" };
                find(&|v| v == 1.0 || v == if minus { -1.0 } else { 0.0 }, words)
            }
            TargetRange::OneHot => find(&|v| v == 0.0 || v == 1.0, "is neither 0 nor 1").or_else(|| {
                let row = values.chunks_exact(width).position(|row| row.iter().sum::<f32>() != 1.0)?;
                let ones = values[row * width..][..width].iter().filter(|v| **v == 1.0).count();
                Some((row * width, format!("{ones} ones in the row; {loss} needs one")))
            }),
        }
    }
}
