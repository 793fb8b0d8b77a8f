//! The smallest network that learns something a line cannot: exclusive or.
//!
//! `cargo run --release --example xor`
#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;

fn main() -> Result<()> {
    arguments::none("usage: xor\n\nLearns exclusive or. AXONE_DEVICE names a device.");
    let xor = Dataset::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])?;
    let mut model = Sequential::new(2)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dense::new(1).activation(Activation::Sigmoid))
        .compile(Device::auto()?, Loss::BinaryCrossEntropy, Adam::new(0.05))?;

    let history = model.fit(&xor, &Fit::new().epochs(200).batch_size(4).silent())?;

    println!("loss after 200 epochs: {:.4}", history.last("loss").unwrap_or(f64::NAN));
    for (x, y) in xor.inputs()[0].iter_rows().zip(model.predict(&xor.inputs()[0])?.iter_rows()) {
        println!("{} xor {} = {:.3}", x[0], x[1], y[0]);
    }
    Ok(())
}
