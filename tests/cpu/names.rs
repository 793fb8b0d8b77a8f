//! Names that are joined from the user's own words: what is reported, what a file holds. No two things share one.

use axone::metrics::Average;
use axone::prelude::*;

/// A network of one input with an output for each name, and the losses of `losses`.
fn outputs<const N: usize>(names: [&str; N], losses: [Loss; N]) -> Result<Model> {
    let mut net = Network::new();
    let x = net.input("x", 3)?;
    for name in names {
        let y = net.apply(Dense::new(3).named(name), x)?;
        net.output(y)?;
    }
    net.compile(Device::cpu(), losses, Adam::default())
}

fn refused<T: std::fmt::Debug>(result: Result<T>, wanted: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Value { .. }), "{error:?}");
    assert_eq!(error.to_string(), wanted);
}

/// `val_loss` is the loss of the validation data. Both meanings are in the message.
#[test]
fn a_reported_name_has_one_meaning() {
    use Loss::{BinaryCrossEntropy, CategoricalCrossEntropy, MeanSquaredError};
    let both = |name: &str, first: &str, second: &str| {
        format!(
            "compile: output names must be such that every reported value has a name of its own, \
             got \"{name}\" for {first} and for {second}"
        )
    };
    let wanted = both("val_loss", "the loss of val", "the loss of all outputs on validation data");
    refused(outputs(["val", "b"], [MeanSquaredError, MeanSquaredError]), &wanted);
    let wanted = both("val_a_loss", "the loss of val_a", "the loss of a on validation data");
    refused(outputs(["a", "val_a"], [MeanSquaredError, MeanSquaredError]), &wanted);
    let wanted = both("a_binary_accuracy", "the binary_accuracy of a", "the accuracy of a_binary");
    refused(outputs(["a", "a_binary"], [BinaryCrossEntropy, CategoricalCrossEntropy]), &wanted);
    // One output may be called anything: nothing is joined.
    outputs(["val"], [MeanSquaredError]).unwrap();
    outputs(["val_a", "b"], [MeanSquaredError, MeanSquaredError]).unwrap();
}

/// A value that is an output twice would report every name twice.
#[test]
fn an_output_is_one_once() {
    let mut net = Network::new();
    let x = net.input("x", 3).unwrap();
    let y = net.apply(Dense::new(1), x).unwrap();
    net.output(y).unwrap();
    refused(net.output(y), "network: output must be a value that is none yet, got \"dense_1\" twice");
    net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
}

/// Metrics are asked for later: the model then reports what it did before.
#[test]
fn a_metric_gets_no_name_that_is_there() {
    let losses = [Loss::CategoricalCrossEntropy, Loss::CategoricalCrossEntropy];
    let mut model = outputs(["a", "a_top_2"], losses).unwrap();
    let wanted = |call: &str| {
        format!(
            "{call}: output names must be such that every reported value has a name of its own, \
             got \"a_top_2_accuracy\" for the top_2_accuracy of a and for the accuracy of a_top_2"
        )
    };
    refused(model.set_metrics([Metric::TopK(2)]), &wanted("set_metrics"));
    model.set_metrics([Metric::F1(Average::Macro)]).unwrap();
    refused(model.set_metrics_of("a", [Metric::TopK(2)]), &wanted("set_metrics_of"));
    let x = Matrix::new(1, 3, vec![0.5; 3]).unwrap();
    let data = Dataset::new(x, [0]).unwrap().with_target([1]).unwrap();
    let evaluation = model.evaluate(&data).unwrap();
    assert!(evaluation.get("a_f1_macro").is_some());
}

/// A checkpoint holds the moments of `a` under `moment_0/a`.
#[test]
fn a_layer_is_not_called_as_the_moments_of_another() {
    let net = |names: [&'static str; 2]| {
        names.into_iter().fold(Sequential::new(3), |net, name| net.add(Dense::new(3).named(name)))
    };
    let compiled = |net: Sequential| net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default());
    for name in ["moment_0/a", "moment_17/a"] {
        let wanted = format!(
            "network: layer name must be other than those of moments in a checkpoint, \
             got \"{name}\" for a layer and for a moment of \"a\""
        );
        refused(compiled(net(["a", name])), &wanted);
        refused(compiled(net([name, "a"])), &wanted);
    }
    compiled(net(["a", "moment_0/b"])).unwrap();
    compiled(net(["a", "moment_x/a"])).unwrap();
}

#[test]
fn a_name_is_not_empty() {
    let wanted = "network: name must be at least one character, got \"\"";
    refused(Sequential::new(3).add(Dense::new(2).named("")).network(), wanted);
    refused(Network::new().input("", 3), wanted);
    Sequential::new(3).add(Dense::new(2).named("größe / \"x\", 50 %")).network().unwrap();
}

/// A number that the user has taken is passed over.
#[test]
fn layers_without_a_name_get_one_that_is_free() {
    let mut net = Network::new();
    let mut x = net.input("dense_1", 3).unwrap();
    for layer in [Dense::new(3).named("dense_2"), Dense::new(3), Dense::new(3), Dense::new(3).named("dense_9")] {
        x = net.apply(layer, x).unwrap();
    }
    x = net.apply(Residual::new().add(Activation::Relu).named("residual_2"), x).unwrap();
    x = net.apply(Residual::new().add(Activation::Relu), x).unwrap();
    net.output(x).unwrap();
    let summary = net.summary().to_string();
    let names: Vec<&str> = summary.lines().skip(2).filter_map(|line| line.split("  ").next()).collect();
    let names: Vec<&str> = names.into_iter().map(|name| name.split(" <- ").next().unwrap_or(name)).collect();
    let wanted =
        ["dense_1", "dense_2", "dense_3", "dense_4", "dense_9", "relu_1", "residual_2", "relu_2", "residual_3"];
    assert_eq!(names[..wanted.len()], wanted, "{summary}");
}

/// A number of a value means something in its own network alone.
#[test]
fn a_value_of_another_network() {
    let mut one = Network::new();
    let x = one.input("x", 3).unwrap();
    let mut other = Network::new();
    let foreign = other.input("z", 3).unwrap();
    let far = other.apply(Dense::new(3), foreign).unwrap();
    let of = |at: usize, here: &str| format!("must be a value of this network, got value {at} of another, {here}");
    let wanted = format!("dense_1: input {}", of(0, "where \"x\" stands here"));
    refused(one.apply(Dense::new(2), foreign), &wanted);
    let wanted = format!("dense_1: input {}", of(1, "and this one has 1"));
    refused(one.apply(Dense::new(2), far), &wanted);
    refused(one.add(&[x, foreign]), &format!("add_1: input {}", of(0, "where \"x\" stands here")));
    refused(one.output(foreign), &format!("network: output {}", of(0, "where \"x\" stands here")));
    let block = Residual::new().add(Dense::new(3));
    refused(one.apply(block, foreign), &format!("dense_1: input {}", of(0, "where \"x\" stands here")));
    // Of a copy, what was there when it was made.
    let mut copy = one.clone();
    let y = one.apply(Dense::new(2), x).unwrap();
    let z = copy.apply(Dense::new(1).named("z"), x).unwrap();
    copy.output(z).unwrap();
    refused(copy.output(y), &format!("network: output {}", of(1, "where \"z\" stands here")));
}
