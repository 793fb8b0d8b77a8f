//! What callbacks do, on any device.

use super::api::{bits, classifier, flat, samples};
use axone::prelude::*;
use std::sync::{Arc, Mutex};

fn settings(epochs: usize) -> Fit {
    Fit::new().epochs(epochs).batch_size(4).seed(11).silent()
}

/// Reads the weights after each epoch.
#[derive(Default)]
pub struct Recorder {
    pub weights: Vec<Vec<u32>>,
    calls: Vec<&'static str>,
}

impl Callback for Recorder {
    fn begin(&mut self, _: &mut Run<'_>) -> Result<()> {
        self.calls.push("begin");
        Ok(())
    }

    fn epoch_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        assert_eq!(run.epoch(), self.weights.len());
        self.calls.push("epoch_begin");
        Ok(())
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.weights.push(bits(run.model()));
        assert_eq!((run.epoch(), run.history().epochs.len()), (self.weights.len(), self.weights.len()));
        self.calls.push("epoch_end");
        Ok(())
    }

    fn end(&mut self, _: &mut Run<'_>) -> Result<()> {
        self.calls.push("end");
        Ok(())
    }
}

/// Every hook is called, in order, and looking on changes nothing.
pub fn hooks_are_called_in_order(device: &Device) {
    let recorder = Arc::new(Mutex::new(Recorder::default()));
    let (mut seen, mut plain) = (classifier(device, Adam::new(0.01)), classifier(device, Adam::new(0.01)));
    let history = seen.fit(&samples(10), &settings(2).callback(Arc::clone(&recorder))).unwrap();
    let other = plain.fit(&samples(10), &settings(2)).unwrap();
    let recorder = recorder.lock().unwrap();
    assert_eq!(recorder.calls, ["begin", "epoch_begin", "epoch_end", "epoch_begin", "epoch_end", "end"]);
    assert_eq!(recorder.weights.last(), Some(&bits(&mut plain)));
    assert_eq!((history.get("loss"), history.stopped), (other.get("loss"), None));
}

/// A rate so large that the loss rises at once: the best epoch is known, and its weights come back.
pub fn early_stopping_restores_the_best_weights(device: &Device) {
    let recorder = Arc::new(Mutex::new(Recorder::default()));
    let stopping = EarlyStopping::new("val_loss").patience(3).restore_best();
    let mut model = classifier(device, Sgd::new(40.0));
    let fit = settings(60).validation(&samples(7)).callback(Arc::clone(&recorder)).callback(stopping);
    let history = model.fit(&samples(30), &fit).unwrap();
    let (best, value) = history.best("val_loss").unwrap();
    assert_eq!(history.epochs.len(), best + 3, "{history}");
    assert!(history.stopped.as_ref().unwrap().starts_with("no better val_loss for 3 epochs"), "{:?}", history.stopped);
    let recorder = recorder.lock().unwrap();
    assert_eq!(bits(&mut model), recorder.weights[best - 1]);
    assert_ne!(bits(&mut model), *recorder.weights.last().unwrap());
    assert_eq!(model.evaluate(&samples(7)).unwrap().loss(), value);
}

/// A model that is evaluated on other data, predicts and trains by itself between the epochs: the run goes on with its
/// own data.
pub fn a_callback_may_use_the_model(device: &Device) {
    struct Meddler;
    impl Callback for Meddler {
        fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
            let other = samples(9);
            let weights = run.model().weights()?;
            run.model().evaluate(&other)?;
            run.model().predict(&other.inputs()[0])?;
            run.model().fit(&other, &Fit::new().epochs(1).batch_size(2).silent())?;
            run.model().set_weights(&weights)
        }
    }
    let data = samples(12);
    let run = |fit: Fit| {
        let mut model = classifier(device, Sgd::new(0.1));
        let history = model.fit(&data, &fit.without_shuffle().validation(&samples(7))).unwrap();
        (bits(&mut model), history.get("loss"), history.get("val_loss"))
    };
    assert_eq!(run(settings(3).callback(Meddler)), run(settings(3)));
}

/// A flag raised while an epoch runs ends the run within it, one raised between two epochs there: with the epochs
/// before.
pub fn a_flag_ends_a_run(device: &Device) {
    struct Raises(StopFlag, usize);
    impl Callback for Raises {
        fn epoch_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
            if (run.epoch(), self.1) == (0, 0) {
                self.0.raise();
            }
            Ok(())
        }

        fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
            if run.epoch() == self.1 {
                self.0.raise();
            }
            Ok(())
        }
    }
    let data = samples(400);
    let flag = StopFlag::new();
    let mut model = classifier(device, Sgd::new(0.1));
    let fit = settings(50).batch_size(1).stop_flag(&flag);
    let history = model.fit(&data, &fit.clone().callback(Raises(flag.clone(), 0))).unwrap();
    // The first group of steps is queued before anyone looks.
    let wanted = "stopped from outside in epoch 1, after 8 of its 400 steps";
    assert_eq!((history.epochs.len(), history.stopped.as_deref()), (0, Some(wanted)));
    // Its steps have moved the weights; the flag, which is still raised, lets no other run begin.
    let (mut other, mut fresh) = (classifier(device, Sgd::new(0.1)), classifier(device, Sgd::new(0.1)));
    assert_eq!(other.fit(&data, &fit).unwrap().epochs.len(), 0);
    assert_eq!(bits(&mut other), bits(&mut fresh));
    assert_ne!(bits(&mut other), bits(&mut model));
    flag.lower();
    let history = model.fit(&data, &fit.clone().callback(Raises(flag.clone(), 2))).unwrap();
    assert_eq!((history.epochs.len(), history.stopped.as_deref()), (2, Some("stopped from outside after 2 epochs")));
    flag.lower();
    assert_eq!(model.fit(&samples(8), &fit.epochs(1)).unwrap().epochs.len(), 1);
}

/// Layer, step and dispatch of the first infinity, and the weights before it.
pub fn a_non_finite_number_is_named(device: &Device) {
    // With this rate and no bound on the activations the weights grow in every step, until a product overflows.
    let net = Sequential::new(5).add(Dense::new(8)).add(Dense::new(1).named("size"));
    let data = Dataset::new(samples(12).inputs()[0].clone(), super::matrix(8, 12, 1)).unwrap();
    let settings = |epochs| settings(epochs).without_shuffle();
    let compile = || net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(30.0)).unwrap();
    let mut model = compile();
    let history = model.fit(&data, &settings(20).callback(TerminateOnNonFinite::new())).unwrap();
    let reason = history.stopped.unwrap();
    println!("{reason}");
    let epoch: usize = reason.strip_prefix("epoch ").unwrap().split(',').next().unwrap().parse().unwrap();
    assert_eq!(epoch, history.epochs.len());
    assert!(reason.contains(" arose in ") && (reason.contains("dense_1") || reason.contains("size")), "{reason}");
    let step: usize = reason.split("step ").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();

    // The model is left as it was before that step, and the epoch before it was healthy.
    let mut before = compile();
    if epoch > 1 {
        before.fit(&data, &settings(epoch - 1)).unwrap();
    }
    if step > 1 {
        before.fit(&data.take(4 * (step - 1)).unwrap(), &settings(1)).unwrap();
    }
    assert_eq!(flat(model.weights().unwrap()), flat(before.weights().unwrap()));
    assert!(flat(model.weights().unwrap()).iter().all(|w| w.is_finite()));
    let plain = compile().fit(&data, &settings(epoch)).unwrap();
    assert!(plain.get("loss")[..epoch - 1].iter().all(|loss| loss.is_finite()), "{plain}");
    assert!(!plain.last("loss").unwrap().is_finite() || epoch == 20, "{plain}");
    assert!((1..=3).contains(&step), "{reason}");

    // Where the update itself overflows, its weights are taken back.
    let far = Dataset::new(samples(12).inputs()[0].clone(), vec![100.0; 12]).unwrap();
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(3e38)).unwrap();
    let start = flat(model.weights().unwrap());
    let reason = model.fit(&far, &settings(2).callback(TerminateOnNonFinite::new())).unwrap().stopped.unwrap();
    assert!(reason.starts_with("epoch 1, step 1:") && reason.contains("update"), "{reason}");
    assert_eq!(flat(model.weights().unwrap()), start);

    // A healthy run is not touched.
    let mut healthy = classifier(device, Adam::new(0.01));
    let mut plain = classifier(device, Adam::new(0.01));
    let history = healthy.fit(&samples(20), &settings(3).callback(TerminateOnNonFinite::new())).unwrap();
    plain.fit(&samples(20), &settings(3)).unwrap();
    assert_eq!((history.stopped, bits(&mut healthy)), (None, bits(&mut plain)));
}
