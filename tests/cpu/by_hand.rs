//! Training by hand on the CPU backend; the checks are in `tests/common/by_hand.rs` and `products.rs`. And what can be
//! asked for in the wrong order or with the wrong numbers.

use crate::common::api::{branched, classifier, samples};
use crate::common::{by_hand, losses, matrix, products};
use axone::graph::{Graph, vector_jacobian};
use axone::prelude::*;

fn devices() -> [Device; 2] {
    [Device::cpu(), Device::cpu_f64()]
}

#[test]
fn steps_are_those_of_fit() {
    devices().iter().for_each(by_hand::steps_are_those_of_fit);
}

#[test]
fn accumulated_batches_are_one_batch() {
    devices().iter().for_each(by_hand::accumulated_batches_are_one_batch);
}

#[test]
fn accumulated_batches_draw_their_own_masks() {
    devices().iter().for_each(by_hand::accumulated_batches_draw_their_own_masks);
}

#[test]
fn given_gradients_are_applied() {
    devices().iter().for_each(by_hand::given_gradients_are_applied);
}

#[test]
fn a_loss_by_hand_is_the_loss() {
    devices().iter().for_each(products::a_loss_by_hand_is_the_loss);
}

#[test]
fn products_are_finite_differences() {
    products::products_are_finite_differences();
}

#[test]
fn products_are_the_oracles() {
    products::products_are_the_oracles(&Device::cpu());
}

#[test]
fn passes_add_up() {
    devices().iter().for_each(products::passes_add_up);
}

#[test]
fn inputs_have_the_gradients_of_the_pass() {
    devices().iter().for_each(products::inputs_have_the_gradients_of_the_pass);
}

#[test]
fn the_loss_has_gradients_by_its_inputs() {
    devices().iter().for_each(products::the_loss_has_gradients_by_its_inputs);
}

#[test]
fn losses_are_functions() {
    losses::losses_are_functions();
}

#[cfg(feature = "save")]
#[test]
fn loops_go_on() {
    crate::common::loops::loops_go_on(&Device::cpu(), "cpu");
}

#[test]
fn statistics_move_once() {
    devices().iter().for_each(products::statistics_move_once);
}

#[test]
fn padding_changes_nothing() {
    devices().iter().for_each(by_hand::padding_changes_nothing);
}

#[test]
fn weights_move_to_another_model() {
    by_hand::weights_move_to_another_model(&Device::cpu(), &Device::cpu());
}

#[test]
fn a_share_of_one_copies() {
    devices().iter().for_each(by_hand::a_share_of_one_copies);
}

#[test]
fn frozen_layers_stay() {
    devices().iter().for_each(by_hand::frozen_layers_stay);
}

#[test]
fn frozen_layers_are_named() {
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    let wanted = "freeze: layer must be one of dense_1, dense_2, got \"dense_3\"";
    assert_eq!(message(model.freeze("dense_3")), wanted);
    let wanted = "unfreeze: layer must be one of dense_1, dense_2, got \"dense_1.w\"";
    assert_eq!(message(model.unfreeze("dense_1.w")), wanted);
    let all = model.parameters();
    model.freeze("dense_2").unwrap();
    let printed = model.summary().to_string();
    assert!(printed.contains("dense, softmax, frozen"), "{printed}");
    assert!(printed.ends_with("48 trainable parameters, 27 frozen"), "{printed}");
    assert_eq!((all, model.parameters()), (75, 48));
    // What was computed before is no longer what a step would compute.
    model.unfreeze("dense_2").unwrap();
    model.compute_gradients(&samples(4)).unwrap();
    model.freeze("dense_1").unwrap();
    assert!(model.apply_gradients().is_err());
}

#[cfg(feature = "save")]
#[test]
fn frozen_layers_stay_frozen_in_files() {
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    model.freeze("dense_1").unwrap();
    let path = std::env::temp_dir().join(format!("axone-frozen-{}.safetensors", std::process::id()));
    model.save(&path).unwrap();
    let again = Model::load_from(&path, Device::cpu());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(again.unwrap().frozen(), ["dense_1"]);
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn gradients_are_used_once() {
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    let none = "apply_gradients: gradients must be there (call compute_gradients, accumulate_gradients, backward or \
                set_gradients), got none since the last update";
    assert_eq!(message(model.apply_gradients()), none);
    let wanted = "last_evaluation: batch must be run first (train_on_batch, queue_step, compute_gradients or \
                  accumulate_gradients), got none";
    assert_eq!(message(model.last_evaluation()), wanted);
    let data = samples(6);
    model.compute_gradients(&data).unwrap();
    model.apply_gradients().unwrap();
    assert_eq!(message(model.apply_gradients()), none);
    // Whatever writes over them, and whatever makes the weights others.
    let over: [fn(&mut Model, &Dataset); 4] = [
        |model, data| drop(model.train_on_batch(data).unwrap()),
        |model, data| drop(model.fit(data, &Fit::new().epochs(1).silent()).unwrap()),
        |model, _| model.reset(3).unwrap(),
        |model, _| model.clear_gradients(),
    ];
    for write in over {
        model.compute_gradients(&data).unwrap();
        write(&mut model, &data);
        assert_eq!(message(model.apply_gradients()), none);
    }
    let before = model.weights().unwrap();
    let given = model.gradients().unwrap();
    model.set_gradients(&given).unwrap();
    let wanted = "accumulate_gradients: gradients must be a mean over batches (call apply_gradients or \
                  clear_gradients first), got those of backward or set_gradients";
    assert_eq!(message(model.accumulate_gradients(&data)), wanted);
    assert_eq!(model.weights().unwrap(), before);
    // Clipped in between, a mean stays one.
    model.clear_gradients();
    model.accumulate_gradients(&data).unwrap();
    model.set_gradients(&given).unwrap();
    model.accumulate_gradients(&data).unwrap();
}

#[test]
fn what_does_not_fit() {
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    let narrow = Dataset::new(matrix(1, 4, 4), vec![0, 1, 2, 0]).unwrap();
    let wanted = "dense_1: expected input (B, 5), got (B, 4)";
    assert_eq!(message(model.train_on_batch(&narrow)), wanted);
    assert_eq!(message(model.compute_gradients(&narrow)), wanted);
    assert_eq!(message(model.accumulate_gradients(&narrow)), wanted);
    assert_eq!(message(model.forward(narrow.inputs())), wanted);
    let label = Dataset::new(matrix(1, 1, 5), vec![3]).unwrap();
    let wanted = "targets[0] row 0: class 3, but dense_2 tells 3 classes apart (0 to 2)";
    assert_eq!(message(model.queue_step(&label)), wanted);

    let x = [matrix(1, 4, 5)];
    assert_eq!(message(model.backward(&x, &[])), "output_gradients: expected 1 matrices, one for each output, got 0");
    let wanted = "dense_2: expected output gradient (4, 3), got (3, 3)";
    assert_eq!(message(model.backward(&x, &[matrix(2, 3, 3)])), wanted);
    let infinite = matrix(2, 4, 3).map(|x| x / 0.0);
    let error = message(model.input_gradients(&x, &[infinite]));
    assert!(error.starts_with("output_gradients[0] row 0, column 0: "), "{error}");
    assert_eq!(model.steps_done(), 0);

    let mut gradients = model.gradients().unwrap();
    let error = |model: &mut Model, gradients: &[_]| message(model.set_gradients(gradients));
    assert_eq!(error(&mut model, &gradients[1..]), "gradients: expected 4 parameters, got 3");
    gradients[1].data.push(0.0);
    assert_eq!(error(&mut model, &gradients), "dense_1.b: expected (1, 8), got (1, 8) with 9 numbers");
    gradients[1].data.pop();
    gradients[0].data[9] = f32::NAN;
    assert_eq!(error(&mut model, &gradients), "dense_1.w row 1, column 1: NaN");
    assert_eq!(
        message(model.gradient("dense_3.w")),
        "gradient: name must be one of dense_1.w, dense_1.b, dense_2.w, dense_2.b, got \"dense_3.w\""
    );
    for (rate, got) in [(0.0, "0"), (-1.0, "-1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let wanted = format!("sgd: learning_rate must be positive and finite, got {got}");
        assert_eq!(message(model.set_learning_rate(rate)), wanted);
    }
    assert_eq!(model.learning_rate(), 0.1);
}

#[test]
fn models_that_differ() {
    let mut model = classifier(&Device::cpu(), Sgd::new(0.1));
    for (tau, got) in [(0.0, "0"), (1.5, "1.5"), (f32::NAN, "NaN")] {
        let wanted = format!("blend_weights_from: tau must be above 0 and at most 1, got {got}");
        let mut other = classifier(&Device::cpu(), Sgd::new(0.1));
        assert_eq!(message(model.blend_weights_from(&mut other, tau)), wanted);
    }
    let before = model.weights().unwrap();
    let mut other = branched(&Device::cpu());
    let wanted = "copy_weights_from: expected a model of 4 parameters, got 7";
    assert_eq!(message(model.copy_weights_from(&mut other)), wanted);
    let make = |name: &str, units: usize| {
        let net = Sequential::new(5).add(Dense::new(units)).add(Dense::new(3).named(name));
        net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap()
    };
    let wanted = "dense_1.w: expected (5, 8) in the other model, got (5, 9)";
    assert_eq!(message(model.copy_weights_from(&mut make("dense_2", 9))), wanted);
    let wanted = "blend_weights_from: parameter must be \"dense_2.w\" in the other model, got \"head.w\"";
    assert_eq!(message(model.blend_weights_from(&mut make("head", 8), 0.5)), wanted);
    assert_eq!(model.weights().unwrap(), before);
}

#[test]
fn a_product_needs_gradients_of_the_right_shape() {
    let mut graph = Graph::new();
    let (x, dy) = (graph.input("x", 3).unwrap(), graph.input("dy", 2).unwrap());
    assert_eq!(message(vector_jacobian(&mut graph, &[(x, dy)], &[x])), "dy: expected (B, 3), got (B, 2)");
}

/// What asks for a loss says that there is none; predictions, steps by hand and losses of the host go on.
#[test]
fn a_model_without_a_loss() {
    let net = Sequential::new(5).add(Dense::new(3)).network().unwrap();
    let mut model = net.compile(Device::cpu(), Losses::none(), Sgd::new(0.1)).unwrap();
    let (data, fit) = (samples(6), Fit::new().epochs(3).batch_size(4).silent());
    let wanted = "model: loss must be there (this model was compiled with Losses::none(), for predictions and steps by \
                  hand), got none";
    assert_eq!(message(model.fit(&data, &fit)), wanted);
    assert_eq!(message(model.evaluate(&data)), wanted);
    assert_eq!(message(model.minimize(&data, &Lbfgs::new())), wanted);
    assert_eq!(message(model.train_on_batch(&data)), wanted);
    assert_eq!(message(model.compute_gradients(&data)), wanted);
    assert_eq!(message(model.input_gradients_of_loss(&data)), wanted);
    assert_eq!(message(model.predict_classes(&data.inputs()[0])), wanted);
    assert_eq!(message(model.set_threshold(0.5)), wanted);
    assert_eq!(message(model.set_metrics([Metric::R2])), wanted);
    assert!(model.program().losses().is_empty());

    let before = model.weights().unwrap();
    let loss = Loss::CategoricalCrossEntropy;
    let history =
        model.fit_with(&data, &fit, |y, t| Ok((loss.value(&y[0], &t[0])?, vec![loss.gradient(&y[0], &t[0])?])));
    let history = history.unwrap();
    assert_eq!(history.names(), ["loss"]);
    assert!(history.last("loss") < history.get("loss").first().copied());
    assert_ne!(model.weights().unwrap(), before);
    // No losses, without a word, are still a mistake.
    let error = message(net.compile(Device::cpu(), Vec::<Loss>::new(), Sgd::new(0.1)));
    assert_eq!(error, "compile: losses must be one for each of 1 outputs, got 0");
}

/// Losses by matrices refuse what training refuses.
#[test]
fn losses_of_what_does_not_fit() {
    let (y, loss) = (matrix(1, 2, 3), Loss::CategoricalCrossEntropy);
    let error = |y: &Matrix, t: Targets| message(loss.value(y, &t));
    assert_eq!(error(&y, vec![0u32, 3].into()), "targets row 1: class 3, but outputs tells 3 classes apart (0 to 2)");
    assert_eq!(error(&y, vec![0u32].into()), "targets: expected 2 rows, got 1");
    assert_eq!(error(&y, matrix(1, 2, 2).into()), "outputs: expected targets (B, 3), got (B, 2)");
    assert_eq!(
        error(&matrix(1, 2, 1), matrix(1, 2, 1).map(f32::abs).into()),
        "outputs: units must be at least 2 for categorical_cross_entropy, got 1"
    );
    assert_eq!(error(&Matrix::default(), vec![0u32; 0].into()), "outputs: 0 rows of 0 columns");
    let infinite = y.clone().map(|y| y / 0.0);
    assert!(error(&infinite, vec![0u32, 1].into()).starts_with("outputs row 0, column 0: "));
    let error = message(Loss::Huber(-1.0).gradient(&y, &y.clone().into()));
    assert_eq!(error, "huber: delta must be positive and finite, got -1");
}

/// A checkpoint of a loop is told from a model and from a run of `fit`, and is made between steps.
#[cfg(feature = "save")]
#[test]
fn checkpoints_of_loops_are_told_apart() {
    let path = crate::common::loops::path("apart");
    let (mut model, data) = (classifier(&Device::cpu(), Adam::new(0.01)), samples(6));
    model.compute_gradients(&data).unwrap();
    let wanted = "save_checkpoint: gradients must be applied (apply_gradients) or forgotten (clear_gradients), got some since the last step";
    assert_eq!(message(model.save_checkpoint(&path)), wanted);
    model.clear_gradients();
    model.save_checkpoint(&path).unwrap();
    let fit = || Fit::new().epochs(1).batch_size(4).silent();
    let error = message(model.fit(&data, &fit().resume(&path)));
    assert!(error.ends_with("a checkpoint of steps by hand, for Model::load_checkpoint"), "{error}");
    let none = "no state of steps by hand, as Model::save_checkpoint writes it";
    model.save(&path).unwrap();
    assert!(message(Model::load_checkpoint(&path, Device::cpu())).ends_with(none));
    model.fit(&data, &fit().checkpoint(path.as_path())).unwrap();
    assert!(message(Model::load_checkpoint(&path, Device::cpu())).ends_with(none));
    std::fs::remove_file(path).ok();
}

/// A model without a loss comes back as one.
#[cfg(feature = "save")]
#[test]
fn a_model_without_a_loss_is_saved() {
    let path = crate::common::loops::path("no-loss");
    let mut model =
        Sequential::new(5).add(Dense::new(3)).compile(Device::cpu(), Losses::none(), Adam::new(0.1)).unwrap();
    model.save(&path).unwrap();
    let mut again = Model::load_from(&path, Device::cpu()).unwrap();
    std::fs::remove_file(path).ok();
    assert_eq!(again.weights().unwrap(), model.weights().unwrap());
    assert_eq!(again.program(), model.program());
}
