//! Parzen estimators: the density of trials over a few parameters together.
//!
//! A mixture of products: each trial is one component, with a kernel for each parameter around its value, and one more
//! is the prior. Kernels of numbers are normal distributions cut off at 0 and 1; a value that owns a cell has the mass
//! of that cell. Kernels of choices are categorical.

use crate::random::Stream;
use crate::search::space::{Domain, Point};
use rand::RngExt;
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand_distr::StandardNormal;

/// Trials that count fully; older ones count the less the older they are.
const RECENT: usize = 25;
/// The narrowest kernel is a hundredth of the range.
const MOST_NARROW: f64 = 100.0;

/// The kernels of one parameter: one a trial, and the prior last.
#[derive(Debug, Clone)]
enum Kernels {
    Normal {
        mu: Vec<f64>,
        sigma: Vec<f64>,
    },
    /// A row of probabilities each.
    Categorical(Vec<Vec<f64>>),
}

/// Standard normal distribution function.
fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x / std::f64::consts::SQRT_2)
}

/// The mass of a normal distribution between two places, from whichever tail is the nearer.
fn mass(mu: f64, sigma: f64, from: f64, to: f64) -> f64 {
    let (a, b) = ((from - mu) / sigma, (to - mu) / sigma);
    if a > 0.0 { below(-a) - below(-b) } else { below(b) - below(a) }
}

impl Kernels {
    fn normal(at: Vec<f64>) -> Self {
        let (n, mut mu) = (at.len(), at);
        let least = 1.0 / MOST_NARROW.min(n as f64 + 2.0);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|a, b| mu[*a].total_cmp(&mu[*b]));
        let mut sigma = vec![0.0; n];
        for (rank, &own) in order.iter().enumerate() {
            // The wider gap to a neighbour; of the outermost the gap inwards, of a single one that to the further end.
            let left = if rank > 0 { Some(mu[own] - mu[order[rank - 1]]) } else { (n == 1).then(|| mu[own]) };
            let right =
                if rank + 1 < n { Some(mu[order[rank + 1]] - mu[own]) } else { (n == 1).then(|| 1.0 - mu[own]) };
            sigma[own] = left.unwrap_or(0.0).max(right.unwrap_or(0.0)).clamp(least, 1.0);
        }
        mu.push(0.5);
        sigma.push(1.0);
        Kernels::Normal { mu, sigma }
    }

    fn categorical(at: &[usize], options: usize) -> Self {
        let smooth = 1.0 / (at.len() + 1) as f64;
        let total = 1.0 + smooth * options as f64;
        let of = |own: usize| (0..options).map(|o| (smooth + f64::from(u8::from(o == own))) / total).collect();
        let prior = vec![1.0 / options as f64; options];
        Kernels::Categorical(at.iter().map(|own| of(*own)).chain([prior]).collect())
    }

    fn sample(&self, component: usize, random: &mut Stream) -> f64 {
        match self {
            Kernels::Normal { mu, sigma } => loop {
                // At least a third falls inside: mu does, and sigma is at most 1.
                let draw: f64 = random.sample(StandardNormal);
                let at = mu[component] + sigma[component] * draw;
                if (0.0..=1.0).contains(&at) {
                    return at;
                }
            },
            Kernels::Categorical(rows) => index(&rows[component], random) as f64,
        }
    }

    fn log_pdf(&self, component: usize, at: Point) -> f64 {
        match (self, at) {
            (Kernels::Normal { mu, sigma }, Point::At(at)) => {
                let (mu, sigma) = (mu[component], sigma[component]);
                let z = (at - mu) / sigma;
                let peak = sigma * (2.0 * std::f64::consts::PI).sqrt() * mass(mu, sigma, 0.0, 1.0);
                -0.5 * z * z - libm::log(peak)
            }
            (Kernels::Normal { mu, sigma }, Point::Cell(from, _, to)) => {
                let (mu, sigma) = (mu[component], sigma[component]);
                libm::log(mass(mu, sigma, from, to)) - libm::log(mass(mu, sigma, 0.0, 1.0))
            }
            (Kernels::Categorical(rows), Point::Option(option)) => libm::log(rows[component][option]),
            _ => f64::NEG_INFINITY,
        }
    }
}

/// An index with these odds.
fn index(odds: &[f64], random: &mut Stream) -> usize {
    WeightedIndex::new(odds).map_or(0, |index| index.sample(random))
}

/// The density of some trials over some parameters.
#[derive(Debug, Clone)]
pub(in crate::search) struct Mixture {
    weights: Vec<f64>,
    kernels: Vec<Kernels>,
}

impl Mixture {
    /// Of trials in the order of their numbers, each with a point for every one of `domains`.
    pub fn new(domains: &[&Domain], trials: &[Vec<Point>]) -> Self {
        let kernels = domains.iter().enumerate().map(|(column, domain)| {
            let at = trials.iter().map(|trial| trial[column]);
            match domain {
                Domain::Choice { options } => {
                    Kernels::categorical(&at.map(|at| at.number() as usize).collect::<Vec<_>>(), options.len())
                }
                _ => Kernels::normal(at.map(Point::number).collect()),
            }
        });
        Self { kernels: kernels.collect(), weights: weights(trials.len()) }
    }

    /// A draw: for each parameter a place on the unit interval, or the number of an option.
    pub fn sample(&self, random: &mut Stream) -> Vec<f64> {
        let component = index(&self.weights, random);
        self.kernels.iter().map(|kernels| kernels.sample(component, random)).collect()
    }

    /// The logarithm of the density at a point.
    pub fn log_pdf(&self, at: &[Point]) -> f64 {
        let component = |(i, weight): (usize, &f64)| {
            let kernels = self.kernels.iter().zip(at).map(|(kernels, at)| kernels.log_pdf(i, *at));
            libm::log(*weight) + kernels.sum::<f64>()
        };
        let terms: Vec<f64> = self.weights.iter().enumerate().map(component).collect();
        let most = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if most == f64::NEG_INFINITY {
            return most;
        }
        most + libm::log(terms.iter().map(|term| libm::exp(term - most)).sum())
    }
}

/// The share of each trial, oldest first, and of the prior: the last 25 and the prior 1 each, older ones from 1/n up,
/// evenly.
fn weights(n: usize) -> Vec<f64> {
    let old = n.saturating_sub(RECENT);
    let least = 1.0 / n as f64;
    let weight = |i: usize| match old {
        old if i >= old => 1.0,
        1 => least,
        old => least + (1.0 - least) * i as f64 / (old - 1) as f64,
    };
    let mut weights: Vec<f64> = (0..n).map(weight).chain([1.0]).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Value;

    const UNIT: Domain = Domain::Float { low: 0.0, high: 1.0, log: false, step: None };

    /// Two trials at 0.2 and 0.5 and the prior, by hand. Both gaps are 0.3, above the least width of 1/4, so all kernels
    /// have weight 1/3 and are: N(0.2, 0.3), N(0.5, 0.3), N(0.5, 1), each cut off at 0 and 1. With the normal
    /// distribution function's values of tables: P(-0.667 < z < 2.667) = 0.743668, P(-1.667 < z < 1.667) = 0.904419,
    /// P(-0.5 < z < 0.5) = 0.382925; heights at 0.4: 0.798487 / 0.3, 0.945959 / 0.3, 0.995012, times 0.398942.
    #[test]
    fn a_density_by_hand() {
        let mixture = Mixture::new(&[&UNIT], &[vec![Point::At(0.2)], vec![Point::At(0.5)]]);
        let bells =
            [(-0.222_222_222_222f64, 0.3, 0.743_668), (-0.055_555_555_556, 0.3, 0.904_419), (-0.005, 1.0, 0.382_925)];
        let height: f64 = bells.iter().map(|(e, sigma, mass)| 0.398_942 * e.exp() / sigma / mass / 3.0).sum();
        let got = mixture.log_pdf(&[Point::At(0.4)]).exp();
        assert!((got - height).abs() < 1e-5, "{got}, by hand {height}");
    }

    /// One trial that chose 1 of 3: (0 + 1/2) / 2.5 and (1 + 1/2) / 2.5; with the prior's 1/3 half and half.
    #[test]
    fn a_choice_by_hand() {
        let domain = Domain::Choice { options: ["a", "b", "c"].map(str::to_owned).to_vec() };
        let mixture = Mixture::new(&[&domain], &[vec![Point::Option(1)]]);
        for (option, share) in [(0, 0.5 * 0.2 + 0.5 / 3.0), (1, 0.5 * 0.6 + 0.5 / 3.0), (2, 0.5 * 0.2 + 0.5 / 3.0)] {
            assert!((mixture.log_pdf(&[Point::Option(option)]).exp() - share).abs() < 1e-12);
        }
    }

    /// Mass is lost nowhere: over cells it adds up to 1, over the unit interval it integrates to 1.
    #[test]
    fn densities_add_up_to_1() {
        let domain = Domain::Int { low: 1, high: 50, log: true, step: 1 };
        let point = |number: i64| domain.point(&Value::Int(number));
        let mixture = Mixture::new(&[&domain], &[vec![point(3)], vec![point(1)], vec![point(40)]]);
        let sum: f64 = (1..=50).map(|number| mixture.log_pdf(&[point(number)]).exp()).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        let mixture = Mixture::new(&[&UNIT], &[vec![Point::At(0.0)], vec![Point::At(0.05)], vec![Point::At(1.0)]]);
        let cells = 100_000;
        let at = |i: i32| Point::At((f64::from(i) + 0.5) / f64::from(cells));
        let sum: f64 = (0..cells).map(|i| mixture.log_pdf(&[at(i)]).exp() / f64::from(cells)).sum();
        assert!((sum - 1.0).abs() < 1e-8, "{sum}");
    }

    #[test]
    fn old_trials_count_less() {
        assert_eq!(weights(1), [0.5, 0.5]);
        let all = weights(28);
        let scale = all[27]; // the newest: 1 before the sum is divided out
        for (i, want) in [(0, 1.0 / 28.0), (1, (1.0 / 28.0 + 1.0) / 2.0), (2, 1.0), (3, 1.0), (28, 1.0)] {
            assert!((all[i] / scale - want).abs() < 1e-12, "{i}");
        }
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    /// Five kinds of parameters together, against Optuna's own estimator (`tests/fixtures/search/generate.py`).
    #[test]
    fn densities_are_those_of_optuna() {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/search/optuna.json"));
        let fixture: serde_json::Value = serde_json::from_str(text).unwrap();
        let domains = [
            ("float", Domain::Float { low: -2.0, high: 3.0, log: false, step: None }),
            ("log", Domain::Float { low: 1e-4, high: 1.0, log: true, step: None }),
            ("int", Domain::Int { low: 10, high: 50, log: false, step: 10 }),
            ("log_int", Domain::Int { low: 1, high: 100, log: true, step: 1 }),
            ("choice", Domain::Choice { options: ["a", "b", "c"].map(str::to_owned).to_vec() }),
        ];
        let points = |part: &serde_json::Value| -> Vec<Vec<Point>> {
            let rows = part["float"].as_array().unwrap().len();
            let value = |(name, domain): &(&str, Domain), row: usize| {
                let number = part[*name][row].as_f64().unwrap();
                domain.point(&match domain {
                    Domain::Float { .. } => Value::Float(number),
                    Domain::Int { .. } => Value::Int(number as i64),
                    Domain::Choice { .. } => domain.option(number as usize),
                })
            };
            (0..rows).map(|row| domains.iter().map(|domain| value(domain, row)).collect()).collect()
        };
        for case in fixture["densities"].as_array().unwrap() {
            let mixture = Mixture::new(&domains.each_ref().map(|(_, domain)| domain), &points(&case["trials"]));
            for (at, want) in points(&case["at"]).iter().zip(case["log_pdf"].as_array().unwrap()) {
                let (got, want) = (mixture.log_pdf(at), want.as_f64().unwrap());
                assert!((got - want).abs() < 1e-9, "{got}, Optuna {want}");
            }
        }
    }

    /// Draws follow the density: ten cells of 20,000 draws, chi-square with 9 degrees of freedom below 27.9 (p = 0.001).
    #[test]
    fn draws_follow_the_density() {
        let mixture = Mixture::new(&[&UNIT], &[vec![Point::At(0.1)], vec![Point::At(0.15)], vec![Point::At(0.8)]]);
        let mut random = Stream::new(1, 2, 3);
        let mut counts = [0u32; 10];
        for _ in 0..20_000 {
            counts[((mixture.sample(&mut random)[0] * 10.0) as usize).min(9)] += 1;
        }
        let share = |cell: usize| {
            let at = |i: usize| Point::At((cell as f64 + (i as f64 + 0.5) / 1000.0) / 10.0);
            (0..1000).map(|i| mixture.log_pdf(&[at(i)]).exp() / 10_000.0).sum::<f64>()
        };
        let terms = counts.iter().enumerate().map(|(cell, count)| {
            let want = 20_000.0 * share(cell);
            (f64::from(*count) - want).powi(2) / want
        });
        let chi_square: f64 = terms.sum();
        assert!(chi_square < 27.9, "chi-square {chi_square}, {counts:?}");
    }
}
