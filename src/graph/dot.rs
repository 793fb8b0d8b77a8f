//! The graph in DOT, the language of Graphviz.

use super::{Graph, NodeId};
use crate::{Error, Result};
use std::fmt::Write;

impl Graph {
    /// The graph in DOT, with the operation, the layer and the shape of each node: those that
    /// [`differentiate`](super::differentiate) appended in a box of their own. `dot -Tsvg` draws it; for a small graph
    /// `write_svg` (feature `plot`) does so without Graphviz.
    ///
    /// # Errors
    /// [`Error::Data`] for a graph without nodes.
    ///
    /// ```
    /// use axone::graph::{Graph, Role};
    ///
    /// let mut graph = Graph::new();
    /// let x = graph.input("x", 3)?;
    /// let w = graph.parameter("w", Role::Weight, 3, 2)?;
    /// graph.matmul("layer", x, w)?;
    /// assert!(graph.to_dot()?.contains("n0 -> n2;"));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn to_dot(&self) -> Result<String> {
        self.check_drawable()?;
        let mut dot = "digraph axone {\n  node [shape=box, fontname=\"sans-serif\"];\n".to_owned();
        for (is_backward, name) in [(false, "forward"), (true, "backward")] {
            let mut nodes =
                self.nodes.iter().enumerate().filter(|(i, _)| self.is_backward(*i) == is_backward).peekable();
            if nodes.peek().is_none() {
                continue;
            }
            // Writing to a text cannot fail.
            let _ = writeln!(dot, "  subgraph cluster_{name} {{\n    label=\"{name}\";");
            for (i, node) in nodes {
                let layer = node.name.replace('\\', "\\\\").replace('"', "\\\"");
                let _ = writeln!(dot, "    n{i} [label=\"{}\\n{layer}\\n{}\"];", node.op.name(), node.shape);
            }
            dot.push_str("  }\n");
        }
        for (i, node) in self.nodes.iter().enumerate() {
            for NodeId(input) in &node.inputs {
                let _ = writeln!(dot, "  n{input} -> n{i};");
            }
        }
        dot.push_str("}\n");
        Ok(dot)
    }

    pub(super) fn check_drawable(&self) -> Result<()> {
        if self.nodes.is_empty() { Err(Error::data("graph", "no nodes to draw")) } else { Ok(()) }
    }
}
