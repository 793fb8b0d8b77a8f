//! Files that cannot be written: known before the first epoch, or a warning. Training is not lost to them.

use crate::common::api::{classifier, samples};
use axone::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("axone-failures-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn fit() -> Fit {
    Fit::new().epochs(5).batch_size(4).silent()
}

/// Does something to the files after an epoch, and counts the epochs.
struct After<F>(usize, F);

impl<F: Fn(usize) + Send> Callback for After<F> {
    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.0 = run.epoch();
        (self.1)(run.epoch());
        Ok(())
    }
}

/// The error of a run with these settings, before whose first epoch it came.
fn refused(fit: Fit) -> String {
    let epochs = Arc::new(Mutex::new(After(0, |_| {})));
    let outcome = classifier(&Device::cpu(), Sgd::new(0.1)).fit(&samples(8), &fit.callback(Arc::clone(&epochs)));
    assert_eq!(epochs.lock().unwrap().0, 0, "epochs were run first");
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn what_cannot_be_written_is_refused_before_the_first_epoch() {
    let folder = folder("refused");
    let missing = folder.join("missing");
    let says = |path: &Path, error: String| assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    #[cfg(feature = "save")]
    {
        let path = missing.join("last.safetensors");
        says(&path, refused(fit().checkpoint(Checkpoint::new(&path).every(50))));
        says(&path, refused(fit().checkpoint(Checkpoint::new(&path).best("loss"))));
        assert_eq!(refused(fit().checkpoint(folder.as_path())), format!("{}: is a folder", folder.display()));
        // A path that can be written is left as it is.
        let path = folder.join("last.safetensors");
        std::fs::write(&path, "old").unwrap();
        let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
        struct Ends;
        impl Callback for Ends {
            fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
                run.stop("at once");
                Ok(())
            }
        }
        model.fit(&samples(8), &fit().checkpoint(path.as_path()).callback(Ends)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }
    let path = missing.join("run.csv");
    says(&path, refused(fit().callback(CsvLog::new(&path))));
    says(&path, refused(fit().callback(JsonLines::new(&path))));
    let file = folder.join("file");
    std::fs::write(&file, "").unwrap();
    says(&file, refused(fit().callback(TensorBoard::new(&file))));
    std::fs::remove_dir_all(folder).unwrap();
}

/// What one of them wrote would be lost to the other.
#[test]
fn two_writers_of_a_file_are_refused() {
    let folder = folder("writers");
    let (path, other) = (folder.join("run"), folder.join("other"));
    let same = folder.join(".").join("run");
    let says = |fit: Fit, writers: &str, path: &Path| {
        let error = classifier(&Device::cpu(), Sgd::new(0.1)).fit(&samples(8), &fit).unwrap_err();
        let wanted = format!("a file of its own for each of {writers}, got {}", path.display());
        assert!(error.to_string().contains(&wanted), "{error}");
        assert!(!path.exists());
    };
    says(fit().callback(CsvLog::new(&path)).callback(JsonLines::new(&same)), "csv_log and json_lines", &same);
    let shared = Arc::new(Mutex::new(CsvLog::new(&path)));
    says(fit().callback(shared).callback(CsvLog::new(&path)), "csv_log and csv_log", &path);
    #[cfg(feature = "save")]
    {
        says(fit().callback(CsvLog::new(&path)).checkpoint(same.as_path()), "csv_log and checkpoint", &same);
        let two = fit().checkpoint(path.as_path()).checkpoint(Checkpoint::new(&path).best("loss"));
        says(two, "checkpoint and checkpoint", &path);
        says(fit().callback(CsvLog::new(&path)).resume(&path), "resume and csv_log", &path);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&path, &other).unwrap();
            says(fit().callback(CsvLog::new(&path)).checkpoint(other.as_path()), "csv_log and checkpoint", &other);
            std::fs::remove_file(&other).unwrap();
        }
        // A run goes on in the file that it came from.
        let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
        let logged = || fit().callback(CsvLog::new(&other)).checkpoint(path.as_path());
        model.fit(&samples(8), &logged()).unwrap();
        model.fit(&samples(8), &logged().epochs(6).resume(&path)).unwrap();
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The folder goes after epoch 2 and comes back after epoch 4: the run goes on, says so, and the logs are whole.
#[test]
#[cfg(unix)]
fn what_fails_later_is_a_warning() {
    let folder = folder("later");
    let (here, away) = (folder.join("here"), folder.join("away"));
    std::fs::create_dir_all(&here).unwrap();
    let (csv, json) = (here.join("run.csv"), here.join("run.jsonl"));
    let moves = {
        let (here, away) = (here.clone(), away.clone());
        After(0, move |epoch| match epoch {
            2 => std::fs::rename(&here, &away).unwrap(),
            4 => std::fs::rename(&away, &here).unwrap(),
            _ => {}
        })
    };
    let fit = fit().callback(moves).callback(CsvLog::new(&csv)).callback(JsonLines::new(&json));
    let fit = fit.callback(TensorBoard::new(&here));
    #[cfg(feature = "save")]
    let fit = fit.checkpoint(here.join("last.safetensors"));
    let history = classifier(&Device::cpu(), Sgd::new(0.1)).fit(&samples(8), &fit).unwrap();
    assert_eq!((history.epochs.len(), &history.stopped), (5, &None));
    let mut warned: Vec<&str> = history.warnings.iter().map(String::as_str).collect();
    println!("{warned:#?}");
    warned.retain(|warning| !warning.contains("checkpoint"));
    let wanted =
        [2, 3].map(|epoch| ["csv_log", "json_lines", "tensorboard"].map(|name| format!("epoch {epoch}: {name}: ")));
    assert_eq!(warned.len(), 6);
    assert!(
        warned.iter().zip(wanted.iter().flatten()).all(|(warning, wanted)| warning.starts_with(wanted)),
        "{warned:?}"
    );
    #[cfg(feature = "save")]
    {
        let path = here.join("last.safetensors");
        let wanted = |epoch| format!("epoch {epoch}: checkpoint {} stays as it was: ", path.display());
        let of_file: Vec<_> = history.warnings.iter().filter(|warning| warning.contains("checkpoint")).collect();
        assert!(of_file.len() == 2 && of_file[0].starts_with(&wanted(2)) && of_file[1].starts_with(&wanted(3)));
        assert!(Model::load_from(&path, Device::cpu()).is_ok());
    }
    let end = folder.join("end.csv");
    history.write_csv(&end).unwrap();
    assert_eq!(std::fs::read_to_string(&csv).unwrap(), std::fs::read_to_string(&end).unwrap());
    assert_eq!(std::fs::read_to_string(&json).unwrap().lines().count(), 5);
    let events = std::fs::read_dir(&here).unwrap().map(|entry| entry.unwrap().path());
    let events: Vec<PathBuf> = events.filter(|path| path.extension().is_some_and(|x| x == "axone")).collect();
    assert_eq!(crate::tensorboard::steps(&events[0]), [1, 2, 3, 4, 5]);
    std::fs::remove_dir_all(folder).unwrap();
}

/// A program whose standard error nobody reads any more loses the lines, not the run.
#[test]
fn a_broken_standard_error_ends_no_run() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "failures::child_of_broken_standard_error", "--include-ignored", "--nocapture"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "has no standard error: started by `a_broken_standard_error_ends_no_run`"]
fn child_of_broken_standard_error() {
    // Its end says that standard error is closed.
    std::io::stdin().read_line(&mut String::new()).unwrap();
    for verbosity in [Verbosity::Lines, Verbosity::Bar] {
        let fit = fit().verbosity(verbosity).callback(EarlyStopping::new("loss").min_delta(10.0).patience(1));
        let history = classifier(&Device::cpu(), Sgd::new(0.1)).fit(&samples(8), &fit).unwrap();
        assert_eq!(history.epochs.len(), 2);
    }
}
