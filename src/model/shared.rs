//! What is applied to a value: a layer, a chain of them, or a block whose applications share their parameters.

use super::Sequential;
use super::network::{Network, RowShape};
use super::value::{Stamp, Value};
use crate::layers::Layer;
use crate::{Error, Result};
use std::ops::Range;

/// What [`Network::apply`] applies: any layer, a [`Sequential`] (its layers one by one), or a [`Shared`] block.
#[derive(Debug, Clone)]
pub struct Block(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Layer(Layer),
    Chain(Sequential),
    Shared(Shared),
}

/// A block that [`Network::share`] gave: every application has the parameters of the first.
#[derive(Debug, Clone)]
pub struct Shared {
    block: Box<Block>,
    at: usize,
    stamp: u64,
}

impl<L: Into<Layer>> From<L> for Block {
    fn from(layer: L) -> Self {
        Self(Kind::Layer(layer.into()))
    }
}

impl From<Sequential> for Block {
    fn from(chain: Sequential) -> Self {
        Self(Kind::Chain(chain))
    }
}

impl From<&Shared> for Block {
    fn from(shared: &Shared) -> Self {
        Self(Kind::Shared(shared.clone()))
    }
}

/// The shared blocks of a network, and the application that is going on. No part of what a network computes, so all are
/// equal.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedBlocks {
    blocks: Vec<Used>,
    pub(super) again: Option<Again>,
}

impl PartialEq for SharedBlocks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Debug, Clone)]
struct Used {
    stamp: Stamp,
    /// The values of the first application.
    first: Option<Range<usize>>,
    times: usize,
}

/// An application of a block that has been applied before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again {
    /// Where the values of the first begin, and where those of this one.
    pub first: usize,
    pub own: usize,
    /// The second, the third, ….
    pub time: usize,
}

impl Network {
    /// A block whose applications share their parameters, which are counted, saved, frozen and regularised once; their
    /// gradients add up. The values of the second application are called `dense_1@2`, and so on.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let (a, b) = (net.input("a", 64)?, net.input("b", 64)?);
    /// let tower = net.share(Sequential::new(64).add(Dense::new(32).activation(Activation::Relu)).add(Dense::new(8)));
    /// let (left, right) = (net.apply(&tower, a)?, net.apply(&tower, b)?);
    /// let distance = net.formula("distance", [left, right], |[a, b]| (a - b).square().sum())?;
    /// net.output(distance)?;
    /// assert_eq!(net.summary().parameters(), 64 * 32 + 32 + 32 * 8 + 8);
    ///
    /// let c = net.input("c", 5)?;
    /// let error = net.apply(&tower, c).unwrap_err();
    /// assert_eq!(error.to_string(), "c: expected rows of [64] for the chain, got [5]");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn share(&mut self, block: impl Into<Block>) -> Shared {
        let stamp = Stamp::default();
        let shared = Shared { block: Box::new(block.into()), at: self.shared.blocks.len(), stamp: stamp.number() };
        self.shared.blocks.push(Used { stamp, first: None, times: 0 });
        shared
    }

    /// All values of `block`, or none.
    pub(super) fn apply_block(&mut self, Block(kind): Block, x: Value) -> Result<Value> {
        let before = self.values.len();
        let applied = match kind {
            Kind::Layer(Layer::Residual(block)) => self.apply_residual(block, x),
            Kind::Layer(layer) => self.apply_to(layer, &[x]),
            Kind::Chain(chain) => self.apply_chain(&chain, x),
            Kind::Shared(shared) => self.apply_shared(shared, x),
        };
        if applied.is_err() {
            self.values.truncate(before);
        }
        applied
    }

    fn apply_chain(&mut self, chain: &Sequential, x: Value) -> Result<Value> {
        let (RowShape(wanted), layers) = chain.parts();
        let from = &self.values[self.place("chain", "input", x)?];
        if from.shape != *wanted {
            let wanted = format!("rows of {wanted:?} for the chain");
            return Err(Error::shape(&from.name, wanted, format!("{:?}", from.shape)));
        }
        layers.iter().try_fold(x, |x, layer| self.apply(layer.clone(), x))
    }

    fn apply_shared(&mut self, Shared { block, at, stamp }: Shared, x: Value) -> Result<Value> {
        let own = self.values.len();
        let known = self.shared.blocks.get(at).filter(|used| used.stamp.number() == stamp);
        let Some(used) = known else {
            return Err(Error::value("network", "shared block", "one of this network", "one of another"));
        };
        let time = used.times + 1;
        let first = used.first.clone();
        self.shared.again = first.map(|first| Again { first: first.start, own, time });
        let applied = self.apply_block(*block, x);
        self.shared.again = None;
        let value = applied?;
        let values = own..self.values.len();
        if let Some(used) = self.shared.blocks.get_mut(at) {
            used.times = time;
            used.first.get_or_insert(values);
        }
        Ok(value)
    }
}
