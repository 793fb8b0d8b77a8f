//! Matrices, data sets, splits, scaling and encoding: what they hold, and how each bad input is refused.

use crate::common::fixtures::folder;
use axone::data::{Dataset, LabelEncoder, Matrix, MinMaxScaler, RobustScaler, Standardizer, Targets, one_hot};
use std::collections::BTreeSet;
use std::fmt::Debug;

/// The message of an error.
fn refused<T: Debug>(result: axone::Result<T>) -> String {
    result.unwrap_err().to_string()
}

/// Rows numbered by their only input, with 70, 20 and 10 of three classes.
fn numbered() -> Dataset {
    let labels: Vec<u32> = (0..100)
        .map(|row| {
            if row < 70 {
                0
            } else if row < 90 {
                1
            } else {
                2
            }
        })
        .collect();
    Dataset::new((0..100).map(|row| [row as f32]).collect::<Vec<_>>(), labels).unwrap()
}

fn row_numbers(set: &Dataset) -> Vec<usize> {
    set.inputs()[0].data().iter().map(|&row| row as usize).collect()
}

fn class_counts(set: &Dataset) -> [usize; 3] {
    let labels = set.targets()[0].labels().unwrap();
    [0, 1, 2].map(|class| labels.iter().filter(|&&label| label == class).count())
}

#[test]
fn data_matrix_holds_rows() {
    let x = Matrix::new(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(x, Matrix::from(vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    assert_eq!(x, Matrix::from_rows([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap());
    assert_eq!(x.iter_rows().map(<[f32]>::to_vec).collect::<Vec<_>>(), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    assert_eq!((x.row(2), x.row(3), x.row(usize::MAX)), (Some(&[5.0, 6.0][..]), None, None));
    assert_eq!(x.select(&[2, 2, 0]).unwrap(), Matrix::from([[5.0, 6.0], [5.0, 6.0], [1.0, 2.0]]));
    assert_eq!(Matrix::from([[0.0; 0]; 3]).iter_rows().count(), 3);
    assert_eq!(format!("{:?}", Matrix::from([[1.5; 9]; 5])).matches("1.5").count(), 32);
}

#[test]
fn data_matrix_refuses_bad_shapes() {
    assert_eq!(refused(Matrix::new(2, 3, vec![0.0; 5])), "Matrix::new: expected 2 x 3 = 6 values, got 5 values");
    assert!(refused(Matrix::new(usize::MAX, 2, vec![])).contains("values, got 0 values"));
    let ragged = [vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0]];
    assert_eq!(refused(Matrix::from_rows(ragged)), "Matrix::from_rows, row 2: expected 2 values as in row 0, got 1");
    let selected = Matrix::from([[1.0], [2.0]]).select(&[0, 1, 2]);
    assert_eq!(refused(selected), "Matrix::select: row index must be below 2, got 2 at position 2");
    let x = Matrix::from([[1.0, 2.0], [3.0, f32::NEG_INFINITY]]);
    assert_eq!(refused(x.check_finite("pixels")), "pixels row 1, column 1: -inf is not a finite number");
}

#[test]
fn data_set_takes_inputs_targets_and_weights() {
    let set = Dataset::new([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [0, 4, 1])
        .and_then(|set| set.with_input([[0.5], [0.6], [0.7]]))
        .and_then(|set| set.with_input_shape(&[1, 1]))
        .and_then(|set| set.with_target([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
        .and_then(|set| set.with_weights(vec![1.0, 0.0, 2.0]))
        .unwrap();
    assert_eq!((set.len(), set.classes()), (3, Some(5)));
    assert_eq!(set.input_shapes(), [vec![2], vec![1, 1]]);

    let part = set.select(&[2, 0]).unwrap();
    assert_eq!(part.inputs(), [Matrix::from([[5.0, 6.0], [1.0, 2.0]]), Matrix::from([[0.7], [0.5]])]);
    assert_eq!(part.targets()[0], Targets::Classes(vec![1, 0]));
    assert_eq!(part.targets()[1], Targets::from([[5.0, 6.0], [1.0, 2.0]]));
    assert_eq!((part.weights(), part.input_shapes()), (Some(&[2.0, 1.0][..]), set.input_shapes()));

    assert_eq!(set.take(2).unwrap(), set.select(&[0, 1]).unwrap());
    assert_eq!(set.take(9).unwrap(), set);
    assert_eq!(set.skip(2).unwrap(), set.select(&[2]).unwrap());
    assert_eq!(set.clone().scale_inputs(2.0).unwrap().inputs()[1].data(), [1.0, 1.2, 1.4]);
    let halves = set.map_inputs(|x| Matrix::from_rows(x.iter_rows().map(|row| [row[0] / 2.0]))).unwrap();
    assert_eq!(halves.input_shapes(), [vec![1], vec![1, 1]], "a changed width resets the shape");
}

#[test]
fn data_set_refuses_bad_input() {
    let x = [[1.0, 2.0], [3.0, 4.0]];
    let set = || Dataset::new(x, [0, 1]).unwrap();
    assert_eq!(refused(Dataset::new(x, [0, 1, 2])), "targets[0]: expected 2 rows as in inputs[0], got 3 rows");
    assert_eq!(refused(Dataset::new([[0.0; 2]; 0], vec![0u32; 0])), "inputs[0]: no rows");
    assert_eq!(refused(Dataset::new([[0.0; 0]; 2], [0, 1])), "inputs[0]: no columns");
    assert_eq!(refused(Dataset::new(x, [[0.0; 0]; 2])), "targets[0]: no columns");
    let nan = Dataset::new([[1.0, 2.0, 3.0], [4.0, 5.0, f32::NAN]], [0, 1]);
    assert_eq!(refused(nan), "inputs[0] row 1, column 2: NaN is not a finite number");
    let infinite = Dataset::new(x, [1.0, f32::INFINITY]);
    assert_eq!(refused(infinite), "targets[0] row 1, column 0: inf is not a finite number");
    assert_eq!(refused(set().with_input([[1.0]])), "inputs[1]: expected 2 rows as in inputs[0], got 1 rows");
    assert_eq!(refused(set().with_target([1.0, f32::NAN])), "targets[1] row 1, column 0: NaN is not a finite number");
    assert_eq!(refused(set().with_input_shape(&[2, 2])), "inputs[0]: expected a shape of 2 values, got [2, 2]");
    assert!(refused(set().with_input_shape(&[usize::MAX, 4])).starts_with("inputs[0]: expected a shape of 2 values"));
}

#[test]
fn data_set_refuses_bad_weights_and_parts() {
    let set = || Dataset::new([[1.0], [2.0], [3.0]], [0, 1, 0]).unwrap();
    assert_eq!(refused(set().with_weights(vec![1.0])), "weights: expected 3 values, one a row, got 1");
    let negative = set().with_weights(vec![1.0, -0.5, 1.0]);
    assert_eq!(refused(negative), "weights row 1: a weight must be finite and at least 0, got -0.5");
    let nan = set().with_weights(vec![1.0, 1.0, f32::NAN]);
    assert_eq!(refused(nan), "weights row 2: a weight must be finite and at least 0, got NaN");
    assert_eq!(refused(set().with_weights(vec![0.0; 3])), "weights: every weight is 0");
    let weighted = set().with_weights(vec![0.0, 0.0, 1.0]).unwrap();
    assert_eq!(refused(weighted.take(2)), "Dataset::take: every weight is 0");
    assert_eq!(refused(set().take(0)), "Dataset::take: no rows");
    assert_eq!(refused(set().skip(3)), "Dataset::skip: n must be below 3 (the rows), got 3");
    assert_eq!(refused(set().select(&[])), "Dataset::select: no rows");
    assert_eq!(refused(set().select(&[7])), "Dataset::select: row index must be below 3, got 7 at position 0");
    assert_eq!(refused(set().scale_inputs(f32::NAN)), "Dataset::scale_inputs: factor must be finite, got NaN");
    assert_eq!(refused(set().scale_inputs(3e38)), "inputs[0] row 1, column 0: inf is not a finite number");
    let shorter = set().map_inputs(|_| Ok(Matrix::from([[1.0]])));
    assert_eq!(refused(shorter), "inputs[0]: expected 3 rows as in inputs[0], got 1 rows");
}

#[test]
fn data_split_parts_hold_every_row_once() {
    let set = numbered();
    let (train, test) = set.train_test_split(0.25, 1).unwrap();
    assert_eq!((train.len(), test.len()), (75, 25));
    let mut rows = [row_numbers(&train), row_numbers(&test)].concat();
    assert_ne!(rows, (0..100).collect::<Vec<_>>(), "the rows must be shuffled");
    rows.sort_unstable();
    assert_eq!(rows, (0..100).collect::<Vec<_>>());

    assert_eq!(set.train_test_split(0.25, 1).unwrap(), (train.clone(), test));
    assert_ne!(set.train_test_split(0.25, 2).unwrap().0, train);
    assert_ne!(set.train_test_split(0.25, 1 << 32 | 1).unwrap().0, train, "the high half of the seed counts");
    let (train, test) = set.take(2).unwrap().train_test_split(0.01, 1).unwrap();
    assert_eq!((train.len(), test.len()), (1, 1));
}

/// The first rows of either part are a sample of it: of 10 rows of 10 classes 6.5 are expected to differ, and the mean of
/// 50 such numbers to be off by 0.15. Rows in the order in which quotas of classes fill up have 2 or 3.
#[test]
fn the_first_rows_of_a_stratified_part_are_of_all_classes() {
    let labels: Vec<u32> = (0..200).map(|row| row % 10).collect();
    let set = Dataset::new(vec![[1.0]; 200], labels).unwrap();
    let distinct = |part: &Dataset| {
        let first = &part.targets()[0].labels().unwrap()[..10];
        first.iter().collect::<std::collections::BTreeSet<_>>().len()
    };
    let (mut train, mut test) = (0, 0);
    for seed in 0..50 {
        let parts = set.train_test_split_stratified(0.3, seed).unwrap();
        train += distinct(&parts.0);
        test += distinct(&parts.1);
    }
    assert!(train >= 50 * 55 / 10 && test >= 50 * 55 / 10, "{train} and {test} of 500");
}

#[test]
fn data_split_keeps_proportions_when_stratified() {
    for seed in 0..20 {
        let (train, test) = numbered().train_test_split_stratified(0.25, seed).unwrap();
        assert_eq!((train.len(), test.len()), (75, 25));
        let [zero, one, two] = class_counts(&test);
        assert!(matches!((zero, one, two), (17 | 18, 5, 2 | 3)), "{zero} {one} {two}");
        let rows: BTreeSet<_> = row_numbers(&train).into_iter().chain(row_numbers(&test)).collect();
        assert_eq!(rows.len(), 100);
    }
    let plain = |seed| class_counts(&numbered().train_test_split(0.25, seed).unwrap().1);
    assert!((0..20).any(|seed| plain(seed)[1] != 5), "the plain split is no control");
}

#[test]
fn data_k_fold_holds_each_row_out_once() {
    let set = numbered();
    for (stratified, k) in [(false, 3), (true, 3), (false, 100), (true, 5)] {
        let folds = if stratified { set.k_fold_stratified(k, 7) } else { set.k_fold(k, 7) }.unwrap();
        assert_eq!(folds.len(), k);
        let mut held_out = Vec::new();
        for (index, (train, validation)) in folds.clone().enumerate() {
            let (train, validation) = (row_numbers(&train), row_numbers(&validation));
            assert!((100 / k..=100_usize.div_ceil(k)).contains(&validation.len()));
            let both: BTreeSet<_> = train.iter().chain(&validation).collect();
            assert_eq!((both.len(), train.len()), (100, 100 - validation.len()));
            assert_eq!(folds.rows(index), Some((train, validation.clone())));
            held_out.extend(validation);
        }
        held_out.sort_unstable();
        assert_eq!(held_out, (0..100).collect::<Vec<_>>());
        assert_eq!(folds.rows(k), None);
    }
    for (_, validation) in set.k_fold_stratified(5, 3).unwrap() {
        assert_eq!(class_counts(&validation), [14, 4, 2]);
    }
}

#[test]
fn data_split_refuses_bad_parameters() {
    let set = numbered();
    for (fraction, shown) in [(0.0, "0"), (1.0, "1"), (-0.2, "-0.2"), (f64::NAN, "NaN")] {
        let expected = format!("train_test_split: test_fraction must be above 0 and below 1, got {shown}");
        assert_eq!(refused(set.train_test_split(fraction, 0)), expected);
    }
    let one_row = set.take(1).unwrap();
    assert_eq!(refused(one_row.train_test_split(0.5, 0)), "train_test_split: at least 2 rows are needed, got 1");
    assert_eq!(refused(set.k_fold(1, 0)), "k_fold: k must be from 2 to 100 (the rows), got 1");
    assert_eq!(refused(set.k_fold(101, 0)), "k_fold: k must be from 2 to 100 (the rows), got 101");
    let values = Dataset::new([[1.0], [2.0]], [0.5, 0.6]).unwrap();
    let problem = "no target holds classes to stratify by";
    assert_eq!(refused(values.k_fold_stratified(2, 0)), format!("k_fold_stratified: {problem}"));
    let split = values.train_test_split_stratified(0.5, 0);
    assert_eq!(refused(split), format!("train_test_split_stratified: {problem}"));
    let weights = (0..100).map(|row| if row == 0 { 1.0 } else { 0.0 }).collect();
    let error = refused(numbered().with_weights(weights).unwrap().k_fold(2, 0));
    assert!(error.ends_with(": every weight is 0") && error.starts_with("k_fold, "), "{error}");
}

#[test]
fn data_scalers_match_their_formulas() {
    let x = Matrix::from([[1.0, 0.1, -4.0], [2.0, 0.1, 0.0], [6.0, 0.1, 4.0]]);
    let scaler = Standardizer::fit(&x).unwrap();
    assert_eq!(scaler.mean(), [3.0, f64::from(0.1f32), 0.0]);
    let y = scaler.transform(&x).unwrap();
    let std = (14.0f64 / 3.0).sqrt();
    assert_eq!(y.row(0).unwrap(), [(-2.0 / std) as f32, 0.0, (-4.0 / (32.0f64 / 3.0).sqrt()) as f32]);
    let near = |a: &Matrix, b: &Matrix| a.data().iter().zip(b.data()).all(|(a, b)| (a - b).abs() <= 1e-6);
    assert!(near(&scaler.inverse(&y).unwrap(), &x));

    let scaler = MinMaxScaler::fit(&x).unwrap().with_range(-1.0, 3.0).unwrap();
    let y = scaler.transform(&x).unwrap();
    assert_eq!(y, Matrix::from([[-1.0, -1.0, -1.0], [-0.2, -1.0, 1.0], [3.0, -1.0, 3.0]]));
    assert!(near(&scaler.inverse(&y).unwrap(), &x));
}

/// One million and a bit: f32 sums lose the spread, and the rounded mean of a constant column is not exact.
#[test]
fn data_standardizer_computes_in_f64() {
    let x = Matrix::from_rows((0..10_000).map(|row| [1e6 + (row % 2) as f32, 0.1])).unwrap();
    let scaler = Standardizer::fit(&x).unwrap();
    assert_eq!(scaler.mean()[0], 1e6 + 0.5);
    assert_eq!(scaler.std(), [0.5, 0.0]);
    assert!(scaler.transform(&x).unwrap().iter_rows().all(|row| row[0].abs() == 1.0 && row[1] == 0.0));
}

#[test]
fn data_scalers_refuse_bad_input() {
    let empty = Matrix::new(0, 2, vec![]).unwrap();
    assert_eq!(refused(Standardizer::fit(&empty)), "Standardizer::fit: no rows");
    assert_eq!(refused(MinMaxScaler::fit(&empty)), "MinMaxScaler::fit: no rows");
    let nan = Matrix::from([[1.0], [f32::NAN]]);
    assert_eq!(refused(Standardizer::fit(&nan)), "Standardizer::fit row 1, column 0: NaN is not a finite number");
    let scaler = Standardizer::fit(&Matrix::from([[1.0, 2.0]])).unwrap();
    let wide = Matrix::from([[1.0, 2.0, 3.0]]);
    assert_eq!(refused(scaler.transform(&wide)), "Standardizer::transform: expected 2 columns as fitted, got 3");
    assert_eq!(refused(scaler.inverse(&wide)), "Standardizer::inverse: expected 2 columns as fitted, got 3");
    let range = MinMaxScaler::fit(&wide).unwrap().with_range(1.0, 1.0);
    assert_eq!(refused(range), "MinMaxScaler::with_range: range must be finite, from low to high, got 1 to 1");
}

#[test]
fn data_labels_encode_both_ways() {
    let rows = one_hot(&[1, 0, 2], 3).unwrap();
    assert_eq!(rows, Matrix::from([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]));
    assert_eq!(refused(one_hot(&[0, 1, 5], 3)), "one_hot, row 2: label 5, but there are 3 classes (0 to 2)");
    assert_eq!(refused(one_hot(&[], 0)), "one_hot: classes must be at least 1, got 0");
    let wanted = "one_hot: classes must be at most 16777216, got";
    assert_eq!(refused(one_hot(&[0], 4_000_000_001)), format!("{wanted} 4000000001"));
    assert_eq!(refused(one_hot(&[0], usize::MAX / 2)), format!("{wanted} {}", usize::MAX / 2));

    let encoder = LabelEncoder::fit(["pear", "apple", "pear", "fig"]);
    assert_eq!(encoder.classes(), ["apple", "fig", "pear"]);
    let labels = encoder.transform(["fig", "pear"]).unwrap();
    assert_eq!((labels.as_slice(), encoder.inverse(&labels).unwrap()), (&[1, 2][..], vec!["fig", "pear"]));
    let unknown = encoder.transform(["fig", "kiwi"]);
    let expected = "LabelEncoder::transform, row 1: unknown class `kiwi`, known are `apple`, `fig`, `pear`";
    assert_eq!(refused(unknown), expected);
    assert_eq!(refused(encoder.inverse(&[0, 3])), "LabelEncoder::inverse, row 1: label 3, but there are 3 classes");
    let twice = LabelEncoder::from_classes(["a", "b", "a"]);
    assert_eq!(refused(twice), "LabelEncoder::from_classes: class `a` stands at 0 and at 2");
}

#[test]
fn data_targets_take_every_integer() {
    let classes = Targets::Classes(vec![0, 2, 1]);
    let set = |y: Targets| Dataset::new([[1.0], [2.0], [3.0]], y).unwrap();
    macro_rules! each {
        ($($integer:ty)*) => {$(
            let labels: [$integer; 3] = [0, 2, 1];
            assert_eq!(Targets::try_from(labels).unwrap(), classes);
            assert_eq!(Targets::try_from(&labels[..]).unwrap(), classes);
            assert_eq!(Dataset::new([[1.0], [2.0], [3.0]], labels.to_vec()).unwrap(), set(classes.clone()));
        )*};
    }
    each!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    assert_eq!(Targets::from(vec![true, false]), Targets::Classes(vec![1, 0]));
    let wanted = |row: usize, got: &str| {
        format!("targets row {row}: {got} is no class number (0 to 4294967295); as a value it must be f32")
    };
    assert_eq!(refused(Dataset::new([[1.0], [2.0]], [1, -1])), wanted(1, "-1"));
    assert_eq!(refused(set(classes).with_target(vec![0_u64, 1, 1 << 32])), wanted(2, "4294967296"));
}

#[cfg(feature = "save")]
#[test]
fn data_encoders_survive_json() {
    let encoder = LabelEncoder::from_classes(["z", "a"]).unwrap();
    let json = serde_json::to_string(&encoder).unwrap();
    assert_eq!(json, r#"["z","a"]"#);
    assert_eq!(serde_json::from_str::<LabelEncoder>(&json).unwrap(), encoder);
    assert!(serde_json::from_str::<LabelEncoder>(r#"["a","a"]"#).is_err());
    let scaler = Standardizer::fit(&Matrix::from([[1.0, 2.0], [2.0, 2.5]])).unwrap();
    let json = serde_json::to_string(&scaler).unwrap();
    assert_eq!(serde_json::from_str::<Standardizer>(&json).unwrap(), scaler);
}

/// What no fit makes is refused in a file, with the value.
#[cfg(feature = "save")]
#[test]
fn data_scalers_pass_the_checks_in_json() {
    let standardizer = |json: &str| serde_json::from_str::<Standardizer>(json).unwrap_err().to_string();
    let error = standardizer(r#"{"mean":[1.0,2.0],"std":[1.0]}"#);
    assert!(error.starts_with("Standardizer std: expected 2 numbers as in mean, got 1"), "{error}");
    let error = standardizer(r#"{"mean":[1.0],"std":[-2.5]}"#);
    assert!(error.starts_with("Standardizer column 0: std must be at least 0, got -2.5"), "{error}");
    assert!(standardizer(r#"{"mean":[1.0],"std":[1.0],"colour":1}"#).starts_with("unknown field `colour`"));
    let scaler = MinMaxScaler::fit(&Matrix::from([[1.0], [2.0]])).unwrap();
    let json = serde_json::to_string(&scaler).unwrap();
    assert_eq!(serde_json::from_str::<MinMaxScaler>(&json).unwrap(), scaler);
    let error = serde_json::from_str::<MinMaxScaler>(&json.replace("\"low\":0.0", "\"low\":7.0")).unwrap_err();
    assert!(error.to_string().starts_with("MinMaxScaler: range must be finite, from low to high, got 7 to 1"));
    let error = serde_json::from_str::<MinMaxScaler>(&json.replace("[2.0]", "[0.5]")).unwrap_err();
    assert!(error.to_string().starts_with("MinMaxScaler column 0: max must be at least 1, got 0.5"), "{error}");
}

/// Against scikit-learn's `RobustScaler` (`tests/fixtures/preprocessing/generate.py`).
#[test]
fn data_robust_scaler_is_that_of_scikit_learn() {
    let text = std::fs::read_to_string(folder().join("preprocessing/preprocessing.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = json["robust"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let numbers = |list: &serde_json::Value| -> Vec<f64> {
            list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
        };
        let rows = |name: &str| {
            let rows: Vec<Vec<f32>> = case[name]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| numbers(row).iter().map(|x| *x as f32).collect())
                .collect();
            Matrix::from_rows(rows).unwrap()
        };
        let x = rows("x");
        let scaler = RobustScaler::fit(&x).unwrap();
        let close = |got: f64, wanted: f64| (got - wanted).abs() <= 1e-12 * wanted.abs();
        assert!(
            scaler.center().iter().zip(numbers(&case["center"])).all(|(got, wanted)| close(*got, wanted)),
            "{case}"
        );
        // scikit-learn writes 1 where the quartiles are equal.
        let spread = scaler.spread().iter().map(|spread| if *spread == 0.0 { 1.0 } else { *spread });
        assert!(spread.zip(numbers(&case["scale"])).all(|(got, wanted)| close(got, wanted)), "{case}");
        let (y, wanted) = (scaler.transform(&x).unwrap(), rows("y"));
        let mut pairs = y.data().iter().zip(wanted.data());
        assert!(pairs.all(|(got, wanted)| (got - wanted).abs() <= wanted.abs() * f32::EPSILON), "{case}");
        let back = scaler.inverse(&y).unwrap();
        for (back, x) in back.iter_rows().zip(x.iter_rows()) {
            for ((got, x), center) in back.iter().zip(x).zip(scaler.center()) {
                // What rounding y and the result may cost.
                let most = ((f64::from(*x) - center).abs() + f64::from(x.abs())) * f64::from(f32::EPSILON);
                assert!(f64::from((got - x).abs()) <= most, "{case}");
            }
        }
    }
}

#[test]
fn data_robust_scaler_refuses() {
    assert_eq!(RobustScaler::fit(&Matrix::default()).unwrap_err().to_string(), "RobustScaler::fit: no rows");
    let scaler = RobustScaler::fit(&Matrix::from([[1.0, 2.0]])).unwrap();
    let error = scaler.transform(&Matrix::from([[1.0]])).unwrap_err().to_string();
    assert_eq!(error, "RobustScaler::transform: expected 2 columns as fitted, got 1");
    #[cfg(feature = "save")]
    {
        let json = serde_json::to_string(&scaler).unwrap();
        assert_eq!(serde_json::from_str::<RobustScaler>(&json).unwrap(), scaler);
        let error =
            serde_json::from_str::<RobustScaler>(r#"{"center":[1.0],"spread":[-1.0]}"#).unwrap_err().to_string();
        assert!(error.starts_with("RobustScaler column 0: spread must be at least 0, got -1"), "{error}");
    }
}
