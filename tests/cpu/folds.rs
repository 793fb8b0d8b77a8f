//! Splits for cross-validation beyond k parts.

use axone::data::{Dataset, Folds};
use std::collections::BTreeSet;

fn set(rows: usize) -> Dataset {
    let x: Vec<[f32; 1]> = (0..rows).map(|row| [row as f32]).collect();
    Dataset::new(x, vec![0; rows]).unwrap()
}

/// Training and held-out rows of every fold.
fn rows(folds: &Folds<'_>) -> Vec<(Vec<usize>, Vec<usize>)> {
    (0..folds.len()).map(|fold| folds.rows(fold).unwrap()).collect()
}

fn sorted(rows: &[usize]) -> Vec<usize> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows
}

#[test]
fn groups_stay_together() {
    let groups = [0u64, 1, 0, 2, 3, 3, 3, 4, 4, 1, 5, 0];
    let set = set(12);
    let folds = set.k_fold_grouped(3, &groups, 1).unwrap();
    let mut held_out = Vec::new();
    for (train, validation) in rows(&folds) {
        let of = |rows: &[usize]| rows.iter().map(|row| groups[*row]).collect::<BTreeSet<_>>();
        assert!(of(&train).is_disjoint(&of(&validation)));
        assert_eq!(train.len() + validation.len(), 12);
        assert_eq!(validation.len(), 4, "groups of 3, 3, 2, 2, 1, 1 rows make three folds of 4");
        held_out.extend(validation);
    }
    assert_eq!(sorted(&held_out), (0..12).collect::<Vec<_>>());
    assert_eq!(rows(&set.k_fold_grouped(3, &groups, 1).unwrap()), rows(&folds));
    for (k, message) in [(1, "got 1"), (7, "from 2 to 6 (the groups), got 7")] {
        let error = set.k_fold_grouped(k, &groups, 1).unwrap_err().to_string();
        assert!(error.ends_with(message), "{error}");
    }
    let error = set.k_fold_grouped(2, &[1, 2], 1).unwrap_err().to_string();
    assert_eq!(error, "k_fold_grouped: expected 12 groups, one a row, got 2");
}

#[test]
fn repeats_are_dealt_anew() {
    let set = set(10);
    let folds = set.k_fold_repeated(5, 3, 7).unwrap();
    let all = rows(&folds);
    assert_eq!(all.len(), 15);
    for round in all.chunks(5) {
        let held_out: Vec<usize> = round.iter().flat_map(|(_, validation)| validation.clone()).collect();
        assert_eq!(sorted(&held_out), (0..10).collect::<Vec<_>>());
        assert!(
            round.iter().all(|(train, validation)| sorted(&[&train[..], validation].concat()) == sorted(&held_out))
        );
    }
    assert_eq!(all[..5], rows(&set.k_fold(5, 7).unwrap())[..]);
    assert_ne!(all[..5], all[5..10]);
    let error = set.k_fold_repeated(5, 0, 7).unwrap_err().to_string();
    assert_eq!(error, "k_fold_repeated: repeats must be at least 1, got 0");
}

#[test]
fn repeats_are_bounded() {
    let error = set(10).k_fold_repeated(2, usize::MAX, 1).unwrap_err();
    assert!(error.to_string().contains(&usize::MAX.to_string()), "{error}");
}

#[test]
fn each_row_is_left_out() {
    let set = set(4);
    let all = rows(&set.leave_one_out().unwrap());
    assert_eq!(all.len(), 4);
    assert_eq!(all[2], (vec![0, 1, 3], vec![2]));
    assert!(self::set(1).leave_one_out().is_err());
}

/// As scikit-learn's `TimeSeriesSplit(3)` over 10 rows.
#[test]
fn the_past_predicts_the_future() {
    let set = set(10);
    let all = rows(&set.time_series_split(3).unwrap());
    let wanted = [((0..4), [4, 5]), ((0..6), [6, 7]), ((0..8), [8, 9])];
    assert_eq!(all, wanted.map(|(train, validation)| (train.collect(), validation.to_vec())));
    for k in [0, 10] {
        let error = set.time_series_split(k).unwrap_err().to_string();
        assert_eq!(error, format!("time_series_split: k must be from 1 to 9 (the rows less one), got {k}"));
    }
    assert_eq!(set.time_series_split(9).unwrap().len(), 9);
}

/// A part without weight is refused, as with k parts.
#[test]
fn parts_need_weight() {
    let set = set(4).with_weights(vec![1.0, 1.0, 0.0, 1.0]).unwrap();
    let error = set.leave_one_out().unwrap_err().to_string();
    assert!(error.starts_with("leave_one_out, validation part of fold 2"), "{error}");
}

/// The held-out rows are those of scikit-learn 1.9.1: `KFold(k)` and `StratifiedKFold(k)`.
#[test]
fn folds_in_order_are_scikit_learns() {
    let held_out = |folds: Folds<'_>| rows(&folds).into_iter().map(|(_, held_out)| held_out).collect::<Vec<_>>();
    assert_eq!(held_out(set(11).k_fold_in_order(3).unwrap()), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9, 10]]);
    for (labels, folds) in [
        (
            vec![2, 0, 0, 1, 2, 2, 0, 1, 1, 1, 2, 0, 0, 2],
            vec![vec![0, 1, 2, 3, 4], vec![5, 6, 7, 8, 10], vec![9, 11, 12, 13]],
        ),
        (
            vec![0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2],
            vec![vec![0, 1, 5, 12], vec![2, 6, 7, 13], vec![3, 8, 9, 14], vec![4, 10, 11, 15]],
        ),
    ] {
        let set = Dataset::new(vec![[1.0]; labels.len()], labels).unwrap();
        assert_eq!(held_out(set.k_fold_stratified_in_order(folds.len()).unwrap()), folds);
    }
    // Of the digits: how many rows, the sum of their numbers, and that weighted by their places.
    let digits = axone::data::digits().unwrap();
    let sums = held_out(digits.k_fold_stratified_in_order(5).unwrap()).into_iter().map(|part| {
        let sum: usize = part.iter().sum();
        let weighted: usize = part.iter().zip(1..).map(|(row, place)| row * place).sum();
        (part.len(), sum, weighted)
    });
    let wanted = [
        (360, 64_744, 15_595_859),
        (360, 194_209, 38_984_245),
        (359, 322_704, 61_975_095),
        (359, 451_581, 85_159_648),
        (359, 580_468, 108_346_112),
    ];
    assert_eq!(sums.collect::<Vec<_>>(), wanted);
    let error = set(4).k_fold_in_order(5).unwrap_err().to_string();
    assert_eq!(error, "k_fold_in_order: k must be from 2 to 4 (the rows), got 5");
}
