//! Ctrl-C: children that are sent SIGINT. Each begins with a disposition that the test sets: the tests themselves may
//! run in the background, where a shell ignores the signal and every child inherits that.

use crate::common::api::{classifier, samples};
use axone::prelude::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Starts the child in `mode`, for which SIGINT has the disposition `signal`.
fn start(mode: &str, signal: libc::sighandler_t) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "ctrl_c::child_of_ctrl_c", "--include-ignored", "--nocapture"]);
    // SAFETY: `signal` may be called between fork and exec, and touches nothing that Rust keeps.
    unsafe {
        child.pre_exec(move || match libc::signal(libc::SIGINT, signal) {
            libc::SIG_ERR => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    child.env("AXONE_TEST_CTRL_C", mode).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Reads on until a line has `word`. "training": a run is in its epochs; "waiting": time for the next signal.
fn wait_for(word: &str, lines: &mut impl BufRead) {
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the child ended without {word}");
    }
}

/// The first Ctrl-C ends the run, with its history; the second one would end the program.
#[test]
fn ctrl_c_ends_a_run() {
    for (mode, wanted) in [("once", Some(0)), ("twice", Some(130)), ("after", Some(130))] {
        let mut child = start(mode, libc::SIG_DFL);
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        wait_for("training", &mut lines);
        interrupt(&child);
        if mode != "once" {
            wait_for("waiting", &mut lines);
            interrupt(&child);
        }
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), wanted, "{mode}: {rest}");
        if mode == "once" {
            assert!(rest.contains("stopped from outside"), "{rest}");
        }
    }
}

/// A search ends with the trials that had ended, and its process goes on.
#[test]
fn ctrl_c_ends_a_search() {
    let mut child = start("study", libc::SIG_DFL);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    wait_for("training", &mut lines);
    interrupt(&child);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("the search went on: true"), "{rest}");
}

/// Under `nohup` and in the background of a shell: the run trains on, Ctrl-C or not, and says that it does.
#[test]
fn a_signal_that_is_ignored_stays_so() {
    let mut child = start("ignored", libc::SIG_IGN);
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    wait_for("training", &mut lines);
    interrupt(&child);
    child.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("5 epochs, None, [\"epoch 0: stop_on_ctrl_c has no effect: SIGINT is ignored"), "{rest}");
}

#[test]
#[ignore = "waits for Ctrl-C: started by `ctrl_c_ends_a_run` and `a_signal_that_is_ignored_stays_so`"]
fn child_of_ctrl_c() {
    struct Says(String);
    impl Callback for Says {
        fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
            if run.epoch() == 1 {
                println!("training");
                if self.0 == "ignored" {
                    // The signal has been sent once there is a line.
                    std::io::stdin().read_line(&mut String::new()).unwrap();
                }
            }
            Ok(())
        }

        fn end(&mut self, _: &mut Run<'_>) -> Result<()> {
            if self.0 == "twice" {
                println!("waiting");
                std::thread::sleep(std::time::Duration::from_secs(60));
            }
            Ok(())
        }
    }
    let mode = std::env::var("AXONE_TEST_CTRL_C").unwrap();
    if mode == "study" {
        let study = axone::search::Study::minimize("x").trials(1_000_000).stop_on_ctrl_c().silent();
        let trials = study.run(|trial| {
            if trial.number() == 50 {
                println!("training");
            }
            std::thread::sleep(std::time::Duration::from_micros(100));
            trial.float("x", 0.0..=1.0).get()
        });
        let ended = trials.unwrap().len();
        println!("the search went on: {}", (50..1_000_000).contains(&ended));
        return;
    }
    let mut model = classifier(&Device::cpu(), Sgd::new(0.01));
    let epochs = if mode == "ignored" { 5 } else { usize::MAX };
    let fit = Fit::new().epochs(epochs).batch_size(4).stop_on_ctrl_c().callback(Says(mode.clone())).silent();
    let history = model.fit(&samples(40), &fit).unwrap();
    assert!(!history.epochs.is_empty());
    println!("{} epochs, {:?}, {:?}", history.epochs.len(), history.stopped, history.warnings);
    if mode == "after" {
        // No run listens any more: the handler does what the system would.
        println!("waiting");
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}
