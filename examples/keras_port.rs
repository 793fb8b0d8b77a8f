//! A course's Keras program, line by line: each line of Python stands above ours.
//!
//! `cargo run --release --example keras_port`
//!
//! The course reads MNIST; the digits here are the bundled ones of 8 x 8 pixels.

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;

const USAGE: &str = "usage: keras_port

A Keras program of a course, in axone. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);

    // (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    // x_train, x_test = x_train / 255.0, x_test / 255.0
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;

    // model = keras.Sequential([
    //     keras.layers.Flatten(input_shape=(8, 8)),
    //     keras.layers.Dense(128, activation="relu"),
    //     keras.layers.BatchNormalization(),
    //     keras.layers.Dropout(0.2),
    //     keras.layers.Dense(10, activation="softmax"),
    // ])
    let net = Sequential::new([8, 8])
        .add(Flatten)
        .add(Dense::new(128).activation(Activation::Relu))
        .add(BatchNorm::new())
        .add(Dropout::new(0.2))
        .add(Dense::new(10).activation(Activation::Softmax));

    // model.compile(optimizer=keras.optimizers.Adam(1e-3),
    //               loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    let mut model = net.compile(Device::auto()?, Loss::CategoricalCrossEntropy, Adam::new(1e-3))?;

    // model.summary()
    println!("{}\n", model.summary());

    // stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
    // history = model.fit(x_train, y_train, epochs=50, batch_size=32, validation_split=0.1, callbacks=[stop])
    let stop = EarlyStopping::new("val_loss").patience(5).restore_best();
    let settings = Fit::new().epochs(50).batch_size(32).validation_split(0.1).seed(1).callback(stop).silent();
    let history = model.fit(&train, &settings)?;

    // loss, accuracy = model.evaluate(x_test, y_test)
    let evaluation = model.evaluate(&test)?;

    // predicted = model.predict(x_test[:5]).argmax(axis=1)
    let predicted = model.predict_classes(test.take(5)?.inputs().first().unwrap_or(&Matrix::default()))?;
    println!("the first five: {predicted:?}, and in truth {:?}", &test.targets()[0].labels().unwrap_or_default()[..5]);

    println!("epochs: {}", history.epochs.len());
    println!("test loss: {:.4}", evaluation.loss());
    println!("test accuracy: {:.4}", evaluation.get("accuracy").unwrap_or(f64::NAN));
    Ok(())
}
