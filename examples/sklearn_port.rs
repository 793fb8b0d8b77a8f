//! scratch
use axone::prelude::*;
use std::time::Instant;
fn main() -> Result<()> {
    let digits = axone::data::digits()?;
    let begun = Instant::now();
    for units in [5, 20, 50, 100, 150, 200] {
        let net = Sequential::new([8, 8])
            .add(Dense::new(units).activation(Activation::Relu))
            .add(Dense::new(10).activation(Activation::Softmax));
        let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::default())?;
        let t = Instant::now();
        let h = model.minimize(&digits, &Lbfgs::new().tolerance(5e-3).alpha(0.01).silent())?;
        println!(
            "{units}: {:?} {} it {:?} loss {:?} evals {:?}",
            t.elapsed(),
            h.epochs.len(),
            h.stopped,
            h.last("loss"),
            h.last("evaluations")
        );
    }
    println!("{:?}", begun.elapsed());
    Ok(())
}
