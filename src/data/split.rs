//! Training and held-out parts of a data set.
//!
//! Every split walks one seeded order of the rows, so the parts are disjoint, together hold every row, and
//! come out shuffled. Stratified splits walk the same order and count by class: a share of a class that is not
//! a whole number of rows is rounded down or up, never further.

use super::{Dataset, Folds, shuffle::part_order, shuffle::split_order};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// The words of the call that the user made, for errors.
struct Call {
    place: &'static str,
    fraction: &'static str,
    /// What is held out.
    part: &'static str,
}

const TRAIN_TEST: Call = Call { place: "train_test_split", fraction: "test_fraction", part: "test" };
const STRATIFIED: Call = Call { place: "train_test_split_stratified", ..TRAIN_TEST };
const VALIDATION: Call = Call { place: "validation_split", fraction: "fraction", part: "validation" };

impl Dataset {
    /// `(train, test)`: a random part of `test_fraction` of the rows, rounded, is held out.
    /// Either part has at least one row.
    ///
    /// # Errors
    /// [`Error::Value`] unless 0 < `test_fraction` < 1; [`Error::Data`] for a set of one row, or a part whose
    /// weights are all 0.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new(vec![[1.0]; 10], vec![0; 10])?;
    /// let (train, test) = set.train_test_split(0.2, 42)?;
    /// assert_eq!((train.len(), test.len()), (8, 2));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn train_test_split(&self, test_fraction: f64, seed: u64) -> Result<(Dataset, Dataset)> {
        self.split(&TRAIN_TEST, test_fraction, seed)
    }

    /// The same for [`Fit::validation_split`](crate::train::Fit::validation_split), in its words.
    pub(crate) fn validation_split(&self, fraction: f64, seed: u64) -> Result<(Dataset, Dataset)> {
        self.split(&VALIDATION, fraction, seed)
    }

    fn split(&self, call: &Call, fraction: f64, seed: u64) -> Result<(Dataset, Dataset)> {
        let held_out = self.held_out(call, fraction)?;
        let order = split_order(self.len(), seed);
        let (test, train) = order.split_at_checked(held_out).unwrap_or_default();
        self.two_parts(call, train, test)
    }

    /// [`train_test_split`](Self::train_test_split) with the classes of the first class target in the same
    /// proportion in both parts: of a class of `c` rows, `c * test_fraction` rounded down or up are held out.
    ///
    /// # Errors
    /// As `train_test_split`, and [`Error::Data`] where no target holds classes.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new(vec![[1.0]; 10], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1])?;
    /// let (_, test) = set.train_test_split_stratified(0.5, 42)?;
    /// let ones = test.targets()[0].labels().unwrap().iter().sum::<u32>();
    /// assert_eq!((test.len(), ones), (5, 1));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn train_test_split_stratified(&self, test_fraction: f64, seed: u64) -> Result<(Dataset, Dataset)> {
        let call = &STRATIFIED;
        let (test_rows, labels) = (self.held_out(call, test_fraction)?, self.strata(call.place)?);
        let (train, test) = stratified(labels, test_fraction, test_rows, seed);
        self.two_parts(call, &train, &test)
    }

    /// `k` pairs `(train, validation)`: each row is held out once. Parts differ by at most one row in size, and
    /// each pair is copied only when it is asked for.
    ///
    /// # Errors
    /// [`Error::Value`] unless 2 ≤ `k` ≤ rows; [`Error::Data`] where a part's weights are all 0.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new(vec![[1.0]; 10], vec![0; 10])?;
    /// for (train, validation) in set.k_fold(5, 42)? {
    ///     assert_eq!((train.len(), validation.len()), (8, 2));
    /// }
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn k_fold(&self, k: usize, seed: u64) -> Result<Folds<'_>> {
        Folds::of_order("k_fold", self, k, split_order(self.len(), seed))
    }

    /// [`k_fold`](Self::k_fold) with the classes of the first class target spread evenly: the folds differ by
    /// at most one row of each class. A class of fewer than `k` rows is missing from some folds.
    ///
    /// # Errors
    /// As `k_fold`, and [`Error::Data`] where no target holds classes.
    pub fn k_fold_stratified(&self, k: usize, seed: u64) -> Result<Folds<'_>> {
        let labels = self.strata("k_fold_stratified")?;
        let mut order = split_order(self.len(), seed);
        order.sort_by_key(|&row| labels.get(row)); // stable: still shuffled within a class
        Folds::of_order("k_fold_stratified", self, k, order)
    }

    fn held_out(&self, call: &Call, fraction: f64) -> Result<usize> {
        held_out(call.place, call.fraction, fraction, self.len())
    }

    pub(super) fn strata(&self, place: &str) -> Result<&[u32]> {
        let labels = self.targets().iter().find_map(|target| target.labels());
        labels.ok_or_else(|| Error::data(place, "no target holds classes to stratify by"))
    }

    fn two_parts(&self, call: &Call, train: &[usize], test: &[usize]) -> Result<(Dataset, Dataset)> {
        self.check_part(&format!("{}, training part", call.place), train)?;
        self.check_part(&format!("{}, {} part", call.place, call.part), test)?;
        Ok((self.gather(train), self.gather(test)))
    }
}

/// How many of `rows` to hold out: at least one, and not all.
pub(super) fn held_out(place: &str, name: &'static str, fraction: f64, rows: usize) -> Result<usize> {
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(Error::value(place, name, "above 0 and below 1", fraction));
    }
    if rows < 2 {
        return Err(Error::data(place, format!("at least 2 rows are needed, got {rows}")));
    }
    Ok(((rows as f64 * fraction).round() as usize).clamp(1, rows - 1))
}

/// The rows to train on, and `held_out` others with the classes in the same proportion.
pub(super) fn stratified(labels: &[u32], fraction: f64, held_out: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut quota = quotas(labels, fraction, held_out);
    let mut is_held_out = vec![false; labels.len()];
    for row in split_order(labels.len(), seed) {
        if let Some(left) = labels.get(row).and_then(|label| quota.get_mut(label)).filter(|left| **left > 0) {
            *left -= 1;
            is_held_out[row] = true;
        }
    }
    // In the order in which they were dealt out the first to train on would be of the classes that filled up first.
    let (test, train) = part_order(labels.len(), seed).into_iter().partition(|row| is_held_out[*row]);
    (train, test)
}

/// How many rows of each class to hold out so that they add up to `total`: every share rounded down, then one
/// more for the largest remainders. `total` is the sum of the shares, rounded, so no class gets two more.
fn quotas(labels: &[u32], fraction: f64, total: usize) -> BTreeMap<u32, usize> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    labels.iter().for_each(|&label| *counts.entry(label).or_default() += 1);
    let share = |count: usize| count as f64 * fraction;
    let mut quota: BTreeMap<u32, usize> =
        counts.iter().map(|(&label, &count)| (label, share(count).floor() as usize)).collect();
    let mut by_remainder: Vec<(u32, f64)> =
        counts.iter().map(|(&label, &count)| (label, share(count).fract())).collect();
    by_remainder.sort_by(|a, b| b.1.total_cmp(&a.1)); // stable: lower labels first among equals
    let missing = total.saturating_sub(quota.values().sum());
    for (label, _) in by_remainder.iter().take(missing) {
        quota.entry(*label).and_modify(|rows| *rows += 1);
    }
    quota
}
