//! Runs over streams: the bits of rows in memory, whatever the chunks, the parts and the metrics; what ends them.

use super::api::{bits, classifier, samples};
use axone::data::Stream;
use axone::metrics::Average;
use axone::prelude::*;
use axone::train::Evaluation;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `data` in chunks that end at these rows.
pub fn chunked(data: &Dataset, ends: &[usize]) -> Stream {
    let (data, ends) = (data.clone(), ends.to_vec());
    Dataset::stream(move |chunk| {
        let Some(end) = ends.get(chunk) else { return Ok(None) };
        let start = if chunk == 0 { 0 } else { ends[chunk - 1] };
        data.select(&(start..*end).collect::<Vec<_>>()).map(Some)
    })
}

const ENDS: [usize; 7] = [3, 40, 41, 60, 100, 101, 107];

/// 107 rows, some of weight 0.
fn weighted() -> Dataset {
    samples(107)
        .with_weights((0..107).map(|row| if row % 9 == 0 { 0.0 } else { 1.0 + row as f32 / 64.0 }).collect())
        .unwrap()
}

fn fit() -> Fit {
    Fit::new().epochs(3).batch_size(8).seed(5).silent()
}

/// The names and the bits of the values of each epoch.
type Values = Vec<Vec<(String, u64)>>;

/// What a run over `data` leaves: its history without the seconds, the bits of the weights, an evaluation.
fn outcome(
    device: &Device,
    metrics: &[Metric],
    run: impl FnOnce(&mut Model) -> Result<History>,
    judge: impl FnOnce(&mut Model) -> Result<Evaluation>,
) -> (Values, Vec<u32>, Evaluation) {
    let mut model = classifier(device, Adam::new(0.02));
    model.set_metrics(metrics.to_vec()).unwrap();
    let history = run(&mut model).unwrap();
    let values = history
        .epochs
        .iter()
        .map(|epoch| epoch.values.iter().map(|(name, value)| (name.clone(), value.to_bits())).collect());
    let values = values.collect();
    let judged = judge(&mut model).unwrap();
    (values, bits(&mut model), judged)
}

pub fn has_the_bits_of_memory(device: &Device) {
    let partial = samples(107).with_target_weights(0, (0..107).map(|row| (row % 3) as f32).collect()).unwrap();
    for data in [samples(107), weighted(), partial] {
        for metrics in [vec![], vec![Metric::F1(Average::Macro), Metric::ConfusionMatrix, Metric::TopK(2)]] {
            let held_out = samples(300);
            let plain = fit().without_shuffle().validation(&held_out);
            let wanted = outcome(device, &metrics, |model| model.fit(&data, &plain), |model| model.evaluate(&data));
            let ends = [100, 290, 300];
            for budget in [1 << 30, 3000, 1] {
                let streamed = fit().data_budget(budget).validation(&chunked(&held_out, &ends));
                let rows = chunked(&data, &ENDS);
                let got = outcome(device, &metrics, |model| model.fit(&rows, &streamed), |model| model.evaluate(&rows));
                assert_eq!(got, wanted, "{metrics:?} in {budget} bytes");
            }
        }
    }
    // Fewer rows than a batch, and a loss by the host.
    let (few, all) = (samples(5), samples(107));
    let own = |rows: &Stream, data: &Dataset| {
        let run = |model: &mut Model| model.fit(rows, &fit());
        let got = outcome(device, &[], run, |model| model.evaluate(rows));
        let run = |model: &mut Model| model.fit(data, &fit().without_shuffle());
        assert_eq!(got, outcome(device, &[], run, |model| model.evaluate(data)));
    };
    own(&chunked(&few, &[2, 5]), &few);
    own(&chunked(&all, &[107]), &all);
}

pub fn by_host_has_the_bits_of_memory(device: &Device) {
    let loss = |outputs: &[Matrix], targets: &[axone::data::Targets]| {
        let labels = targets[0].labels().unwrap();
        let mut gradient = outputs[0].clone();
        gradient = Matrix::new(gradient.rows(), 3, gradient.into_data()).unwrap();
        let losses = gradient.iter_rows().zip(labels).map(|(row, label)| -row[*label as usize].ln()).collect();
        let rows = gradient.iter_rows().zip(labels).flat_map(|(row, label)| {
            (0..3).map(move |column| if column == *label as usize { -1.0 / row[column] } else { 0.0 })
        });
        Ok((losses, vec![Matrix::new(gradient.rows(), 3, rows.collect()).unwrap()]))
    };
    let (data, held_out) = (weighted(), samples(50));
    let run = |rows: &Dataset, val: &Dataset, stream: bool| {
        let mut model = classifier(device, Adam::new(0.02));
        let history = match stream {
            false => model.fit_with(rows, &fit().without_shuffle().validation(val), loss),
            true => {
                let (rows, val) = (chunked(rows, &ENDS), chunked(val, &[20, 50]));
                model.fit_with(&rows, &fit().validation(&val), loss)
            }
        };
        let history = history.unwrap();
        (history.get("loss"), history.get("val_loss"), bits(&mut model))
    };
    assert_eq!(run(&data, &held_out, true), run(&data, &held_out, false));
}

/// Windows change with the epoch and with the seed, and come again.
pub fn is_shuffled_in_windows(device: &Device) {
    let data = samples(107);
    let run = |rows: &Stream, fit: Fit| {
        let mut model = classifier(device, Sgd::new(0.1));
        model.fit(rows, &fit).unwrap();
        bits(&mut model)
    };
    let rows = |seed| chunked(&data, &ENDS).shuffle(40, seed);
    let first = run(&rows(1), fit());
    assert_eq!(run(&rows(1), fit()), first);
    assert_eq!(run(&chunked(&data, &[50, 107]).shuffle(40, 1), fit().data_budget(2000)), first);
    assert_ne!(run(&rows(2), fit()), first);
    let plain = run(&chunked(&data, &ENDS), fit());
    assert_ne!(first, plain);
    assert_eq!(run(&rows(1), fit().without_shuffle()), plain);
    // By hand in the same order: the epochs are counted from 1. A last batch of 11 rows goes through the plan of 16.
    let (mut model, batch) = (classifier(device, Sgd::new(0.1)), 16);
    for epoch in 1..4 {
        for batch in rows(1).batch_size(batch).epoch(epoch).unwrap() {
            model.queue_step(&batch.unwrap()).unwrap();
        }
    }
    assert_eq!(bits(&mut model), run(&rows(1), fit().batch_size(batch)));
}

/// An error of the reader is that of the run, and the steps before it count.
pub fn ends_with_the_error_of_its_reader(device: &Device) {
    let (data, reads) = (samples(107), Arc::new(AtomicUsize::new(0)));
    let counted = reads.clone();
    let rows = chunked(&data, &ENDS).map(move |chunk| match counted.fetch_add(1, Ordering::Relaxed) {
        10 => Err(axone::data::LabelEncoder::fit(["a"]).transform(["b"]).unwrap_err()),
        _ => Ok(chunk),
    });
    let losses = Arc::new(std::sync::Mutex::new(Losses::default()));
    let mut model = classifier(device, Adam::new(0.02));
    let error = model.fit(&rows, &fit().callback(losses.clone())).unwrap_err();
    assert_eq!(error, axone::data::LabelEncoder::fit(["a"]).transform(["b"]).unwrap_err());
    assert_eq!(losses.lock().unwrap().0.len(), 1);
    // One epoch of 14 steps, and of the second what came before chunk 3.
    assert_eq!(model.steps_done(), 14 + 5);
    let mut same = classifier(device, Adam::new(0.02));
    let plain = fit().epochs(1).without_shuffle();
    same.fit(&data, &plain).unwrap();
    same.fit(&data.take(40).unwrap(), &plain).unwrap();
    assert_eq!(bits(&mut model), bits(&mut same));
    // And it trains on.
    reads.store(20, Ordering::Relaxed);
    model.fit(&rows, &fit()).unwrap();
}

#[derive(Default)]
struct Losses(Vec<f64>);

impl Callback for Losses {
    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.0.push(run.value("losses", "loss")?);
        Ok(())
    }
}
