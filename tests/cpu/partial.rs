//! Targets with weights of their own on the CPU backend; the checks are in `tests/common/partial.rs`. And weights that are none.

use crate::common::{matrix, partial};
use axone::prelude::*;

#[test]
fn missing_targets_count_for_nothing() {
    partial::missing_targets_count_for_nothing(&Device::cpu());
}

#[test]
fn partial_targets_train_everywhere() {
    partial::partial_targets_train_everywhere(&Device::cpu());
}

#[test]
fn some_outputs_are_evaluated() {
    partial::some_outputs_are_evaluated(&Device::cpu());
}

#[test]
fn weights_that_are_none() {
    fn data() -> Dataset {
        Dataset::new(matrix(1, 3, 2), vec![1.0f32, 2.0, 3.0]).unwrap()
    }
    let error = |target, weights: &[f32]| data().with_target_weights(target, weights.to_vec()).unwrap_err().to_string();
    assert_eq!(error(1, &[1.0; 3]), "target_weights: target must be below 1 (the targets), got 1");
    assert_eq!(error(0, &[1.0; 2]), "target_weights[0]: expected 3 values, one a row, got 2");
    assert_eq!(error(0, &[1.0, -1.0, 0.0]), "target_weights[0] row 1: a weight must be finite and at least 0, got -1");
    assert_eq!(error(0, &[0.0; 3]), "target_weights[0]: every weight is 0");

    let weighed = data().with_target_weights(0, vec![0.0, 0.5, 1.0]).unwrap();
    assert_eq!(weighed.target_weights(0), Some(&[0.0, 0.5, 1.0][..]));
    assert_eq!((weighed.target_weights(1), data().target_weights(0)), (None, None));
    // A part may have no target at all: its own loss is no number, and the loss of the part is 0.
    let none = weighed.select(&[0]).unwrap();
    assert_eq!(none.target_weights(0), Some(&[0.0][..]));
    let mut model =
        Sequential::new(2).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let scores = model.evaluate(&none).unwrap();
    assert_eq!(scores.loss(), 0.0);
    assert!(scores.get("mae").unwrap().is_nan());
    let before = model.weights().unwrap();
    model.train_on_batch(&none).unwrap();
    assert_eq!(model.weights().unwrap(), before);

    let error =
        model.fit_with(&weighed, &Fit::new().silent(), |y, _| Ok((vec![0.0; y[0].rows()], y.to_vec()))).unwrap_err();
    assert_eq!(error.to_string(), "fit_with: target weights must be left to the program's loss, got some");
    #[cfg(feature = "datasets")]
    {
        let chunk =
            |weighed: bool| if weighed { data().with_target_weights(0, vec![0.0, 0.5, 1.0]) } else { Ok(data()) };
        let stream = |second: bool| {
            let chunks = Dataset::stream(move |i| (i < 2).then(|| chunk(i == 0 || second)).transpose());
            let batches = chunks.batch_size(4).epoch(0).unwrap();
            batches.collect::<Result<Vec<Dataset>>>()
        };
        let batches = stream(true).unwrap();
        assert_eq!(batches[0].target_weights(0), Some(&[0.0, 0.5, 1.0, 0.0][..]));
        let error = stream(false).unwrap_err().to_string();
        assert_eq!(error, "chunk 1 target_weights[0]: expected some, as before, got none");
    }
}
