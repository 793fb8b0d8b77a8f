//! The log of a study: a line of JSON for the study, for each parameter, and for each trial that has ended.
//!
//! Lines are appended, each with the system before the next trial begins, so a process that is killed loses at most the
//! line that it was writing. That line has no end; it is cut off when the study goes on.

use super::study::Study;
use super::trial::{Space, trial_seed};
use super::{Domain, Record, State, Value};
use crate::{Error, Result};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

/// Changes with what a line means.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Study(Header),
    Parameter { name: String, domain: Domain },
    Trial(Row),
}

/// What decides the trials of a study.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    score: String,
    direction: String,
    sampler: String,
    pruner: String,
    seed: u64,
    concurrency: Option<usize>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    number: usize,
    state: State,
    score: Number,
    scores: Vec<Number>,
    #[serde(serialize_with = "write_pairs", deserialize_with = "read_pairs")]
    parameters: Vec<(String, serde_json::Value)>,
    reports: Vec<(usize, Number)>,
    seconds: f64,
    seed: u64,
    note: Option<String>,
}

/// A number, with the text of those that JSON lacks.
#[derive(Clone, Copy)]
struct Number(f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() { serializer.serialize_f64(self.0) } else { serializer.collect_str(&self.0) }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(f64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// As an object whose members keep their order.
fn write_pairs<S: Serializer>(pairs: &[(String, serde_json::Value)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

fn read_pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, serde_json::Value)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, serde_json::Value)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of parameters")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_map(Pairs)
}

/// The file of a study that runs. Nobody else can run a study with it meanwhile.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    /// Parameters that have a line.
    written: Vec<String>,
}

impl Log {
    /// Opens a log or begins one; the trials that it has, and their parameters in `space`.
    pub fn open(path: &Path, study: &Study, space: &Space) -> Result<(Self, Vec<Record>)> {
        let failed = |error: std::io::Error| Error::file(path, error);
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::file(path, "another study is writing this log")),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut log = Self { path: path.to_owned(), file, written: Vec::new() };
        let mut text = String::new();
        log.file.read_to_string(&mut text).map_err(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let header = header(study);
        // Nothing is cut off before it is clear that the file is a log of this study.
        let records = log.read(&text[..whole], study.seed, &header, space)?;
        let header = [Line::Study(header)];
        if whole == 0 && !lines(&header)?.starts_with(&text) {
            return Err(no_log(&format!("{} line 1", path.display())));
        }
        if whole < text.len() {
            log.file.set_len(whole as u64).map_err(failed)?;
            log.file.seek(SeekFrom::End(0)).map_err(failed)?;
        }
        if whole == 0 {
            log.append(&header)?;
        }
        Ok((log, records))
    }

    fn read(&mut self, text: &str, seed: u64, header: &Header, space: &Space) -> Result<Vec<Record>> {
        let mut space = space.lock().unwrap_or_else(PoisonError::into_inner);
        let mut records: Vec<Record> = Vec::new();
        for (index, text) in text.lines().enumerate() {
            let place = format!("{} line {}", self.path.display(), index + 1);
            let line = serde_json::from_str(text).map_err(|error| Error::data(&place, error.to_string()))?;
            match (index, line) {
                (0, Line::Study(found)) => same_study(&place, &found, header)?,
                (0, _) => return Err(no_log(&place)),
                (_, Line::Study(_)) => return Err(Error::data(place, "a second study")),
                (_, Line::Parameter { name, domain }) => {
                    domain.check(&name).map_err(|error| Error::data(&place, error.to_string()))?;
                    if self.written.contains(&name) {
                        return Err(Error::data(place, format!("parameter {name} for the second time")));
                    }
                    self.written.push(name.clone());
                    space.insert(name, domain);
                }
                (_, Line::Trial(row)) => {
                    if records.iter().any(|record| record.number == row.number) {
                        return Err(Error::data(place, format!("trial {} for the second time", row.number)));
                    }
                    // A trial number that was changed would have the study wait for trials that never were.
                    let own = u32::try_from(row.number).is_ok().then(|| trial_seed(seed, row.number));
                    if own != Some(row.seed) {
                        let what =
                            format!("trial {} with the seed {}, which is not that of its number", row.number, row.seed);
                        return Err(Error::data(place, what));
                    }
                    let value = |(name, json): (String, serde_json::Value)| match space.get(&name) {
                        Some(domain) => match restored(domain, &json) {
                            Some(value) => Ok((name, value)),
                            None => Err(Error::data(&place, format!("{name} = {json} is not within {domain}"))),
                        },
                        None => Err(Error::data(&place, format!("no line says what {name} may be"))),
                    };
                    records.push(Record {
                        number: row.number,
                        state: row.state,
                        score: row.score.0,
                        scores: row.scores.iter().map(|score| score.0).collect(),
                        parameters: row.parameters.into_iter().map(value).collect::<Result<_>>()?,
                        reports: row.reports.iter().map(|(step, value)| (*step, value.0)).collect(),
                        seconds: row.seconds,
                        seed: row.seed,
                        note: row.note,
                    });
                }
            }
        }
        Ok(records)
    }

    /// Writes a trial that has ended, behind the parameters that it is the first to have.
    pub fn write(&mut self, record: &Record, space: &Space) -> Result<()> {
        let mut lines = Vec::new();
        {
            let space = space.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, _) in &record.parameters {
                if let (false, Some(domain)) = (self.written.contains(name), space.get(name)) {
                    lines.push(Line::Parameter { name: name.clone(), domain: domain.clone() });
                    self.written.push(name.clone());
                }
            }
        }
        lines.push(Line::Trial(Row {
            number: record.number,
            state: record.state,
            score: Number(record.score),
            scores: record.scores.iter().copied().map(Number).collect(),
            parameters: record.parameters.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
            reports: record.reports.iter().map(|(step, value)| (*step, Number(*value))).collect(),
            seconds: record.seconds,
            seed: record.seed,
            note: record.note.clone(),
        }));
        self.append(&lines)
    }

    fn append(&mut self, lines: &[Line]) -> Result<()> {
        // One call: a file of the standard library has no buffer.
        self.file.write_all(self::lines(lines)?.as_bytes()).map_err(|error| Error::file(&self.path, error))
    }
}

/// A process that another thread is starting has the file open for a moment, too: closing it alone would leave it locked.
impl Drop for Log {
    fn drop(&mut self) {
        self.file.unlock().ok();
    }
}

/// The text of lines.
fn lines(lines: &[Line]) -> Result<String> {
    let mut text = String::new();
    for line in lines {
        text += &serde_json::to_string(line).map_err(|error| Error::Internal(format!("a log line: {error}")))?;
        text.push('\n');
    }
    Ok(text)
}

fn no_log(place: &str) -> Error {
    Error::data(place, "no log of a study: it does not begin with one")
}

fn header(study: &Study) -> Header {
    Header {
        format: FORMAT,
        score: study.name.clone(),
        direction: format!("{:?}", study.direction).to_lowercase(),
        sampler: format!("{:?}", study.sampler),
        pruner: format!("{:?}", study.pruner),
        seed: study.seed,
        concurrency: study.lag(),
    }
}

/// Refuses a log whose trials this study would not have had.
fn same_study(place: &str, found: &Header, own: &Header) -> Result<()> {
    let lag = |header: &Header| header.concurrency.map_or("of no matter".to_owned(), |lag| lag.to_string());
    let pairs = [
        ("format", found.format.to_string(), own.format.to_string()),
        ("score", found.score.clone(), own.score.clone()),
        ("direction", found.direction.clone(), own.direction.clone()),
        ("sampler", found.sampler.clone(), own.sampler.clone()),
        ("pruner", found.pruner.clone(), own.pruner.clone()),
        ("seed", found.seed.to_string(), own.seed.to_string()),
        ("concurrency", lag(found), lag(own)),
    ];
    match pairs.into_iter().find(|(_, found, own)| found != own) {
        None => Ok(()),
        Some((what, found, own)) => {
            Err(Error::data(place, format!("a log of another study: its {what} is {found}, not {own}")))
        }
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Float(number) => (*number).into(),
        Value::Int(number) => (*number).into(),
        Value::Choice(_, text) => text.clone().into(),
    }
}

fn restored(domain: &Domain, json: &serde_json::Value) -> Option<Value> {
    let value = match domain {
        Domain::Float { .. } => Value::Float(json.as_f64()?),
        Domain::Int { .. } => Value::Int(json.as_i64()?),
        Domain::Choice { options } => {
            let text = json.as_str()?;
            Value::Choice(options.iter().position(|option| option == text)?, text.to_owned())
        }
    };
    domain.holds(&value).then_some(value)
}
