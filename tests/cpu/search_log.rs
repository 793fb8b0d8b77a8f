//! The log of a study: nothing that had ended is lost, and no other study takes it.

use crate::common::search::timeless;
use axone::prelude::*;
use axone::search::{MedianPruning, Random, Study, Tpe, Trial, Trials};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("axone-search-{name}-{}.jsonl", std::process::id()));
    std::fs::remove_file(&path).ok();
    path
}

fn study() -> Study {
    let pruner = MedianPruning::new().startup(10);
    Study::minimize("value").sampler(Tpe::new()).pruner(pruner).trials(200).seed(9).workers(2).silent()
}

/// Scores of all kinds, failures, prunings, and parameters of every kind.
fn objective(trial: &Trial, pause: Duration) -> Result<f64> {
    let x = trial.float("x", 1e-3..=1e3).log().get()?;
    let units: i64 = trial.int("units", 0..=100).step(5).get()?;
    let value = x.ln().powi(2) + units as f64 / 100.0;
    if trial.choice("kind", &["plain", "\"quoted\", é"])? != "plain" {
        return match trial.choice("end", &[0, 1, 2])? {
            0 => Err(Error::Device("a failure\nof two lines".to_owned())),
            1 => Ok(f64::NAN),
            _ => Ok(f64::INFINITY),
        };
    }
    for step in 1..=3 {
        std::thread::sleep(pause / 3);
        trial.report(step, value / step as f64)?;
        if trial.is_pruned() {
            break;
        }
    }
    Ok(value)
}

fn run(log: Option<&Path>, pause: Duration) -> Trials {
    let study = log.map_or(study(), |log| study().log(log));
    study.run(|trial| objective(trial, pause)).unwrap()
}

/// 200 trials, killed 20 times at moments that a generator picks: every line that was whole at a kill is in the end
/// what it was, and all trials are those of a study that nobody killed.
#[test]
fn a_study_that_is_killed_loses_nothing() {
    let path = file("killed");
    let mut moments = axone::random::Stream::new(1, 2, 3);
    let mut kept = String::new();
    let mut kills = 0;
    let deadline = Instant::now() + Duration::from_secs(120);
    while kills < 20 {
        assert!(Instant::now() < deadline, "{kills} kills so far");
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "search_log::child_of_killed", "--include-ignored"]).env("AXONE_TEST_LOG", &path);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From the moment on at which it has added a line; a child that comes to its end kills nothing.
        let lines = kept.lines().count();
        let goal = lines + rand::RngExt::random_range(&mut moments, 1..9usize);
        let wait = Duration::from_micros(rand::RngExt::random_range(&mut moments, 0..3000u64));
        let ended = loop {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            if text.lines().count() >= goal || Instant::now() > deadline {
                break false;
            }
            if child.try_wait().unwrap().is_some() {
                break true;
            }
            std::thread::sleep(Duration::from_micros(200));
        };
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!ended, "the study was at its end after {kills} kills");
        kills += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        assert!(whole.starts_with(&kept), "a line that was whole has changed after kill {kills}");
        kept = whole.to_owned();
    }
    let trials = run(Some(&path), Duration::ZERO);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with(&kept));
    assert!(kept.lines().filter(|line| line.starts_with("{\"trial\"")).count() >= 20, "too little had ended");
    let whole = run(None, Duration::ZERO);
    assert_eq!(trials.len(), 200);
    // NaN is no equal of itself: compared as text.
    assert_eq!(format!("{:?}", timeless(&trials)), format!("{:?}", timeless(&whole)));
    std::fs::remove_file(path).unwrap();
}

#[test]
#[ignore = "is killed: started by `a_study_that_is_killed_loses_nothing`"]
fn child_of_killed() {
    let path = std::env::var_os("AXONE_TEST_LOG").unwrap();
    run(Some(Path::new(&path)), Duration::from_millis(6));
}

/// A line without an end is cut off; whole lines that are no log, and logs of others, are refused with what is wrong.
#[test]
fn logs_are_checked() {
    let path = file("checked");
    let small = || Study::minimize("value").sampler(Random).trials(3).silent();
    let objective = |trial: &Trial| trial.float("x", 0.0..=1.0).get();
    let first = small().log(&path).run(objective).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 5, "{text}"); // study, parameter, three trials

    std::fs::write(&path, format!("{text}{{\"trial\":{{\"num")).unwrap();
    let again = small().log(&path).run(|_| -> Result<f64> { panic!("a trial that had ended runs again") }).unwrap();
    assert_eq!(again, first);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    // More trials go on from it.
    let more = small().trials(5).log(&path).run(objective).unwrap();
    assert_eq!(timeless(&more), timeless(&small().trials(5).run(objective).unwrap()));
    std::fs::write(&path, &text).unwrap();

    let place = path.display();
    let refused = |study: Study| study.log(&path).run(objective).unwrap_err().to_string();
    for (study, what) in [
        (small().seed(4), "its seed is 0, not 4"),
        (Study::maximize("value").sampler(Random).silent(), "its direction is minimize, not maximize"),
        (Study::minimize("loss").sampler(Random).silent(), "its score is value, not loss"),
        (small().pruner(MedianPruning::new()), "its pruner is None, not Median("),
        (small().sampler(Tpe::new()), "its sampler is Random, not Tpe("),
    ] {
        let error = refused(study);
        assert!(error.starts_with(&format!("{place} line 1: a log of another study: {what}")), "{error}");
    }
    // Another range under the same name.
    let other = small().trials(4).log(&path).run(|trial| trial.float("x", 0.0..=2.0).get());
    let error = other.unwrap_err().to_string();
    assert_eq!(error, "parameter \"x\": range must be what it was before in this study (0.0..=1.0), got 0.0..=2.0");

    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let outside = lines[2].replace("\"parameters\":{\"x\":0.", "\"parameters\":{\"x\":7.");
    for (damaged, what) in [
        ("nonsense\n".to_owned(), "line 1: expected"),
        (joined(&lines[1..]), "line 1: no log of a study"),
        (joined(&[lines[0], lines[2]]), "line 2: no line says what x may be"),
        (joined(&[lines[0], lines[1], lines[2], lines[2]]), "line 4: trial"),
        (joined(&[lines[0], lines[0]]), "line 2: a second study"),
        (joined(&[lines[0], lines[1], &outside]), "line 3: x = 7."),
    ] {
        std::fs::write(&path, damaged).unwrap();
        let error = refused(small());
        assert!(error.starts_with(&format!("{place} {what}")), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    let folder = std::env::temp_dir().join("axone-no-such-folder").join("log");
    assert!(matches!(small().log(folder).run(objective), Err(Error::File { .. })));
}

/// Two studies that write one log would spoil it.
#[test]
fn a_log_serves_one_study_at_a_time() {
    let path = file("locked");
    let study = || Study::minimize("value").sampler(Random).trials(1).silent();
    let outer = study().log(&path).run(|trial| {
        let inner = study().log(&path).run(|trial| trial.float("x", 0.0..=1.0).get());
        let error = inner.unwrap_err().to_string();
        assert!(error.ends_with("another study is writing this log"), "{error}");
        trial.float("x", 0.0..=1.0).get()
    });
    assert_eq!(outer.unwrap().len(), 1);
    std::fs::remove_file(path).unwrap();
}

/// A file that is no log of this study is refused, and stays as it is to the last byte.
#[test]
fn other_files_are_left_alone() {
    let path = file("foreign");
    let study = || Study::minimize("value").sampler(Random).trials(3).silent();
    let objective = |trial: &Trial| trial.float("x", 0.0..=1.0).get();
    study().seed(4).log(&path).run(objective).unwrap();
    let other = std::fs::read_to_string(&path).unwrap();
    for (text, what) in [
        ("a thesis without a line end", "line 1: no log of a study"),
        ("{\n \"a\": 1\n}", "line 1: EOF"),
        (&other[..other.len() - 5], "line 1: a log of another study: its seed is 4, not 0"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = study().log(&path).run(objective).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} {what}", path.display())), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
    // A first line that a kill cut short is begun anew.
    std::fs::write(&path, &other[..20]).unwrap();
    assert_eq!(study().seed(4).log(&path).run(objective).unwrap().len(), 3);
    std::fs::remove_file(path).unwrap();
}

/// What a log says of a parameter is checked like what a program says, with the line.
#[test]
fn parameters_of_a_log_are_checked() {
    let path = file("parameters");
    let study = || Study::minimize("value").sampler(Random).trials(3).silent();
    let objective = |trial: &Trial| trial.float("x", 0.0..=1.0).get();
    study().log(&path).run(objective).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let line = text.lines().nth(1).unwrap();
    for (changed, what) in [
        (text.replace("\"low\":0.0", "\"low\":7.0"), "line 2: "),
        (text.replace(line, &format!("{line}\n{line}")), "line 3: parameter x for the second time"),
    ] {
        std::fs::write(&path, changed).unwrap();
        let error = study().log(&path).run(objective).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} {what}", path.display())), "{error}");
    }
    std::fs::remove_file(path).unwrap();
}

/// The seed of a trial follows from its number, so a number that was changed shows.
#[test]
fn trials_of_a_log_have_their_seeds() {
    let path = file("numbers");
    let study = || Study::minimize("value").sampler(Random).trials(3).silent();
    let objective = |trial: &Trial| trial.float("x", 0.0..=1.0).get();
    study().workers(1).log(&path).run(objective).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for number in ["100", "18446744073709551615"] {
        std::fs::write(&path, text.replace("\"number\":2,", &format!("\"number\":{number},"))).unwrap();
        let error = study().log(&path).run(objective).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{} line 5: trial {number} with the seed ", path.display())), "{error}");
    }
    std::fs::remove_file(path).unwrap();
}

/// A process that is being started has for a moment what its parent has open.
#[test]
#[cfg(unix)]
fn a_log_is_free_once_its_study_is_over() {
    let path = file("free");
    let study = Study::minimize("value").sampler(Random).trials(1).log(&path).silent();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    std::process::Command::new("true").status().unwrap();
                }
            });
        }
        let outcomes = (0..200).map(|_| study.run(|trial| trial.float("x", 0.0..=1.0).get()));
        let failed = outcomes.filter_map(|outcome| outcome.err()).next();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(failed.is_none(), "{failed:?}");
    });
    std::fs::remove_file(path).unwrap();
}
