//! Formulas of values as layers.

use super::{Apply, Built, Place};
use crate::Result;
use crate::formula::Formula;
use crate::graph::{Graph, NodeId};

impl Apply for Formula {
    fn kind(&self) -> &'static str {
        "formula"
    }

    fn shown(&self) -> String {
        self.to_string()
    }

    fn given_name(&self) -> Option<&str> {
        Some(self.name())
    }

    fn merges(&self) -> bool {
        true
    }

    /// A graph is asked, which knows all the rules. A grid stays one where no column is lost.
    fn output_shape(&self, name: &str, input: &[usize], others: &[&[usize]]) -> Result<Vec<usize>> {
        self.check(name, self.inputs())?;
        let mut graph = Graph::new();
        let sides = [input].into_iter().chain(others.iter().copied());
        let inputs: Result<Vec<NodeId>> = sides.map(|sides| graph.input(name, sides.iter().product())).collect();
        let result = graph.formula(name, *self, &inputs?, false)?;
        let cols = graph.shape(result).cols;
        Ok(if cols == input.iter().product::<usize>() { input.to_vec() } else { vec![cols] })
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let inputs: Vec<NodeId> = [&place.input].into_iter().chain(place.others).map(|input| input.value).collect();
        graph.formula(place.name, *self, &inputs, place.training).map(Built::from)
    }
}
