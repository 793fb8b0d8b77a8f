//! Checkpoints of loops by hand, on any device.

use super::api::{bits, samples};
use axone::prelude::*;
use std::path::PathBuf;

pub fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("axone-loop-{name}-{}.safetensors", std::process::id()))
}

fn model(device: &Device, optimizer: impl Into<Optimizer>) -> Model {
    let net = Sequential::new(5)
        .add(Dense::new(16).activation(Activation::Tanh))
        .add(BatchNorm::new())
        .add(Dropout::new(0.5))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer).unwrap()
}

/// A step of each kind.
fn round(model: &mut Model) {
    let data = samples(8);
    model.train_on_batch(&data).unwrap();
    model.accumulate_gradients(&data).unwrap();
    model.accumulate_gradients(&data.select(&[1, 2]).unwrap()).unwrap();
    model.apply_gradients().unwrap();
    let y = model.forward(data.inputs()).unwrap();
    model.backward(data.inputs(), &y).unwrap();
    model.apply_gradients().unwrap();
}

/// A loop that was broken off goes on to the bits of one that was not, with what was changed on the way.
pub fn loops_go_on(device: &Device, name: &str) {
    let path = path(name);
    let optimizers: [Optimizer; 3] =
        [Adam::new(0.01).amsgrad().into(), Sgd::new(0.05).momentum(0.9).into(), Sgd::new(0.05).clip_norm(0.5)];
    for optimizer in optimizers {
        let mut whole = model(device, optimizer);
        whole.set_seed(7);
        round(&mut whole);
        whole.set_learning_rate(0.02).unwrap();
        whole.freeze("dense_2").unwrap();
        round(&mut whole);
        whole.save_checkpoint(&path).unwrap();
        let mut again = Model::load_checkpoint(&path, device.clone()).unwrap();
        assert_eq!((again.steps_done(), again.learning_rate()), (6, 0.02));
        assert_eq!(bits(&mut again), bits(&mut whole));
        round(&mut whole);
        round(&mut again);
        assert_eq!(bits(&mut again), bits(&mut whole), "{}", optimizer.name());
        // Without the moments, or with other masks, it would not.
        let mut bare = Model::load_from(&path, device.clone()).unwrap();
        bare.set_seed(7);
        round(&mut bare);
        assert_ne!(bits(&mut bare), bits(&mut whole));
    }
    std::fs::remove_file(path).ok();
}
