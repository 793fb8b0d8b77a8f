//! Sizes that come from outside and are multiplied: an error names them, and no product wraps round.

use axone::data::Matrix;
use axone::graph::{Graph, Role, Shape};
use axone::model::Purpose;
use axone::plan::{Lowering, lower};
use axone::prelude::*;

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

const HALF: usize = usize::MAX / 2 + 1;

#[test]
fn rows_of_more_numbers_than_can_be_counted() {
    let row = |name: &str, got: &str| format!("{name}: row must be at most 1073741823 numbers, got {got}");
    // Their product is 1, 0 and 2^62, where it wraps round.
    for shape in [[usize::MAX, usize::MAX], [HALF, 2], [HALF / 2, 1]] {
        let net = Sequential::new(shape).add(Flatten).add(Dense::new(1));
        assert_eq!(message(net.network()), row("input", &format!("{shape:?}")));
        assert_eq!(message(Network::new().input("x", shape)), row("x", &format!("{shape:?}")));
    }
    // The product of no sides is 1.
    assert_eq!(message(Sequential::new([]).network()), "input: shape must be sides of at least 1, got []");
    let of = |layer: axone::layers::Layer| message(Sequential::new(4).add(layer).network());
    for units in [1 << 30, 1 << 62, usize::MAX] {
        assert_eq!(of(Dense::new(units).into()), row("dense_1", &format!("[{units}]")));
        assert_eq!(of(Embedding::new(2, units).into()), row("embedding_1", &format!("[{}]", units.saturating_mul(4))));
    }
    // Each fits, all side by side do not.
    let mut net = Network::new();
    let x = net.input("x", (1 << 30) - 1).unwrap();
    assert_eq!(message(net.concat(&[x, x])), row("concat_1", "[2147483646]"));
}

/// Each parameter fits, all of them do not: what counts them would have wrapped round.
#[test]
fn parameters_of_more_numbers_than_can_be_counted() {
    let wide = (0..3).fold(Sequential::new(30_000), |net, _| net.add(Dense::new(30_000).without_bias()));
    let wanted = "the slab of all parameters needs 10800000000 bytes, but the kernels' 32-bit index allows 4294967292";
    assert_eq!(message(wide.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())), wanted);
    // A summary counts what no device can hold.
    let huge = (0..70).fold(Sequential::new(1 << 29), |net, _| net.add(Dense::new(1 << 29)));
    assert_eq!(huge.summary().unwrap().parameters(), usize::MAX);
}

#[test]
fn batches_of_more_rows_than_can_be_counted() {
    let net = Sequential::new(4).add(Dense::new(3));
    let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
    let plan = |batch: usize| message(model.program().plan(Purpose::Train, batch, &[false], true));
    assert_eq!(plan(0), "plan train: batch must be at least 1, got 0");
    for batch in [1 << 30, usize::MAX] {
        let error = model.program().plan(Purpose::Train, batch, &[false], true).unwrap_err();
        assert!(
            matches!(&error, Error::TooLarge { what, .. } if what.ends_with(&format!("at batch {batch}"))),
            "{error}"
        );
    }
}

/// Graphs are built by hand, too.
#[test]
fn values_of_more_elements_than_can_be_counted() {
    let mut graph = Graph::new();
    let x = graph.input("x", usize::MAX).unwrap();
    assert_eq!(graph.shape(x).len(usize::MAX), usize::MAX);
    assert_eq!(Shape::fixed(HALF, 2).len(1), usize::MAX);
    let table = graph.parameter("table", Role::Weight, 2, HALF).unwrap();
    let all = graph.concat("all", &[x, x]).unwrap();
    assert_eq!(graph.shape(all).cols, usize::MAX);
    assert!(graph.slice("part", x, usize::MAX, 2).is_err());
    let two = graph.input("two", 2).unwrap();
    let vectors = graph.embedding("vectors", two, &[table]).unwrap();
    assert_eq!(graph.shape(vectors).cols, usize::MAX);
    for output in [x, all, vectors] {
        let lowering = Lowering {
            name: "predict",
            batch: 2,
            gather: false,
            fused: true,
            half: false,
            outputs: &[output],
            logs: &[],
            gradients: &[],
            update: None,
        };
        assert!(matches!(lower(&graph, &lowering), Err(Error::TooLarge { .. })));
    }
    let drawn = Initializer::Zeros.sample("w", HALF, 2, 0, 0);
    assert!(matches!(&drawn, Err(Error::TooLarge { what, .. }) if what == "w"), "{drawn:?}");
}

/// A setting beyond any memory is a number like another where nothing is made of that size.
#[test]
fn settings_beyond_any_memory() {
    let net = Sequential::new(1).add(Dense::new(1));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(10.0)).unwrap();
    let data = Dataset::new([[1.0], [2.0]], [1.0, 2.0]).unwrap();
    let settings = Fit::new().epochs(1).batch_size(usize::MAX).silent();
    assert_eq!(model.fit(&data, &settings).unwrap().epochs.len(), 1);
    assert!(Matrix::new(HALF, 2, Vec::new()).is_err());
    assert!(Matrix::new(usize::MAX, usize::MAX, vec![0.0]).is_err());
    assert!(data.with_input_shape(&[usize::MAX, usize::MAX]).is_err());
}
