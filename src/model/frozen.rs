//! Layers that training leaves as they are, or changes slowly.

use super::{Model, Network};
use crate::layers::Layer;
use crate::optimizers::LayerRule;
use crate::{Error, Result};

impl Model {
    /// Freezes a layer: training by [`Model::fit`] or by hand leaves its parameters and what the optimizer has
    /// gathered for them as they are, bit for bit, and computes no gradients for them. A frozen batch normalisation
    /// uses its running statistics and keeps them, as in Keras. For fine-tuning: what was learned stays, and the layers
    /// behind it learn something new. Frozen layers stay frozen in a file that
    /// [`Model::save`] writes; the summary names them.
    ///
    /// # Errors
    /// [`Error::Value`] with the names of all layers that have parameters, if `layer` is none of them; [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(4).activation(Activation::Tanh)).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
    /// model.freeze("dense_1")?;
    /// assert_eq!(model.frozen(), ["dense_1"]);
    /// let before = model.weights()?;
    /// model.train_on_batch(&Dataset::new([[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0])?)?;
    /// let after = model.weights()?;
    /// assert_eq!(before[..2], after[..2]);
    /// assert_ne!(before[2], after[2]);
    /// model.unfreeze("dense_1")?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn freeze(&mut self, layer: &str) -> Result<()> {
        self.mark("freeze", layer, true)
    }

    /// Trains a layer again that was frozen.
    ///
    /// # Errors
    /// As [`Model::freeze`].
    pub fn unfreeze(&mut self, layer: &str) -> Result<()> {
        self.mark("unfreeze", layer, false)
    }

    /// The layers that are frozen, in their order.
    pub fn frozen(&self) -> Vec<&str> {
        let owners = self.program.network.parameter_layers();
        let frozen = owners.into_iter().zip(&self.program.frozen).filter(|(_, frozen)| **frozen);
        let mut names: Vec<&str> = frozen.map(|(owner, _)| owner).collect();
        names.dedup();
        names
    }

    /// From now on a layer learns at `factor` times the learning rate: 1 if not told otherwise, as
    /// [`Dense::rate_factor`](crate::layers::Dense::rate_factor) sets it before. A front that has been taken over from
    /// another model learns slowly, the layers behind it fast (discriminative fine-tuning, Howard & Ruder 2018). It is saved
    /// with the model; what the optimizer has gathered stays.
    ///
    /// # Errors
    /// [`Error::Value`] for a factor that is not positive and finite, with the names of the layers that have a factor if
    /// `layer` is none of them; [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(4).activation(Activation::Tanh)).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
    /// model.set_rate_factor("dense_1", 0.1)?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_rate_factor(&mut self, layer: &str, factor: f32) -> Result<()> {
        let before = self.program.clone();
        self.program.network.set_rate_factor(layer, factor)?;
        if self.program == before {
            return Ok(());
        }
        if let Err(error) = self.reload_training().and_then(|()| self.write_rules()) {
            self.program = before;
            return Err(error);
        }
        // The plans by hand that update may be of another kernel.
        self.release_plans_by_hand();
        Ok(())
    }

    fn mark(&mut self, place: &str, layer: &str, frozen: bool) -> Result<()> {
        self.program.network.check_parameter_layer(place, layer)?;
        let owners = self.program.network.parameter_layers();
        let mut flags = self.program.frozen.clone();
        flags.resize(owners.len(), false);
        flags.iter_mut().zip(&owners).filter(|(_, owner)| **owner == layer).for_each(|(flag, _)| *flag = frozen);
        if !flags.contains(&true) {
            flags.clear();
        }
        if flags == self.program.frozen { Ok(()) } else { self.set_frozen(flags) }
    }
}

impl Network {
    /// Every application of `layer` learns at `factor` times the learning rate.
    fn set_rate_factor(&mut self, layer: &str, factor: f32) -> Result<()> {
        LayerRule { rate_factor: factor, ..LayerRule::default() }.check(layer)?;
        let (mut names, mut found) = (Vec::new(), None);
        for (at, value) in self.values.iter_mut().enumerate() {
            let Some(Layer::Dense(dense)) = &mut value.layer else { continue };
            if value.shares.is_none() {
                names.push(value.name.clone());
                found = found.or_else(|| (value.name == layer).then_some(at));
            }
            if found.is_some() && value.shares.or(Some(at)) == found {
                dense.rule.rate_factor = factor;
            }
        }
        if found.is_some() {
            return Ok(());
        }
        Err(Error::value("set_rate_factor", "layer", format!("one of {}", names.join(", ")), format!("\"{layer}\"")))
    }

    /// Refuses a `layer` that has no parameters or is none; `place` is where it was named.
    pub(crate) fn check_parameter_layer(&self, place: &str, layer: &str) -> Result<()> {
        let mut owners = self.parameter_layers();
        if owners.contains(&layer) {
            return Ok(());
        }
        owners.dedup();
        Err(Error::value(place, "layer", format!("one of {}", owners.join(", ")), format!("\"{layer}\"")))
    }
}
