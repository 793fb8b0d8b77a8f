//! Ten epochs at once are four epochs, and in another process six more: the same bits.

use super::api::samples;
use axone::layers::Activation;
use axone::prelude::*;
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the children of a test find and leave their files.
const FOLDER: &str = "AXONE_TEST_RESUME";
const EPOCHS: usize = 10;
const BREAK: usize = 4;

/// Dropout, Adam, shuffling, a last batch of three rows, a split, a schedule, a plateau, the weights of the best epoch:
/// all that has a state.
fn model(device: &Device) -> Model {
    let net = Sequential::new(5)
        .add(Dense::new(16).activation(Activation::Gelu))
        .add(Dropout::new(0.2))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.05)).unwrap()
}

fn data() -> Dataset {
    samples(64)
}

fn settings() -> Fit {
    Fit::new()
        .epochs(EPOCHS)
        .batch_size(8)
        .seed(3)
        .validation_split(0.2)
        .schedule(CosineDecay::new().warmup(9))
        .callback(ReduceOnPlateau::new("loss").factor(0.7).patience(0))
        .callback(EarlyStopping::new("val_loss").patience(EPOCHS).restore_best())
        .silent()
}

/// The first `BREAK` epochs, then a flag: as if the program had been ended.
fn first_part(device: &Device, folder: &Path) {
    struct Raises(StopFlag);
    impl Callback for Raises {
        fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
            if run.epoch() == BREAK {
                self.0.raise();
            }
            Ok(())
        }
    }
    let flag = StopFlag::new();
    let settings = settings().stop_flag(&flag).callback(Raises(flag.clone())).checkpoint(folder.join("first"));
    let history = model(device).fit(&data(), &settings).unwrap();
    assert_eq!(history.epochs.len(), BREAK);
}

fn second_part(device: &Device, folder: &Path) {
    let settings = settings().resume(folder.join("first")).checkpoint(folder.join("resumed"));
    let mut model = model(device);
    let history = model.fit(&data(), &settings).unwrap();
    assert_eq!(history.epochs.len(), EPOCHS);
    model.save(folder.join("resumed-model")).unwrap();
}

/// What a child process does: the part that the environment names.
pub fn child(device: &Device) {
    let (part, folder) = (std::env::var("AXONE_TEST_PART").unwrap(), PathBuf::from(std::env::var(FOLDER).unwrap()));
    match part.as_str() {
        "first" => first_part(device, &folder),
        "second" => second_part(device, &folder),
        other => panic!("{other}"),
    }
}

fn run_child(test: &str, part: &str, folder: &Path) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--include-ignored", "--nocapture"]);
    let output = child.env(FOLDER, folder).env("AXONE_TEST_PART", part).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{part}: {text}");
}

/// Names, shapes and bits of all tensors, and the metadata without the times.
fn content(path: &Path) -> Vec<String> {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut all: Vec<String> = header
        .metadata()
        .iter()
        .flatten()
        .map(|(key, json)| {
            let mut value: serde_json::Value = serde_json::from_str(json).unwrap();
            for epoch in value["epochs"].as_array_mut().into_iter().flatten() {
                epoch["seconds"] = "".into();
            }
            format!("{key}: {value}")
        })
        .collect();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    all.extend(tensors.tensors().into_iter().map(|(name, t)| format!("{name} {:?} {:?}", t.shape(), t.data())));
    all.sort();
    all
}

/// The last file that can be read stays, and the run says so. `name` is that of the test's file.
pub fn a_diverging_run_keeps_the_last_good_file(device: &Device, name: &str) {
    let path = std::env::temp_dir().join(format!("axone-diverging-{name}-{}", std::process::id()));
    let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]]).unwrap();
    let compile =
        || Sequential::new(1).add(Dense::new(1)).compile(device.clone(), Loss::MeanSquaredError, Sgd::new(1e6));
    let fit = || Fit::new().epochs(12).silent();
    let mut model = compile().unwrap();
    let history = model.fit(&data, &fit().checkpoint(path.as_path())).unwrap();
    assert!(super::api::flat(model.weights().unwrap()).iter().any(|weight| !weight.is_finite()));
    let good = 12 - history.warnings.len();
    assert!((1..12).contains(&good), "{:?}", history.warnings);
    let wanted = format!("epoch {}: checkpoint {} stays as it was: dense_1.", good + 1, path.display());
    assert!(history.warnings[0].starts_with(&wanted), "{:?}", history.warnings);
    // It loads, and it resumes.
    let mut last = Model::load_from(&path, device.clone()).unwrap();
    let mut before = compile().unwrap();
    before.fit(&data, &fit().epochs(good)).unwrap();
    assert_eq!(last.weights().unwrap(), before.weights().unwrap());
    let resumed = compile().unwrap().fit(&data, &fit().resume(&path)).unwrap();
    assert_eq!(resumed.epochs.len(), 12);
    std::fs::remove_file(&path).unwrap();

    // An infinite moment is refused as well as a weight; here there is no good file to stay.
    let net = Sequential::new(1).add(Dense::new(1).without_bias());
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Adam::new(0.1)).unwrap();
    let far = Dataset::new([[100.0]], [[1e19]]).unwrap();
    let history = model.fit(&far, &fit().epochs(1).checkpoint(path.as_path())).unwrap();
    let wanted =
        format!("epoch 1: checkpoint {} stays as it was: moment_1/dense_1.w row 0, column 0: inf", path.display());
    assert_eq!(history.warnings, [wanted]);
    assert!(!path.exists());
}

/// `child` is the ignored test that calls [`child`].
pub fn ten_epochs_are_four_and_six(device: &Device, child: &str) {
    let folder = std::env::temp_dir().join(format!("axone-resume-{}-{}", child.replace(':', "-"), std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut whole = model(device);
    let history = whole.fit(&data(), &settings().checkpoint(folder.join("whole"))).unwrap();
    whole.save(folder.join("whole-model")).unwrap();
    let rates: Vec<f32> = history.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    run_child(child, "first", &folder);
    run_child(child, "second", &folder);
    assert_eq!(content(&folder.join("resumed")), content(&folder.join("whole")), "{rates:?}");
    assert_eq!(content(&folder.join("resumed-model")), content(&folder.join("whole-model")));
    // A checkpoint is a model, too.
    let mut loaded = Model::load_from(folder.join("whole"), device.clone()).unwrap();
    assert_eq!(loaded.program(), whole.program());
    assert_eq!(loaded.weights().unwrap().len(), 4);
    // Moments, counters, the best weights: the file has them all.
    assert_eq!(content(&folder.join("whole")).len(), 2 + 4 + 2 * 4 + 1);
    std::fs::remove_dir_all(folder).unwrap();
}
