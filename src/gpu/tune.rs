//! Fits a plan to one adapter: the tile of each matrix product. A plan does not know where it will run, so lowering
//! leaves the tile open and loading settles it here.
//!
//! Today a rule does ([`choose`]). Where the rule is unsure, timing could: run the tiles that
//! [`runs_on`](crate::kernels::Tile::runs_on) allows on buffers of the step's sizes, keep the fastest under (adapter,
//! driver, form, sizes), and fall back on the rule. Tiles agree bit for bit (`tests/gpu/matmul.rs`), so a timing that
//! comes out differently the next day changes no result.

use super::Context;
use crate::kernels::Kernel;
use crate::kernels::matmul::choose;
use crate::plan::Plan;
use crate::{Error, Result};

/// `plan` with every choice made that depends on the adapter; one that was made already must run there.
pub(super) fn tuned(context: &Context, plan: &Plan) -> Result<Plan> {
    let mut plan = plan.clone();
    for step in &mut plan.steps {
        let Kernel::Matmul(matmul) = &mut step.kernel else { continue };
        let tile = matmul.tile.unwrap_or_else(|| choose(matmul, context.abilities));
        if !tile.runs_on(context.abilities) || !tile.takes(&matmul.params) {
            let (m, n) = (matmul.params.m, matmul.params.n);
            let (what, device) = (format!("matmul tile {tile} for {m} x {n}"), context.info().name.clone());
            return Err(Error::Unsupported { what, device });
        }
        matmul.tile = Some(tile);
    }
    Ok(plan)
}
