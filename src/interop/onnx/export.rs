//! From a network and its weights to an ONNX model.

use super::proto::{
    Attribute, Dimension, Entry, Graph, Model, Node, OperatorSet, Shape, Tensor, TensorType, Type, ValueInfo, element,
    kind,
};
use crate::formula::{Formula, Function, Term};
use crate::layers::{Activation, Layer};
use crate::model::{Network, Weight};
use crate::{Error, Result};
use std::collections::{HashMap, HashSet};

const OPSET: i64 = 20;
const IR_VERSION: i64 = 9;

/// A graph while it is written.
struct Writer {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
    weights: HashMap<String, Weight>,
    written: HashSet<String>,
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

    /// The name of a parameter of layer `owner`, as a matrix or as a vector. It is written once, however many layers share it.
    fn parameter(&mut self, owner: &str, part: &str, is_matrix: bool) -> Result<String> {
        let name = format!("{owner}.{part}");
        if self.written.insert(name.clone()) {
            let weight = self.weights.remove(&name);
            let Weight { shape: (rows, cols), data, .. } =
                weight.ok_or_else(|| Error::Internal(format!("no weight {name}")))?;
            let dims = [rows, cols];
            self.floats(&name, if is_matrix { &dims } else { &dims[1..] }, &data);
        }
        Ok(name)
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
            Activation::Custom(formula) => {
                self.formula(formula, &[x], name);
                return Ok(());
            }
        };
        self.node(op, &[x], name, attribute);
        Ok(())
    }

    /// The terms of `formula`, a node or two each; the last is called `name`.
    fn formula(&mut self, formula: Formula, inputs: &[&str], name: &str) {
        let mut places: Vec<String> = inputs.iter().map(|input| (*input).to_owned()).collect();
        for (at, term) in formula.terms().iter().enumerate() {
            let own = if places.len() == formula.result() { name.to_owned() } else { format!("{name}/{at}") };
            let read: Vec<&str> =
                term.reads().into_iter().filter_map(|at| places.get(at)).map(String::as_str).collect();
            let x = read.first().copied().unwrap_or_default();
            match term {
                Term::Number(number) => self.floats(&own, &[], &[*number]),
                Term::Function(function, _) => self.function(*function, &read, &own),
                Term::Columns { from, count, .. } => {
                    let part = |part: &str| format!("{own}/{part}");
                    let (starts, ends, axes) = (part("starts"), part("ends"), part("axes"));
                    self.whole(&starts, &[1], &[*from as i64]);
                    self.whole(&ends, &[1], &[from.saturating_add(*count) as i64]);
                    self.whole(&axes, &[1], &[-1]);
                    self.node("Slice", &[x, &starts, &ends, &axes], &own, Vec::new());
                }
                Term::Sum(_) | Term::Mean(_) => {
                    let op = if matches!(term, Term::Sum(_)) { "ReduceSum" } else { "ReduceMean" };
                    let axes = format!("{own}/axes");
                    self.whole(&axes, &[1], &[-1]);
                    self.node(op, &[x, &axes], &own, vec![int("keepdims", 1)]);
                }
                Term::Softmax(_) => self.node("Softmax", &[x], &own, vec![int("axis", -1)]),
                Term::LogSoftmax(_) => self.node("LogSoftmax", &[x], &own, vec![int("axis", -1)]),
            }
            places.push(own);
        }
        if formula.result() < inputs.len() {
            let x = places.get(formula.result()).cloned().unwrap_or_default();
            self.node("Identity", &[&x], name, Vec::new());
        }
    }

    fn function(&mut self, function: Function, read: &[&str], name: &str) {
        let op = match function {
            Function::Add => "Add",
            Function::Sub => "Sub",
            Function::Mul => "Mul",
            Function::Div => "Div",
            Function::Pow => "Pow",
            Function::Min => "Min",
            Function::Max => "Max",
            Function::Abs => "Abs",
            Function::Sign => "Sign",
            Function::Sqrt => "Sqrt",
            Function::Exp => "Exp",
            Function::Ln => "Log",
            Function::Sin => "Sin",
            Function::Cos => "Cos",
            Function::Sigmoid => "Sigmoid",
            Function::Tanh => "Tanh",
            Function::Softplus => "Softplus",
            Function::Greater => {
                let above = format!("{name}/above");
                self.node("Greater", read, &above, Vec::new());
                return self.node("Cast", &[&above], name, vec![int("to", element::FLOAT.into())]);
            }
            Function::Keep => {
                let (is_kept, zero) = (format!("{name}/is_kept"), format!("{name}/zero"));
                let &[mask, x] = read else { return };
                self.floats(&zero, &[], &[0.0]);
                self.node("Cast", &[mask], &is_kept, vec![int("to", element::BOOL.into())]);
                return self.node("Where", &[&is_kept, x, &zero], name, Vec::new());
            }
        };
        self.node(op, read, name, Vec::new());
    }
}

fn unwritten(name: &str, what: &str) -> Error {
    Error::value(name, "layer", "one that axone writes to ONNX", what)
}

/// Refuses a grid whose columns a formula takes together: ONNX would take those of its last side.
fn check_grid(name: &str, formula: Formula, inputs: &[&[usize]]) -> Result<()> {
    let by_element = |term: &Term| matches!(term, Term::Number(_) | Term::Function(..));
    match inputs.iter().find(|sides| sides.len() > 1) {
        Some(sides) if !formula.terms().iter().all(by_element) => {
            Err(Error::shape(name, "rows of one side for ONNX (put Flatten in front)", format!("{sides:?}")))
        }
        _ => Ok(()),
    }
}

/// `metadata` that is empty is left out.
pub(super) fn export(network: &Network, weights: Vec<Weight>, metadata: Vec<(&str, String)>) -> Result<Model> {
    let weights = weights.into_iter().map(|weight| (weight.name.clone(), weight)).collect();
    let mut writer = Writer { nodes: Vec::new(), tensors: Vec::new(), weights, written: HashSet::new() };
    // What each value is called, which for a layer that only trains is its input.
    let mut names: Vec<String> = Vec::with_capacity(network.values().len());
    for applied in network.values() {
        let name = applied.name.as_str();
        let inputs: Vec<&str> = applied.inputs.iter().filter_map(|at| names.get(*at)).map(String::as_str).collect();
        let Some(layer) = &applied.layer else {
            names.push(name.to_owned());
            continue;
        };
        // Another use of shared layers reads the constants of the first.
        let first = applied.shares.and_then(|first| network.values().get(first));
        let owner = first.map_or(name, |first| first.name.as_str());
        let x = inputs.first().copied().unwrap_or_default();
        match layer {
            Layer::Dense(dense) => {
                let w = writer.parameter(owner, "w", true)?;
                let sums =
                    if dense.activation == Activation::Identity { name.to_owned() } else { format!("{name}/sums") };
                if dense.bias {
                    let b = writer.parameter(owner, "b", false)?;
                    writer.node("Gemm", &[x, &w, &b], &sums, Vec::new());
                } else {
                    writer.node("MatMul", &[x, &w], &sums, Vec::new());
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
            Layer::Formula(formula) => {
                let sides = applied.inputs.iter().filter_map(|at| network.values().get(*at));
                check_grid(name, *formula, &sides.map(|value| value.shape.as_slice()).collect::<Vec<_>>())?;
                writer.formula(*formula, &inputs, name);
            }
            Layer::Gradient => return Err(unwritten(name, "a derivative")),
            Layer::MatMul(_) => return Err(unwritten(name, "a product of two values")),
            Layer::Reshape(_) => return Err(unwritten(name, "a reshape")),
            Layer::BatchNorm(norm) => {
                let mut all = vec![x.to_owned()];
                for part in ["scale", "shift", "mean", "variance"] {
                    all.push(writer.parameter(owner, part, false)?);
                }
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                let momentum = (1.0 - f64::from(norm.momentum)) as f32;
                let attributes = vec![float("epsilon", norm.epsilon), float("momentum", momentum)];
                writer.node("BatchNormalization", &all, name, attributes);
            }
            Layer::LayerNorm(norm) => {
                let scale = writer.parameter(owner, "scale", false)?;
                let shift = writer.parameter(owner, "shift", false)?;
                let attributes = vec![int("axis", -1), float("epsilon", norm.epsilon)];
                writer.node("LayerNormalization", &[x, &scale, &shift], name, attributes);
            }
            Layer::Embedding(embedding) => {
                let whole = format!("{name}/whole");
                writer.node("Cast", &[x], &whole, vec![int("to", element::INT64.into())]);
                let columns = applied.shape.first().copied().unwrap_or(1) / embedding.width.max(1);
                let mut parts = Vec::new();
                for (i, _) in embedding.categories.iter().enumerate() {
                    let part = if embedding.shared { "w".to_owned() } else { format!("w{i}") };
                    let table = writer.parameter(owner, &part, true)?;
                    let (mut column, picked) = (whole.clone(), format!("{name}/{i}"));
                    if !embedding.shared && columns > 1 {
                        column = format!("{name}/column_{i}");
                        writer.whole(&format!("{column}/at"), &[], &[i as i64]);
                        writer.node("Gather", &[&whole, &format!("{column}/at")], &column, vec![int("axis", 1)]);
                    }
                    writer.node("Gather", &[&table, &column], &picked, vec![int("axis", 0)]);
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
    let metadata = metadata.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(Model {
        ir_version: IR_VERSION,
        producer_name: "axone".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        graph: Some(Graph { node: writer.nodes, name: "axone".to_owned(), initializer: writer.tensors, input, output }),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPSET }],
        metadata_props: metadata.map(|(key, value)| Entry { key: key.to_owned(), value }).collect(),
    })
}
