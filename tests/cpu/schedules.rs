//! Learning rates against the sequences that PyTorch's schedulers set (`tests/fixtures/schedules.py`).
//!
//! PyTorch computes most rates from the one before, in at most six roundings, none of which makes a rate larger than
//! the first one; this crate computes each anew in at most 16. So in step t the two differ by at most (6 t + 16) u of
//! the first rate, u = 2⁻⁵³.

use crate::common::api::{bits, classifier, samples};
use crate::common::{U64, assert_none, differences};
use axone::prelude::*;
use axone::train::Threshold;
use serde_json::Value;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../fixtures/schedules.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
}

fn schedule(case: &Value) -> Schedule {
    let set = &case["settings"];
    let number = |name: &str| set[name].as_f64();
    let whole = |name: &str| set[name].as_u64().unwrap_or_default() as usize;
    match case["schedule"].as_str().unwrap() {
        "step_decay" => StepDecay::new(whole("every"), number("factor").unwrap()).into(),
        "exponential_decay" => ExponentialDecay::new(number("beta").unwrap()).into(),
        "piecewise_constant" => {
            let pieces = set["pieces"].as_array().unwrap().iter();
            PiecewiseConstant::new(pieces.map(|p| (p[0].as_u64().unwrap() as usize, p[1].as_f64().unwrap()))).into()
        }
        "polynomial_decay" => {
            let decay = PolynomialDecay::new(number("power").unwrap()).warmup(whole("warmup"));
            decay.warmup_from(number("warmup_from").unwrap_or_default()).into()
        }
        "cosine_decay" => {
            let decay = CosineDecay::new().floor(number("floor").unwrap()).warmup(whole("warmup"));
            decay.warmup_from(number("warmup_from").unwrap_or_default()).into()
        }
        "one_cycle" => {
            let mut cycle = OneCycle::new();
            if let Some(rising) = number("rising") {
                let (division, last) = (number("division").unwrap(), number("final_division").unwrap());
                cycle = cycle.rising(rising).division(division).final_division(last);
            }
            cycle.into()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn schedules_are_those_of_pytorch() {
    let (fixture, mut found) = (fixture(), Vec::new());
    let rate = fixture["rate"].as_f64().unwrap();
    let cases = fixture["schedules"].as_array().unwrap();
    assert_eq!(cases.len(), 13);
    for case in cases {
        let (schedule, want) = (schedule(case), numbers(&case["rates"]));
        let total = case["settings"]["steps"].as_u64().unwrap_or(1) as usize;
        schedule.check(total).unwrap();
        // By epochs: nothing but the epoch counts. By steps: nothing but the step and the length of the run.
        let by_epoch = case["unit"] == "epoch";
        let factor = |t: usize| if by_epoch { schedule.factor(7, t, 1) } else { schedule.factor(t, 3, total) };
        let got: Vec<f64> = (0..want.len()).map(|t| rate * factor(t)).collect();
        found.extend(differences(&format!("{schedule:?}"), &got, &want, |t| (6 * t + 16) as f64 * U64 * rate));
    }
    assert_none(&found);
}

/// The rates fall by products alone, in the same order as PyTorch's: the same bits.
#[test]
fn plateaus_are_those_of_pytorch() {
    let fixture = fixture();
    let cases = fixture["plateaus"].as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let set = &case["settings"];
        let mut plateau = ReduceOnPlateau::new("loss");
        if set["mode"] == "max" {
            plateau = plateau.maximize();
        }
        let whole = |name: &str| set[name].as_u64().map(|x| x as usize);
        plateau = whole("patience").map_or(plateau.clone(), |epochs| plateau.patience(epochs));
        plateau = whole("cooldown").map_or(plateau.clone(), |epochs| plateau.cooldown(epochs));
        plateau = set["factor"].as_f64().map_or(plateau.clone(), |factor| plateau.factor(factor));
        plateau = set["min_lr"].as_f64().map_or(plateau.clone(), |rate| plateau.floor(rate));
        if let Some(threshold) = set["threshold"].as_f64() {
            let absolute = set["threshold_mode"] == "abs";
            let kind = if absolute { Threshold::Absolute } else { Threshold::Relative };
            plateau = plateau.threshold(kind(threshold));
        }
        let mut rate = fixture["rate"].as_f64().unwrap();
        for (epoch, (loss, want)) in numbers(&case["losses"]).iter().zip(numbers(&case["rates"])).enumerate() {
            rate = plateau.step(*loss, rate);
            assert_eq!(rate, want, "{set}, epoch {epoch}");
        }
    }
}

/// The uniform of each step has the rate of the schedule: one fit of three epochs with a rate that halves is three
/// fits with these rates.
/// The threshold is a share of the size of the best value, whatever its sign. (PyTorch takes the share of the value
/// itself: there a negative loss that stays as it is improves in every epoch.)
#[test]
fn a_plateau_may_be_negative() {
    let rates = |values: [f64; 8], plateau: ReduceOnPlateau| {
        let mut plateau = plateau.patience(2);
        values.iter().fold(1.0, |rate, value| plateau.step(*value, rate))
    };
    let loss = || ReduceOnPlateau::new("loss");
    for value in [1.0, -1.0, 0.0, -1e30] {
        assert!((rates([value; 8], loss()) - 0.01).abs() < 1e-15, "{value}");
        assert!((rates([value; 8], loss().maximize()) - 0.01).abs() < 1e-15, "{value}");
    }
    // A step of more than a tenth of the size improves, one of less does not.
    let wide = || loss().threshold(Threshold::Relative(0.1));
    let steps = |by: f64| [0, 1, 2, 3, 4, 5, 6, 7].map(|i| -10.0 - by * f64::from(i));
    assert_eq!(rates(steps(2.0), wide()), 1.0);
    assert!(rates(steps(0.05), wide()) < 1.0);
    assert_eq!(rates(steps(2.0).map(|x| -x), wide().maximize()), 1.0);
    assert!(rates(steps(-0.05), wide().maximize()) < 1.0);
    // Whatever the share, the first value is better than none.
    let twice = loss().threshold(Threshold::Relative(2.0));
    assert_eq!(rates([-1.0, -1.0, -1.0, -5.0, -5.0, -5.0, -20.0, -20.0], twice), 1.0);
}

#[test]
fn a_schedule_reaches_every_step() {
    let (device, data) = (Device::cpu(), samples(10));
    let settings = Fit::new().batch_size(4).without_shuffle().silent();
    let mut scheduled = classifier(&device, Sgd::new(0.5));
    let halving = settings.clone().epochs(3).schedule(ExponentialDecay::new(0.5));
    let history = scheduled.fit(&data, &halving).unwrap();
    let rates: Vec<f32> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert_eq!(rates, [0.5, 0.25, 0.125]);

    let mut weights = classifier(&device, Sgd::new(0.5)).weights().unwrap();
    for rate in rates {
        let mut model = classifier(&device, Sgd::new(rate));
        model.set_weights(&weights).unwrap();
        model.fit(&data, &settings.clone().epochs(1)).unwrap();
        weights = model.weights().unwrap();
    }
    assert_eq!(scheduled.weights().unwrap(), weights);

    // By steps: the last of the three epochs of three steps each is step 8 of 9.
    let linear = settings.clone().epochs(3).schedule(PolynomialDecay::new(1.0));
    let history = classifier(&device, Sgd::new(0.9)).fit(&data, &linear).unwrap();
    let rates: Vec<f32> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    let want = [2, 5, 8].map(|step| (f64::from(0.9f32) * (1.0 - f64::from(step) / 9.0)) as f32);
    assert_eq!(rates, want);

    // Constant is what it always was.
    let (mut plain, mut constant) = (classifier(&device, Adam::default()), classifier(&device, Adam::default()));
    plain.fit(&data, &settings).unwrap();
    constant.fit(&data, &settings.clone().schedule(Schedule::Constant)).unwrap();
    assert_eq!(bits(&mut plain), bits(&mut constant));
}
