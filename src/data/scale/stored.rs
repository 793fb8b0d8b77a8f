//! Scalers from files: what no fit makes is refused.

use super::{MinMaxScaler, RobustScaler, Standardizer, check_range};
use crate::{Error, Result};

/// A [`Standardizer`] as a file has it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredStandardizer {
    mean: Vec<f64>,
    std: Vec<f64>,
}

impl TryFrom<StoredStandardizer> for Standardizer {
    type Error = Error;

    fn try_from(StoredStandardizer { mean, std }: StoredStandardizer) -> Result<Self> {
        check_columns("Standardizer", ["mean", "std"], &mean, &std)?;
        check_spread("Standardizer", "std", &std)?;
        Ok(Self { mean, std })
    }
}

/// A [`RobustScaler`] as a file has it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredRobust {
    center: Vec<f64>,
    spread: Vec<f64>,
}

impl TryFrom<StoredRobust> for RobustScaler {
    type Error = Error;

    fn try_from(StoredRobust { center, spread }: StoredRobust) -> Result<Self> {
        check_columns("RobustScaler", ["center", "spread"], &center, &spread)?;
        check_spread("RobustScaler", "spread", &spread)?;
        Ok(Self { center, spread })
    }
}

/// A [`MinMaxScaler`] as a file has it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredMinMax {
    min: Vec<f64>,
    max: Vec<f64>,
    low: f64,
    high: f64,
}

impl TryFrom<StoredMinMax> for MinMaxScaler {
    type Error = Error;

    fn try_from(StoredMinMax { min, max, low, high }: StoredMinMax) -> Result<Self> {
        check_range("MinMaxScaler", low, high)?;
        check_columns("MinMaxScaler", ["min", "max"], &min, &max)?;
        match min.iter().zip(&max).enumerate().find(|(_, (min, max))| min > max) {
            Some((at, (min, max))) => {
                Err(Error::value(format!("MinMaxScaler column {at}"), "max", format!("at least {min}"), max))
            }
            None => Ok(Self { min, max, low, high }),
        }
    }
}

/// Refuses what is negative and cannot be.
fn check_spread(place: &str, name: &'static str, spread: &[f64]) -> Result<()> {
    match spread.iter().enumerate().find(|(_, spread)| **spread < 0.0) {
        Some((at, spread)) => Err(Error::value(format!("{place} column {at}"), name, "at least 0", spread)),
        None => Ok(()),
    }
}

/// Refuses columns that are not finite, or of which one of two lists has more.
fn check_columns(place: &str, names: [&'static str; 2], first: &[f64], second: &[f64]) -> Result<()> {
    if first.len() != second.len() {
        let wanted = format!("{} numbers as in {}", first.len(), names[0]);
        return Err(Error::shape(format!("{place} {}", names[1]), wanted, second.len()));
    }
    for (name, column) in names.into_iter().zip([first, second]) {
        if let Some((at, value)) = column.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(Error::value(format!("{place} column {at}"), name, "finite", value));
        }
    }
    Ok(())
}
