//! Residual blocks: layers of the network like any other, and a sum.

use super::network::{Applied, Network};
use super::value::Value;
use crate::layers::{Layer, Residual};
use crate::{Error, Result};

impl Network {
    /// The layers of `block` one by one, and their sum with `x` or its shortcut.
    pub(super) fn apply_residual(&mut self, block: Residual, x: Value) -> Result<Value> {
        let empty = block.layers.is_empty();
        let y = block.layers.into_iter().try_fold(x, |y, layer| self.apply(layer, y))?;
        let shortcut = block.shortcut.map_or(Ok(x), |layer| self.apply(*layer, x))?;
        let is_sum = |value: &&Applied| value.layer == Some(Layer::Add) && value.name.starts_with("residual_");
        let sums = self.values.iter().filter(is_sum).count();
        let name = block.name.unwrap_or_else(|| self.free_name("residual", sums));
        if empty {
            return Err(Error::value(name, "layers", "at least one", "none"));
        }
        self.apply_named(name, Layer::Add, &[shortcut, y])
    }
}
