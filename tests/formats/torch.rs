//! Weights of PyTorch: every format gives the same numbers, and files that lie are refused.

use crate::common::fixtures;
use crate::common::mutants::mutants_with_lengths;
use axone::interop::torch::StateDict;
use axone::prelude::*;
use std::path::PathBuf;

fn file(name: &str) -> PathBuf {
    fixtures::folder().join("interop/torch").join(name)
}

const MODULES: [(&str, &str); 3] = [("dense_1", "0"), ("batch_norm_1", "1"), ("dense_2", "3")];

fn model() -> Model {
    let net = Sequential::new(8).add(Dense::new(16)).add(BatchNorm::new()).add(Activation::Relu).add(Dense::new(3));
    net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap()
}

#[test]
fn every_format_gives_the_same_weights() {
    let mut model = model();
    let mut loaded = |state: StateDict| {
        model.reset(1).unwrap();
        let matched = state.load_into(&mut model, &MODULES).unwrap();
        assert!(matched.to_string().contains("0.weight (16, 8) -> dense_1.w"), "{matched}");
        assert!(matched.left().iter().all(|name| name == "1.num_batches_tracked"), "{matched}");
        model.weights().unwrap()
    };
    let wanted = loaded(StateDict::read(file("state.safetensors")).unwrap());
    for name in ["state.pt", "state_legacy.pt"] {
        assert_eq!(loaded(StateDict::read(file(name)).unwrap()), wanted, "{name}");
    }
    let checkpoint = StateDict::read(file("checkpoint.pt")).unwrap();
    let weight = checkpoint.names().into_iter().find(|name| name.ends_with(".0.weight")).unwrap();
    let own = checkpoint.within(weight.strip_suffix(".0.weight").unwrap());
    assert_eq!(loaded(own), wanted);
}

#[test]
fn what_does_not_match_is_named_and_changes_nothing() {
    let (mut model, state) = (model(), StateDict::read(file("state.pt")).unwrap());
    let before = model.weights().unwrap();
    let error = state.load_into(&mut model, &[("dense_1", "0"), ("dense_2", "3")]).unwrap_err().to_string();
    assert!(error.contains("batch_norm_1.scale (looked for as batch_norm_1.weight)"), "{error}");
    let error = state.load_into(&mut model, &[("dense_1", "3")]).unwrap_err().to_string();
    assert_eq!(error, "3.weight: expected (16, 8), got (3, 16)");
    assert!(state.load_into(&mut model, &[("dense_7", "3")]).is_err());
    assert_eq!(model.weights().unwrap(), before);
}

#[test]
fn changed_files_are_read_or_refused() {
    let files = ["state.pt", "state_legacy.pt", "checkpoint.pt"].map(|name| std::fs::read(file(name)).unwrap());
    let mut read = 0;
    mutants_with_lengths(&files, 10_000, |_, bytes| read += usize::from(StateDict::from_bytes(bytes).is_ok()));
    assert!((100..9_900).contains(&read), "{read}");
}
