//! Formulas on the CPU backend: in models (`tests/common/formulas.rs`), and what they refuse.

use crate::common::formulas;
use axone::prelude::*;

#[test]
fn in_models() {
    let device = Device::cpu();
    formulas::every_dispatch_agrees_with_f64(&device);
    formulas::padding_is_not_divided(&device);
    formulas::a_chain_is_one_dispatch(&device);
}

#[cfg(feature = "save")]
#[test]
fn formulas_are_saved() {
    formulas::formulas_are_saved(&Device::cpu(), "cpu");
}

#[test]
fn gradients_of_a_model_of_formulas() {
    let mut model = formulas::everything(&Device::cpu());
    let report = axone::check::gradient_check(&mut model, &formulas::table(7)).unwrap();
    assert_eq!((report.failed(), report.rows.len()), (0, 6), "{report}");
}

#[test]
#[allow(clippy::reversed_empty_ranges, reason = "a range without columns is what it refuses")]
fn what_does_not_fit_is_named() {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 3).unwrap(), net.input("b", 4).unwrap());
    let mut other = Network::new();
    let (_, foreign) = (other.input("c", 3).unwrap(), other.input("d", 3).unwrap());
    let mut said = Vec::new();
    let mut refuse = |result: Result<axone::model::Value>| said.push(result.unwrap_err().to_string());
    refuse(net.formula("sum", [a, b], |[a, b]| a.exp() * (a + b)));
    refuse(net.formula("part", [a], |[a]| a.columns(2..5)));
    refuse(net.formula("none", [a], |[a]| a.columns(2..2)));
    refuse(net.formula("lost", [a, b], |[a, _]| a.abs()));
    refuse(net.formula("far", [foreign], |[x]| x.abs()));
    refuse(net.formula("a", [a], |[a]| a.abs()));
    refuse(net.formula("hot", [a], |[a]| a.softmax(0.0)));
    refuse(net.apply(Activation::custom("narrow", |x| x.mean()), a));
    assert_eq!(
        said,
        [
            "sum: (a + b): expected shapes that broadcast with (B, 3), got (B, 4)",
            "part: a[2..5]: expected at least 5 columns, got (B, 3)",
            "none: a[2..2]: expected at least 3 columns, got (B, 3)",
            "lost: formula must be a function of b, got abs(a)",
            "far: input must be a value of this network, got value 1 of another, where \"b\" stands here",
            "network: name must be different for every layer, got \"a\" twice",
            "hot: number must be finite, got inf",
            "narrow_1: formula must be as wide as x, got mean(x)",
        ]
    );
    assert_eq!(net.summary().to_string().lines().count(), 5, "{}", net.summary());
}
