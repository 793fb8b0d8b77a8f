//! The optimizers of PyTorch's training runs, and the same with their settings moved.

use axone::optimizers::{Clip, Method};
use axone::prelude::*;

/// The optimizer of a run. PyTorch's act on every parameter.
pub fn optimizer(name: &str, settings: &serde_json::Value) -> Optimizer {
    let given = |name: &str| settings[name].as_f64();
    let of = |name: &str| given(name).unwrap_or_else(|| panic!("{name}"));
    let is = |name: &str| settings[name].as_bool().unwrap_or(false);
    let (learning_rate, momentum) = (of("learning_rate") as f32, given("momentum").unwrap_or(0.0));
    let method = match name {
        "sgd" | "sgd_weight_decay" | "sgd_l1" | "momentum" | "nesterov" | "momentum_clip_value" => {
            Method::Sgd(Sgd { learning_rate, momentum, nesterov: is("nesterov") })
        }
        "adagrad" => Method::Adagrad(Adagrad { learning_rate, epsilon: of("epsilon") }),
        "adadelta" => Method::Adadelta(Adadelta { learning_rate, rho: of("rho"), epsilon: of("epsilon") }),
        "rmsprop" | "rmsprop_momentum" => {
            Method::RmsProp(RmsProp { learning_rate, rho: of("rho"), epsilon: of("epsilon"), momentum })
        }
        "adam" | "adamw" | "amsgrad" | "adam_clip_norm" => {
            let (beta1, beta2, epsilon) = (of("beta1"), of("beta2"), of("epsilon"));
            Method::Adam(Adam { learning_rate, beta1, beta2, epsilon, amsgrad: is("amsgrad") })
        }
        "adamax" => {
            let (beta1, beta2, epsilon) = (of("beta1"), of("beta2"), of("epsilon"));
            Method::Adamax(Adamax { learning_rate, beta1, beta2, epsilon })
        }
        "nadam" => {
            let (beta1, beta2, epsilon) = (of("beta1"), of("beta2"), of("epsilon"));
            Method::Nadam(Nadam { learning_rate, beta1, beta2, epsilon, momentum_decay: of("momentum_decay") })
        }
        other => panic!("{other}"),
    };
    let mut optimizer = Optimizer::from(method).decay_biases().l1(given("l1").unwrap_or(0.0) as f32);
    let decay = given("weight_decay").unwrap_or(0.0) as f32;
    optimizer = if name == "adamw" { optimizer.weight_decay(decay) } else { optimizer.l2(decay) };
    match (given("clip_norm"), given("clip_value")) {
        (Some(most), _) => optimizer.clip_norm(most as f32),
        (_, Some(most)) => optimizer.clip_value(most as f32),
        _ => optimizer,
    }
}

/// The same with another learning rate.
fn with_rate(optimizer: Optimizer, learning_rate: f32) -> Optimizer {
    let method = match optimizer.method {
        Method::Sgd(own) => Method::Sgd(Sgd { learning_rate, ..own }),
        Method::Adagrad(own) => Method::Adagrad(Adagrad { learning_rate, ..own }),
        Method::Adadelta(own) => Method::Adadelta(Adadelta { learning_rate, ..own }),
        Method::RmsProp(own) => Method::RmsProp(RmsProp { learning_rate, ..own }),
        Method::Adam(own) => Method::Adam(Adam { learning_rate, ..own }),
        Method::Adamax(own) => Method::Adamax(Adamax { learning_rate, ..own }),
        Method::Nadam(own) => Method::Nadam(Nadam { learning_rate, ..own }),
        _ => panic!("no learning rate known for {}", optimizer.name()),
    };
    Optimizer { method, ..optimizer }
}

/// The optimizer with each of its settings in turn moved by 2⁻²³ of itself.
pub fn moved_settings(optimizer: Optimizer) -> Vec<Optimizer> {
    let up = 1.0 + 2.0 * 2f64.powi(-23);
    // In f32, β₂ and 1 - β₂ are rounded apart from each other. Where the bias correction takes 1 - β₂ out again, moving β₂
    // moves the sum of both.
    let down = 2.0 - up;
    let methods = match optimizer.method {
        Method::Sgd(sgd) => {
            vec![Method::Sgd(Sgd { momentum: sgd.momentum * down, ..sgd })]
        }
        Method::Adagrad(own) => vec![Method::Adagrad(Adagrad { epsilon: own.epsilon * up, ..own })],
        Method::Adadelta(own) => vec![
            Method::Adadelta(Adadelta { rho: own.rho * down, ..own }),
            Method::Adadelta(Adadelta { epsilon: own.epsilon * up, ..own }),
        ],
        Method::RmsProp(own) => {
            // ρ and 1 - ρ are rounded apart from each other, and what they do can cancel at single weights: each is moved
            // alone. A factor c of 1 - ρ is one of v, which is the same as lr / √c and ε / √c.
            let root = ((1.0 - own.rho * down) / (1.0 - own.rho)).sqrt();
            let rate = |factor: f64| (f64::from(own.learning_rate) * factor) as f32;
            vec![
                Method::RmsProp(RmsProp {
                    rho: own.rho * down,
                    learning_rate: rate(root),
                    epsilon: own.epsilon * root,
                    ..own
                }),
                Method::RmsProp(RmsProp {
                    learning_rate: own.learning_rate.next_up(),
                    epsilon: own.epsilon * up,
                    ..own
                }),
                Method::RmsProp(RmsProp { momentum: own.momentum * down, ..own }),
                Method::RmsProp(RmsProp { epsilon: own.epsilon * up, ..own }),
            ]
        }
        Method::Adam(own) => vec![
            Method::Adam(Adam { beta1: own.beta1 * up, ..own }),
            Method::Adam(Adam { beta2: own.beta2 * down, ..own }),
            Method::Adam(Adam { epsilon: own.epsilon * up, ..own }),
        ],
        Method::Adamax(own) => vec![
            Method::Adamax(Adamax { beta1: own.beta1 * up, ..own }),
            Method::Adamax(Adamax { beta2: own.beta2 * down, ..own }),
            Method::Adamax(Adamax { epsilon: own.epsilon * up, ..own }),
        ],
        Method::Nadam(own) => vec![
            Method::Nadam(Nadam { beta1: own.beta1 * up, ..own }),
            Method::Nadam(Nadam { beta2: own.beta2 * down, ..own }),
            Method::Nadam(Nadam { epsilon: own.epsilon * up, ..own }),
        ],
        _ => panic!("no settings known for {}", optimizer.name()),
    };
    let mut moved: Vec<Optimizer> = methods.into_iter().map(|method| Optimizer { method, ..optimizer }).collect();
    moved.push(with_rate(optimizer, optimizer.learning_rate().next_up()));
    // 0 is exact.
    let next = |factor: f32| if factor == 0.0 { 0.0 } else { factor.next_up() };
    moved.push(Optimizer { l1: next(optimizer.l1), ..optimizer });
    moved.push(Optimizer { l2: next(optimizer.l2), ..optimizer });
    moved.push(Optimizer { weight_decay: next(optimizer.weight_decay), ..optimizer });
    let clip = optimizer.clip.map(|clip| match clip {
        Clip::Norm(most) => Clip::Norm(most.next_up()),
        Clip::Value(most) => Clip::Value(most.next_up()),
    });
    moved.push(Optimizer { clip, ..optimizer });
    moved.retain(|moved| *moved != optimizer);
    moved
}
