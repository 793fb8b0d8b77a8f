//! Pictures: what stands in them, that they hold nothing that is no number, and that nothing is no picture.

use crate::common::{U32, assert_none, differences};
use axone::graph::{Graph, Role};
use axone::metrics::{Residuals, precision_recall_curve};
use axone::model::Purpose;
use axone::plot::{Chart, Page, dark};
use axone::prelude::*;
use axone::train::WeightPath;

fn text<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

/// A picture is whole, has the words, and no coordinate that is no number.
fn check(svg: &str, words: &[&str]) {
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
    assert!(!svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("2147483647"), "{svg}");
    for word in words {
        assert!(svg.contains(word), "{word} is not in {svg}");
    }
}

fn spirals() -> Dataset {
    let point = |i: usize| {
        let (turn, class) = (0.05 * (i / 2) as f32, i % 2);
        let angle = turn + class as f32 * std::f32::consts::PI;
        ([(0.3 + turn) * angle.cos(), (0.3 + turn) * angle.sin()], class as u32)
    };
    let (x, y): (Vec<_>, Vec<_>) = (0..80).map(point).unzip();
    Dataset::new(x, y).unwrap()
}

fn model() -> Model {
    let net = Sequential::new(2).add(Dense::new(6).activation(Activation::Tanh));
    let net = net.add(Dense::new(2).activation(Activation::Softmax));
    net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.05)).unwrap()
}

#[test]
fn a_chart_has_its_words_and_only_points_with_a_place() {
    let points = [(1.0, 0.1), (2.0, f64::NAN), (3.0, 10.0), (4.0, -1.0), (5.0, 1e308)];
    let chart = Chart::new("all").x_label("epoch").y_label("loss (m)").log_y();
    let chart = chart.line("a < b", points).dashed("c", points).points("d", points).bars("e", points);
    let chart = chart.reference("g", [(0.0, 1.0), (5.0, 1.0)]).words("here", (1.0, 1.0));
    for svg in [chart.to_svg().unwrap(), chart.clone().direct_labels().to_svg().unwrap()] {
        check(&svg, &["all", "epoch", "loss (m)", "a &lt; b", "here"]);
        check(&dark(&svg), &["#0D1117"]);
        assert!(!dark(&svg).contains("#FFFFFF"));
    }
    let page = Page::new("page", [chart.clone(), chart.clone(), chart]).columns(2).to_svg().unwrap();
    assert!(page.starts_with("<svg width=\"1280\" height=\"876\""), "{}", &page[..80]);
}

#[test]
fn a_chart_of_nothing_is_an_error() {
    assert_eq!(text(Chart::new("x").to_svg()), "chart \"x\": none of 0 points has a place on the axes");
    let negative = Chart::new("x").log_y().line("", [(0.0, -1.0), (1.0, 0.0)]);
    assert_eq!(text(negative.to_svg()), "chart \"x\": none of 2 points has a place on the axes");
    let empty = Chart::new("x").x_range(1.0..=1.0).line("", [(0.0, 1.0)]);
    assert_eq!(text(empty.to_svg()), "chart \"x\": x_range must be finite, from low to high, got 1 to 1");
    let small = Chart::new("x").size(50, 100).line("", [(0.0, 1.0)]);
    assert_eq!(text(small.to_svg()), "chart \"x\": size must be sides of 100 to 10000 pixels, got 50");
    assert_eq!(text(Page::new("p", []).to_svg()), "page \"p\": no charts to draw");
    assert_eq!(text(Page::new("p", [small]).columns(0).to_svg()), "page \"p\": columns must be at least 1, got 0");
}

#[test]
fn curves_of_one_class_and_a_flat_truth_are_errors() {
    for truth in [[1, 1], [0, 0]] {
        let curve = precision_recall_curve(&truth, &[0.2, 0.9], None).unwrap();
        assert_eq!(text(curve.to_svg()), "precision_recall: all rows are of one class: there is no curve");
    }
    let flat = Residuals::new(&[2.0, 2.0], &[1.0, 3.0]).unwrap();
    assert_eq!(text(flat.to_svg()), "residuals: the truth is 2 in every row");
    assert_eq!(text(Residuals::new(&[f32::NAN], &[1.0])), "residuals truth row 0: NaN is not a finite number");
    let residuals = Residuals::new(&[1.0, 2.0], &[1.5, 2.0]).unwrap().quantity("mass (kg)");
    let svg = residuals.with_intervals(&[0.0, 3.0], &[2.0, 4.0]).unwrap().to_svg().unwrap();
    check(&svg, &["true mass (kg)", "predicted mass (kg)", "interval (50 % hold)"]);
}

#[test]
fn a_boundary_shows_both_classes() {
    let (mut model, data) = (model(), spirals());
    model.fit(&data, &Fit::new().epochs(20).silent()).unwrap();
    let boundary = model.decision_boundary(&data).unwrap().features(["east (m)", "north (m)"]).classes(["in", "out"]);
    check(&boundary.to_svg().unwrap(), &["east (m)", "north (m)", "in", "out"]);

    let one = Dataset::new([[0.0, 1.0], [1.0, 0.0]], [1, 1]).unwrap();
    assert_eq!(text(model.decision_boundary(&one)), "decision_boundary: all rows are of class 1: there is no boundary");
    let level = Dataset::new([[0.0, 1.0], [0.0, 0.0]], [0, 1]).unwrap();
    assert_eq!(text(model.decision_boundary(&level)), "decision_boundary: feature 0 is 0 in every row");
    let wide = Dataset::new([[0.0, 1.0, 2.0], [0.0, 0.0, 1.0]], [0, 1]).unwrap();
    assert_eq!(text(model.decision_boundary(&wide)), "decision_boundary: expected two features, got 3");
}

#[test]
fn activations_are_what_the_layers_compute() {
    let (mut model, data) = (model(), spirals());
    let x = &data.inputs()[0];
    let values = model.activations(std::slice::from_ref(x)).unwrap();
    assert_eq!(values.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["dense_1", "dense_2"]);
    let (w, b) = (model.weight("dense_1.w").unwrap().data, model.weight("dense_1.b").unwrap().data);
    for (row, value) in x.iter_rows().zip(values[0].1.iter_rows()) {
        let want: Vec<f64> = (0..6)
            .map(|n| f64::from(b[n]) + f64::from(row[0]) * f64::from(w[n]) + f64::from(row[1]) * f64::from(w[6 + n]))
            .map(f64::tanh)
            .collect();
        let got: Vec<f64> = value.iter().map(|y| f64::from(*y)).collect();
        // Three products and sums of numbers below 8, and tanh, whose slope is at most 1.
        assert_none(&differences("tanh", &got, &want, |_| 64.0 * U32));
    }
    assert_eq!(values[1].1, model.predict(x).unwrap());
    // Layers that pass their input on, and more rows than go through at a time.
    let net = Sequential::new([1, 2]).add(axone::layers::Flatten).add(Dropout::new(0.5)).add(Dense::new(1));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let x = Matrix::new(600, 2, (0..1200).map(|i| i as f32 / 1200.0).collect()).unwrap();
    let values = model.activations(std::slice::from_ref(&x)).unwrap();
    assert_eq!((&values[0].1, &values[1].1), (&x, &x));
    assert_eq!(values[2].1, model.predict(&x).unwrap());
}

#[test]
fn histograms_name_every_layer() {
    let (mut model, data) = (model(), spirals());
    let svg = model.layer_histograms(&data).unwrap().to_svg().unwrap();
    check(&svg, &["dense_1 weights", "dense_1 activations", "dense_2 gradients"]);
    let mut bare =
        Sequential::new(2).add(Activation::Relu).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new([[0.0, 1.0]], [[0.0, 1.0]]).unwrap();
    assert_eq!(text(bare.layer_histograms(&data)), "layer_histograms: no layer has parameters");
}

#[test]
fn a_surface_ends_where_training_did_and_leaves_the_weights() {
    let (mut model, data, path) = (model(), spirals(), WeightPath::new());
    assert_eq!(
        text(model.loss_surface(&data, &path)),
        "loss surface: the path has no points: give it to a run (Fit::callback)"
    );
    model.fit(&data, &Fit::new().epochs(1).callback(path.clone()).silent()).unwrap();
    assert_eq!(
        text(model.loss_surface(&data, &path)),
        "loss surface: the path has fewer than three points: run more epochs"
    );
    model.fit(&data, &Fit::new().epochs(12).callback(path.clone()).silent()).unwrap();
    assert_eq!(path.len(), 13);
    let (before, loss) = (model.weights().unwrap(), model.evaluate(&data).unwrap().loss());
    let surface = model.loss_surface(&data, &path).unwrap();
    assert_eq!((model.weights().unwrap(), model.evaluate(&data).unwrap().loss()), (before, loss));
    assert_eq!((surface.path().len(), surface.path()[12]), (13, (0.0, 0.0)));
    check(&surface.to_svg().unwrap(), &["end of training", "first direction of the path"]);
    let mut other =
        Sequential::new(2).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new([[0.0, 1.0]], [0.5]).unwrap();
    assert!(text(other.loss_surface(&data, &path)).starts_with("loss surface: expected a path of"));
}

#[test]
fn a_network_shows_its_layers() {
    let mut net = Network::new();
    let x = net.input("pixels", 40).unwrap();
    assert_eq!(text(net.to_svg()), "network: no layers to draw");
    let hidden = net.apply(Dense::new(5).activation(Activation::Relu).named("left"), x).unwrap();
    let more = net.apply(Dense::new(5).named("right"), hidden).unwrap();
    let both = net.concat(&[hidden, more]).unwrap();
    let y = net.apply(Dense::new(2), both).unwrap();
    net.output(y).unwrap();
    check(&net.to_svg().unwrap(), &["pixels", "(B, 40)", "left", "dense, relu", "concat_1", "(B, 10)"]);
    // Two circles a neuron: 12 of the 40 that enter, and all others; three dots for the rest.
    assert_eq!(net.to_svg().unwrap().matches("<circle").count(), 2 * (12 + 5 + 5 + 10 + 2) + 3);
    let mut model = model();
    check(&model.to_svg().unwrap(), &["dense_1", "dense, tanh", "#D55E00"]);
}

#[test]
fn a_graph_shows_both_passes_with_shapes() {
    let graph = model().program().graph(Purpose::Train, &[true]).unwrap();
    let (svg, dot) = (graph.to_svg().unwrap(), graph.to_dot().unwrap());
    check(&svg, &["dense_1.w (2, 6)", "softmax_cross_entropy_grad", "ddense_1 (2, 6)", "backward"]);
    assert_eq!(dot.matches("[label=").count(), graph.nodes().len());
    assert_eq!(dot.matches(" -> ").count(), graph.nodes().iter().map(|node| node.inputs.len()).sum::<usize>());
    assert!(dot.contains("subgraph cluster_backward") && dot.contains("\\n(B, 6)"));
    assert_eq!(
        svg.matches("<rect").count(),
        1 + 2 * (graph.nodes().len() - 1 + 4),
        "two a node but the seed, and four in the legend"
    );
    let forward = model().program().graph(Purpose::Predict, &[true]).unwrap();
    assert!(!forward.to_svg().unwrap().contains("backward") && !forward.to_dot().unwrap().contains("backward"));

    assert_eq!(text(Graph::new().to_dot()), "graph: no nodes to draw");
    assert_eq!(text(Graph::new().to_svg()), "graph: no nodes to draw");
    let mut odd = Graph::new();
    odd.parameter("a \"quoted\" \\ name", Role::Weight, 1, 1).unwrap();
    assert!(odd.to_dot().unwrap().contains("a \\\"quoted\\\" \\\\ name"));
    (0..400).for_each(|_| drop(odd.parameter("w", Role::Weight, 1, 1)));
    assert_eq!(text(odd.to_svg()), "graph: nodes must be at most 400 to draw, got 401");
}
