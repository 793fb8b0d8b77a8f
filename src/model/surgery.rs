//! Surgery: parts of a network, to be used on their own or to go on from.

use super::network::Applied;
use super::value::Value;
use super::{Losses, Model, Network};
use crate::{Error, Result};

impl Network {
    /// The value that is called `name`: of an input or a layer of this network, also of one that comes from a file.
    ///
    /// # Errors
    /// [`Error::Value`] with the names there are.
    pub fn find(&self, name: &str) -> Result<Value> {
        self.named("find", name).map(|at| self.value(at))
    }

    /// The part of this network that the values called `names` need, and these values, to go on from: without the layers
    /// behind them, with others. It has no outputs yet. Inputs that nothing needs any more are gone; the losses of
    /// [`add_loss`](Self::add_loss) stay where their values do; the first application of a shared block stays with the
    /// others. Layers keep their names, so [`Model::copy_weights`] brings the weights over: give a layer that is not to
    /// have old ones a name of its own.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(4).add(Dense::new(8).activation(Activation::Relu)).add(Dense::new(3));
    /// let mut old = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default())?;
    ///
    /// let (mut net, [features]) = old.program().network().up_to(["dense_1"])?;
    /// let y = net.apply(Dense::new(2).named("new_task"), features)?;
    /// net.output(y)?;
    /// let mut new = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
    /// let copied = new.copy_weights(&old.weights()?)?;
    /// assert_eq!((copied.copied, copied.unused.len()), (vec!["dense_1.w".to_owned(), "dense_1.b".to_owned()], 2));
    /// new.freeze("dense_1")?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] with the names there are, for one that is not among them.
    pub fn up_to<const N: usize>(&self, names: [&str; N]) -> Result<(Self, [Value; N])> {
        let mut places = [0; N];
        for (place, name) in places.iter_mut().zip(names) {
            *place = self.named("up_to", name)?;
        }
        let (part, moved) = self.part(&self.needed(&places));
        Ok((part.clone(), places.map(|at| part.value(moved[at]))))
    }

    /// This network without the output `name`, and without the layers and inputs that only it needs.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let x = net.input("x", 4)?;
    /// let body = net.apply(Dense::new(8).named("body"), x)?;
    /// let (digit, size) = (net.apply(Dense::new(3).named("digit"), body)?, net.apply(Dense::new(1).named("size"), body)?);
    /// net.output(digit)?;
    /// net.output(size)?;
    /// let net = net.without_output("size")?;
    /// assert_eq!(net.output_shapes(), [("digit", &[3][..])]);
    /// assert_eq!(net.summary().parameters(), 4 * 8 + 8 + 8 * 3 + 3);
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] with the names of the outputs, for one that is not among them, and for the only one.
    pub fn without_output(&self, name: &str) -> Result<Self> {
        let names: Vec<&str> = self.outputs().map(|output| output.name.as_str()).collect();
        let (dropped, kept): (Vec<usize>, Vec<usize>) =
            self.outputs.iter().partition(|at| self.values.get(**at).is_some_and(|output| output.name == name));
        if dropped.is_empty() || kept.is_empty() {
            let wanted = if kept.is_empty() { "one of several" } else { "one of the outputs" };
            let wanted = format!("{wanted} ({})", names.join(", "));
            return Err(Error::value("without_output", "output", wanted, format!("\"{name}\"")));
        }
        let (behind, mut needed) = (self.needed(&dropped), self.needed(&kept));
        // A loss of its own stays unless it is one of what goes.
        let goes: Vec<bool> = behind.iter().zip(&needed).map(|(behind, needed)| *behind && !*needed).collect();
        for added in &self.added {
            let own = self.needed(&[added.value]);
            if !own.iter().zip(&goes).any(|(own, goes)| *own && *goes) {
                needed.iter_mut().zip(own).for_each(|(needed, own)| *needed |= own);
            }
        }
        let (mut part, moved) = self.part(&needed);
        part.outputs = kept.into_iter().map(|at| moved[at]).collect();
        Ok(part)
    }

    /// Where the value called `name` stands; `place` is the call that asks for it.
    fn named(&self, place: &str, name: &str) -> Result<usize> {
        self.values.iter().position(|value| value.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.values.iter().map(|value| value.name.as_str()).collect();
            Error::value(place, "name", format!("one of {}", names.join(", ")), format!("\"{name}\""))
        })
    }

    /// Which values those at `places` are made of, themselves among them; what another one's parameters are counts.
    fn needed(&self, places: &[usize]) -> Vec<bool> {
        let mut needed = vec![false; self.values.len()];
        places.iter().for_each(|at| needed[*at] = true);
        for (at, value) in self.values.iter().enumerate().rev() {
            if needed[at] {
                value.inputs.iter().chain(&value.shares).for_each(|before| needed[*before] = true);
            }
        }
        needed
    }

    /// The values that `stay`, in a network without outputs, and where each value of this one stands there.
    fn part(&self, stay: &[bool]) -> (Self, Vec<usize>) {
        let mut moved = Vec::with_capacity(stay.len());
        let mut part = Self { seed: self.seed, ..Self::default() };
        for (value, stays) in self.values.iter().zip(stay) {
            moved.push(part.values.len());
            if *stays {
                let inputs = value.inputs.iter().map(|before| moved[*before]).collect();
                part.values.push(Applied { inputs, shares: value.shares.map(|first| moved[first]), ..value.clone() });
            }
        }
        let added = self.added.iter().filter(|added| stay.get(added.value) == Some(&true));
        part.added = added.map(|added| super::gradient::AddedLoss { value: moved[added.value], ..*added }).collect();
        (part, moved)
    }
}

impl Model {
    /// The front of this model, up to the value of `layer`, with a copy of its weights and on its device: its predictions
    /// are the features that another model, or another program, learns from. It has [no loss](Losses::none). What the two
    /// learn from then on is apart.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(4).add(Dense::new(8).activation(Activation::Relu)).add(Dense::new(3));
    /// let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default())?;
    /// let x = Matrix::from([[1.0, 2.0, 3.0, 4.0]]);
    /// let features = model.up_to("dense_1")?.predict(&x)?;
    /// assert_eq!(features, model.activations(&[&x])?[0].1);
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] with the names there are, for one that is not among them; [`Error::Shape`] for a value of more than
    /// one dimension; [`Error::TooLarge`] and [`Error::Gpu`] where the device cannot hold it.
    pub fn up_to(&mut self, layer: &str) -> Result<Self> {
        let program = self.program();
        let (mut network, [value]) = program.network.up_to([layer])?;
        network.output(value)?;
        let mut part = Self::compile(network, self.device().clone(), Losses::none(), program.optimizer)?;
        part.copy_weights(&self.weights()?)?;
        Ok(part)
    }
}
