//! The layers of a Keras model, from the JSON in which it describes them.

use super::weights::{Array, Arrays};
use crate::data::Matrix;
use crate::interop::Imported;
use crate::interop::imported::Output;
use crate::layers::{
    Activation, ActivityRegularization, AlphaDropout, BatchNorm, Dense, Dropout, Embedding, Layer, LayerNorm,
};
use crate::model::{Network, RowShape, Value, Weight};
use serde_json::Value as Json;
use std::collections::HashMap;

/// Why a layer cannot be read.
type Reason = String;

/// Deviations below it count as this much, as in Keras' Normalization.
const LEAST_DEVIATION: f64 = 1e-7;

/// A model while it is read.
struct Reader<'a> {
    arrays: &'a Arrays,
    network: Network,
    weights: Vec<Weight>,
    frozen: Vec<String>,
    /// What each layer gives; `None` where it could not be read.
    values: HashMap<String, Option<Given>>,
    problems: Vec<String>,
}

#[derive(Clone, Copy)]
struct Given {
    value: Value,
    /// A vector for each column: rows of two sides until a Flatten.
    is_folded: bool,
}

/// The network that `config` describes, with the weights in `arrays`; else all that is in its way.
pub(super) fn import(config: &Json, arrays: &Arrays) -> Result<Imported, Reason> {
    let mut reader = Reader {
        arrays,
        network: Network::new(),
        weights: Vec::new(),
        frozen: Vec::new(),
        values: HashMap::new(),
        problems: Vec::new(),
    };
    let class = text(config, "class_name").unwrap_or_default();
    let model = &config["config"];
    let outputs = match class {
        "Sequential" => reader.chain(config, model)?,
        "Functional" | "Model" => reader.graph(model)?,
        other => {
            return Err(format!(
                "a {other}, which is not described by its layers: save a Sequential or functional one"
            ));
        }
    };
    let Reader { mut network, weights, frozen, values, problems, .. } = reader;
    if !problems.is_empty() {
        return Err(problems.join("\n  "));
    }
    let mut named = Vec::new();
    for (place, name) in outputs.into_iter().enumerate() {
        let given = values.get(&name).copied().flatten().ok_or_else(|| format!("output {name} is no layer"))?;
        network.output(given.value).map_err(|error| error.to_string())?;
        named.push(Output { name, value: place, classes: None, threshold: None });
    }
    Ok(Imported { network, weights, frozen, outputs: named, schema: None, threshold: None })
}

impl Reader<'_> {
    /// Layers one behind the other.
    fn chain(&mut self, whole: &Json, model: &Json) -> Result<Vec<String>, Reason> {
        // Early versions have the list where later ones have an object with it.
        let layers = model.get("layers").unwrap_or(model).as_array().ok_or("no list of layers")?;
        let mut last: Option<String> = None;
        for (place, layer) in layers.iter().enumerate() {
            let own = &layer["config"];
            let class = text(layer, "class_name").unwrap_or_default();
            let name = text(own, "name").map_or_else(|| format!("{class}_{place}"), str::to_owned);
            if last.is_none() && class != "InputLayer" {
                let built = [&own["batch_shape"], &own["batch_input_shape"], &layer["build_config"]["input_shape"]];
                let mut shapes =
                    built.into_iter().chain([&model["build_input_shape"], &whole["build_config"]["input_shape"]]);
                let shape = shapes.find(|shape| shape.is_array()).ok_or("no input shape: the model was not built")?;
                self.input("input", shape)?;
                last = Some("input".to_owned());
            }
            let inputs: Vec<String> = last.take().into_iter().collect();
            self.layer(class, &name, own, &inputs);
            last = Some(name);
        }
        Ok(vec![last.ok_or("no layers")?])
    }

    /// Layers that name those they take.
    fn graph(&mut self, model: &Json) -> Result<Vec<String>, Reason> {
        let layers = model["layers"].as_array().ok_or("no list of layers")?;
        for layer in layers {
            let class = text(layer, "class_name").unwrap_or_default();
            let name =
                text(layer, "name").or_else(|| text(&layer["config"], "name")).ok_or("a layer without a name")?;
            let nodes = layer["inbound_nodes"].as_array().map_or(&[][..], Vec::as_slice);
            match nodes {
                [] => self.layer(class, name, &layer["config"], &[]),
                [node] => match sources(node) {
                    Ok(inputs) => self.layer(class, name, &layer["config"], &inputs),
                    Err(reason) => self.wrong(class, name, &reason),
                },
                several => self.wrong(class, name, &format!("applied {} times", several.len())),
            }
        }
        let ends = ends(&model["output_layers"]);
        if ends.is_empty() { Err("no outputs by name".to_owned()) } else { Ok(ends) }
    }

    fn wrong(&mut self, class: &str, name: &str, reason: &str) {
        self.problems.push(format!("{name} ({class}): {reason}"));
        self.values.insert(name.to_owned(), None);
    }

    fn layer(&mut self, class: &str, name: &str, config: &Json, inputs: &[String]) {
        let mut given = Vec::new();
        for input in inputs {
            match self.values.get(input) {
                Some(Some(value)) => given.push(*value),
                // That has been said.
                Some(None) => {
                    self.values.insert(name.to_owned(), None);
                    return;
                }
                None => return self.wrong(class, name, &format!("takes {input}, which does not stand before it")),
            }
        }
        match self.read(class, name, config, &given) {
            Ok(given) => {
                self.values.insert(name.to_owned(), Some(given));
            }
            Err(reason) => self.wrong(class, name, &reason),
        }
    }

    fn read(&mut self, class: &str, name: &str, config: &Json, inputs: &[Given]) -> Result<Given, Reason> {
        if class == "InputLayer" {
            let shape =
                [&config["batch_shape"], &config["batch_input_shape"]].into_iter().find(|shape| shape.is_array());
            return self.input(name, shape.ok_or("no shape")?);
        }
        if inputs.iter().any(|input| input.is_folded) && !["Flatten", "Reshape"].contains(&class) {
            return Err("takes rows of two sides; a Flatten should stand behind the Embedding".to_owned());
        }
        let values: Vec<Value> = inputs.iter().map(|input| input.value).collect();
        let mut before = None;
        let layer: Layer = match class {
            "Dense" => {
                let dense = Dense::new(size(config, "units")?);
                let dense = if flag(config, "use_bias", true) { dense } else { dense.without_bias() };
                match activation(&config["activation"])? {
                    Activation::Custom(formula) => {
                        before = Some(Layer::Activation(Activation::Custom(formula)));
                        dense.into()
                    }
                    function => dense.activation(function).into(),
                }
            }
            "Activation" => activation(&config["activation"])?.into(),
            "ReLU" => relu(config)?.into(),
            "LeakyReLU" => {
                let slope = number(config, "negative_slope").or_else(|| number(config, "alpha")).unwrap_or(0.3);
                Activation::LeakyRelu { slope }.into()
            }
            "ELU" => Activation::Elu { alpha: number(config, "alpha").unwrap_or(1.0) }.into(),
            "Softmax" => {
                along_the_last(&config["axis"])?;
                Activation::Softmax.into()
            }
            "Dropout" => Dropout::new(number(config, "rate").ok_or("no rate")?).into(),
            "AlphaDropout" => AlphaDropout::new(number(config, "rate").ok_or("no rate")?).into(),
            "ActivityRegularization" => {
                let factor = |name| number(config, name).unwrap_or(0.0);
                ActivityRegularization::l1_l2(factor("l1"), factor("l2")).into()
            }
            "BatchNormalization" => {
                along_the_last(&config["axis"])?;
                // Keras names the share of what was there before.
                let momentum = 1.0 - number(config, "momentum").unwrap_or(0.99);
                BatchNorm::new().epsilon(number(config, "epsilon").unwrap_or(1e-3)).momentum(momentum).into()
            }
            "LayerNormalization" => {
                along_the_last(&config["axis"])?;
                if flag(config, "rms_scaling", false) {
                    return Err("root mean squares, which no layer has".to_owned());
                }
                LayerNorm::new().epsilon(number(config, "epsilon").unwrap_or(1e-3)).into()
            }
            "Normalization" => {
                along_the_last(&config["axis"])?;
                if flag(config, "invert", false) {
                    return Err("inverted".to_owned());
                }
                BatchNorm::new().into()
            }
            "Embedding" => Embedding::new(size(config, "input_dim")?, size(config, "output_dim")?).into(),
            "Flatten" => Layer::Flatten,
            "Reshape" if config["target_shape"].as_array().is_some_and(|sides| sides.len() == 1) => Layer::Flatten,
            "Add" => Layer::Add,
            "Concatenate" => {
                along_the_last(&config["axis"])?;
                Layer::Concat
            }
            "Subtract" | "Multiply" | "Average" | "Maximum" | "Minimum" => return self.pair(class, name, &values),
            other => return Err(no_layer(other)),
        };
        // An Embedding lays its vectors side by side already.
        if let ([given], Layer::Flatten) = (inputs, &layer)
            && given.is_folded
        {
            return Ok(Given { is_folded: false, ..*given });
        }
        let is_folded = matches!(layer, Layer::Embedding(_));
        let weights = self.weights_of(class, name, config)?;
        let put = |network: &mut Network, name: String, layer, values: &[Value]| {
            network.apply_named(name, layer, values).map_err(|error| error.to_string())
        };
        let mut value = put(&mut self.network, name.to_owned(), layer, &values)?;
        if let Some(function) = before {
            value = put(&mut self.network, format!("{name}.activation"), function, &[value])?;
        }
        self.weights.extend(weights);
        if class == "Normalization" {
            self.frozen.push(name.to_owned());
        }
        Ok(Given { value, is_folded })
    }

    fn input(&mut self, name: &str, shape: &Json) -> Result<Given, Reason> {
        let wrong = || format!("rows of {shape}, whose sides must be known");
        let sides = shape.as_array().and_then(|sides| sides.split_first()).ok_or_else(wrong)?.1;
        let side = |side: &Json| side.as_u64().and_then(|side| usize::try_from(side).ok()).ok_or_else(wrong);
        let shape = RowShape(sides.iter().map(side).collect::<Result<_, _>>()?);
        let value = self.network.input(name, shape).map_err(|error| error.to_string())?;
        let given = Given { value, is_folded: false };
        self.values.insert(name.to_owned(), Some(given));
        Ok(given)
    }

    /// Two values, element by element.
    fn pair(&mut self, class: &str, name: &str, values: &[Value]) -> Result<Given, Reason> {
        let &[a, b] = values else { return Err(format!("of {} values; two are read", values.len())) };
        let value = self.network.formula(name, [a, b], |[a, b]| match class {
            "Subtract" => a - b,
            "Multiply" => a * b,
            "Average" => (a + b) * 0.5,
            "Maximum" => a.max(b),
            _ => a.min(b),
        });
        Ok(Given { value: value.map_err(|error| error.to_string())?, is_folded: false })
    }

    /// The parameters of a layer, by our names.
    fn weights_of(&self, class: &str, name: &str, config: &Json) -> Result<Vec<Weight>, Reason> {
        let none = Vec::new();
        let arrays = self.arrays.get(name).unwrap_or(&none);
        let (center, scale) = (flag(config, "center", true), flag(config, "scale", true));
        let parts: Vec<&str> = match class {
            "Dense" if flag(config, "use_bias", true) => vec!["w", "b"],
            "Dense" | "Embedding" => vec!["w"],
            "BatchNormalization" | "LayerNormalization" => {
                let own =
                    [(scale, "scale"), (center, "shift")].into_iter().filter(|(has, _)| *has).map(|(_, part)| part);
                let gathered: &[&str] = if class == "BatchNormalization" { &["mean", "variance"] } else { &[] };
                own.chain(gathered.iter().copied()).collect()
            }
            "Normalization" => return self.normalization(name, arrays, config),
            _ => Vec::new(),
        };
        if arrays.len() != parts.len() {
            return Err(format!("{} arrays in the file, expected {}", arrays.len(), parts.len()));
        }
        let mut weights: Vec<Weight> = parts
            .iter()
            .zip(arrays)
            .map(|(part, array)| weight(format!("{name}.{part}"), array))
            .collect::<Result<_, _>>()?;
        // What Keras leaves out is there with us, and does nothing.
        let length = weights.first().map_or(0, |weight| weight.data.len());
        if ["BatchNormalization", "LayerNormalization"].contains(&class) {
            for (has, part, value) in [(scale, "scale", 1.0), (center, "shift", 0.0)] {
                if !has {
                    weights.push(Weight {
                        name: format!("{name}.{part}"),
                        shape: (1, length),
                        data: vec![value; length],
                    });
                }
            }
        }
        Ok(weights)
    }

    /// `(x - mean) / deviation` as a batch normalisation that training leaves alone.
    fn normalization(&self, name: &str, arrays: &[Array], config: &Json) -> Result<Vec<Weight>, Reason> {
        let listed = |key: &str| -> Option<Vec<f32>> {
            config[key]
                .as_array()?
                .iter()
                .flat_map(|it| it.as_array().cloned().unwrap_or_else(|| vec![it.clone()]))
                .map(|it| it.as_f64().map(|it| it as f32))
                .collect()
        };
        let (mean, variance) = match (listed("mean"), listed("variance"), arrays) {
            (Some(mean), Some(variance), _) => (mean, variance),
            (_, _, [(_, mean), (_, variance), ..]) => (mean.clone(), variance.clone()),
            _ => return Err("no mean and variance: it was not adapted".to_owned()),
        };
        let epsilon = f64::from(BatchNorm::new().epsilon);
        let factor =
            |variance: &f32| ((1.0 + epsilon).sqrt() / f64::from(*variance).sqrt().max(LEAST_DEVIATION)) as f32;
        let (length, scale) = (mean.len(), variance.iter().map(factor).collect());
        let part = |part: &str, data| Weight { name: format!("{name}.{part}"), shape: (1, length), data };
        Ok(vec![
            part("scale", scale),
            part("shift", vec![0.0; length]),
            part("mean", mean),
            part("variance", vec![1.0; length]),
        ])
    }
}

fn weight(name: String, (shape, data): &Array) -> Result<Weight, Reason> {
    let shape = match shape.as_slice() {
        [cols] => (1, *cols),
        [rows, cols] => (*rows, *cols),
        other => return Err(format!("{name} of the shape {other:?}")),
    };
    // Checked here, where the layer is known.
    Matrix::new(shape.0, shape.1, data.clone()).map_err(|error| error.to_string())?;
    Ok(Weight { name, shape, data: data.clone() })
}

fn no_layer(class: &str) -> Reason {
    match class {
        "Lambda" => "code of Python, which is not in the file".to_owned(),
        "Functional" | "Sequential" | "Model" => {
            "a model within the model: take its layers out, or export ONNX".to_owned()
        }
        _ => "no layer of dense networks".to_owned(),
    }
}

/// The function of an `activation` field.
fn activation(field: &Json) -> Result<Activation, Reason> {
    let name = match field {
        Json::Null => "linear",
        Json::String(name) => name,
        other => text(other, "config").ok_or_else(|| format!("the activation {other}"))?,
    };
    Ok(match name {
        "linear" => Activation::Identity,
        "relu" => Activation::Relu,
        "sigmoid" => Activation::Sigmoid,
        "tanh" => Activation::Tanh,
        "softmax" => Activation::Softmax,
        "log_softmax" => Activation::LogSoftmax,
        "elu" => Activation::Elu { alpha: 1.0 },
        "selu" => Activation::Selu,
        "gelu" => Activation::Gelu,
        "silu" | "swish" => Activation::Silu,
        "softplus" => Activation::Softplus,
        "softsign" => Activation::Softsign,
        "mish" => Activation::Mish,
        "hard_sigmoid" => Activation::HardSigmoid,
        "leaky_relu" => Activation::LeakyRelu { slope: 0.2 },
        "relu6" => Activation::custom("relu6", |x| x.max(0.0).min(6.0)),
        "hard_silu" | "hard_swish" => Activation::custom("hard_swish", |x| x * (x + 3.0).max(0.0).min(6.0) / 6.0),
        "exponential" => Activation::custom("exponential", |x| x.exp()),
        other => return Err(format!("the activation {other}")),
    })
}

/// `max(x, 0)`, up to a bound or with a slope below 0.
fn relu(config: &Json) -> Result<Activation, Reason> {
    let (most, slope) = (number(config, "max_value"), number(config, "negative_slope").unwrap_or(0.0));
    if number(config, "threshold").unwrap_or(0.0) != 0.0 {
        return Err("a threshold other than 0".to_owned());
    }
    match (most, slope) {
        (None, 0.0) => Ok(Activation::Relu),
        (None, slope) => Ok(Activation::LeakyRelu { slope }),
        (Some(most), 0.0) => Ok(Activation::custom("relu_up_to", |x| x.max(0.0).min(most))),
        (Some(_), _) => Err("a bound and a slope".to_owned()),
    }
}

/// Refuses another axis than that of the columns.
fn along_the_last(axis: &Json) -> Result<(), Reason> {
    let axis = match axis {
        Json::Array(list) if list.len() == 1 => &list[0],
        other => other,
    };
    match axis.as_i64() {
        Some(-1 | 1) => Ok(()),
        None if axis.is_null() => Ok(()),
        _ => Err(format!("along axis {axis}; rows have one")),
    }
}

/// The layers that a node takes: of Keras 3 tensors in `args`, before that lists of name, node and place.
fn sources(node: &Json) -> Result<Vec<String>, Reason> {
    fn tensors(json: &Json, found: &mut Vec<String>) -> Result<(), Reason> {
        match json {
            Json::Object(fields) if fields.get("class_name").is_some_and(|class| class == "__keras_tensor__") => {
                let name = json["config"]["keras_history"][0].as_str().ok_or("an input without a name")?;
                found.push(name.to_owned());
                Ok(())
            }
            Json::Array(list) => list.iter().try_for_each(|json| tensors(json, found)),
            Json::Null => Ok(()),
            other => Err(format!("takes {other}, which is no layer's value")),
        }
    }
    let mut found = Vec::new();
    match node {
        Json::Object(_) => {
            tensors(&node["args"], &mut found)?;
            if node["kwargs"].to_string().contains("__keras_tensor__") {
                return Err("takes a value by a keyword".to_owned());
            }
        }
        Json::Array(list) => {
            for source in list {
                found.push(source[0].as_str().ok_or("an input without a name")?.to_owned());
            }
        }
        _ => return Err("no inputs as Keras describes them".to_owned()),
    }
    Ok(found)
}

/// The names in a list of layer, node and place, or in a list of such.
fn ends(json: &Json) -> Vec<String> {
    match json.as_array().map(Vec::as_slice) {
        Some([Json::String(name), ..]) => vec![name.clone()],
        Some(list) => list.iter().flat_map(ends).collect(),
        None => Vec::new(),
    }
}

fn text<'a>(json: &'a Json, key: &str) -> Option<&'a str> {
    json.get(key)?.as_str()
}

fn number(json: &Json, key: &str) -> Option<f32> {
    json.get(key)?.as_f64().map(|number| number as f32)
}

fn flag(json: &Json, key: &str, default: bool) -> bool {
    json.get(key).and_then(Json::as_bool).unwrap_or(default)
}

fn size(json: &Json, key: &str) -> Result<usize, Reason> {
    let size = json.get(key).and_then(Json::as_u64).and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| format!("no {key}"))
}

/// Which of the arrays of `layer` Keras keeps for `part` of it.
pub(super) fn place(network: &Network, layer: &str, part: &str) -> Option<usize> {
    let applied = network.values().iter().find(|value| value.name == layer)?;
    let parts: &[&str] = match applied.layer.as_ref()? {
        Layer::Dense(_) => &["w", "b"],
        Layer::BatchNorm(_) => &["scale", "shift", "mean", "variance"],
        Layer::LayerNorm(_) => &["scale", "shift"],
        Layer::Embedding(_) => &["w"],
        Layer::Activation(_)
        | Layer::Dropout(_)
        | Layer::AlphaDropout(_)
        | Layer::ActivityRegularization(_)
        | Layer::Residual(_)
        | Layer::Formula(_)
        | Layer::Gradient
        | Layer::MatMul(_)
        | Layer::Reshape(_)
        | Layer::Flatten
        | Layer::Add
        | Layer::Concat => &[],
    };
    parts.iter().position(|known| *known == part)
}
