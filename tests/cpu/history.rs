//! Histories: values, table, CSV, picture; and the lines that progress prints.

use axone::metrics::Direction;
use axone::train::{Epoch, History, Progress, Verbosity};

fn epoch(epoch: usize, values: &[(&str, f64)]) -> Epoch {
    let values = values.iter().map(|(name, value)| (name.to_string(), *value)).collect();
    Epoch { epoch, seconds: 0.25 * epoch as f64, learning_rate: 0.01, values }
}

fn history() -> History {
    let nan = f64::NAN;
    let mut epochs = vec![
        epoch(1, &[("loss", 0.9), ("accuracy", 0.6), ("val_loss", 0.8), ("val_accuracy", 0.7)]),
        epoch(2, &[("loss", 0.00042), ("accuracy", 0.9)]),
        epoch(3, &[("loss", 123456.0), ("accuracy", 0.9), ("val_loss", nan), ("val_accuracy", 0.65)]),
    ];
    epochs[1].learning_rate = 0.005;
    History { epochs, ..History::default() }
}

#[test]
fn history_reads_curves() {
    let history = history();
    assert_eq!(history.names(), ["loss", "accuracy", "val_loss", "val_accuracy"]);
    assert_eq!(history.get("loss"), [0.9, 0.00042, 123456.0]);
    let validation = history.get("val_accuracy");
    assert!(validation[0] == 0.7 && validation[1].is_nan() && validation[2] == 0.65);
    assert_eq!(history.get("recall"), [0.0; 0]);
    assert_eq!((history.last("accuracy"), history.last("recall")), (Some(0.9), None));
    assert_eq!(history.epochs[0].get("val_loss"), Some(0.8));
}

#[test]
fn history_finds_the_best_epoch() {
    let history = history();
    assert_eq!(history.best("loss"), Some((2, 0.00042)));
    assert_eq!(history.best("accuracy"), Some((2, 0.9)), "the earliest among equals");
    assert_eq!(history.best("val_loss"), Some((1, 0.8)), "NaN is never best");
    assert_eq!(history.best("val_accuracy"), Some((1, 0.7)));
    assert_eq!(history.min("accuracy"), Some((1, 0.6)));
    assert_eq!(history.max("loss"), Some((3, 123456.0)));
    assert_eq!(history.best("recall"), None);
    let only_nan = History { epochs: vec![epoch(1, &[("loss", f64::NAN)])], ..History::default() };
    assert_eq!(only_nan.best("loss"), None);
    // The words of a user's output are none of a metric's.
    for name in ["error_accuracy", "f1_loss", "r2_error"] {
        let epochs = vec![epoch(1, &[(name, 1.0)]), epoch(2, &[(name, 2.0)])];
        for (direction, best) in [(Direction::Minimize, 1), (Direction::Maximize, 2)] {
            let directions = vec![(name.to_owned(), direction)];
            let history = History { epochs: epochs.clone(), directions, ..History::default() };
            assert_eq!(history.best(name), Some((best, best as f64)), "{name}");
        }
    }
    for (name, best) in [("val_top_5_accuracy", 2.0), ("f1", 2.0), ("r2", 2.0), ("mae", 1.0), ("error_rate", 1.0)] {
        let history =
            History { epochs: vec![epoch(1, &[(name, 1.0)]), epoch(2, &[(name, 2.0)])], ..History::default() };
        assert_eq!(history.best(name), Some((best as usize, best)), "{name}");
    }
}

#[test]
fn history_prints_an_aligned_table() {
    let expected = "\
epoch  seconds  learning_rate      loss  accuracy  val_loss  val_accuracy
    1     0.25           0.01    0.9000    0.6000    0.8000        0.7000
    2     0.50          0.005  4.200e-4    0.9000         -             -
    3     0.75           0.01   1.235e5    0.9000       NaN        0.6500";
    assert_eq!(history().to_string(), expected);
    assert_eq!(History::default().to_string(), "epoch  seconds  learning_rate");
}

#[test]
fn history_writes_csv() {
    let path = std::env::temp_dir().join(format!("axone-history-{}.csv", std::process::id()));
    let mut history = history();
    history.epochs[0].values.push(("a,\"b\"".into(), 0.1));
    history.write_csv(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let expected = "epoch,seconds,learning_rate,loss,accuracy,val_loss,val_accuracy,\"a,\"\"b\"\"\"\n\
        1,0.25,0.01,0.9,0.6,0.8,0.7,0.1\n2,0.5,0.005,0.00042,0.9,,,\n3,0.75,0.01,123456,0.9,NaN,0.65,\n";
    assert_eq!(text, expected);
    let missing = path.join("no-such-folder").join("h.csv");
    let error = history.write_csv(&missing).unwrap_err().to_string();
    assert!(error.starts_with(&missing.display().to_string()), "{error}");
}

#[cfg(feature = "plot")]
#[test]
fn history_draws_two_panels() {
    let svg = history().to_svg().unwrap();
    let count = |text: &str| svg.matches(text).count();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    let lines: Vec<&str> = svg.lines().map(str::trim).collect();
    let shown = |text: &str| lines.iter().filter(|line| **line == text).count();
    assert_eq!((shown("epoch"), shown("loss"), shown("accuracy")), (2, 2, 2), "axes and titles");
    assert_eq!((shown("training"), shown("validation")), (2, 2), "legends");
    assert!(count("#0072B2") > 4 && count("#D55E00") > 2 && count("NaN") == 0);

    let one_panel = History { epochs: vec![epoch(1, &[("loss", 0.5)])], ..History::default() }.to_svg().unwrap();
    assert!(!one_panel.contains("validation") && one_panel.contains("training"));
}

#[cfg(feature = "plot")]
#[test]
fn history_draws_whatever_it_holds() {
    let curves: [&[f64]; 7] = [
        &[0.5],
        &[0.5, 0.5, 0.5],
        &[0.0, 0.0],
        &[f64::NAN, 1.0, f64::INFINITY, 2.0, f64::NEG_INFINITY],
        &[1.0, 1.0 + f64::EPSILON],
        &[f64::MIN_POSITIVE, 0.0, -0.0],
        &[1e299, -1e299, 1e-299],
    ];
    for curve in curves {
        let values = |value: f64| [("loss", value), ("accuracy", value), ("val_loss", -value)];
        let epochs = (1..).zip(curve).map(|(number, &value)| epoch(number, &values(value))).collect();
        let svg =
            History { epochs, ..History::default() }.to_svg().unwrap_or_else(|error| panic!("{curve:?}: {error}"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{curve:?}");
    }
    for value in [f64::NAN, f64::INFINITY, f64::MAX] {
        let nothing = History { epochs: vec![epoch(1, &[("loss", value)])], ..History::default() };
        let error = nothing.to_svg().unwrap_err().to_string();
        assert_eq!(error, "History::to_svg: every value is NaN, infinite or too large to draw");
    }
    let long = History {
        epochs: (1..=5000).map(|number| epoch(number, &[("loss", 1.0 / number as f64)])).collect(),
        ..History::default()
    };
    assert!(!long.to_svg().unwrap().contains("<circle"), "5,000 marks would hide the line");
    let metric_only = History { epochs: vec![epoch(1, &[("accuracy", 0.5)])], ..History::default() };
    assert!(metric_only.to_svg().unwrap().contains("accuracy"));
    let error = History::default().to_svg().unwrap_err().to_string();
    assert_eq!(error, "History::to_svg: no epoch has a value to draw");
    let error = History::default().write_svg("never.svg").unwrap_err().to_string();
    assert_eq!(error, "History::write_svg: no epoch has a value to draw");
    // An output that its user calls `val_x` has training values of its own.
    let values = [("loss", 0.5), ("val_x_loss", 0.25), ("val_loss", 0.7), ("val_val_x_loss", 0.75)];
    let svg = History { epochs: vec![epoch(1, &values)], ..History::default() }.to_svg().unwrap();
    assert!(svg.contains("val x loss") && !svg.contains("val val"), "{svg}");
}

#[test]
fn history_progress_prints_one_line_an_epoch() {
    let progress = Progress::new(Verbosity::Lines, 20);
    let mut third =
        epoch(3, &[("loss", 0.12341), ("accuracy", 0.9701), ("val_loss", 0.1411), ("val_accuracy", 0.9612)]);
    third.seconds = 0.8;
    let expected =
        "epoch  3/20  loss 0.1234  accuracy 0.9701  val_loss 0.1411  val_accuracy 0.9612  0.8 s  12,345 rows/s";
    assert_eq!(progress.line(&third, 12345.4), expected);
    let mut last = epoch(20, &[("loss", f64::NAN)]);
    last.seconds = 0.0123;
    assert_eq!(progress.line(&last, 1_234_567.0), "epoch 20/20  loss NaN  12.3 ms  1,234,567 rows/s");
    assert!(progress.line(&last, f64::INFINITY).ends_with("inf rows/s"));
    assert!(progress.line(&last, 999.0).ends_with(" 999 rows/s"));

    for verbosity in [Verbosity::Silent, Verbosity::Bar] {
        let mut progress = Progress::new(verbosity, 2);
        progress.advance(1, Some(0.5)); // before any epoch: ignored
        progress.start_epoch(1, 10);
        progress.advance(11, Some(f64::NAN));
        progress.end_epoch(&epoch(1, &[]), 0.0);
    }
}
