//! Shared blocks on the CPU backend (`tests/common/shared.rs`), and what they refuse.

use crate::common::shared;
use axone::prelude::*;

#[test]
fn in_models() {
    let device = Device::cpu();
    shared::every_dispatch_agrees_with_f64(&device);
    shared::gradients_add_up(&device);
    shared::penalties_count_once(&device);
}

#[cfg(feature = "save")]
#[test]
fn shared_blocks_are_saved() {
    shared::shared_blocks_are_saved(&Device::cpu(), "cpu");
}

#[test]
fn gradients_of_a_model_of_shared_blocks() {
    let report = axone::check::gradient_check(&mut shared::siamese(&Device::cpu()), &shared::pairs(7)).unwrap();
    // Three dense layers of the tower, scale and shift twice, the mixer and the end.
    assert_eq!((report.failed(), report.rows.len()), (0, 6 + 4 + 4), "{report}");
}

#[test]
fn what_is_shared_is_counted_once_and_says_of_what() {
    let model = shared::siamese(&Device::cpu());
    // Dense 36, 42 and 42, scale and shift 12 twice, the mixer 42 and the end 7.
    assert_eq!(model.summary().parameters(), 36 + 42 + 42 + 24 + 42 + 7);
    let text = model.summary().to_string();
    for wanted in [
        "dense, identity, as first",
        "dense_4@3",
        "dense, silu, as dense_4",
        "residual_1@2 <- first@2, dense_3@2",
        "dense_5",
    ] {
        assert!(text.contains(wanted), "no {wanted} in\n{text}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 3).unwrap(), net.input("b", 4).unwrap());
    let layer = net.share(Dense::new(2));
    net.apply(&layer, a).unwrap();
    let values = net.summary().to_string();
    let error = net.apply(&layer, b).unwrap_err();
    assert_eq!(error.to_string(), "dense_1@2: expected rows of [[3]], as dense_1 has, got [[4]]");
    let chain = net.share(Sequential::new(4).add(Dense::new(2)).add(Dropout::new(2.0)));
    assert!(net.apply(&chain, b).is_err());
    // Nothing of what failed stands in the network.
    assert_eq!(net.summary().to_string(), values);
    let error = net.apply(&Network::new().share(Dense::new(2)), a).unwrap_err();
    assert_eq!(error.to_string(), "network: shared block must be one of this network, got one of another");
}
