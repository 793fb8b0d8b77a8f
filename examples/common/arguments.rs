//! The arguments of the examples and benchmarks: `--help` prints the usage, and what is not known is named.

#![allow(dead_code, reason = "not every program uses all of it")]

use std::fmt::Display;
use std::str::FromStr;

/// The arguments that are left.
pub struct Arguments {
    usage: &'static str,
    left: std::vec::IntoIter<String>,
}

impl Arguments {
    /// Those of this process; `usage` begins with `usage: NAME`. After `--help` the process ends here.
    pub fn new(usage: &'static str) -> Self {
        let all: Vec<String> = std::env::args().skip(1).collect();
        if all.iter().any(|argument| argument == "--help" || argument == "-h") {
            println!("{usage}");
            std::process::exit(0);
        }
        Self { usage, left: all.into_iter() }
    }

    /// The next argument, which is the value of `name`.
    pub fn value<T: FromStr>(&mut self, name: &str) -> T
    where
        T::Err: Display,
    {
        match self.left.next() {
            Some(text) => self.parse(name, &text),
            None => self.refuse(format!("{name} needs a value")),
        }
    }

    /// What `text` means as the value of `name`.
    pub fn parse<T: FromStr>(&self, name: &str, text: &str) -> T
    where
        T::Err: Display,
    {
        text.parse().unwrap_or_else(|error| self.refuse(format!("{name} \"{text}\": {error}")))
    }

    /// The widths of a network, inputs and units joined by dashes, as the value of `name`.
    pub fn widths(&mut self, name: &str) -> Vec<usize> {
        let text: String = self.value(name);
        let widths: Vec<usize> = text.split('-').map(|side| self.parse(name, side)).collect();
        if widths.len() < 2 || widths.contains(&0) {
            self.refuse(format!("{name} \"{text}\": at least two widths of at least 1 are needed"));
        }
        widths
    }

    /// The next argument, which is no option.
    pub fn plain(&mut self) -> Option<String> {
        let argument = self.left.next()?;
        if argument.starts_with('-') { self.unknown(&argument) } else { Some(argument) }
    }

    /// Refuses what is left.
    pub fn end(mut self) {
        if let Some(argument) = self.left.next() {
            self.unknown(&argument);
        }
    }

    pub fn unknown(&self, argument: &str) -> ! {
        self.refuse(format!("unknown argument \"{argument}\""))
    }

    /// Ends the process with status 2, as a shell expects of a wrong call.
    pub fn refuse(&self, problem: impl Display) -> ! {
        let name = self.usage.split_whitespace().nth(1).unwrap_or_default();
        eprintln!("{name}: {problem}\n{}", self.usage);
        std::process::exit(2)
    }
}

impl Iterator for Arguments {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.left.next()
    }
}

/// For a program that takes none.
pub fn none(usage: &'static str) {
    Arguments::new(usage).end();
}

/// The part of a name that a benchmark without Criterion looks for, empty for all. Cargo hands `--bench`, and what it is
/// given for Criterion's benchmarks, to every one.
pub fn filter(usage: &'static str) -> String {
    let mut wanted = String::new();
    let mut arguments = Arguments::new(usage);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" | "--test" | "--quick" => {}
            option if option.starts_with('-') => arguments.unknown(option),
            _ => wanted = argument,
        }
    }
    wanted
}
