//! From a network and its weights to an ONNX model.

use super::FROZEN;
use super::proto::{
    Attribute, Dimension, Entry, Graph, Model, Node, OperatorSet, Shape, Tensor, TensorType, Type, ValueInfo, element,
    kind,
};
use crate::layers::{Activation, Layer};
use crate::model::{Network, Weight};
use crate::{Error, Result};
use std::collections::HashMap;

const OPSET: i64 = 20;
const IR_VERSION: i64 = 9;

/// A graph while it is written.
struct Writer {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
}

fn float(name: &str, value: f32) -> Attribute {
    Attribute { name: name.to_owned(), f: Some(value), r#type: kind::FLOAT, ..Attribute::default() }
}

fn int(name: &str, value: i64) -> Attribute {
    Attribute { name: name.to_owned(), i: Some(value), r#type: kind::INT, ..Attribute::default() }
}

fn text(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), s: Some(value.into()), r#type: kind::STRING, ..Attribute::default() }
}

/// Rows of `sides`, as many as there are.
fn rows(name: &str, sides: &[usize]) -> ValueInfo {
    let batch = Dimension { dim_value: 0, dim_param: "batch".to_owned() };
    let sides = sides.iter().map(|side| Dimension { dim_value: *side as i64, dim_param: String::new() });
    let shape = Some(Shape { dim: [batch].into_iter().chain(sides).collect() });
    let tensor_type = Some(TensorType { elem_type: element::FLOAT, shape });
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type }) }
}

impl Writer {
    /// Appends a node that makes `output`, by which it is also called.
    fn node(&mut self, op: &str, inputs: &[&str], output: &str, attribute: Vec<Attribute>) {
        self.nodes.push(Node {
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: op.to_owned(),
            attribute,
            domain: String::new(),
        });
    }

    fn floats(&mut self, name: &str, dims: &[usize], data: &[f32]) {
        let raw = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, dims, element::FLOAT, raw);
    }

    fn whole(&mut self, name: &str, dims: &[usize], data: &[i64]) {
        let raw = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.tensor(name, dims, element::INT64, raw);
    }

    fn tensor(&mut self, name: &str, dims: &[usize], data_type: i32, raw: Vec<u8>) {
        let dims = dims.iter().map(|side| *side as i64).collect();
        self.tensors.push(Tensor { name: name.to_owned(), dims, data_type, raw_data: Some(raw), ..Tensor::default() });
    }

    /// `function` of `x`; the identity makes a copy.
    fn activation(&mut self, function: Activation, x: &str, name: &str) -> Result<()> {
        let (op, attribute) = match function {
            Activation::Identity => ("Identity", Vec::new()),
            Activation::Sigmoid => ("Sigmoid", Vec::new()),
            Activation::Tanh => ("Tanh", Vec::new()),
            Activation::Relu => ("Relu", Vec::new()),
            Activation::LeakyRelu { slope } => ("LeakyRelu", vec![float("alpha", slope)]),
            Activation::Elu { alpha } => ("Elu", vec![float("alpha", alpha)]),
            Activation::Selu => ("Selu", Vec::new()),
            Activation::Silu => {
                let sigmoid = format!("{name}/sigmoid");
                self.node("Sigmoid", &[x], &sigmoid, Vec::new());
                self.node("Mul", &[x, &sigmoid], name, Vec::new());
                return Ok(());
            }
            Activation::Gelu => ("Gelu", vec![text("approximate", "none")]),
            Activation::GeluTanh => ("Gelu", vec![text("approximate", "tanh")]),
            Activation::Softplus => ("Softplus", Vec::new()),
            Activation::Softsign => ("Softsign", Vec::new()),
            Activation::HardSigmoid => ("HardSigmoid", vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)]),
            Activation::Mish => ("Mish", Vec::new()),
            Activation::Softmax => ("Softmax", vec![int("axis", -1)]),
            Activation::LogSoftmax => ("LogSoftmax", vec![int("axis", -1)]),
            Activation::Custom(_) => return Err(unwritten(name, "a formula of your own")),
        };
        self.node(op, &[x], name, attribute);
        Ok(())
    }
}

fn unwritten(name: &str, what: &str) -> Error {
    Error::value(name, "layer", "one that axone writes to ONNX", what)
}

pub(super) fn export(network: &Network, weights: Vec<Weight>, frozen: String) -> Result<Model> {
    let mut writer = Writer { nodes: Vec::new(), tensors: Vec::new() };
    let mut weights = weights.into_iter();
    let mut weight = |name: &str, part: &str| {
        let wanted = format!("{name}.{part}");
        weights
            .next()
            .filter(|weight| weight.name == wanted)
            .ok_or_else(|| Error::Internal(format!("no weight {wanted}")))
    };
    // What each value is called, which for a layer that only trains is its input.
    let mut names: Vec<String> = Vec::with_capacity(network.values().len());
    for applied in network.values() {
        let name = applied.name.as_str();
        let inputs: Vec<&str> = applied.inputs.iter().filter_map(|at| names.get(*at)).map(String::as_str).collect();
        let Some(layer) = &applied.layer else {
            names.push(name.to_owned());
            continue;
        };
        if applied.shares.is_some() {
            return Err(unwritten(name, "another use of a shared one"));
        }
        let x = inputs.first().copied().unwrap_or_default();
        match layer {
            Layer::Dense(dense) => {
                let w = weight(name, "w")?;
                writer.floats(&w.name, &[w.shape.0, w.shape.1], &w.data);
                let sums =
                    if dense.activation == Activation::Identity { name.to_owned() } else { format!("{name}/sums") };
                if dense.bias {
                    let b = weight(name, "b")?;
                    writer.floats(&b.name, &[b.shape.1], &b.data);
                    writer.node("Gemm", &[x, &w.name, &b.name], &sums, Vec::new());
                } else {
                    writer.node("MatMul", &[x, &w.name], &sums, Vec::new());
                }
                if let Some(node) = writer.nodes.last_mut() {
                    node.name = name.to_owned();
                }
                if dense.activation != Activation::Identity {
                    writer.activation(dense.activation, &sums, name)?;
                    if let Some(node) = writer.nodes.last_mut() {
                        node.name = format!("{name}/{}", dense.activation);
                    }
                }
            }
            Layer::Activation(function) => writer.activation(*function, x, name)?,
            Layer::Formula(_) => return Err(unwritten(name, "a formula of your own")),
            Layer::Gradient => return Err(unwritten(name, "a derivative")),
            Layer::MatMul(_) => return Err(unwritten(name, "a product of two values")),
            Layer::Reshape(_) => return Err(unwritten(name, "a reshape")),
            Layer::BatchNorm(norm) => {
                let mut all = vec![x.to_owned()];
                for part in ["scale", "shift", "mean", "variance"] {
                    let vector = weight(name, part)?;
                    writer.floats(&vector.name, &[vector.shape.1], &vector.data);
                    all.push(vector.name);
                }
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                let momentum = (1.0 - f64::from(norm.momentum)) as f32;
                let attributes = vec![float("epsilon", norm.epsilon), float("momentum", momentum)];
                writer.node("BatchNormalization", &all, name, attributes);
            }
            Layer::LayerNorm(norm) => {
                let (scale, shift) = (weight(name, "scale")?, weight(name, "shift")?);
                for vector in [&scale, &shift] {
                    writer.floats(&vector.name, &[vector.shape.1], &vector.data);
                }
                let attributes = vec![int("axis", -1), float("epsilon", norm.epsilon)];
                writer.node("LayerNormalization", &[x, &scale.name, &shift.name], name, attributes);
            }
            Layer::Embedding(embedding) => {
                let whole = format!("{name}/whole");
                writer.node("Cast", &[x], &whole, vec![int("to", element::INT64.into())]);
                let columns = applied.shape.first().copied().unwrap_or(1) / embedding.width.max(1);
                let mut parts = Vec::new();
                for (i, _) in embedding.categories.iter().enumerate() {
                    let table = weight(name, &if embedding.shared { "w".to_owned() } else { format!("w{i}") })?;
                    writer.floats(&table.name, &[table.shape.0, table.shape.1], &table.data);
                    let (mut column, picked) = (whole.clone(), format!("{name}/{i}"));
                    if !embedding.shared && columns > 1 {
                        column = format!("{name}/column_{i}");
                        writer.whole(&format!("{column}/at"), &[], &[i as i64]);
                        writer.node("Gather", &[&whole, &format!("{column}/at")], &column, vec![int("axis", 1)]);
                    }
                    writer.node("Gather", &[&table.name, &column], &picked, vec![int("axis", 0)]);
                    if let Some(node) = writer.nodes.last_mut().filter(|_| embedding.shared) {
                        node.name = name.to_owned();
                    }
                    parts.push(picked);
                }
                if embedding.shared || columns == 1 {
                    let picked = parts.first().map_or("", String::as_str);
                    writer.node("Flatten", &[picked], name, vec![int("axis", 1)]);
                    if let Some(node) = writer.nodes.last_mut() {
                        node.name = format!("{name}/flatten");
                    }
                } else {
                    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                    writer.node("Concat", &parts, name, vec![int("axis", 1)]);
                }
            }
            Layer::Flatten => writer.node("Flatten", &[x], name, vec![int("axis", 1)]),
            Layer::Add => match inputs.as_slice() {
                &[a, b] => writer.node("Add", &[a, b], name, Vec::new()),
                all => writer.node("Sum", all, name, Vec::new()),
            },
            Layer::Concat => writer.node("Concat", &inputs, name, vec![int("axis", 1)]),
            Layer::Dropout(_) | Layer::AlphaDropout(_) | Layer::ActivityRegularization(_) => {
                names.push(x.to_owned());
                continue;
            }
            Layer::Residual(_) => {
                return Err(Error::Internal(format!("{name}: a residual block stands in a network layer by layer")));
            }
        }
        names.push(name.to_owned());
    }
    let of_value: HashMap<&str, &str> =
        network.values().iter().zip(&names).map(|(applied, name)| (applied.name.as_str(), name.as_str())).collect();
    let mut output = Vec::new();
    for applied in network.outputs() {
        let name = &applied.name;
        if of_value.get(name.as_str()) != Some(&name.as_str()) || applied.layer.is_none() {
            let from = of_value.get(name.as_str()).copied().unwrap_or_default();
            let copy = if applied.layer.is_none() { format!("{name}/output") } else { name.clone() };
            writer.node("Identity", &[from], &copy, Vec::new());
            output.push(rows(&copy, &applied.shape));
        } else {
            output.push(rows(name, &applied.shape));
        }
    }
    let input = network.inputs().map(|input| rows(&input.name, &input.shape)).collect();
    let metadata = (!frozen.is_empty()).then(|| Entry { key: FROZEN.to_owned(), value: frozen });
    Ok(Model {
        ir_version: IR_VERSION,
        producer_name: "axone".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(Graph { node: writer.nodes, name: "axone".to_owned(), initializer: writer.tensors, input, output }),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: metadata.into_iter().collect(),
    })
}
