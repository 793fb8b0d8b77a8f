//! Whether Bayesian search needs fewer trials than random search: on the digits and on two of scikit-learn's data sets,
//! 20 seeds of 60 trials each.
//!
//! `cargo bench --bench search` (or `-- 5` for 5 seeds). For each seed the goal is the best of 60 random trials; printed
//! is the trial at which a Bayesian search reaches it, with every trial told of all before and with four at a time (the
//! default), and as a control the trial at which a random search of another seed does (61: not within 60). The curves go
//! to `target/search.svg`: the median of the best score so far, with four at a time, over what is the best of all.

#[path = "../examples/common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::data::{Matrix, Targets};
use axone::prelude::*;
use axone::search::{CrossValidation, Fold, Random, Sampler, Study, Tpe, Trial};
use plotters::prelude::*;
use std::path::Path;

const USAGE: &str = "usage: search [SEEDS]

The trial at which a Bayesian search reaches the best of 60 random trials, the median over SEEDS seeds (20), on digits,
wine and diabetes. Writes target/search.svg.";

const TRIALS: usize = 60;

/// The last column of a CSV file as target.
fn table(name: &str) -> Result<(Matrix, Vec<f32>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/search/data/{name}.csv"));
    let text = std::fs::read_to_string(&path).map_err(|error| Error::File { path, message: error.to_string() })?;
    let rows =
        text.lines().skip(1).map(|line| line.split(',').map(|field| field.parse().unwrap_or(f32::NAN)).collect());
    let rows: Vec<Vec<f32>> = rows.collect();
    let targets = rows.iter().filter_map(|row| row.last().copied()).collect();
    Ok((Matrix::from_rows(rows.iter().map(|row| &row[..row.len() - 1]))?, targets))
}

struct Problem {
    name: &'static str,
    data: Dataset,
    cv: CrossValidation,
    epochs: usize,
}

fn problems() -> Result<Vec<Problem>> {
    let (wine, classes) = table("wine")?;
    let (diabetes, progress) = table("diabetes")?;
    let classes: Vec<u32> = classes.into_iter().map(|class| class as u32).collect();
    let progress = Targets::from(Matrix::column(progress.into_iter().map(|value| value / 100.0).collect()));
    let cv = |k: usize| CrossValidation::k_fold(k).score("loss").seed(1);
    Ok(vec![
        Problem { name: "digits", data: axone::data::digits()?, cv: cv(3), epochs: 5 },
        Problem { name: "wine", data: Dataset::new(wine, classes)?, cv: cv(3).standardize(), epochs: 15 },
        Problem { name: "diabetes", data: Dataset::new(diabetes, progress)?, cv: cv(3).standardize(), epochs: 15 },
    ])
}

/// The score is a function of the parameters alone: weights and order of the rows are the same in every trial.
fn train(problem: &Problem, trial: &Trial, fold: &Fold) -> Result<Model> {
    let units: usize = trial.int("units", 4..=128).log().get()?;
    let rate = trial.float("rate", 1e-5..=1.0).log().get_f32()?;
    let l2 = trial.float("l2", 1e-6..=1.0).log().get_f32()?;
    let batch: usize = trial.int("batch", 8..=128).log().get()?;
    let dropout = trial.float("dropout", 0.0..=0.6).get_f32()?;
    let activation = trial.choice("activation", &[Activation::Relu, Activation::Tanh, Activation::Sigmoid])?;
    let inputs = fold.train().inputs()[0].cols();
    let net = Sequential::new(inputs).add(Dense::new(units).activation(activation)).add(Dropout::new(dropout));
    let optimizer = Adam::new(rate).l2(l2);
    let mut model = match problem.data.classes() {
        Some(classes) => {
            let net = net.add(Dense::new(classes).activation(Activation::Softmax));
            net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, optimizer)?
        }
        None => net.add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, optimizer)?,
    };
    model.fit(fold.train(), &Fit::new().epochs(problem.epochs).batch_size(batch).silent())?;
    Ok(model)
}

/// The best score after each trial.
fn search(problem: &Problem, sampler: impl Into<Sampler>, at_a_time: usize, seed: u64) -> Result<Vec<f64>> {
    let study = Study::of(&problem.cv).sampler(sampler).concurrency(at_a_time).trials(TRIALS).seed(seed).silent();
    Ok(study.run_folds(&problem.data, &problem.cv, |trial, fold| train(problem, trial, fold))?.running_best())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// The first trial, counted from 1, that is as good as the goal.
fn reached(curve: &[f64], goal: f64) -> f64 {
    curve.iter().position(|best| *best <= goal).unwrap_or(TRIALS) as f64 + 1.0
}

/// The median over the curves at each trial.
fn medians(curves: &[Vec<f64>]) -> Vec<f64> {
    (0..TRIALS).map(|trial| median(curves.iter().map(|curve| curve[trial]).collect())).collect()
}

type Curves = (&'static str, Vec<f64>, Vec<f64>, f64);

fn draw(panels: &[Curves]) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new("target/search.svg", (360 * panels.len() as u32, 340)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, (name, random, bayesian, best)) in root.split_evenly((1, panels.len())).iter().zip(panels) {
        let above = |curve: &[f64]| -> Vec<(f64, f64)> {
            curve.iter().zip(1..).map(|(value, trial)| (f64::from(trial), (value - best).max(1e-9))).collect()
        };
        let (random, bayesian) = (above(random), above(bayesian));
        let all = || random.iter().chain(&bayesian).map(|(_, y)| *y);
        let (low, high) = (all().fold(f64::MAX, f64::min) * 0.8, all().fold(0.0, f64::max) * 1.2);
        let mut chart = ChartBuilder::on(area)
            .caption(*name, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(1.0..TRIALS as f64, (low..high).log_scale())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("trial")
            .y_desc("loss above the best known")
            .y_label_formatter(&|y| format!("{y:.0e}"))
            .draw()?;
        for (name, curve, color) in
            [("random", random, RGBColor(150, 150, 150)), ("Bayesian", bayesian, RGBColor(0, 114, 178))]
        {
            let line = chart.draw_series(LineSeries::new(curve, color.stroke_width(2)))?.label(name);
            line.legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE).border_style(RGBColor(228, 228, 228)).draw()?;
    }
    root.present()?;
    Ok(())
}

fn main() -> Result<()> {
    let wanted = arguments::filter(USAGE);
    let seeds: u64 = if wanted.is_empty() { 20 } else { Arguments::new(USAGE).parse("SEEDS", &wanted) };
    if seeds == 0 {
        Arguments::new(USAGE).refuse("SEEDS \"0\": at least 1 is needed");
    }
    println!(
        "{:<10} {:>14} {:>16} {:>18} {:>16} {:>20}",
        "", "random, best", "Bayesian, best", "at its goal, one", "four at a time", "random at another's"
    );
    let mut panels: Vec<Curves> = Vec::new();
    for problem in problems()? {
        let random: Vec<Vec<f64>> = (0..seeds).map(|seed| search(&problem, Random, 4, seed)).collect::<Result<_>>()?;
        let told_of_all: Vec<Vec<f64>> =
            (0..seeds).map(|seed| search(&problem, Tpe::new(), 1, seed)).collect::<Result<_>>()?;
        let bayesian: Vec<Vec<f64>> =
            (0..seeds).map(|seed| search(&problem, Tpe::new(), 4, seed)).collect::<Result<_>>()?;
        let last = |curves: &[Vec<f64>]| median(curves.iter().map(|curve| curve[TRIALS - 1]).collect());
        let goals: Vec<f64> = random.iter().map(|curve| curve[TRIALS - 1]).collect();
        let at = |curves: &[Vec<f64>], shift: usize| {
            median(
                goals.iter().enumerate().map(|(i, goal)| reached(&curves[(i + shift) % curves.len()], *goal)).collect(),
            )
        };
        println!(
            "{:<10} {:>14.4} {:>16.4} {:>18} {:>16} {:>20}",
            problem.name,
            last(&random),
            last(&bayesian),
            at(&told_of_all, 0),
            at(&bayesian, 0),
            at(&random, 1)
        );
        let best = random.iter().chain(&bayesian).map(|curve| curve[TRIALS - 1]).fold(f64::MAX, f64::min);
        panels.push((problem.name, medians(&random), medians(&bayesian), best));
    }
    draw(&panels).map_err(|error| Error::Internal(error.to_string()))
}
