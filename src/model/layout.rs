//! The parameters of a model in its slab: how they start, and which weights are theirs.

use super::{Network, Program, Purpose, Weight};
use crate::graph::Parameter;
use crate::plan::Slab;
use crate::{Error, Result};
use std::collections::HashMap;

/// The parameters of a model and where they lie in the slab.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub parameters: Vec<Parameter>,
    pub slab: Slab,
}

impl Layout {
    pub fn new(program: &Program) -> Result<Self> {
        let parameters = program.build(Purpose::Predict, &[])?.graph.parameters().to_vec();
        let initializers = program.network.initializers();
        parameters.iter().zip(initializers).try_for_each(|(p, initializer)| initializer.check(&p.name))?;
        let slab = Slab::new(&parameters);
        Ok(Self { parameters, slab })
    }

    /// A slab of freshly drawn weights.
    pub fn start(&self, network: &Network, seed: u64) -> Result<Vec<f32>> {
        let mut all = vec![0.0; self.slab.len()];
        for (i, (p, initializer)) in self.parameters.iter().zip(network.initializers()).enumerate() {
            let drawn = initializer.sample(&p.name, p.rows, p.cols, seed, i as u32)?;
            all[self.slab.place(i)].copy_from_slice(&drawn);
        }
        Ok(all)
    }

    /// Cuts a slab into named parameters.
    pub fn split(&self, slab: &[f32]) -> Vec<Weight> {
        let cut = |(i, p): (usize, &Parameter)| {
            let data = slab[self.slab.place(i)].to_vec();
            Weight { name: p.name.clone(), shape: (p.rows, p.cols), data }
        };
        self.parameters.iter().enumerate().map(cut).collect()
    }

    /// The number of parameter `name`; `place` is the call that asks for it.
    pub fn index(&self, place: &str, name: &str) -> Result<usize> {
        self.parameters.iter().position(|p| p.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.parameters.iter().map(|p| p.name.as_str()).collect();
            Error::value(place, "name", format!("one of {}", names.join(", ")), format!("\"{name}\""))
        })
    }

    /// Refuses `weights` (or, as `what` says, gradients) other than one for each parameter of the model, in any order;
    /// returns the number of the parameter of each.
    pub fn check(&self, what: &str, weights: &[Weight]) -> Result<Vec<usize>> {
        if weights.len() != self.parameters.len() {
            return Err(Error::shape(what, format!("{} parameters", self.parameters.len()), weights.len()));
        }
        let own: HashMap<&str, usize> = self.parameters.iter().map(|p| p.name.as_str()).zip(0..).collect();
        let mut given = vec![false; self.parameters.len()];
        let mut places = Vec::with_capacity(weights.len());
        for weight in weights {
            let place = own.get(weight.name.as_str()).copied();
            if let Some(place) = place.filter(|place| !given[*place]) {
                given[place] = true;
                weight.fits(&self.parameters[place])?;
                places.push(place);
            } else {
                let names: Vec<&str> = weights.iter().map(|weight| weight.name.as_str()).collect();
                let missing = self.parameters.iter().find(|p| !names.contains(&p.name.as_str()));
                let wanted = format!("\"{}\"", missing.map_or("", |p| &p.name));
                let twice = if place.is_some() { " twice" } else { "" };
                return Err(Error::value(what, "name", wanted, format!("\"{}\"{twice}", weight.name)));
            }
        }
        Ok(places)
    }

    /// Lays `weights` out as a slab, if they pass [`check`](Self::check).
    pub fn join(&self, what: &str, weights: &[Weight]) -> Result<Vec<f32>> {
        let places = self.check(what, weights)?;
        let mut all = vec![0.0; self.slab.len()];
        for (weight, place) in weights.iter().zip(places) {
            all[self.slab.place(place)].copy_from_slice(&weight.data);
        }
        Ok(all)
    }
}
