//! Data sets that are read in chunks: every row once, in the order of memory or shuffled in windows, and what goes wrong.
//! What runs on any device is in `tests/common`.

use crate::common::api::{bits, classifier, samples};
use crate::common::stream::{self as runs, chunked};
use crate::readers::{Folder, gzip};
use axone::data::{
    CsvOptions, Missing, Schema, Standardizer, Stream, Table, TableOptions, idx_shape, read_idx, read_idx_rows,
};
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

#[test]
fn a_run_has_the_bits_of_memory() {
    runs::has_the_bits_of_memory(&Device::cpu());
    runs::by_host_has_the_bits_of_memory(&Device::cpu());
}

#[test]
fn a_run_is_shuffled_and_ends_with_its_reader() {
    runs::is_shuffled_in_windows(&Device::cpu());
    runs::ends_with_the_error_of_its_reader(&Device::cpu());
}

fn fit() -> Fit {
    Fit::new().epochs(4).batch_size(8).silent()
}

/// What a run of `stream` is refused by.
fn refusal(stream: &Stream, fit: &Fit) -> String {
    text(classifier(&Device::cpu(), Adam::new(0.01)).fit(stream, fit))
}

#[test]
fn what_does_not_fit_a_run_is_told() {
    let data = samples(100);
    let rows = || chunked(&data, &[40, 100]);
    assert_eq!(refusal(&Dataset::stream(|_| Ok(None)), &fit()), "stream: the reader gave no rows");
    assert_eq!(
        refusal(&rows(), &fit().validation_split(0.2)),
        "fit: validation_split must be left out for a stream, which `Fit::validation` gives rows of their own, got 0.2"
    );
    assert_eq!(
        refusal(&rows().batch_size(16), &fit()),
        "stream: batch_size must be that of the run, 8 (`Fit::batch_size`), or not told, got 16"
    );
    assert_eq!(refusal(&rows().shuffle(7, 1), &fit()), "stream: window must be at least a batch of 8 rows, got 7");
    assert_eq!(
        refusal(&rows(), &fit().schedule(CosineDecay::new())),
        "stream: rows must be told by Stream::rows, for a schedule that spans the run, got none"
    );
    let known = "100 were told or were in the epoch before";
    assert_eq!(
        refusal(&rows().rows(90), &fit()),
        "stream: an epoch of 100 rows or more, where 90 were told or were in the epoch before"
    );
    assert_eq!(
        refusal(&chunked(&data, &[90]).rows(100), &fit()),
        format!("stream: an epoch of 90 rows alone, where {known}")
    );
    // The second epoch has others than the first.
    for (ends, wanted) in [(80, "an epoch of 80 rows alone"), (107, "an epoch of 107 rows or more")] {
        let (data, mut epoch) = (samples(107), 0);
        let uneven = Dataset::stream(move |chunk| {
            epoch += usize::from(chunk == 0);
            let end = if epoch == 1 { 100 } else { ends };
            (chunk == 0).then(|| data.take(end)).transpose()
        });
        assert_eq!(refusal(&uneven, &fit()), format!("stream: {wanted}, where {known}"));
    }
    let wide =
        chunked(&data, &[40, 100]).map(|chunk| chunk.map_inputs(|x| Matrix::new(x.rows(), 4, vec![0.0; 4 * x.rows()])));
    assert_eq!(refusal(&wide, &fit()), "chunk 0 dense_1: expected input (B, 5), got (B, 4)");
    let wider = chunked(&data, &[40, 100]).map(|chunk| match chunk.len() {
        40 => Ok(chunk),
        rows => chunk.map_inputs(|_| Matrix::new(rows, 4, vec![0.0; 4 * rows])),
    });
    assert_eq!(refusal(&wider, &fit()), "chunk 1 inputs[0]: expected 5 columns, got 4");
    let labels = chunked(&data, &[40, 100]).map(|chunk| chunk.map_labels(0, |label| label + 1));
    let told = refusal(&labels, &fit());
    let class = "class 3, but dense_2 tells 3 classes apart (0 to 2)";
    assert!(told.starts_with("chunk 0 targets[0] row ") && told.ends_with(class), "{told}");
}

/// With the rows told, a schedule that spans the run has the bits of memory.
#[test]
fn schedules_count_the_steps_of_a_stream() {
    let data = samples(100);
    let run = |told: bool, fit: &Fit| {
        let mut model = classifier(&Device::cpu(), Adam::new(0.05));
        let rows = if told { chunked(&data, &[40, 100]).rows(100) } else { chunked(&data, &[40, 100]) };
        model.fit(&rows, fit).unwrap();
        bits(&mut model)
    };
    for fit in [fit().schedule(CosineDecay::new().warmup(9)), fit().schedule(OneCycle::new())] {
        let mut model = classifier(&Device::cpu(), Adam::new(0.05));
        model.fit(&data, &fit.clone().without_shuffle()).unwrap();
        assert_eq!(run(true, &fit), bits(&mut model));
    }
    // Neither spans the run.
    for fit in [fit().schedule(StepDecay::new(2, 0.5)), fit().schedule(CosineDecay::new().steps(30))] {
        assert_eq!(run(false, &fit), run(true, &fit));
    }
}

#[cfg(feature = "save")]
#[test]
fn a_resumed_run_has_the_bits_of_one_without_the_break() {
    let folder = Folder::new("stream-resume");
    let (data, file) = (samples(100), folder.0.join("run"));
    let rows = |seed| chunked(&data, &[40, 100]).shuffle(24, seed);
    let model = || classifier(&Device::cpu(), Adam::new(0.05));
    let (mut whole, mut parts) = (model(), model());
    let early = || fit().callback(EarlyStopping::new("val_loss").patience(3)).validation(&rows(9));
    let wanted = whole.fit(&rows(1), &early()).unwrap();
    parts.fit(&rows(1), &early().epochs(2).checkpoint(file.as_path())).unwrap();
    let mut resumed = model();
    let history = resumed.fit(&rows(1), &early().resume(&file)).unwrap();
    assert_eq!(bits(&mut resumed), bits(&mut whole));
    assert_eq!(history.get("val_loss"), wanted.get("val_loss"));
    let other = |rows: &Stream| {
        let told = text(model().fit(rows, &early().resume(&file)));
        told.split(" as in ").next().unwrap().to_owned()
    };
    assert_eq!(other(&rows(2)), "resume: window and seed of the stream must be Some((24, 1))");
    assert_eq!(other(&rows(1).rows(90)), "resume: rows must be 100");
    // The file says how many rows there must be.
    let fewer = text(model().fit(&chunked(&data, &[40, 90]).shuffle(24, 1), &early().resume(&file)));
    assert_eq!(fewer, "stream: an epoch of 90 rows alone, where 100 were told or were in the epoch before");
}

/// A run that is stopped from outside ends within its epoch, and one that ends with its last step is whole.
#[test]
fn a_stop_flag_ends_a_stream() {
    for (chunk, epochs) in [(1, 0), (4, 1)] {
        let flag = StopFlag::new();
        let (raised, data) = (flag.clone(), samples(100));
        let rows = Dataset::stream(move |i| {
            if i == chunk {
                raised.raise();
            }
            (i < 4).then(|| data.select(&(25 * i..25 * i + 25).collect::<Vec<_>>())).transpose()
        });
        let mut model = classifier(&Device::cpu(), Adam::new(0.01));
        let history = model.fit(&rows, &fit().stop_flag(&flag)).unwrap();
        assert!(history.stopped.is_some_and(|why| why.starts_with("stopped from outside")));
        assert!(history.epochs.len() <= epochs && model.steps_done() <= 13);
    }
}

#[test]
fn a_profile_and_a_search_for_nan_take_a_stream() {
    let data = samples(100);
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    let history = model.fit(&chunked(&data, &[40, 100]), &fit().profile(true)).unwrap();
    assert!(history.profile.is_some() && history.warnings.is_empty(), "{:?}", history.warnings);
    let net = Sequential::new(2).add(Dense::new(1));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(1e30)).unwrap();
    let before = model.weights().unwrap();
    let history = model.fit(&stream(), &fit().callback(TerminateOnNonFinite::new())).unwrap();
    let why = history.stopped.unwrap();
    assert!(why.ends_with("the weights are those before it, and a stream is not read again for the step"), "{why}");
    assert_eq!(model.weights().unwrap(), before);
}

#[test]
fn samples_are_fair_and_keep_the_order() {
    let mut counts = [0u32; 107];
    for seed in 0..2000 {
        let sample = stream().sample(20, seed).unwrap();
        let rows: Vec<usize> =
            sample.targets()[0].values().unwrap().data().iter().map(|y| (y * 100.0).round() as usize).collect();
        assert!(rows.is_sorted() && rows.len() == 20);
        rows.iter().for_each(|row| counts[*row] += 1);
    }
    // Each row is drawn with p = 20 / 107: a standard deviation of 17.4; 5 of them for 107 rows.
    let expected = 2000.0 * 20.0 / 107.0;
    assert!(counts.iter().all(|count| (f64::from(*count) - expected).abs() < 5.0 * 17.4), "{counts:?}");
    assert_eq!(stream().sample(1000, 1).unwrap(), chunk(0, 107));
    assert_eq!(text(stream().sample(0, 1)), "Stream::sample: rows must be at least 1, got 0");
    let scaler = Standardizer::fit(&stream().sample(1000, 1).unwrap().inputs()[0]).unwrap();
    let wanted = scaler.transform(&chunk(0, 107).inputs()[0]).unwrap();
    let scaled = stream().map(move |chunk| chunk.map_inputs(|x| scaler.transform(x))).sample(1000, 1).unwrap();
    assert_eq!(scaled.inputs()[0], wanted);
}

const PEOPLE: &str = "age,town,note,kind
30,Ulm,,a
,\"Ulm\",\"so,
\"\"so\"\"\",b
50,\"B\"\"o,nn\",,b

71,Ulm,,a
20,Ulm,,b
44,Ulm,,
";

fn people() -> TableOptions {
    TableOptions::class_names("kind")
        .categories(["town"])
        .ignore(["note"])
        .missing(["age"], Missing::mean())
        .missing(["kind"], Missing::drop_row())
}

/// All rows of a table, read `rows` at a time.
fn streamed(path: &std::path::Path, schema: &Schema, rows: usize) -> Result<Dataset> {
    Stream::table(path, schema, rows).sample(1000, 1)
}

#[test]
fn tables_are_streamed_as_they_are_read() {
    let folder = Folder::new("stream-table");
    for (name, text) in [
        ("a.csv", PEOPLE.to_owned()),
        ("b.csv", PEOPLE.replace('\n', "\r\n")),
        ("c.csv", PEOPLE.replace('\n', "\r")),
        ("d.csv", format!("\u{feff}{}", PEOPLE.trim_end())),
        ("e.tsv", PEOPLE.replace(',', "\t").replace("o\tnn", "o,nn")),
    ] {
        for path in [folder.write(name, &text), folder.write(&format!("{name}.gz"), gzip(text.as_bytes()))] {
            let table = Table::read(&path, &people()).unwrap();
            let schema = Schema::fit(&table, people()).unwrap();
            let wanted = schema.dataset(&table).unwrap();
            for rows in [1, 2, 3, 100] {
                assert_eq!(streamed(&path, &schema, rows).unwrap(), wanted, "{name}, {rows} rows at a time");
            }
            assert_eq!(Table::sample(&path, &people(), 100, 1).unwrap(), table);
            assert_eq!(Table::sample(&path, &people(), 2, 1).unwrap().rows(), 2);
        }
    }
}

/// What is wrong is told as the reader of whole files tells it.
#[test]
fn streamed_tables_name_file_line_and_column() {
    let folder = Folder::new("stream-lines");
    let table = Table::read_csv(folder.write("good.csv", PEOPLE), &people()).unwrap();
    let schema = Schema::fit(&table, people()).unwrap();
    let cases = [
        PEOPLE.replace("71", "old"),
        PEOPLE.replace("20,Ulm", "20,Bern"),
        PEOPLE.replace("44,Ulm,", "44,Ulm,,"),
        PEOPLE.replace("71,Ulm", "71,\"Ulm"),
        PEOPLE.replace("71,Ulm", "71,U\"lm"),
        PEOPLE.replace("71", "7\u{0}1"),
        "age,town,note,kind\n".to_owned(),
        String::new(),
        "age,town\n1,Ulm\n".to_owned(),
    ];
    for text in cases {
        let path = folder.write("bad.csv", &text);
        let whole = Table::read_csv(&path, schema.options()).and_then(|table| schema.dataset(&table)).unwrap_err();
        for rows in [1, 2, 100] {
            assert_eq!(streamed(&path, &schema, rows).unwrap_err(), whole, "{text:?}, {rows} rows at a time");
        }
    }
    let path = folder.write("bad.csv", PEOPLE.replace("71", "old"));
    let net = Sequential::new(2).add(Dense::new(2).activation(Activation::Softmax));
    let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.1)).unwrap();
    let rows = Stream::table(&path, &schema, 1).map(|chunk| {
        let inputs = Matrix::hstack(&chunk.inputs().iter().collect::<Vec<_>>())?;
        Dataset::new(inputs, chunk.targets()[0].clone())
    });
    let told = text(model.fit(&rows, &fit().batch_size(1)));
    assert_eq!(told, format!("{} line 7, column `age`: expected a finite number, got `old`", path.display()));
    assert_eq!(model.steps_done(), 3);
    assert_eq!(text(streamed(&path, &schema, 0)), "Stream::table: rows must be at least 1, got 0");
    assert!(text(streamed(&folder.0.join("no.csv"), &schema, 5)).contains("no.csv: "));
}

/// A quote that never closes is not looked for through the whole of a large file.
#[test]
fn a_row_has_an_end() {
    let folder = Folder::new("stream-quote");
    let table = Table::read_csv(folder.write("good.csv", PEOPLE), &people()).unwrap();
    let schema = Schema::fit(&table, people()).unwrap();
    let long = format!("age,town,note,kind\n30,\"Ulm,,a\n{}", "40,Ulm,,b\n".repeat(9_000_000));
    let path = folder.write("long.csv", long);
    let told = text(streamed(&path, &schema, 10));
    let wanted = "line 2: a row of more than 67108864 bytes, or a quote never closes";
    assert_eq!(told, format!("{} {wanted}", path.display()));
}

#[test]
fn damaged_tables_are_streamed_as_they_are_read() {
    let folder = Folder::new("stream-mutants");
    let table = Table::read_csv(folder.write("good.csv", PEOPLE), &people()).unwrap();
    let schema = Schema::fit(&table, people()).unwrap();
    let whole = ["", "\u{feff}", "\"extra\",\"\""].map(|head| format!("{head}{PEOPLE}").into_bytes());
    let mut read = 0;
    crate::common::mutants::mutants(&whole, 10_000, |case, bytes| {
        let path = folder.write("mutant.csv", bytes);
        let at_once = Table::read_csv(&path, schema.options()).and_then(|table| schema.dataset(&table));
        let streamed = streamed(&path, &schema, 1 + case as usize % 3);
        read += usize::from(streamed.is_ok());
        // Whoever reads on finds what is wrong in the text behind what is wrong in a field.
        assert_eq!(streamed.is_ok(), at_once.is_ok(), "{case}: {streamed:?}, {at_once:?}");
        if at_once.is_ok() {
            assert_eq!(streamed, at_once, "{case}");
        }
    });
    assert!((200..9500).contains(&read), "{read} of 10,000 were read");
}

#[test]
fn rows_of_idx_are_those_of_the_whole() {
    let folder = Folder::new("stream-idx");
    let bytes: Vec<u8> = [0, 0, 0x0b, 2, 0, 0, 0, 4, 0, 0, 0, 3].into_iter().chain(0..24).collect();
    let path = folder.write("a.idx", &bytes);
    let whole = read_idx(&path).unwrap();
    assert_eq!(idx_shape(&path).unwrap(), [4, 3]);
    let part = read_idx_rows(&path, 1..3).unwrap();
    assert_eq!((part.shape, part.data), (vec![2, 3], whole.data[3..9].to_vec()));
    let place = path.display();
    assert_eq!(text(read_idx_rows(&path, 3..5)), format!("{place}: rows must be within 0..4, got 3..5"));
    let cut = folder.write("cut.idx", &bytes[..30]);
    let takes = "shape [4, 3] of i16 takes 24 bytes after the header, the file has 18";
    assert_eq!(text(read_idx_rows(&cut, 0..1)), format!("{}: {takes}", cut.display()));
    let packed = folder.write("a.idx.gz", gzip(&bytes));
    assert_eq!(idx_shape(&packed).unwrap(), [4, 3]);
    assert!(text(read_idx_rows(&packed, 0..1)).contains("not an IDX file"));
    let mut read = 0;
    crate::common::mutants::mutants(&[bytes], 10_000, |case, bytes| {
        let path = folder.write("mutant.idx", bytes);
        let all = read_idx(&path);
        let rows = idx_shape(&path).ok().and_then(|shape| shape.first().copied()).unwrap_or(0);
        let parts = read_idx_rows(&path, 0..rows);
        read += usize::from(parts.is_ok());
        match all {
            Ok(all) if !all.shape.is_empty() => assert_eq!(parts.unwrap().data, all.data, "{case}"),
            _ => assert!(parts.is_err(), "{case}"),
        }
    });
    assert!((500..9500).contains(&read), "{read} of 10,000 were read");
}

#[test]
fn csv_options_serve_a_stream() {
    let folder = Folder::new("stream-options");
    let path = folder.write("a.csv", "1;0\n2;1\n3;0\n");
    let options = CsvOptions::classes(1).header(false).delimiter(b';');
    let schema = Schema::fit(&Table::sample(&path, &options, 100, 1).unwrap(), options).unwrap();
    let rows = streamed(&path, &schema, 2).unwrap();
    assert_eq!((rows.inputs()[0].data(), rows.targets()[0].labels()), (&[1.0, 2.0, 3.0][..], Some(&[0, 1, 0][..])));
}
