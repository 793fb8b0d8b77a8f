//! Which models have a loss that can be minimized, and what is added to it.

use crate::graph::{LayerOp, Op, Role};
use crate::kernels::RULE_BLOCK;
use crate::model::{Model, Purpose};
use crate::optimizers::Clip;
use crate::{Error, Result};

/// Refuses what a line search cannot do with, and settings that would have no effect.
pub(super) fn check(model: &Model) -> Result<()> {
    let program = model.program();
    let optimizer = &program.optimizer;
    let clip = match optimizer.clip {
        Some(Clip::Norm(most)) => Some(("clip_norm", most)),
        Some(Clip::Value(most)) => Some(("clip_value", most)),
        None => None,
    };
    let of_optimizer = [("l1", optimizer.l1), ("l2", optimizer.l2), ("weight_decay", optimizer.weight_decay)];
    if let Some((name, value)) = of_optimizer.into_iter().filter(|(_, value)| *value != 0.0).chain(clip).next() {
        let wanted = "left out for minimize, in which the optimizer has no part (Lbfgs::alpha penalises weights)";
        return Err(Error::value(optimizer.name(), name, wanted, value));
    }
    for (layer, rule) in program.network.parameter_layers().into_iter().zip(program.network.layer_rules()) {
        if let Some(l1) = rule.l1.filter(|l1| *l1 != 0.0) {
            return Err(Error::value(layer, "l1", "left out for minimize: its slope jumps at 0", l1));
        }
        if rule.rate_factor != 1.0 {
            let wanted = "1 for minimize, which has no learning rate";
            return Err(Error::value(layer, "rate_factor", wanted, rule.rate_factor));
        }
    }
    if !program.frozen.is_empty() && program.frozen.iter().all(|frozen| *frozen) {
        return Err(Error::value("minimize", "layers", "not all frozen", model.frozen().join(", ")));
    }
    let built = program.build(Purpose::Train, &[])?;
    for node in built.graph.nodes() {
        match node.op {
            Op::Dropout { rate, .. } | Op::Layer(LayerOp::AlphaDropout { rate, .. }) => {
                let wanted = "0 for minimize: its line search needs one loss for the same weights";
                return Err(Error::value(&node.name, "rate", wanted, rate));
            }
            Op::Layer(LayerOp::RunningStatistics { .. }) => {
                let wanted =
                    "frozen for minimize (Model::freeze): its statistics would follow every step that is tried";
                return Err(Error::value(&node.name, "statistics", wanted, "those of the batch"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The factor λ of the penalty `½ λ Σ w²` in each block of the slab: `general` for weights whose layer has no `l2` of its
/// own, 0 for what is no weight or frozen.
pub(super) fn penalty(model: &Model, general: f64) -> Vec<f32> {
    let (program, layout) = (model.program(), model.layout());
    let rules = program.network.layer_rules();
    let mut factors = vec![0.0; layout.slab.len() / RULE_BLOCK];
    for (i, parameter) in layout.parameters.iter().enumerate() {
        if parameter.role == Role::Weight && program.frozen.get(i) != Some(&true) {
            let place = layout.slab.place(i);
            let own = rules.get(i).and_then(|rule| rule.l2).unwrap_or(general as f32);
            factors[place.start / RULE_BLOCK..place.end.div_ceil(RULE_BLOCK)].fill(own);
        }
    }
    factors
}
