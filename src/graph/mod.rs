//! The computation graph: nodes (op, inputs, shape), in an order in which every node stands after its inputs.
//!
//! Building a graph checks every shape and names the layer and both shapes where two do not fit.
//! [`differentiate`] appends the backward nodes to the same graph, so the gradient is itself a graph
//! that can be printed, lowered and checked like any other.

mod build;
mod build_formula;
mod build_layers;
mod differentiate;
mod dot;
mod op;
#[cfg(feature = "plot")]
mod picture;
mod shape;

pub(crate) use build_layers::{check_epsilon, check_momentum, check_rate};
pub use differentiate::{differentiate, vector_jacobian};
pub use op::{BatchProduct, LayerOp, Op};
pub use shape::{Rows, Shape};

use crate::{Error, Result};
use std::fmt;

/// A node's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) usize);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

/// One value of the graph and how it is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// The nodes it reads.
    pub inputs: Vec<NodeId>,
    /// The shape of its value.
    pub shape: Shape,
    /// The layer it belongs to, for messages and listings.
    pub name: String,
}

impl Node {
    /// Its inputs, as many as its operation has.
    pub(crate) fn inputs<const N: usize>(&self) -> Result<[NodeId; N]> {
        let found = self.inputs.as_slice().try_into();
        found.map_err(|_| Error::Internal(format!("{}: {} of {} inputs", self.name, self.op.name(), self.inputs.len())))
    }
}

/// What a parameter is to its layer: decides whether it is trained, and whether weight decay spares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Weights of a product, embeddings: what weight decay is for.
    Weight,
    /// Added to a sum; weight decay spares it.
    Bias,
    /// Scale or shift of a normalisation; weight decay spares it.
    Norm,
    /// Gathered while training, such as a running mean; has no gradient.
    Statistic,
}

/// A parameter: a matrix with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `layer.w`, `layer.b`.
    pub name: String,
    /// What it is to its layer.
    pub role: Role,
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
}

/// A computation graph.
///
/// ```
/// use axone::graph::{Graph, Role, Shape};
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", 3)?;
/// let w = graph.parameter("w", Role::Weight, 3, 2)?;
/// let y = graph.matmul("layer", x, w)?;
/// assert_eq!(graph.shape(y), Shape::batch(2));
///
/// let narrow = graph.parameter("narrow", Role::Weight, 5, 2)?;
/// let error = graph.matmul("dense_2", x, narrow).unwrap_err();
/// assert_eq!(error.to_string(), "dense_2: expected right operand (3, n), got (5, 2)");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    parameters: Vec<Parameter>,
    /// Parameters that the next declarations mean, in place of new ones.
    again: std::ops::Range<usize>,
    /// The first node that differentiation appended.
    backward: Option<usize>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// The nodes, inputs before users.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The parameters, by index.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Whether differentiation appended the node.
    fn is_backward(&self, node: usize) -> bool {
        self.backward.is_some_and(|first| node >= first)
    }

    /// The nodes of the parameters, by index.
    pub fn parameter_nodes(&self) -> Vec<NodeId> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| matches!(node.op, Op::Parameter(_))).map(|(i, _)| NodeId(i)).collect()
    }

    /// The nodes of the inputs, by slot.
    pub fn input_nodes(&self) -> Vec<NodeId> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, node)| matches!(node.op, Op::Input(_))).map(|(i, _)| NodeId(i)).collect()
    }

    /// The node `id`. Ids come from this graph's own methods.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The shape of the value of `id`.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.node(id).shape
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId], shape: Shape) -> NodeId {
        self.nodes.push(Node { op, inputs: inputs.to_vec(), shape, name: name.to_owned() });
        NodeId(self.nodes.len() - 1)
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<_> = node.inputs.iter().map(NodeId::to_string).collect();
            writeln!(
                f,
                "%{i:<3} {:<26} {:<10} {:<14} {}",
                node.op.name(),
                node.shape.to_string(),
                inputs.join(" "),
                node.name
            )?;
        }
        Ok(())
    }
}
