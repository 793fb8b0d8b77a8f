//! The rules of an update by rules: what each parameter of a model is told of the optimizer's settings, of its layer's
//! own, and of what is frozen.

use super::method::{not_negative, positive};
use super::{Clip, Optimizer};
use crate::Result;
use crate::graph::{Parameter, Role};
use crate::kernels::{RULE, RULE_BLOCK};
use crate::plan::Slab;

/// What a layer says of the update of its own parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(crate) struct LayerRule {
    /// Of its weights, in place of the optimizer's.
    pub l1: Option<f32>,
    /// Of its weights, in place of the optimizer's.
    pub l2: Option<f32>,
    /// Times the learning rate, for all its parameters.
    pub rate_factor: f32,
}

impl Default for LayerRule {
    fn default() -> Self {
        Self { l1: None, l2: None, rate_factor: 1.0 }
    }
}

impl LayerRule {
    /// Refuses values outside their range, naming `layer`.
    pub fn check(&self, layer: &str) -> Result<()> {
        for (name, factor) in [("l1", self.l1), ("l2", self.l2)] {
            factor.map_or(Ok(()), |factor| not_negative(layer, name, factor))?;
        }
        positive(layer, "rate_factor", self.rate_factor)
    }
}

/// Whether the optimizer's own kernel does not do: something is clipped, penalised, decayed, scaled or frozen.
pub(crate) fn needs_rules(optimizer: &Optimizer, layers: &[LayerRule], frozen: &[bool]) -> bool {
    let plain = Optimizer { decay_biases: optimizer.decay_biases, ..optimizer.method.into() };
    *optimizer != plain || layers.iter().any(|rule| *rule != LayerRule::default()) || frozen.contains(&true)
}

/// The rules of all blocks of the slab. `layers[i]` is what the layer of parameter `i` says; parameter `i` is frozen if
/// `frozen[i]` is true. Statistics are never updated by an optimizer.
pub(crate) fn rules(
    parameters: &[Parameter],
    slab: &Slab,
    optimizer: &Optimizer,
    layers: &[LayerRule],
    frozen: &[bool],
) -> Vec<f32> {
    let mut rules = vec![0.0; slab.len() / RULE_BLOCK * RULE];
    for (i, parameter) in parameters.iter().enumerate() {
        let layer = layers.get(i).copied().unwrap_or_default();
        let still = frozen.get(i) == Some(&true) || parameter.role == Role::Statistic;
        let decays = parameter.role == Role::Weight || optimizer.decay_biases;
        let own = |factor: Option<f32>| factor.filter(|_| parameter.role == Role::Weight);
        let general = |factor: f32| if decays { factor } else { 0.0 };
        let rule: [f32; RULE] = [
            if still { 0.0 } else { layer.rate_factor },
            own(layer.l2).unwrap_or(general(optimizer.l2)),
            own(layer.l1).unwrap_or(general(optimizer.l1)),
            general(optimizer.weight_decay),
        ];
        let place = slab.place(i);
        let blocks = place.start / RULE_BLOCK..place.end.div_ceil(RULE_BLOCK);
        for (to, value) in rules[blocks.start * RULE..blocks.end * RULE].iter_mut().zip(rule.iter().cycle()) {
            *to = *value;
        }
    }
    rules
}

/// The head of [`Buffer::Clip`]: the factor of every gradient (until its norm is measured), the largest size.
pub(crate) fn clip(optimizer: &Optimizer) -> [f32; RULE] {
    match optimizer.clip {
        Some(Clip::Value(most)) => [1.0, most, 0.0, 0.0],
        _ => [1.0, 0.0, 0.0, 0.0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{OptimizerExt, Sgd};

    fn parameter(role: Role, cols: usize) -> Parameter {
        Parameter { name: String::new(), role, rows: 1, cols }
    }

    #[test]
    fn every_block_gets_the_rule_of_its_parameter() {
        let parameters =
            [(Role::Weight, 65), (Role::Bias, 1), (Role::Norm, 64), (Role::Statistic, 3), (Role::Weight, 9)]
                .map(|(role, cols)| parameter(role, cols));
        let slab = Slab::new(&parameters);
        let layer = LayerRule { l1: Some(0.5), l2: None, rate_factor: 2.0 };
        let layers = [layer, layer, LayerRule::default(), LayerRule::default(), LayerRule::default()];
        let optimizer = Sgd::new(0.1).l1(0.25).l2(0.125).weight_decay(4.0);
        let of =
            |optimizer: &Optimizer| rules(&parameters, &slab, optimizer, &layers, &[false, false, false, false, true]);
        let spared = [2.0, 0.0, 0.0, 0.0];
        let weight = [2.0, 0.125, 0.5, 4.0];
        let frozen = [0.0, 0.125, 0.25, 4.0];
        assert_eq!(of(&optimizer), [weight, weight, spared, [1.0, 0.0, 0.0, 0.0], [0.0; 4], frozen].concat());
        let all = [0.125, 0.25, 4.0];
        let with = |rate: f32| [&[rate], &all[..]].concat();
        let expected = [weight.to_vec(), weight.to_vec(), with(2.0), with(1.0), with(0.0), with(0.0)].concat();
        assert_eq!(of(&optimizer.decay_biases()), expected);
    }

    #[test]
    fn rules_are_needed_for_whatever_the_plain_kernel_lacks() {
        let plain = Optimizer::from(Sgd::new(0.1));
        let needs = |optimizer: Optimizer| needs_rules(&optimizer, &[LayerRule::default()], &[false]);
        assert!(!needs(plain) && !needs(plain.decay_biases()));
        for optimizer in
            [plain.l1(0.1), plain.l2(0.1), plain.weight_decay(0.1), plain.clip_norm(1.0), plain.clip_value(1.0)]
        {
            assert!(needs(optimizer), "{optimizer:?}");
        }
        assert!(needs_rules(&plain, &[LayerRule { rate_factor: 0.5, ..LayerRule::default() }], &[]));
        assert!(needs_rules(&plain, &[], &[false, true]));
    }
}
