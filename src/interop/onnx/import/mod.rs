//! From the graph of an ONNX file to a network and its weights.

mod algebra;
mod emit;
mod fold;
mod form;
mod ops;
mod table;

use super::proto::{self, element};
use super::tensor::{Reason, Tensor};
use super::{Imported, Output};
use crate::size;
use crate::{Error, Result};
use algebra::Sums;
use emit::Emitter;
use form::{Atom, Coef, Form, Origin};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// What a name in the graph stands for.
#[derive(Debug, Clone)]
enum Value {
    Constant(Tensor),
    Rows(Rows),
    Truth(Truth),
    /// Whether a column holds a name.
    IsName(Origin, String),
    /// The class of each row, picked from the columns of a value.
    Labels(Labels),
    /// What could not be read; that has been said.
    Wrong,
}

/// Yes or no for each number of a row.
#[derive(Debug, Clone)]
struct Truth {
    /// 1 for yes, 0 for no.
    form: Form,
    shape: Vec<usize>,
    /// `x > bound`, where it is that.
    above: Option<(Form, f64)>,
}

/// A row for each example.
#[derive(Debug, Clone)]
struct Rows {
    form: Form,
    /// Of one row.
    shape: Vec<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Real,
    /// Whole numbers from an input.
    Whole,
    /// Real numbers cut to whole ones.
    Cut,
    /// Names from an input.
    Text,
}

#[derive(Debug, Clone)]
struct Labels {
    of: Form,
    shape: Vec<usize>,
    /// Empty where the numbers of the columns are the names.
    names: Vec<String>,
    threshold: Option<f64>,
}

/// A graph while it is read.
struct Importer<'a> {
    opset: i64,
    /// The rows of a batch, where the file fixes them.
    batch: Option<usize>,
    values: HashMap<&'a str, Value>,
    /// How many operations and outputs read a value.
    uses: HashMap<&'a str, usize>,
    sums: Sums,
    inputs: Vec<Input>,
    /// What stands for a missing number, by input and column.
    fills: BTreeMap<(usize, usize), f32>,
    problems: Vec<String>,
    /// Constants that may still be made of others: a file cannot ask for more than some multiple of itself.
    room: usize,
}

/// An input of the file.
struct Input {
    name: String,
    shape: Vec<usize>,
    is_text: bool,
}

impl Input {
    fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Where the file says that something is.
pub(super) struct Source<'a> {
    /// For messages.
    pub name: &'a str,
    /// Of external data.
    pub folder: Option<&'a Path>,
    /// Bytes of the file, by which what is made of it is measured.
    pub bytes: usize,
}

pub(super) fn import(model: &proto::Model, source: &Source<'_>) -> Result<Imported> {
    let wrong = |problem: String| Error::data(source.name, problem);
    if !(3..=12).contains(&model.ir_version) {
        return Err(wrong(format!("IR version {}, and 3 to 12 are read", model.ir_version)));
    }
    let default = model.opset_import.iter().find(|set| is_default(&set.domain));
    let opset = default.map_or(1, |set| set.version);
    if !(9..=25).contains(&opset) {
        return Err(wrong(format!("opset {opset}, and 9 to 25 are read")));
    }
    let graph = model.graph.as_ref().ok_or_else(|| wrong("no graph".to_owned()))?;
    let room = source.bytes.saturating_mul(16).saturating_add(1 << 22);
    let mut importer = Importer {
        opset,
        batch: None,
        values: HashMap::new(),
        uses: HashMap::new(),
        sums: Sums::default(),
        inputs: Vec::new(),
        fills: BTreeMap::new(),
        problems: Vec::new(),
        room,
    };
    importer.constants(graph, source);
    importer.inputs(graph);
    importer.operations(graph);
    let outputs = importer.outputs(graph);
    let mut emitter = Emitter::new(&importer.sums, &graph.node, &importer.inputs, &importer.fills, room);
    let imported = emitter.run(outputs, &mut importer.problems);
    if !importer.problems.is_empty() {
        let mut problems = importer.problems;
        problems.dedup();
        let more = problems.len().saturating_sub(50);
        problems.truncate(50);
        let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
        let out = "describe what is left with `Network` and set its weights by hand, or export the part before it";
        return Err(wrong(format!("not expressible ({out}):\n  {}{more}", problems.join("\n  "))));
    }
    let mut imported = imported?;
    let entry =
        |key: &str| model.metadata_props.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    if let Some(json) = entry(super::SCHEMA) {
        let schema = serde_json::from_str(json).map_err(|error| wrong(format!("{}: {error}", super::SCHEMA)))?;
        imported.schema = Some(schema);
    }
    if let Some(text) = entry(super::THRESHOLD) {
        let problem = || wrong(format!("{}: {text:?}, expected a number", super::THRESHOLD));
        imported.threshold = Some(text.parse().map_err(|_| problem())?);
    }
    for layer in entry(super::FROZEN).into_iter().flat_map(str::lines) {
        if imported.network.check_parameter_layer("frozen", layer).is_ok()
            && !imported.frozen.iter().any(|f| f == layer)
        {
            imported.frozen.push(layer.to_owned());
        }
    }
    Ok(imported)
}

fn is_default(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// How messages call a node.
fn place(node: &proto::Node) -> String {
    let domain = if is_default(&node.domain) { String::new() } else { format!("{}.", node.domain) };
    let name = if node.name.is_empty() { node.output.first().map_or("", String::as_str) } else { &node.name };
    format!("node \"{name}\" ({domain}{})", node.op_type)
}

impl<'a> Importer<'a> {
    fn constants(&mut self, graph: &'a proto::Graph, source: &Source<'_>) {
        let read: HashSet<&str> = needed(graph).1;
        for tensor in graph.initializer.iter().filter(|tensor| read.contains(tensor.name.as_str())) {
            let value = match Tensor::read(tensor, source.folder) {
                Ok(tensor) => Value::Constant(tensor),
                Err(reason) => self.problem(format!("tensor \"{}\": {reason}", tensor.name)),
            };
            self.values.insert(&tensor.name, value);
        }
    }

    fn problem(&mut self, problem: String) -> Value {
        self.problems.push(problem);
        Value::Wrong
    }

    fn inputs(&mut self, graph: &'a proto::Graph) {
        for input in &graph.input {
            if self.values.contains_key(input.name.as_str()) || graph.initializer.iter().any(|t| t.name == input.name) {
                continue;
            }
            let value = match self.input(input) {
                Ok(rows) => Value::Rows(rows),
                Err(reason) => self.problem(format!("input \"{}\": {reason}", input.name)),
            };
            self.values.insert(&input.name, value);
        }
    }

    fn input(&mut self, input: &proto::ValueInfo) -> Result<Rows, Reason> {
        let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()).ok_or("not a tensor")?;
        let kind = match tensor.elem_type {
            element::FLOAT | element::DOUBLE | element::FLOAT16 | element::BFLOAT16 => Kind::Real,
            element::STRING => Kind::Text,
            _ => Kind::Whole,
        };
        let dims = &tensor.shape.as_ref().ok_or("its shape is not said")?.dim;
        let (first, sides) = dims.split_first().ok_or("no dimension for the batch")?;
        if first.dim_value > 0 && self.batch.is_none() {
            self.batch = usize::try_from(first.dim_value).ok();
        }
        let side = |dim: &proto::Dimension| {
            usize::try_from(dim.dim_value)
                .ok()
                .filter(|side| *side > 0)
                .ok_or_else(|| format!("a side that is not said (\"{}\")", dim.dim_param))
        };
        let shape: Result<Vec<usize>, Reason> = sides.iter().map(side).collect();
        let shape = shape?;
        let width = size::product(&shape).filter(|width| *width <= size::MOST_ELEMENTS);
        let width = width.ok_or_else(|| format!("rows of {shape:?}"))?;
        let sides = if shape.is_empty() { vec![1] } else { shape.clone() };
        self.inputs.push(Input { name: input.name.clone(), shape: sides, is_text: kind == Kind::Text });
        let form = self.sums.make(Atom::Input(self.inputs.len() - 1), width);
        Ok(Rows { form, shape, kind })
    }

    fn operations(&mut self, graph: &'a proto::Graph) {
        let (needed, _) = needed(graph);
        let outputs = graph.output.iter().map(|output| output.name.as_str());
        let read = graph.node.iter().zip(&needed).filter(|(_, needed)| **needed);
        let read = read.flat_map(|(node, _)| node.input.iter().map(String::as_str));
        for name in outputs.chain(read) {
            *self.uses.entry(name).or_default() += 1;
        }
        for (at, (node, needed)) in graph.node.iter().zip(needed).enumerate() {
            if needed {
                self.sums.node = at;
                self.operation(node);
            }
        }
    }

    /// Reads one node; what is wrong with it is said once, where it stands.
    fn operation(&mut self, node: &'a proto::Node) {
        let mut inputs = Vec::with_capacity(node.input.len());
        let mut problem = None;
        for name in &node.input {
            match self.values.get(name.as_str()) {
                _ if name.is_empty() => inputs.push(None),
                Some(Value::Wrong) => problem = problem.or(Some(None)),
                Some(value) => inputs.push(Some(value.clone())),
                None => {
                    problem = Some(Some(format!("\"{name}\" is not known here (a cycle, or an order that is none)")))
                }
            }
        }
        let results = match problem {
            Some(None) => Err(None),
            Some(Some(reason)) => Err(Some(reason)),
            None => self.evaluate(node, &inputs).and_then(|results| self.spend(results)).map_err(Some),
        };
        let results = results.unwrap_or_else(|reason| {
            self.problems.extend(reason.map(|reason| format!("{}: {reason}", place(node))));
            vec![Value::Wrong; node.output.len()]
        });
        for (name, mut value) in node.output.iter().zip(results) {
            if name.is_empty() {
                continue;
            }
            if let Value::Rows(rows) = &mut value
                && self.uses.get(name.as_str()).is_some_and(|uses| *uses > 1)
            {
                rows.form = self.sums.share(rows.form.clone());
            }
            if self.values.insert(name, value).is_some() {
                self.problem(format!("{}: \"{name}\" is made twice", place(node)));
            }
        }
    }

    /// Refuses what would make constants of constants without end.
    fn spend(&mut self, results: Vec<Value>) -> Result<Vec<Value>, Reason> {
        let size = |value: &Value| match value {
            Value::Constant(tensor) => tensor.len(),
            Value::IsName(..) => 1,
            Value::Rows(Rows { form, .. })
            | Value::Truth(Truth { form, .. })
            | Value::Labels(Labels { of: form, .. }) => {
                let coefs = form.terms.iter().map(|(_, coef)| coef.len());
                coefs.chain(form.shift.as_ref().map(Coef::len)).sum()
            }
            Value::Wrong => 0,
        };
        let made = results.iter().map(size).fold(0, usize::saturating_add);
        self.room = self.room.checked_sub(made).ok_or("needs more numbers than such a file can mean")?;
        Ok(results)
    }

    /// The sums that are to be the outputs, and by which name each is asked for.
    fn outputs(&mut self, graph: &proto::Graph) -> (Vec<Form>, Vec<Output>) {
        let (mut forms, mut outputs) = (Vec::<Form>::new(), Vec::new());
        let mut number = |form: Form| {
            let known = forms.iter().position(|known| *known == form);
            known.unwrap_or_else(|| {
                forms.push(form);
                forms.len() - 1
            })
        };
        for output in &graph.output {
            let name = output.name.clone();
            match self.values.get(name.as_str()) {
                Some(Value::Rows(rows)) if rows.kind == Kind::Text => {
                    self.problems.push(format!("output \"{name}\": names of an input"));
                }
                Some(Value::Rows(rows)) => {
                    let value = number(rows.form.clone());
                    outputs.push(Output { name, value, classes: None, threshold: None });
                }
                Some(Value::Labels(labels)) => {
                    let columns = labels.shape.iter().product();
                    let names = if labels.names.is_empty() && columns < 1 << 20 {
                        (0..columns).map(|i: usize| i.to_string()).collect()
                    } else {
                        labels.names.clone()
                    };
                    let value = number(labels.of.clone());
                    let threshold = labels.threshold.map(|threshold| threshold as f32);
                    outputs.push(Output { name, value, classes: Some(names), threshold });
                }
                Some(Value::Wrong) => {}
                Some(Value::Constant(_) | Value::Truth(_) | Value::IsName(..)) => {
                    self.problems.push(format!("output \"{name}\": not a number for each row"));
                }
                None => self.problems.push(format!("output \"{name}\": nothing makes it")),
            }
        }
        (forms, outputs)
    }
}

/// Which nodes an output needs, and all names that are read.
fn needed(graph: &proto::Graph) -> (Vec<bool>, HashSet<&str>) {
    let mut read: HashSet<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    let mut needed = vec![false; graph.node.len()];
    for (node, needed) in graph.node.iter().zip(&mut needed).rev() {
        if node.output.iter().any(|name| read.contains(name.as_str())) {
            *needed = true;
            read.extend(node.input.iter().map(String::as_str).filter(|name| !name.is_empty()));
        }
    }
    (needed, read)
}

/// The constants of `tensor`, one for all columns of rows of `shape`, or one a column.
fn coefficient(tensor: &Tensor, shape: &[usize]) -> Result<Coef, Reason> {
    let numbers = tensor.numbers()?;
    if let &[x] = numbers.as_slice() {
        return Ok(Coef::of(x));
    }
    // Right-aligned; whatever stands at the place of the batch must be 1.
    let extra = tensor.dims.len().saturating_sub(shape.len());
    let (front, own) = tensor.dims.split_at(extra);
    let shape_end = shape.get(shape.len().saturating_sub(own.len())..).unwrap_or_default();
    let rows_are_one = shape.iter().all(|side| *side == 1);
    if front.iter().all(|side| *side == 1)
        && (own == shape_end && numbers.len() == shape.iter().product::<usize>() || rows_are_one)
    {
        return Ok(Coef(numbers.into()));
    }
    Err(format!("constants of {:?} beside rows of {shape:?}", tensor.dims))
}
