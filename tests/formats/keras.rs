//! Files of Keras give what Keras computes, whichever way they are written, and files that lie are refused.

use crate::common::fixtures;
use crate::common::mutants::mutants;
use axone::data::{Matrix, Npz};
use axone::interop::keras;
use axone::prelude::*;
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    fixtures::folder().join("interop/keras").join(name)
}

/// What goes into a model, by the names of its inputs, and what Keras makes of it.
fn arrays(name: &str, inputs: &[&str]) -> (Vec<Matrix>, Vec<Matrix>) {
    let mut arrays = Npz::open(file(&format!("{name}.npz"))).unwrap();
    let names = arrays.names();
    let mut read = |name: &str| arrays.read(name).unwrap().into_matrix().unwrap();
    if names.contains(&"out".to_owned()) {
        return (vec![read("in_0")], vec![read("out")]);
    }
    let given = match inputs {
        [_] => vec![read("in_x")],
        names => names.iter().map(|name| read(&format!("in_{name}"))).collect(),
    };
    let outputs = names.iter().filter(|name| name.starts_with("out_")).map(|name| read(name)).collect();
    (given, outputs)
}

/// As in `onnx.rs`: products of up to 17 terms through up to six layers.
const TOLERANCE: f32 = 1e-5;

fn compare(name: &str, got: &[Matrix], wanted: &[Matrix]) {
    assert_eq!(got.len(), wanted.len(), "{name}");
    for (got, wanted) in got.iter().zip(wanted) {
        assert_eq!((got.rows(), got.cols()), (wanted.rows(), wanted.cols()), "{name}");
        let off = got.data().iter().zip(wanted.data()).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        let off = off.fold(0.0, f32::max);
        assert!(off <= TOLERANCE, "{name}: off by {off:e}");
    }
}

#[test]
fn every_format_gives_what_keras_computes() {
    for name in ["seq.keras", "seq.legacy.h5", "functional.keras", "functional.h5", "wide.h5"] {
        let imported = keras::load(file(name)).unwrap();
        let (inputs, outputs) = arrays(name.split('.').next().unwrap(), &imported.inputs());
        let mut model = imported.model(Device::cpu()).unwrap();
        compare(name, &model.predict_all(&inputs).unwrap(), &outputs);
    }
    let imported = keras::load(file("functional.keras")).unwrap();
    assert_eq!(imported.inputs(), ["numbers", "kinds"]);
    assert_eq!(imported.outputs().iter().map(|output| output.name.as_str()).collect::<Vec<_>>(), ["kind", "price"]);
    assert_eq!(imported.frozen(), ["normalization"]);
    let table = imported.network().summary().to_string();
    assert!(
        table.contains("left") && table.contains("dense, silu") && table.contains("batch_normalization"),
        "{table}"
    );
}

#[test]
fn weights_alone_go_into_a_model() {
    let imported = keras::load(file("functional.keras")).unwrap();
    let net = imported.network().clone();
    let losses = [Loss::CategoricalCrossEntropy, Loss::MeanSquaredError];
    let mut model = net.compile(Device::cpu(), losses.to_vec(), Adam::default()).unwrap();
    // Without the normalisation, whose numbers are in the description.
    let error = keras::load_weights(&mut model, file("functional.weights.h5")).unwrap_err().to_string();
    assert!(error.contains("none for normalization.scale") && error.contains("the file has the layers"), "{error}");

    let net = Sequential::new(8)
        .add(Dense::new(16).activation(Activation::Relu))
        .add(BatchNorm::new().epsilon(1e-3))
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(LayerNorm::new().epsilon(1e-3))
        .add(Dense::new(3).activation(Activation::Softmax));
    let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default()).unwrap();
    let (inputs_seq, outputs_seq) = arrays("seq", &["x"]);
    for name in ["seq.weights.h5", "seq.legacy.h5", "seq.keras"] {
        model.reset(3).unwrap();
        keras::load_weights(&mut model, file(name)).unwrap();
        compare(name, &model.predict_all(&inputs_seq).unwrap(), &outputs_seq);
    }
    let before = model.weights().unwrap();
    let error = keras::load_weights(&mut model, file("wide.h5")).unwrap_err().to_string();
    assert!(error.contains("none for dense_1.w, dense_1.b, ") && error.contains("the layers dense_10, "), "{error}");
    assert_eq!(model.weights().unwrap(), before);
    let net = Sequential::new(8).add(Dense::new(15).named("dense"));
    let mut narrow = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default()).unwrap();
    let error = keras::load_weights(&mut narrow, file("seq.weights.h5")).unwrap_err().to_string();
    assert_eq!(error, "dense.w: expected (8, 15), got [8, 16]");
}

#[test]
fn what_no_layer_expresses_is_named_all_at_once() {
    let error = keras::load(file("refused.keras")).unwrap_err().to_string();
    for layer in ["pool (GlobalAveragePooling1D): no layer", "memory (LSTM)", "twice (Dense): applied 2 times"] {
        assert!(error.contains(layer), "{layer} is not in\n{error}");
    }
    let error = keras::load(file("seq.weights.h5")).unwrap_err().to_string();
    assert!(error.contains("weights alone"), "{error}");
    assert!(keras::load(file("gone.keras")).is_err());
}

#[test]
fn changed_files_are_read_or_refused() {
    let whole = ["seq.weights.h5", "functional.h5", "seq.keras"].map(|name| std::fs::read(file(name)).unwrap());
    let net = Sequential::new(8).add(Dense::new(16).named("dense"));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
    let path = std::env::temp_dir().join(format!("axone-keras-mutant-{}.h5", std::process::id()));
    let mut read = 0;
    mutants(&whole, 10_000, |case, bytes| {
        if case % 3 == 0 {
            std::fs::write(&path, bytes).unwrap();
            read += u32::from(keras::load_weights(&mut model, &path).is_ok());
        } else {
            read += u32::from(keras::from_bytes(bytes).is_ok());
        }
    });
    std::fs::remove_file(path).unwrap();
    assert!((1_000..9_900).contains(&read), "{read}");
}

/// Groups that hold themselves, and lengths that lie.
#[test]
fn circles_end() {
    let whole = std::fs::read(file("seq.weights.h5")).unwrap();
    // The second child of each tree becomes the tree itself, one level up.
    let trees: Vec<usize> =
        whole.windows(4).enumerate().filter(|(_, word)| *word == b"TREE").map(|(at, _)| at).collect();
    for tree in trees {
        let mut bytes = whole.clone();
        bytes[tree + 5] = 1;
        bytes[tree + 6] = 1;
        bytes[tree + 32..tree + 40].copy_from_slice(&(tree as u64).to_le_bytes());
        let net = Sequential::new(8).add(Dense::new(16).named("dense"));
        let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
        let path = std::env::temp_dir().join(format!("axone-keras-circle-{}.h5", std::process::id()));
        std::fs::write(&path, &bytes).unwrap();
        let _read_or_refused = keras::load_weights(&mut model, &path);
        std::fs::remove_file(path).unwrap();
    }
}
