use axone::prelude::*;
fn main() -> Result<()> {
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;
    let device = Device::auto()?;
    println!("{}", device.info());
    let mut model = Sequential::new(64)
        .add(Dense::new(64).activation(Activation::Relu).weights(Initializer::HeNormal))
        .add(Dense::new(32).activation(Activation::Relu).weights(Initializer::HeNormal))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(device, Loss::CategoricalCrossEntropy, Adam::new(0.003))?;
    println!("{}", model.summary());
    println!("{}", model.program().plan(axone::model::Purpose::Train, 32, &[true], true)?);
    model.fit(&train, &Fit::new().epochs(30).validation(&test))?;
    println!("test accuracy: {:.4}", model.evaluate(&test)?.get("accuracy").unwrap_or(0.0));
    Ok(())
}
