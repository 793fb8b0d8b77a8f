//! What a check found: a row for each kernel and size, and the table of one device.

use std::collections::BTreeMap;
use std::fmt;

/// Whether a row passed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize))]
pub enum Outcome {
    /// Every element lies within its tolerance.
    Passed,
    /// At least one does not, or something outside the output was touched: what.
    Failed(String),
    /// It should have run and did not: why.
    Skipped(String),
    /// The device lacks what it needs: what that is.
    NotOffered(String),
}

/// One kernel at one size, or one dispatch of a plan.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize))]
pub struct Row {
    /// The kernel, with its entry point.
    pub kernel: String,
    /// The sizes, or the layer.
    pub case: String,
    /// Elements judged.
    pub elements: usize,
    /// The largest error as a share of its tolerance: above 1 is wrong.
    pub worst: f64,
    /// The outcome.
    pub outcome: Outcome,
}

impl Row {
    /// Judges every element of `got` against `expected` under `allowed`.
    pub fn judge(kernel: String, case: String, got: &[Vec<f32>], expected: &[Vec<f64>], allowed: &[Vec<f64>]) -> Self {
        let lengths = |sizes: &mut dyn Iterator<Item = usize>| sizes.collect::<Vec<_>>();
        let judged = lengths(&mut got.iter().map(Vec::len));
        if judged != lengths(&mut expected.iter().map(Vec::len)) || judged != lengths(&mut allowed.iter().map(Vec::len))
        {
            return Row::failed(kernel, case, format!("no expectation and tolerance for each of {judged:?} elements"));
        }
        let mut row = Row { kernel, case, elements: 0, worst: 0.0, outcome: Outcome::Passed };
        for (buffer, ((got, expected), allowed)) in got.iter().zip(expected).zip(allowed).enumerate() {
            for (at, ((&got, &expected), &allowed)) in got.iter().zip(expected).zip(allowed).enumerate() {
                row.elements += 1;
                let share = share_of_tolerance(f64::from(got), expected, allowed);
                if share > row.worst {
                    row.worst = share;
                    if share > 1.0 {
                        let place = format!("output {buffer}[{at}]");
                        let text = format!("{place}: got {got:e}, expected {expected:e}, allowed ±{allowed:e}");
                        row.outcome = Outcome::Failed(text);
                    }
                }
            }
        }
        row
    }

    pub(super) fn failed(kernel: String, case: String, trap: String) -> Self {
        Row { kernel, case, elements: 0, worst: f64::INFINITY, outcome: Outcome::Failed(trap) }
    }

    pub(super) fn not_run(kernel: String, case: String, outcome: Outcome) -> Self {
        Row { kernel, case, elements: 0, worst: 0.0, outcome }
    }
}

/// The error over what is allowed; infinite where only one of the two is NaN. Two infinities of one sign agree, and
/// so do an infinity and a number that f32 rounds to it.
fn share_of_tolerance(got: f64, expected: f64, allowed: f64) -> f64 {
    let rounded = f64::from(expected as f32);
    if got == rounded || (got.is_nan() && expected.is_nan()) {
        return 0.0;
    }
    let share = (got - expected).abs() / allowed;
    if share.is_nan() { f64::INFINITY } else { share }
}

/// The rows of one device.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize))]
pub struct Report {
    /// The device.
    pub device: String,
    /// What was judged.
    pub rows: Vec<Row>,
}

impl Report {
    /// The row closest to its tolerance, or furthest beyond it.
    pub fn worst(&self) -> Option<&Row> {
        self.rows.iter().max_by(|a, b| a.worst.total_cmp(&b.worst))
    }

    /// Rows that failed.
    pub fn failed(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed(_))).count()
    }

    /// Rows that should have run and did not, because the device was lost before.
    pub fn skipped(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Skipped(_))).count()
    }

    /// Rows that need what the device does not have: f16, cooperative matrices, subgroups of a size, larger buffers.
    pub fn not_offered(&self) -> usize {
        self.missing().values().sum()
    }

    /// What the device lacks, with the number of rows that need it.
    pub fn missing(&self) -> BTreeMap<&str, usize> {
        let mut missing = BTreeMap::new();
        for row in &self.rows {
            if let Outcome::NotOffered(what) = &row.outcome {
                *missing.entry(what.as_str()).or_default() += 1;
            }
        }
        missing
    }

    /// The report as JSON: `device`, the counts `failed`, `skipped` and `not_offered`, and `rows`.
    #[cfg(feature = "save")]
    pub fn to_json(&self) -> String {
        let mut report = serde_json::to_value(self).unwrap_or_default();
        report["failed"] = self.failed().into();
        report["skipped"] = self.skipped().into();
        report["not_offered"] = self.not_offered().into();
        serde_json::to_string_pretty(&report).unwrap_or_default()
    }
}

/// A line for each kernel that ran with its worst row, a line for what the device lacks with the number of rows that need
/// it, a line for each row that failed and for the reason why rows were skipped, and the counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.device)?;
        writeln!(f, "  {:<36} {:>5} {:>10}  {:>9}  worst case", "kernel", "rows", "elements", "worst")?;
        let ran = |row: &&Row| matches!(row.outcome, Outcome::Passed | Outcome::Failed(_));
        let mut kernels: Vec<&str> = self.rows.iter().filter(ran).map(|row| row.kernel.as_str()).collect();
        kernels.sort_unstable();
        kernels.dedup();
        for kernel in kernels {
            let rows: Vec<&Row> = self.rows.iter().filter(ran).filter(|row| row.kernel == kernel).collect();
            let elements: usize = rows.iter().map(|row| row.elements).sum();
            let worst = rows.iter().max_by(|a, b| a.worst.total_cmp(&b.worst));
            let (share, case) = worst.map_or((0.0, ""), |row| (row.worst, row.case.as_str()));
            writeln!(f, "  {kernel:<36} {:>5} {elements:>10}  {share:>9.3}  {case}", rows.len())?;
        }
        for (what, rows) in self.missing() {
            writeln!(f, "  {what:<36} {rows:>5}  not offered: the device has none")?;
        }
        let skipped = self.rows.iter().find_map(|row| match &row.outcome {
            Outcome::Skipped(why) => Some((row, why)),
            _ => None,
        });
        if let Some((row, why)) = skipped {
            writeln!(f, "  SKIPPED {} rows from {} {} on: {why}", self.skipped(), row.kernel, row.case)?;
        }
        for row in &self.rows {
            if let Outcome::Failed(what) = &row.outcome {
                writeln!(f, "  FAILED {} {}: {what}", row.kernel, row.case)?;
            }
        }
        let (rows, failed, skipped) = (self.rows.len(), self.failed(), self.skipped());
        write!(f, "{rows} rows, {failed} failed, {skipped} skipped, {} not offered", self.not_offered())
    }
}
