//! Folds: which rows are held out, one part after the other.
//!
//! A fold names its held-out rows; the rows to train on follow from the rule of the split, so that leave-one-out over n
//! rows keeps n numbers and not n².

use super::{Dataset, shuffle::split_order};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Row numbers that [`Dataset::k_fold_repeated`] keeps at most.
const MOST_NUMBERS: usize = 1 << 28;

/// The rows to train on, seen from a fold.
#[derive(Debug, Clone, Copy)]
enum Train {
    /// All others of the same round of that many folds.
    Round(usize),
    /// All before the first that is held out.
    Before,
}

/// The pairs `(train, validation)` of [`Dataset::k_fold`] and its kind, first fold to last.
#[derive(Debug, Clone)]
pub struct Folds<'a> {
    set: &'a Dataset,
    /// The held-out rows of each fold.
    folds: Vec<Vec<usize>>,
    train: Train,
    next: usize,
}

impl Dataset {
    /// `k` pairs `(train, validation)` in which rows of one group stay together, such as the pictures of one patient:
    /// `groups` has the group of each row. The largest groups are dealt first, each to the fold with the fewest rows;
    /// the seed orders groups and folds of one size.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is a group for each row; [`Error::Value`] unless 2 ≤ `k` ≤ groups;
    /// [`Error::Data`] where a part's weights are all 0.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new(vec![[1.0]; 6], vec![0; 6])?;
    /// let patients = ["a", "a", "b", "c", "c", "c"];
    /// for (train, validation) in set.k_fold_grouped(3, &patients, 42)? {
    ///     assert_eq!(train.len() + validation.len(), 6);
    /// }
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn k_fold_grouped<G: Ord>(&self, k: usize, groups: &[G], seed: u64) -> Result<Folds<'_>> {
        let place = "k_fold_grouped";
        if groups.len() != self.len() {
            return Err(Error::shape(place, format!("{} groups, one a row", self.len()), groups.len()));
        }
        let mut members: BTreeMap<&G, Vec<usize>> = BTreeMap::new();
        for row in split_order(self.len(), seed) {
            members.entry(&groups[row]).or_default().push(row);
        }
        if k < 2 || k > members.len() {
            return Err(Error::value(place, "k", format!("from 2 to {} (the groups)", members.len()), k));
        }
        let mut members: Vec<Vec<usize>> = members.into_values().collect();
        // By the seeded order first, so that groups of one size come in no order that the names decide.
        members.sort_by_key(|rows| rows.first().copied());
        members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
        let mut folds: Vec<Vec<usize>> = vec![Vec::new(); k];
        for rows in members {
            if let Some(fold) = folds.iter_mut().min_by_key(|fold| fold.len()) {
                fold.extend(rows);
            }
        }
        Folds::new(place, self, folds, Train::Round(k))
    }

    /// [`k_fold`](Self::k_fold) `repeats` times, each time dealt anew: `k · repeats` pairs.
    ///
    /// # Errors
    /// As `k_fold`, and [`Error::Value`] for no repeat, and for so many that the numbers of the held-out rows would take
    /// more than 2 GiB.
    pub fn k_fold_repeated(&self, k: usize, repeats: usize, seed: u64) -> Result<Folds<'_>> {
        let place = "k_fold_repeated";
        let most = MOST_NUMBERS / self.len();
        if repeats == 0 {
            return Err(Error::value(place, "repeats", "at least 1", repeats));
        }
        if repeats > most {
            return Err(Error::value(place, "repeats", format!("at most {most} for {} rows", self.len()), repeats));
        }
        let mut folds = Vec::new();
        for repeat in 0..repeats as u64 {
            folds.extend(deal(place, self, k, split_order(self.len(), seed.wrapping_add(repeat)))?);
        }
        Folds::new(place, self, folds, Train::Round(k))
    }

    /// [`k_fold`](Self::k_fold) without shuffling: parts are neighbours, the first ones a row longer where `k` does not
    /// divide the rows. The folds of scikit-learn's `KFold(k)`; for rows whose order matters.
    ///
    /// # Errors
    /// As `k_fold`.
    pub fn k_fold_in_order(&self, k: usize) -> Result<Folds<'_>> {
        let place = "k_fold_in_order";
        check_k(place, self, k)?;
        let (size, longer) = (self.len() / k, self.len() % k);
        let begin = |fold: usize| fold * size + fold.min(longer);
        Folds::new(place, self, (0..k).map(|fold| (begin(fold)..begin(fold + 1)).collect()).collect(), Train::Round(k))
    }

    /// [`k_fold_stratified`](Self::k_fold_stratified) without shuffling: the rows of a class stay in their order and are
    /// cut into `k` parts. The folds of scikit-learn's `StratifiedKFold(k)`, which `cv=k` stands for there.
    ///
    /// # Errors
    /// As `k_fold_stratified`.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new(vec![[1.0]; 6], [0, 0, 1, 0, 1, 1])?;
    /// let held_out: Vec<_> = (0..3).map(|fold| set.k_fold_stratified_in_order(3).unwrap().rows(fold).unwrap().1).collect();
    /// assert_eq!(held_out, [[0, 2], [1, 4], [3, 5]]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn k_fold_stratified_in_order(&self, k: usize) -> Result<Folds<'_>> {
        let place = "k_fold_stratified_in_order";
        check_k(place, self, k)?;
        let mut classes: Vec<(u32, Vec<usize>)> = Vec::new();
        for (row, label) in self.strata(place)?.iter().enumerate() {
            match classes.iter_mut().find(|(class, _)| class == label) {
                Some((_, rows)) => rows.push(row),
                None => classes.push((*label, vec![row])),
            }
        }
        let mut folds = vec![Vec::new(); k];
        let mut dealt = 0;
        for (_, rows) in classes {
            // Of the rows sorted by class, every k-th is for the same fold: so many of this class each.
            let end = dealt + rows.len();
            let share = |fold: usize| (end + k - 1 - fold) / k - (dealt + k - 1 - fold) / k;
            let mut rows = rows.into_iter();
            folds.iter_mut().enumerate().for_each(|(fold, part)| part.extend(rows.by_ref().take(share(fold))));
            dealt = end;
        }
        folds.iter_mut().for_each(|fold| fold.sort_unstable());
        Folds::new(place, self, folds, Train::Round(k))
    }

    /// As many pairs as rows, each of which is held out alone: for few rows.
    ///
    /// # Errors
    /// [`Error::Data`] for a set of one row, and where the weight of a row is 0.
    pub fn leave_one_out(&self) -> Result<Folds<'_>> {
        let folds = (0..self.len()).map(|row| vec![row]).collect();
        if self.len() < 2 {
            return Err(Error::data("leave_one_out", "at least 2 rows are needed, got 1"));
        }
        Folds::new("leave_one_out", self, folds, Train::Round(self.len()))
    }

    /// `k` pairs of rows in the order of time: the set is cut into `k + 1` blocks (the first has what does not divide),
    /// and each but the first is held out from all that came before it.
    ///
    /// # Errors
    /// [`Error::Value`] unless 1 ≤ `k` < rows; [`Error::Data`] where a part's weights are all 0.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new(vec![[1.0]; 10], vec![0; 10])?;
    /// let sizes: Vec<_> = set.time_series_split(3)?.map(|(train, test)| (train.len(), test.len())).collect();
    /// assert_eq!(sizes, [(4, 2), (6, 2), (8, 2)]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn time_series_split(&self, k: usize) -> Result<Folds<'_>> {
        let place = "time_series_split";
        if k == 0 || k >= self.len() {
            return Err(Error::value(place, "k", format!("from 1 to {} (the rows less one)", self.len() - 1), k));
        }
        let size = self.len() / (k + 1);
        let first = self.len() - k * size;
        let folds = (0..k).map(|fold| (first + fold * size..first + (fold + 1) * size).collect()).collect();
        Folds::new(place, self, folds, Train::Before)
    }
}

/// Deals the rows out like cards: neighbours in `order` go to different folds.
fn deal(place: &str, set: &Dataset, k: usize, order: Vec<usize>) -> Result<Vec<Vec<usize>>> {
    check_k(place, set, k)?;
    let mut folds: Vec<Vec<usize>> = (0..k).map(|_| Vec::with_capacity(set.len() / k + 1)).collect();
    for (position, row) in order.into_iter().enumerate() {
        if let Some(fold) = folds.get_mut(position % k) {
            fold.push(row);
        }
    }
    Ok(folds)
}

fn check_k(place: &str, set: &Dataset, k: usize) -> Result<()> {
    let fits = (2..=set.len()).contains(&k);
    if fits { Ok(()) } else { Err(Error::value(place, "k", format!("from 2 to {} (the rows)", set.len()), k)) }
}

impl<'a> Folds<'a> {
    /// `k` folds of the rows in that order.
    pub(super) fn of_order(place: &str, set: &'a Dataset, k: usize, order: Vec<usize>) -> Result<Self> {
        Self::new(place, set, deal(place, set, k, order)?, Train::Round(k))
    }

    fn new(place: &str, set: &'a Dataset, folds: Vec<Vec<usize>>, train: Train) -> Result<Self> {
        let folds = Self { set, folds, train, next: 0 };
        // No part is without rows: what can be wrong with one is that it has no weight.
        for fold in (0..folds.folds.len()).take_while(|_| set.weights().is_some()) {
            let (train, validation) = folds.rows(fold).unwrap_or_default();
            set.check_part(&format!("{place}, training part of fold {fold}"), &train)?;
            set.check_part(&format!("{place}, validation part of fold {fold}"), &validation)?;
        }
        Ok(folds)
    }

    /// The row numbers `(train, validation)` of fold `index` in the set that was split, `None` beyond the last:
    /// what out-of-fold predictions need to find their rows again.
    pub fn rows(&self, index: usize) -> Option<(Vec<usize>, Vec<usize>)> {
        let validation = self.folds.get(index)?.clone();
        let train = match self.train {
            Train::Before => (0..*validation.first()?).collect(),
            Train::Round(k) => {
                let first = index / k * k;
                let round = self.folds.iter().enumerate().skip(first).take(k);
                round.filter(|(fold, _)| *fold != index).flat_map(|(_, rows)| rows.iter().copied()).collect()
            }
        };
        Some((train, validation))
    }
}

impl Iterator for Folds<'_> {
    type Item = (Dataset, Dataset);

    fn next(&mut self) -> Option<Self::Item> {
        let (train, validation) = self.rows(self.next)?;
        self.next += 1;
        Some((self.set.gather(&train), self.set.gather(&validation)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.folds.len().saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Folds<'_> {}
