//! The command line: trains on a table, predicts with any model file, looks into models, data and devices.
//!
//! Results go to standard output, as text or (`--json`) as JSON; what happens meanwhile, and errors, to standard error.
//! The status is 0 where all went well, 1 where something failed, 2 for a call that cannot be meant.

mod arguments;
mod bench;
mod check;
mod convert;
mod devices;
mod evaluate;
mod inputs;
mod inspect;
mod models;
mod outputs;
mod predict;
mod prepare;
mod said;
mod search;
mod train;

use arguments::{Cli, Command};
use clap::{CommandFactory, Parser};
use said::{Failure, Said};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Ends the process by itself: status 0 after --help, 2 after a wrong call.
    let cli = Cli::parse();
    let outcome = run(&cli).and_then(|said| {
        let text = if cli.common.json { format!("{:#}\n", said.json) } else { said.text };
        print(&text).map(|()| said.failed)
    });
    match outcome {
        Ok(false) => ExitCode::SUCCESS,
        Ok(true) => ExitCode::FAILURE,
        Err(failure) => {
            said::note(&if cli.common.json {
                serde_json::json!({ "error": failure.message }).to_string()
            } else {
                format!("axone: {}", failure.message)
            });
            ExitCode::from(failure.status)
        }
    }
}

fn run(cli: &Cli) -> Result<Said, Failure> {
    let common = &cli.common;
    match &cli.command {
        Command::Predict(args) => predict::run(args, common),
        Command::Train(args) => train::run(args, common),
        Command::Evaluate(args) => evaluate::run(args, common),
        Command::Search(args) => search::run(args, common),
        Command::Inspect(args) => inspect::run(args),
        Command::Convert(args) => convert::run(args, common),
        Command::Devices => devices::run(),
        Command::Check(args) => check::run(args, common),
        Command::Bench(args) => bench::run(args, common),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "axone", &mut text);
            let text = String::from_utf8_lossy(&text).into_owned();
            Ok(Said::new(text.clone(), serde_json::json!({ "completions": text })))
        }
    }
}

/// Writes to standard output. Whoever closed it wants no more.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
