//! Counters of steps and epochs that pass 2³², on any device. A checkpoint is given such numbers, and the run goes on.

use super::api::{bits, flat, samples};
use axone::layers::Activation;
use axone::prelude::*;
use safetensors::SafeTensors;
use std::collections::HashMap;
use std::path::Path;

const KEY: &str = "axone.training";

/// Writes other counters into the checkpoint at `path`.
fn set_counters(path: &Path, steps: u64, epochs: u64) {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut metadata: HashMap<String, String> = header.metadata().clone().unwrap();
    let mut state: serde_json::Value = serde_json::from_str(&metadata[KEY]).unwrap();
    (state["steps_done"], state["epochs_done"]) = (steps.into(), epochs.into());
    metadata.insert(KEY.to_owned(), state.to_string());
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    std::fs::write(path, safetensors::serialize(tensors, Some(metadata)).unwrap()).unwrap();
}

pub fn counters_pass_2_to_the_32(device: &Device) {
    let path = std::env::temp_dir().join(format!("axone-counters-{}-{}", device.info().backend, std::process::id()));
    let (data, far) = (samples(8), 1u64 << 32);
    let model = |optimizer: Optimizer, rate: f32| {
        let net = Sequential::new(5)
            .add(Dense::new(8).activation(Activation::Tanh))
            .add(Dropout::new(rate))
            .add(Dense::new(3).activation(Activation::Softmax));
        net.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer).unwrap()
    };
    let fit = |epochs| Fit::new().epochs(epochs).batch_size(4).without_shuffle().silent();
    let optimizers: [Optimizer; 4] =
        [Adam::new(0.01).into(), Adamax::new(0.01).into(), Nadam::new(0.01).into(), RmsProp::new(0.01).into()];
    for optimizer in optimizers {
        model(optimizer, 0.0).fit(&data, &fit(1).checkpoint(path.as_path())).unwrap();
        // Four epochs of two steps from `steps` on, and one step by hand.
        let goes_on = |steps: u64| {
            set_counters(&path, steps, steps);
            let mut model = model(optimizer, 0.0);
            let history = model.fit(&data, &fit(5).resume(&path)).unwrap();
            assert!(history.get("loss").iter().all(|loss| loss.is_finite()), "{history}");
            model.queue_step(&data).unwrap();
            assert_eq!(model.steps_done(), steps + 9);
            assert!(flat(model.weights().unwrap()).iter().all(|weight| weight.is_finite()), "{optimizer:?}");
            bits(&mut model)
        };
        // The corrections are long at their limits, so every far count gives the same bits.
        let before = goes_on(far - 100);
        assert_eq!(goes_on(far - 3), before, "{optimizer:?}");
        assert_eq!(goes_on(5 * far), before, "{optimizer:?}");
    }
    // Orders and masks go on too.
    let shuffled = Fit::new().epochs(1).batch_size(4).checkpoint(path.as_path()).silent();
    model(Sgd::new(0.1).into(), 0.5).fit(&data, &shuffled).unwrap();
    set_counters(&path, far - 1, far - 1);
    let mut last = model(Sgd::new(0.1).into(), 0.5);
    let history = last.fit(&data, &shuffled.clone().epochs(4).resume(&path)).unwrap();
    assert!(history.get("loss").iter().all(|loss| loss.is_finite()), "{history}");
    assert_eq!(last.steps_done(), far + 5);
    std::fs::remove_file(path).unwrap();
}
