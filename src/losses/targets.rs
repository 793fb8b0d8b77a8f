//! Which numbers a loss takes as targets.

use super::Loss;

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
