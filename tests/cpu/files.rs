//! Model files: what builders refuse is refused in a file too, with its value, and what is saved can be read.

use crate::common::api::{self, classifier, samples};
use axone::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const MODEL: &str = "axone";
const RUN: &str = "axone.training";

fn file(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("axone-files-{name}-{}.safetensors", std::process::id()))
}

/// A checkpoint with every kind of layer, written by version 0.1.0.
fn old() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/model_0.1.0.safetensors")
}

/// The description in the file `from` and its tensors, written to `to` after `change`.
fn edited(from: &Path, to: &Path, key: &str, change: impl FnOnce(&mut Json)) {
    let bytes = std::fs::read(from).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata: HashMap<String, String> = header.metadata().clone().unwrap();
    let mut json: Json = serde_json::from_str(&metadata[key]).unwrap();
    change(&mut json);
    metadata.insert(key.to_owned(), json.to_string());
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let bytes = safetensors::serialize(tensors.tensors(), Some(metadata)).unwrap();
    std::fs::write(to, bytes).unwrap();
}

/// What `load_from` says of the old file with the description changed at the JSON pointer `at`.
fn with(name: &str, at: &str, value: Json) -> String {
    let path = file(name);
    edited(&old(), &path, MODEL, |json| *json.pointer_mut(at).unwrap() = value);
    let loaded = Model::load_from(&path, Device::cpu());
    std::fs::remove_file(&path).unwrap();
    let error = loaded.unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error:?}");
    error.to_string().strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned()
}

/// The data and the settings of the run in the old file, with an epoch more.
fn old_run() -> (Dataset, Fit) {
    let numbers: Vec<f32> = (0..48).map(|i| (i % 7) as f32 / 7.0).collect();
    let kinds = [[0, 1], [1, 0], [2, 1], [0, 0], [1, 1], [2, 0], [0, 1], [1, 1]].map(|row| row.map(|kind| kind as f32));
    let data = Dataset::new(Matrix::new(8, 6, numbers).unwrap(), [0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]).unwrap();
    let data = data.with_input(kinds).unwrap().with_target(vec![[0.5, 1.0]; 8]).unwrap();
    let pieces = PiecewiseConstant::new([(1, 0.5), (2, 0.25)]);
    let stopping = EarlyStopping::new("val_loss").patience(9).restore_best();
    let settings = Fit::new().epochs(4).batch_size(4).seed(5).silent().validation(&data);
    (data, settings.schedule(pieces).callback(stopping))
}

#[test]
fn files_of_version_0_1_0_are_read() {
    let mut model = Model::load_from(old(), Device::cpu()).unwrap();
    assert_eq!(model.frozen(), ["kind"]);
    let (data, settings) = old_run();
    let history = model.fit(&data, &settings.resume(old())).unwrap();
    assert_eq!(history.epochs.len(), 4);
    // What the run printed when the file was written.
    assert_eq!(history.get("val_loss")[..3], [0.34713844396173954, 0.3430899758823216, 0.34388321614824235]);
    let path = file("again");
    model.save(&path).unwrap();
    assert_eq!(Model::load_from(&path, Device::cpu()).unwrap().program(), model.program());
    std::fs::remove_file(&path).unwrap();
}

/// Each of these is refused where a program asks for it, and so in a file.
#[test]
fn a_file_passes_the_checks_of_the_builders() {
    let layer = |at: usize, rest: &str| format!("/network/values/{at}/layer{rest}");
    for (at, value, wanted) in [
        (layer(9, "/Dropout/rate"), json!(-7.0), "dropout_1: rate must be at least 0 and less than 1, got -7"),
        (
            layer(10, "/AlphaDropout/rate"),
            json!(1.0),
            "alpha_dropout_1: rate must be at least 0 and less than 1, got 1",
        ),
        (layer(3, "/Dense/units"), json!(0), "dense_1: units must be at least 1, got 0"),
        (
            layer(3, "/Dense/units"),
            json!(1u64 << 62),
            "dense_1: row must be at most 1073741823 numbers, got [4611686018427387904]",
        ),
        (layer(3, "/Dense/units"), json!(5), "dense_1: expected rows of [5], got [4]"),
        (
            layer(3, "/Dense/activation/LeakyRelu/slope"),
            json!(-0.5),
            "dense_1: slope must be finite and at least 0, got -0.5",
        ),
        (layer(3, "/Dense/rule/l2"), json!(-1.0), "dense_1: l2 must be at least 0 and finite, got -1"),
        (layer(3, "/Dense/rule/rate_factor"), json!(0.0), "dense_1: rate_factor must be positive and finite, got 0"),
        (layer(4, "/BatchNorm/momentum"), json!(2.0), "batch_norm_1: momentum must be at least 0 and at most 1, got 2"),
        (layer(6, "/LayerNorm/epsilon"), json!(0.0), "layer_norm_1: epsilon must be positive and finite, got 0"),
        (
            layer(11, "/ActivityRegularization/l1"),
            json!(-1.0),
            "activity_regularization_1: l1 must be finite and at least 0, got -1",
        ),
        (layer(12, "/Embedding/categories/1"), json!(0), "kind: categories must be from 1 to 16777216, got 0"),
        (
            layer(12, "/Embedding/weights/Normal"),
            json!(-0.1),
            "kind.w0: deviation must be positive and finite, got -0.1",
        ),
        (layer(12, "/Embedding/name"), json!("other"), "kind: name must be \"other\", got \"kind\""),
        (
            layer(8, ""),
            json!({"Residual": {"layers": [], "shortcut": null, "name": null}}),
            "residual_1: layer must be one that stands in a network, got residual",
        ),
        ("/network/values/0/shape".into(), json!([2, 0]), "image: shape must be sides of at least 1, got [2, 0]"),
        (
            "/network/values/0/shape".into(),
            json!([u64::MAX, u64::MAX]),
            "image: row must be at most 1073741823 numbers, got [18446744073709551615, 18446744073709551615]",
        ),
        (
            "/network/values/0/inputs".into(),
            json!([0]),
            "image: inputs must be none, for an input of the model, got [0]",
        ),
        ("/network/values/2/inputs".into(), json!([2]), "flatten_1: input must be below 2, got 2"),
        ("/network/values/2/inputs".into(), json!([0, 1]), "flatten_1: inputs must be one value, got 2"),
        (
            "/network/values/1/name".into(),
            json!("image"),
            "network: name must be different for every layer, got \"image\" twice",
        ),
        ("/network/outputs".into(), json!([14, 99]), "outputs: input must be below 16, got 99"),
        ("/network/outputs".into(), json!([]), "network: outputs must be at least one (call output), got none"),
        ("/losses/1/Huber".into(), json!(-1.5), "huber: delta must be positive and finite, got -1.5"),
        ("/losses/0/Focal/alpha".into(), json!(2.0), "focal: alpha must be more than 0 and less than 1, got 2"),
        ("/losses".into(), json!(["MeanSquaredError"]), "loss_weights: expected 1 numbers, got 2"),
        ("/loss_weights/1".into(), json!(-0.5), "losses[1] (huber): weight must be at least 0 and finite, got -0.5"),
        ("/loss_weights".into(), json!([1.0, 0.5, 3.0]), "loss_weights: expected 2 numbers, got 3"),
        ("/optimizer/method/Nadam/beta1".into(), json!(1.0), "nadam: beta1 must be at least 0 and less than 1, got 1"),
        ("/optimizer/weight_decay".into(), json!(-1.0), "nadam: weight_decay must be at least 0 and finite, got -1"),
        ("/optimizer/clip/Norm".into(), json!(0.0), "nadam: clip_norm must be positive and finite, got 0"),
        (
            "/frozen/0".into(),
            json!("nobody"),
            "frozen: layer must be one of dense_1, batch_norm_1, dense_2, layer_norm_1, kind, answer, size, \
             got \"nobody\"",
        ),
        ("/version".into(), json!("9.9.9"), "written by axone 9.9.9, which is newer than this one"),
        ("/version".into(), json!("soon"), "\"soon\" is no version of axone"),
    ] {
        let got = with("checks", &at, value);
        assert!(got.starts_with(wanted), "{at}\n{got}\nwant {wanted}");
    }
}

/// Every object of `json`, by its pointer.
fn objects(json: &Json, at: String, found: &mut Vec<String>) {
    match json {
        Json::Object(members) => {
            members.iter().for_each(|(key, value)| objects(value, format!("{at}/{key}"), found));
            found.push(at);
        }
        Json::Array(all) => all.iter().enumerate().for_each(|(i, value)| objects(value, format!("{at}/{i}"), found)),
        _ => {}
    }
}

/// A field that this version does not know may mean anything: nowhere is one passed over.
#[test]
fn unknown_fields_are_refused() {
    let path = file("fields");
    for (key, least) in [(MODEL, 40), (RUN, 5)] {
        let mut places = Vec::new();
        edited(&old(), &path, key, |json| objects(json, String::new(), &mut places));
        assert!(places.len() >= least, "{places:?}");
        for at in places {
            edited(&old(), &path, key, |json| {
                json.pointer_mut(&at).unwrap().as_object_mut().unwrap().insert("colour".to_owned(), json!("red"));
            });
            let error = match key {
                MODEL => Model::load_from(&path, Device::cpu()).map(drop).unwrap_err(),
                _ => {
                    let mut model = Model::load_from(&path, Device::cpu()).unwrap();
                    let (data, settings) = old_run();
                    model.fit(&data, &settings.resume(&path)).map(drop).unwrap_err()
                }
            };
            assert!(matches!(error, Error::File { .. }), "{at}: {error:?}");
            // An enum with one variant says that it expected no more.
            let text = error.to_string();
            assert!(text.contains("colour") || text.contains("expected"), "{at}: {text}");
        }
    }
    std::fs::remove_file(&path).unwrap();
}

/// Two kilobytes that ask for terabytes: what the file lacks is seen before anything is made of that size.
#[test]
fn sizes_are_held_against_the_tensors_first() {
    let path = file("huge");
    let net = Sequential::new(1 << 15).add(Dense::new(1));
    net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap().save(&path).unwrap();
    edited(&path.clone(), &path, MODEL, |json| {
        json["network"]["values"][1]["layer"]["Dense"]["units"] = json!(1 << 15);
        json["network"]["values"][1]["shape"] = json!([1 << 15]);
    });
    let error = Model::load_from(&path, Device::cpu()).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    let wanted = "dense_1.w: expected (32768, 32768), got (32768, 1) with 32768 numbers";
    assert_eq!(error.to_string(), format!("{}: {wanted}", path.display()));
}

/// The state of a run is checked as well, and a refused one changes nothing.
#[test]
fn a_run_in_a_file_passes_checks() {
    let path = file("run");
    for (at, value, wanted) in [
        ("/learning_rate", json!(-0.5), "learning rate -0.5"),
        ("/learning_rate", json!(1e300), "learning rate 1e300"),
        ("/learning_rate", json!(1e-60), "learning rate 1e-60"),
        ("/epochs/1/learning_rate", json!("-0.5"), "epoch 2: learning rate -0.5"),
        ("/epochs/1/learning_rate", json!("1e39"), "epoch 2: learning rate 1"),
        ("/epochs/1/seconds", json!("NaN"), "epoch 2: seconds NaN"),
        ("/epochs", json!([]), "a history of 0 epochs, of a model that was trained for "),
        ("/epochs_done", json!(0), "a history of 3 epochs, of a model that was trained for 0 in "),
        ("/steps_done", json!(0), "a history of 3 epochs, of a model that was trained for 3 in 0 steps"),
        ("/epochs/0/values", json!([]), "epoch 1 reports [], its run [\"loss\""),
        ("/epochs/0/values/0/0", json!("lost"), "epoch 1 reports [\"lost\""),
        ("/epochs/1/epoch", json!(7), "epoch 7 in place of epoch 2"),
        ("/epochs/1/seconds", json!("long"), "\"long\" is no number"),
        ("/loss_scale", json!([0.5]), "a loss scale of Some([0.5]) in F32"),
    ] {
        edited(&old(), &path, RUN, |json| *json.pointer_mut(at).unwrap() = value);
        let mut model = Model::load_from(&path, Device::cpu()).unwrap();
        let (data, settings) = old_run();
        let before = model.weights().unwrap();
        let error = model.fit(&data, &settings.resume(&path)).unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error:?}");
        assert!(error.to_string().starts_with(&format!("{}: {wanted}", path.display())), "{error}");
        assert_eq!(model.weights().unwrap(), before);
    }
    std::fs::remove_file(&path).unwrap();
}

/// Weights that early stopping kept, of another model.
#[test]
fn the_best_weights_in_a_file_fit_the_model() {
    let path = file("best");
    let fit = || Fit::new().epochs(2).batch_size(4).callback(EarlyStopping::new("loss").restore_best()).silent();
    let mut model = classifier(&Device::cpu(), Adam::default());
    model.fit(&samples(8), &fit().checkpoint(path.as_path())).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let three = TensorView::new(Dtype::F32, vec![1, 3], &[0; 12]).unwrap();
    let change = |(name, view)| if name == "callback_0" { (name, three.clone()) } else { (name, view) };
    let tensors: Vec<(String, TensorView<'_>)> = tensors.tensors().into_iter().map(change).collect();
    std::fs::write(&path, safetensors::serialize(tensors, header.metadata().clone()).unwrap()).unwrap();
    let error = model.fit(&samples(8), &fit().epochs(3).resume(&path)).unwrap_err();
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(error, Error::Shape { .. }), "{error:?}");
    assert!(error.to_string().ends_with(" weights of the best epoch, got 3"), "{error}");
}

/// What a callback keeps is its own affair: every bit is written and comes back.
#[test]
fn numbers_of_callbacks_may_be_anything() {
    #[derive(Default)]
    struct Keeps(Vec<u32>);
    impl Callback for Keeps {
        fn state(&self) -> Option<axone::train::CallbackState> {
            let numbers = vec![f32::NAN, f32::NEG_INFINITY, 1.0];
            Some(axone::train::CallbackState { text: "kept".to_owned(), numbers })
        }

        fn restore(&mut self, state: axone::train::CallbackState) -> Result<()> {
            self.0 = state.numbers.into_iter().map(f32::to_bits).collect();
            Ok(())
        }
    }
    let path = file("callback");
    let mut model = classifier(&Device::cpu(), Adam::default());
    let fit = || Fit::new().epochs(2).batch_size(4).silent();
    model.fit(&samples(8), &fit().callback(Keeps::default()).checkpoint(path.as_path())).unwrap();
    let keeps = std::sync::Arc::new(std::sync::Mutex::new(Keeps::default()));
    model.fit(&samples(8), &fit().callback(std::sync::Arc::clone(&keeps)).resume(&path)).unwrap();
    assert_eq!(keeps.lock().unwrap().0, [f32::NAN, f32::NEG_INFINITY, 1.0].map(f32::to_bits));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_not_finite_is_not_saved() {
    api::what_is_not_finite_is_not_saved(&Device::cpu(), "cpu");
}

/// A model of no numbers is one, too.
#[test]
fn a_model_without_parameters() {
    let path = file("none");
    let net = Sequential::new(2).add(axone::layers::Activation::Relu);
    net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default()).unwrap().save(&path).unwrap();
    let mut again = Model::load_from(&path, Device::cpu()).unwrap();
    assert_eq!(again.predict(&[[-1.0, 2.0]].into()).unwrap().data(), [0.0, 2.0]);
    std::fs::remove_file(&path).unwrap();
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("axone-files-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The link stays one, and the file it leads to is the model; a link that leads nowhere yet as well.
    #[test]
    fn a_link_is_followed() {
        let folder = folder("link");
        std::fs::create_dir(folder.join("real")).unwrap();
        let (target, link, second) =
            (folder.join("real/model.safetensors"), folder.join("model.safetensors"), folder.join("latest"));
        symlink("real/model.safetensors", &link).unwrap();
        symlink("model.safetensors", &second).unwrap();
        let mut model = classifier(&Device::cpu(), Sgd::default());
        for seed in [0, 1] {
            model.reset(seed).unwrap();
            model.save(&second).unwrap();
            assert!([&link, &second].iter().all(|link| link.symlink_metadata().unwrap().is_symlink()));
            assert!(target.symlink_metadata().unwrap().is_file());
            let mut again = Model::load_from(&link, Device::cpu()).unwrap();
            assert_eq!(again.weights().unwrap(), model.weights().unwrap());
        }
        let files = std::fs::read_dir(folder.join("real")).unwrap().count();
        assert_eq!((files, std::fs::read_dir(&folder).unwrap().count()), (1, 3), "something was left beside");
        // Round in a circle.
        let (one, two) = (folder.join("one"), folder.join("two"));
        symlink("two", &one).unwrap();
        symlink("one", &two).unwrap();
        let error = model.save(&one).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", one.display())), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// What is no file is written to, and stays what it is.
    #[test]
    fn devices_and_pipes_are_written_to() {
        let folder = folder("pipe");
        let mut model = classifier(&Device::cpu(), Sgd::default());
        let link = folder.join("null");
        symlink("/dev/null", &link).unwrap();
        model.save(&link).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert!(Path::new("/dev/null").metadata().unwrap().file_type().is_char_device());
        let pipe = folder.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        model.save(&pipe).unwrap();
        assert!(pipe.symlink_metadata().unwrap().file_type().is_fifo());
        let whole = folder.join("whole");
        model.save(&whole).unwrap();
        let piped = folder.join("piped");
        std::fs::write(&piped, reader.join().unwrap()).unwrap();
        let mut again = Model::load_from(&piped, Device::cpu()).unwrap();
        assert_eq!(again.weights().unwrap(), model.weights().unwrap());
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// A file that only its owner may read is not opened to others by saving again.
    #[test]
    fn permissions_stay() {
        let folder = folder("mode");
        let path = folder.join("model");
        std::fs::write(&path, b"old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        classifier(&Device::cpu(), Sgd::default()).save(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// Errors name the path that was given.
    #[test]
    fn errors_name_the_path_that_was_given() {
        let folder = folder("errors");
        let mut model = classifier(&Device::cpu(), Sgd::default());
        let (missing, taken) = (folder.join("no/model"), folder.join("taken"));
        std::fs::create_dir_all(taken.join("full")).unwrap();
        let beside = folder.join("beside");
        std::fs::create_dir(folder.join("beside.partial")).unwrap();
        let link = folder.join("link");
        symlink("no/where", &link).unwrap();
        for path in [missing, taken, beside, link, PathBuf::new()] {
            let error = model.save(&path).unwrap_err();
            assert!(matches!(&error, Error::File { path: named, .. } if *named == path), "{error:?}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
