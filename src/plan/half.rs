//! Which values are stored in f16: those that nothing touches but kernels that convert on the way, in their own loads
//! and stores. Sums are in f32 in every kernel, and so are losses, statistics, parameters, gradients of parameters and
//! all that leaves the device.

use super::draft::{Draft, Operand};
use crate::graph::NodeId;
use std::collections::HashSet;

/// The values of `drafts` that are stored in f16; those in `kept` are seen by the host.
pub(super) fn halves(drafts: &[Draft], kept: &[&[NodeId]]) -> HashSet<NodeId> {
    let (mut halves, mut full): (HashSet<NodeId>, HashSet<NodeId>) = Default::default();
    full.extend(kept.iter().copied().flatten());
    for draft in drafts {
        for (binding, operand) in draft.kernel.spec().entry().bindings.iter().zip(&draft.operands) {
            if let Operand::Value(value) = operand {
                if binding.half {
                    halves.insert(*value)
                } else {
                    full.insert(*value)
                };
            }
        }
    }
    halves.difference(&full).copied().collect()
}
