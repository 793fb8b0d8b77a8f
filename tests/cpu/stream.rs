//! Data sets that are read in chunks: every row once, in the order of memory or shuffled in windows, and what goes wrong.

use axone::data::Stream;
use axone::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

/// Rows `first .. first + rows`, each with its number as target.
fn chunk(first: usize, rows: usize) -> Dataset {
    let x: Vec<[f32; 2]> = (first..first + rows).map(|row| [(row as f32).sin(), (row as f32).cos()]).collect();
    Dataset::new(x, (first..first + rows).map(|row| row as f32 / 100.0).collect::<Vec<f32>>()).unwrap()
}

/// 107 rows in chunks of uneven sizes.
fn stream() -> Stream {
    let ends = [0, 5, 40, 41, 90, 107];
    Dataset::stream(move |i| Ok((i + 1 < ends.len()).then(|| chunk(ends[i], ends[i + 1] - ends[i]))))
}

/// The batches' sizes, and the numbers of their rows.
fn rows(stream: &Stream, epoch: u64) -> (Vec<usize>, Vec<usize>) {
    let batches: Vec<Dataset> = stream.epoch(epoch).unwrap().map(|batch| batch.unwrap()).collect();
    let numbers = batches.iter().flat_map(|batch| batch.targets()[0].values().unwrap().data().to_vec());
    (batches.iter().map(Dataset::len).collect(), numbers.map(|y| (y * 100.0).round() as usize).collect())
}

#[test]
fn every_row_comes_once() {
    let all: Vec<usize> = (0..107).collect();
    let (sizes, plain) = rows(&stream().batch_size(16), 0);
    assert_eq!((sizes, &plain), (vec![16, 16, 16, 16, 16, 16, 11], &all));
    let shuffled = stream().batch_size(16).shuffle(40, 7);
    let (sizes, first) = rows(&shuffled, 0);
    assert_eq!(sizes, [16, 16, 16, 16, 16, 16, 11]);
    let mut sorted = first.clone();
    sorted.sort();
    assert_eq!(sorted, all);
    // A window of 40 rows has two whole batches.
    assert!(first[..32].iter().all(|row| *row < 32) && first != all);
    assert_eq!(rows(&shuffled, 0).1, first);
    assert_ne!(rows(&shuffled, 1).1, first);
}

/// The same rows in memory give the same bits.
#[test]
fn streamed_steps_have_the_bits_of_rows_in_memory() {
    let model = || {
        let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Tanh)).add(Dense::new(1));
        net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.01)).unwrap()
    };
    let (mut whole, mut parts) = (model(), model());
    whole.fit(&chunk(0, 107), &Fit::new().epochs(3).batch_size(16).without_shuffle().silent()).unwrap();
    for epoch in 0..3 {
        for batch in stream().batch_size(16).epoch(epoch).unwrap() {
            parts.queue_step(&batch.unwrap()).unwrap();
        }
    }
    assert_eq!(parts.weights().unwrap(), whole.weights().unwrap());
}

#[test]
fn reading_stays_little_ahead_and_ends_with_its_batches() {
    let read = Arc::new(AtomicUsize::new(0));
    let counted = read.clone();
    let endless = Dataset::stream(move |i| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(Some(chunk(16 * i, 16)))
    });
    let mut batches = endless.batch_size(16).epoch(0).unwrap();
    for _ in 0..10 {
        batches.next().unwrap().unwrap();
    }
    drop(batches);
    // One that waits in the channel, one that waits for room there.
    assert!((10..=13).contains(&read.load(Ordering::Relaxed)), "{read:?}");
}

#[test]
fn what_goes_wrong_is_told_once() {
    let last = |stream: &Stream| {
        let mut batches = stream.epoch(0).unwrap();
        let error = batches.by_ref().find_map(|batch| batch.err()).unwrap().to_string();
        assert!(batches.next().is_none());
        error
    };
    assert_eq!(last(&Dataset::stream(|_| Ok(None))), "stream: the reader gave no rows");
    let wide = Dataset::stream(|i| {
        Dataset::new(vec![[1.0; 2]; 5], vec![0.0; 5]).map(|set| match i {
            0 => Some(set),
            _ => Dataset::new([[1.0; 3]], [0.0]).ok(),
        })
    });
    assert_eq!(last(&wide), "chunk 1 inputs[0]: expected 2 columns, got 3");
    let kinds = Dataset::stream(|i| match i {
        0 => Ok(Some(chunk(0, 5))),
        _ => Dataset::new([[1.0; 2]], [1]).map(Some),
    });
    assert_eq!(last(&kinds), "chunk 1 targets[0]: expected values, got classes");
    let weights = Dataset::stream(|i| match i {
        0 => Ok(Some(chunk(0, 5))),
        _ => chunk(0, 5).with_weights(vec![1.0; 5]).map(Some),
    });
    assert_eq!(last(&weights), "chunk 1 weights: expected none, as before, got some");
    let files =
        Stream::files(["no/such.csv"], |path| axone::data::read_csv(path, axone::data::CsvOptions::values(["y"])));
    assert!(last(&files).starts_with("no/such.csv: "), "{}", last(&files));
    assert_eq!(last(&Dataset::stream(|_| panic!("a reader's own"))), "stream: its reader panicked");
    assert_eq!(text(stream().batch_size(0).epoch(0)), "stream: batch_size must be at least 1, got 0");
    assert_eq!(text(stream().shuffle(31, 1).epoch(0)), "stream: window must be at least a batch of 32 rows, got 31");
    let one = stream();
    let mut first = one.epoch(0).unwrap();
    first.next().unwrap().unwrap();
    let second = one.epoch(0).unwrap().next().unwrap();
    assert_eq!(text(second), "stream: epoch must be the only one that is read, got a second one at the same time");
}
