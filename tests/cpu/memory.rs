//! What a model on the CPU backend holds; the checks are in `tests/common/memory.rs`.

use crate::common::memory::{self, alone};
use axone::prelude::*;
use std::sync::{Arc, Mutex};

#[test]
fn data_are_shared_and_let_go() {
    alone("memory::child_whose_data_are_let_go");
}

#[test]
#[ignore = "counts what its process allocates: started by `data_are_shared_and_let_go`"]
fn child_whose_data_are_let_go() {
    memory::data_are_shared_and_let_go(&Device::cpu());
}

#[test]
fn nothing_grows() {
    alone("memory::child_that_does_not_grow");
}

#[test]
#[ignore = "counts what its process allocates: started by `nothing_grows`"]
fn child_that_does_not_grow() {
    memory::nothing_grows(&Device::cpu());
}

#[test]
fn a_model_leaves_nothing() {
    alone("memory::child_that_leaves_nothing");
}

#[test]
#[ignore = "counts what its process allocates: started by `a_model_leaves_nothing`"]
fn child_that_leaves_nothing() {
    memory::a_model_leaves_nothing(&Device::cpu());
}

/// Keeps how much the model holds while it is trained.
struct Held(Arc<Mutex<u64>>);

impl Callback for Held {
    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        *self.0.lock().unwrap() = run.model().device_bytes();
        Ok(())
    }
}

/// Rows are read where they lie, whatever the budget; only rows of weight 0 make a copy necessary. No bit is different.
#[test]
fn no_copy_of_the_rows_is_held() {
    const ROWS: usize = 4000;
    let x = Matrix::new(ROWS, 64, (0..ROWS * 64).map(|i| (i as f32 * 0.37).sin()).collect()).unwrap();
    let y: Vec<f32> = x.iter_rows().map(|row| row[0] * row[1]).collect();
    let data = Dataset::new(x, y).unwrap();
    let bytes = 4 * 64 * ROWS as u64;
    let run = |data: &Dataset, budget: u64| {
        let net = Sequential::new(64).add(Dense::new(8).activation(Activation::Tanh)).add(Dense::new(1));
        let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.01)).unwrap();
        let held = Arc::new(Mutex::new(0));
        let settings = Fit::new().epochs(2).seed(1).data_budget(budget).callback(Held(held.clone())).silent();
        let losses = model.fit(data, &settings).unwrap().get("loss");
        let held = *held.lock().unwrap();
        (held, losses, model.weights().unwrap())
    };
    let (held, losses, weights) = run(&data, 1 << 30);
    assert!(held < bytes / 4, "{held} bytes are held for {bytes}");
    let (held, same_losses, same_weights) = run(&data, 1);
    assert!(held < bytes / 4, "{held} bytes are held for {bytes}");
    assert_eq!((&same_losses, &same_weights), (&losses, &weights));
    let mut of_one = vec![1.0; ROWS];
    let weighted = data.clone().with_weights(of_one.clone()).unwrap();
    let (_, same_losses, same_weights) = run(&weighted, 1 << 30);
    assert_eq!((same_losses, same_weights), (losses, weights));
    of_one[7] = 0.0;
    let (copied, ..) = run(&data.with_weights(of_one).unwrap(), 1 << 30);
    assert!(copied > bytes, "{copied}");
}
