//! Resuming on the CPU backend, when checkpoints are written, and files that do not fit.

use crate::common::api::{bits, classifier, samples};
use crate::common::resume;
use axone::layers::Activation;
use axone::prelude::*;
use std::path::PathBuf;

#[test]
fn ten_epochs_are_four_and_six() {
    resume::ten_epochs_are_four_and_six(&Device::cpu(), "resume::child_of_resume");
}

#[test]
#[ignore = "needs the files of another process: started by `ten_epochs_are_four_and_six`"]
fn child_of_resume() {
    resume::child(&Device::cpu());
}

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("axone-{name}-{}.safetensors", std::process::id()))
}

fn settings(epochs: usize) -> Fit {
    Fit::new().epochs(epochs).batch_size(4).silent()
}

/// Two calls of `fit` are one: the order of the rows goes on where it was.
#[test]
fn a_second_fit_goes_on() {
    let (mut whole, mut parts) =
        (classifier(&Device::cpu(), Adam::new(0.01)), classifier(&Device::cpu(), Adam::new(0.01)));
    whole.fit(&samples(10), &settings(5)).unwrap();
    parts.fit(&samples(10), &settings(2)).unwrap();
    parts.fit(&samples(10), &settings(3)).unwrap();
    assert_eq!(bits(&mut whole), bits(&mut parts));
    parts.reset(0).unwrap();
    parts.fit(&samples(10), &settings(5)).unwrap();
    assert_eq!(bits(&mut whole), bits(&mut parts), "reset leaves a counter");
}

/// The best epoch, and every second one with the last: how many epochs each file has seen.
#[test]
fn checkpoints_are_written_when_they_are_due() {
    let (best, every) = (file("best"), file("every"));
    let fit =
        settings(5).checkpoint(Checkpoint::new(&best).best("val_loss")).checkpoint(Checkpoint::new(&every).every(2));
    let mut model = classifier(&Device::cpu(), Sgd::new(40.0));
    let history = model.fit(&samples(30), &fit.clone().validation(&samples(7))).unwrap();
    let (best_epoch, value) = history.best("val_loss").unwrap();
    assert!(best_epoch < 5, "{history}");
    let mut loaded = Model::load_from(&best, Device::cpu()).unwrap();
    assert_eq!(loaded.evaluate(&samples(7)).unwrap().loss(), value);
    let mut last = Model::load_from(&every, Device::cpu()).unwrap();
    assert_eq!(bits(&mut last), bits(&mut model), "the last epoch is written whatever its number");
    // A finished run that is resumed has nothing left to do.
    let mut again = classifier(&Device::cpu(), Sgd::new(40.0));
    let resumed = again.fit(&samples(30), &settings(5).validation(&samples(7)).resume(&every)).unwrap();
    assert_eq!((resumed, bits(&mut again)), (history, bits(&mut model)));
    let error = model.fit(&samples(30), &fit).unwrap_err().to_string();
    assert_eq!(error, "checkpoint: monitor must be one of loss, accuracy, got val_loss");
    [best, every].iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

/// A run that a callback ended stays ended while that callback says so, and goes on with more patience or without it.
#[test]
fn a_stopped_run_stays_stopped_while_its_callback_says_so() {
    struct Ends;
    impl Callback for Ends {
        fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
            run.stop("enough");
            Ok(())
        }
    }
    let path = file("stopped");
    let stopping = |patience| EarlyStopping::new("loss").patience(patience).min_delta(10.0).restore_best();
    let run = |fit: Fit| {
        let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
        (model.fit(&samples(8), &fit).unwrap(), bits(&mut model))
    };
    let once = run(settings(9).callback(stopping(1)).checkpoint(path.as_path()));
    assert_eq!(once.0.epochs.len(), 2);
    assert_eq!(run(settings(9).callback(stopping(1)).resume(&path)), once);
    let patient = run(settings(9).callback(stopping(4)));
    let resumed = run(settings(9).callback(stopping(4)).resume(&path));
    assert_eq!((patient.0.epochs.len(), &resumed.0.stopped, &resumed.1), (5, &patient.0.stopped, &patient.1));
    assert_eq!(resumed.0.get("loss"), patient.0.get("loss"));

    let ended = run(settings(9).callback(Ends).checkpoint(path.as_path()));
    assert_eq!((ended.0.epochs.len(), ended.0.stopped.as_deref()), (1, Some("enough")));
    assert_eq!(run(settings(9).callback(Ends).resume(&path)), ended);
    let (whole, without) = (run(settings(9)), run(settings(9).resume(&path)));
    assert_eq!((&without.0.stopped, &without.1), (&None, &whole.1));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_diverging_run_keeps_the_last_good_file() {
    resume::a_diverging_run_keeps_the_last_good_file(&Device::cpu(), "cpu");
}

#[test]
fn counters_pass_2_to_the_32() {
    crate::common::counters::counters_pass_2_to_the_32(&Device::cpu());
}

/// The direction of a checkpoint's monitor can be turned round.
#[test]
fn a_checkpoint_may_say_what_is_better() {
    let (best, worst) = (file("least"), file("most"));
    let worst_of = Checkpoint::new(&worst).best("loss");
    let fit = settings(4).checkpoint(Checkpoint::new(&best).best("loss")).checkpoint(worst_of.maximize());
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    let history = model.fit(&samples(20), &fit).unwrap();
    assert!(history.get("loss").is_sorted_by(|a, b| a > b), "{history}");
    let epochs = |path: &PathBuf| {
        let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
        model.fit(&samples(20), &settings(1).resume(path)).unwrap().epochs.len()
    };
    assert_eq!((epochs(&best), epochs(&worst)), (4, 1));
    let error = model.fit(&samples(20), &settings(1).checkpoint(Checkpoint::new(&best).minimize())).unwrap_err();
    assert_eq!(error.to_string(), "checkpoint: best must be there, for what is maximized or minimized, got none");
    [best, worst].iter().for_each(|path| std::fs::remove_file(path).unwrap());
}

/// Each message names what differs, with both values; and the model stays as it was.
#[test]
fn what_differs_is_named() {
    let path = file("differs");
    let schedule = CosineDecay::new;
    let fit = || settings(2).seed(1).schedule(schedule());
    classifier(&Device::cpu(), Adam::new(0.01)).fit(&samples(10), &fit().checkpoint(path.as_path())).unwrap();
    let place = path.display();
    let refused = |model: &mut Model, rows: usize, fit: Fit, wanted: String| {
        let before = bits(model);
        let error = model.fit(&samples(rows), &fit.resume(&path)).unwrap_err();
        assert!(matches!(error, Error::Value { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("resume: {wanted}"));
        assert_eq!(bits(model), before, "{error}");
    };
    let mut model = classifier(&Device::cpu(), Adam::new(0.01));
    let says = |name: &str, file: &str, own: &str| format!("{name} must be {file} as in {place}, got {own}");
    refused(&mut model, 10, fit().batch_size(5), says("batch_size", "4", "5"));
    refused(&mut model, 10, fit().seed(2), says("seed", "1", "2"));
    refused(&mut model, 10, fit().without_shuffle(), says("shuffle", "true", "false"));
    refused(&mut model, 9, fit(), says("rows", "10", "9"));
    refused(&mut model, 10, fit().epochs(3), says("epochs", "2", "3"));
    refused(
        &mut model,
        10,
        fit().validation(&samples(3)),
        says("metrics", "\"loss, accuracy\"", "\"loss, accuracy, val_loss, val_accuracy\""),
    );
    let stopping = EarlyStopping::new("loss").restore_best();
    refused(&mut model, 10, fit().callback(stopping), says("callbacks", "[]", "[\"early_stopping\"]"));
    let constant = fit().schedule(Schedule::Constant);
    let cosine = format!("{:?}", Schedule::from(schedule()));
    refused(&mut model, 10, constant, says("schedule", &cosine, "Constant"));
    let (file, own): (Optimizer, Optimizer) = (Adam::new(0.01).into(), Sgd::new(0.5).into());
    let wanted = says("optimizer", &format!("{file:?}"), &format!("{own:?}"));
    refused(&mut classifier(&Device::cpu(), Sgd::new(0.5)), 10, fit(), wanted);
    let net = Sequential::new(5)
        .add(Dense::new(9).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    let mut wide = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap();
    let wanted = says("network", "\"dense_1 dense, tanh (B, 8) 48\"", "\"dense_1 dense, tanh (B, 9) 54\"");
    refused(&mut wide, 10, fit(), wanted);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn files_that_cannot_be_resumed() {
    let path = file("foreign");
    let mut model = classifier(&Device::cpu(), Adam::new(0.01));
    let mut refused = |wanted: &str| {
        let error = model.fit(&samples(8), &settings(4).resume(&path)).unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error:?}");
        assert!(error.to_string().starts_with(&format!("{}: {wanted}", path.display())), "{error}");
    };
    refused("");
    std::fs::write(&path, b"not a checkpoint").unwrap();
    refused("");
    classifier(&Device::cpu(), Adam::new(0.01)).save(&path).unwrap();
    refused("a model without the state of a run");
    classifier(&Device::cpu(), Adam::new(0.01)).fit(&samples(8), &settings(2).checkpoint(path.as_path())).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in [whole.len() - 1, whole.len() / 2, 100, 7, 0] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        refused("");
    }
    // A number of the history that is none.
    let text = String::from_utf8_lossy(&whole).into_owned();
    let at = text.find("\\\"steps_done\\\":").unwrap() + "\\\"steps_done\\\":".len();
    let mut spoiled = whole.clone();
    spoiled[at] = b'x';
    std::fs::write(&path, spoiled).unwrap();
    refused("");
    std::fs::remove_file(path).unwrap();
}
