//! The domain `ai.onnx.ml`: what scikit-learn's pipelines are made of.

use super::super::super::proto::Node;
use super::super::super::tensor::{Data, Reason, Tensor};
use super::super::fold::axis;
use super::super::form::{Atom, Coef, Form, Origin};
use super::super::{Importer, Kind, Labels, Rows, Value};
use super::{Call, labels};
use crate::kernels::Activation;

impl Importer<'_> {
    pub(super) fn learning(&mut self, call: &Call<'_>) -> Result<Vec<Value>, Reason> {
        let value = match call.node.op_type.as_str() {
            "Scaler" => scaler(call)?,
            "ArrayFeatureExtractor" => self.extracted(call)?,
            // A map by class name for each row: the columns are the same numbers.
            "ZipMap" => call.value(0)?.clone(),
            "Binarizer" => labels(call.rows(0)?, Vec::new(), Some(call.node.float("threshold", 0.0).into())),
            "Imputer" => self.imputer(call)?,
            "OneHotEncoder" => self.one_hot(call)?,
            "LabelEncoder" => self.label_encoder(call)?,
            "LinearClassifier" => return self.linear_classifier(call),
            "LinearRegressor" => {
                let (x, targets) = (call.number(0)?, call.node.int("targets", 1));
                let outputs = usize::try_from(targets).map_err(|_| format!("{targets} targets"))?;
                post_transform(call.node, &["NONE"])?;
                Value::Rows(self.linear(call, x, outputs)?)
            }
            "Normalizer" => self.normalizer(call)?,
            _ => return Err("no layer computes this".to_owned()),
        };
        Ok(vec![value])
    }

    fn extracted(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        match (call.value(0)?, call.value(1)?) {
            (Value::Constant(names), Value::Labels(of)) => {
                let columns: usize = of.shape.iter().product();
                if names.len() != columns || of.threshold.is_some() {
                    return Err(format!("{} names of {columns} classes", names.len()));
                }
                Ok(Value::Labels(Labels { names: names.names(), ..of.clone() }))
            }
            (Value::Rows(x), Value::Constant(picked)) => {
                let width = x.columns()?;
                let columns: Result<Vec<usize>, Reason> = picked.indices()?.iter().map(|at| axis(*at, width)).collect();
                let columns = columns?;
                let shape = vec![columns.len()];
                Ok(self.columns(x, columns, shape))
            }
            _ => Err("elements picked by a value".to_owned()),
        }
    }

    /// What stands for missing numbers is the schema's business: they are refused by a network.
    fn imputer(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let (x, node) = (call.rows(0)?, call.node);
        let replaced = node.attribute("replaced_value_float").map(|replaced| f64::from(replaced.f.unwrap_or(0.0)));
        let replaced = replaced.or_else(|| Some(node.attribute("replaced_value_int64")?.i.unwrap_or(0) as f64));
        if !replaced.is_some_and(f64::is_nan) {
            let what = replaced.map_or("what is not said".to_owned(), |replaced| replaced.to_string());
            return Err(format!("replaces {what}, and only what is missing (NaN) is replaced: do it in the table"));
        }
        let whole = || Some(node.ints("imputed_value_int64s")?.iter().map(|x| *x as f64).collect());
        let floats = node.floats("imputed_value_floats").map(|all| all.iter().map(|x| f64::from(*x)).collect());
        let values: Vec<f64> = floats.or_else(whole).unwrap_or_default();
        let computed = || "replaces missing numbers of what is computed, and not of columns of an input".to_owned();
        let &[(atom, ref coef)] = x.form.terms.as_slice() else { return Err(computed()) };
        let origins = self.sums.origins(atom).ok_or_else(computed)?.to_vec();
        let of_column = |all: &[f64], at: usize| if all.len() == 1 { all.first() } else { all.get(at) }.copied();
        for (at, origin) in origins.iter().enumerate() {
            let (scale, shift) = (of_column(&coef.0, at), x.form.shift.as_ref().map(|shift| of_column(&shift.0, at)));
            let (Some(value), Some(scale), Some(shift)) = (of_column(&values, at), scale, shift.unwrap_or(Some(0.0)))
            else {
                return Err(format!("{} numbers for {} columns", values.len(), origins.len()));
            };
            // Before it is scaled, where it is.
            let fill = ((value - shift) / scale) as f32;
            if !fill.is_finite() {
                return Err(format!("{fill} for what is missing"));
            }
            let before = self.fills.insert((origin.input, origin.column), fill);
            if before.is_some_and(|before| before != fill) {
                return Err("two numbers for what is missing in one column".to_owned());
            }
        }
        Ok(call.value(0)?.clone())
    }

    /// The columns of an input that `x` is, as they are.
    fn origins(&self, x: &Rows) -> Result<Vec<Origin>, Reason> {
        let origins = x.form.bare().and_then(|at| self.sums.origins(at));
        origins
            .map(<[Origin]>::to_vec)
            .ok_or_else(|| "categories that are computed, and not columns of an input".to_owned())
    }

    /// The rows of `table`, one a name of `names` and, where there is one more, one for all other names.
    fn by_name(&mut self, x: &Rows, names: &[String], table: &Tensor, kind: Kind) -> Result<Rows, Reason> {
        let &[_, width] = table.dims.as_slice() else { return Err("no table".to_owned()) };
        if names.is_empty() {
            return Err("no categories".to_owned());
        }
        let origins = self.origins(x)?;
        let atom = |origin| Atom::Category { origin, names: names.into(), table: table.clone() };
        let mut parts: Vec<Form> = origins.into_iter().map(|origin| self.sums.make(atom(origin), width)).collect();
        let columns = parts.len();
        let form = match parts.pop() {
            Some(only) if columns == 1 => only,
            last => {
                parts.extend(last);
                self.sums.make(Atom::Concat(parts), columns.saturating_mul(width))
            }
        };
        Ok(Rows { form, shape: x.shape.clone(), kind })
    }

    fn one_hot(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let x = call.rows(0)?;
        let names = match x.kind {
            Kind::Text => call.node.strings("cats_strings"),
            Kind::Real | Kind::Whole | Kind::Cut => whole_texts(call.node, "cats_int64s"),
        };
        let names = names.unwrap_or_default();
        // A number that is none of them may be one of them, written otherwise: better refused than taken for another.
        let takes_others = x.kind == Kind::Text && call.node.int("zeros", 1) != 0;
        let (width, rows) = (names.len(), names.len() + usize::from(takes_others));
        let size = rows.saturating_mul(width);
        self.room = self.room.checked_sub(size).ok_or("needs more numbers than such a file can mean")?;
        let mut data = vec![0.0; size];
        data.iter_mut().step_by(width + 1).take(width).for_each(|cell| *cell = 1.0);
        let table = Tensor { dims: vec![rows, width], data: Data::Floats(data.into()) };
        let mut encoded = self.by_name(x, &names, &table, Kind::Real)?;
        encoded.shape.push(width);
        Ok(Value::Rows(encoded))
    }

    fn label_encoder(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let node = call.node;
        let (keys, values) = (listed(node, "keys")?.names(), listed(node, "values")?);
        if keys.len() != values.len() {
            return Err(format!("{} keys for {} values", keys.len(), values.len()));
        }
        match call.value(0)? {
            Value::Constant(tensor) => {
                let places: Option<Vec<usize>> =
                    tensor.names().iter().map(|name| keys.iter().position(|key| key == name)).collect();
                let places = places.ok_or("a constant that is no key")?;
                let data = match &values.data {
                    Data::Floats(all) => Data::Floats(places.iter().filter_map(|at| all.get(*at).copied()).collect()),
                    Data::Whole(all) => Data::Whole(places.iter().filter_map(|at| all.get(*at).copied()).collect()),
                    Data::Text(all) => Data::Text(places.iter().filter_map(|at| all.get(*at).cloned()).collect()),
                };
                Ok(Value::Constant(Tensor { dims: tensor.dims.clone(), data }))
            }
            Value::Labels(of) if of.threshold.is_none() => {
                let columns: usize = of.shape.iter().product();
                let own = |at: usize| of.names.get(at).cloned().unwrap_or_else(|| at.to_string());
                let values = values.names();
                let names: Option<Vec<String>> = (0..columns.min(keys.len() + 1))
                    .map(|at| values.get(keys.iter().position(|key| *key == own(at))?).cloned())
                    .collect();
                let names = names.ok_or_else(|| format!("{} names of {columns} classes", keys.len()))?;
                Ok(Value::Labels(Labels { names, ..of.clone() }))
            }
            Value::Rows(x) if x.kind != Kind::Real => {
                let (default, kind) = match &values.data {
                    Data::Floats(_) => (node.float("default_float", -0.0), Kind::Real),
                    Data::Whole(_) => (node.int("default_int64", -1) as f32, Kind::Whole),
                    Data::Text(_) => return Err("names that stand for names".to_owned()),
                };
                let mut data = values.floats()?.to_vec();
                if let ([key], [1.0], 0.0, Kind::Text) = (keys.as_slice(), data.as_slice(), default, x.kind) {
                    let [origin] = self.origins(x)?.try_into().map_err(|_| "several columns of names".to_owned())?;
                    return Ok(Value::IsName(origin, key.clone()));
                }
                if x.kind == Kind::Text {
                    data.push(default);
                }
                let table = Tensor { dims: vec![data.len(), 1], data: Data::Floats(data.into()) };
                self.by_name(x, &keys, &table, kind).map(Value::Rows)
            }
            _ => Err("encodes what is no column of an input".to_owned()),
        }
    }

    /// A column of names, one of which another stands for: `Where(column is name, other, column)`.
    pub(super) fn renamed(&mut self, call: &Call<'_>, origin: &Origin, name: &str) -> Result<Value, Reason> {
        let x = call.rows(2)?;
        let (names, own) = (call.constant(1)?.names(), self.origins(x)?);
        match (names.as_slice(), own.as_slice()) {
            ([other], [own]) if own == origin && own.renamed.is_none() => {
                let renamed = Some((name.to_owned(), other.clone()));
                let form = self.sums.make(Atom::Renamed(Origin { renamed, ..origin.clone() }), 1);
                Ok(Value::Rows(Rows { form, ..x.clone() }))
            }
            _ => Err("chooses between two names".to_owned()),
        }
    }

    /// `x W + b` with the coefficients of the node, one row of them an output.
    fn linear(&mut self, call: &Call<'_>, x: &Rows, outputs: usize) -> Result<Rows, Reason> {
        let inputs = x.columns()?;
        let coefficients = call.node.floats("coefficients").unwrap_or_default();
        let intercepts = call.node.floats("intercepts").unwrap_or_default();
        let fits = inputs > 0 && outputs.checked_mul(inputs) == Some(coefficients.len());
        if !fits || !(intercepts.is_empty() || intercepts.len() == outputs) {
            let (all, biases) = (coefficients.len(), intercepts.len());
            return Err(format!(
                "{all} coefficients and {biases} intercepts for {inputs} inputs and {outputs} outputs"
            ));
        }
        let turned = (0..inputs).flat_map(|at| coefficients.iter().skip(at).step_by(inputs).copied());
        let weights = Tensor { dims: vec![inputs, outputs], data: Data::Floats(turned.collect()) };
        let mut rows = self.product(x, &weights)?;
        if !intercepts.is_empty() {
            rows.form = rows.form.plus(&Coef(intercepts.iter().map(|x| f64::from(*x)).collect()))?;
        }
        Ok(rows)
    }

    fn linear_classifier(&mut self, call: &Call<'_>) -> Result<Vec<Value>, Reason> {
        let (x, node) = (call.number(0)?, call.node);
        let names = node.strings("classlabels_strings").filter(|names| !names.is_empty());
        let names = names.or_else(|| whole_texts(node, "classlabels_ints")).unwrap_or_default();
        let mut rows = self.linear(call, x, names.len())?;
        // Of more than two sigmoids several may round to 1: the scores tell them apart.
        let scores = self.sums.share(rows.form.clone());
        rows.form = match post_transform(node, &["NONE", "SOFTMAX", "LOGISTIC"])? {
            "SOFTMAX" => self.sums.function(Activation::Softmax, scores.clone()),
            "LOGISTIC" => self.sums.function(Activation::Sigmoid, scores.clone()),
            _ => scores.clone(),
        };
        let by_scores = names.len() > 2 && node.text("post_transform").as_deref() == Some("LOGISTIC");
        let of = if by_scores { scores } else { rows.form.clone() };
        let label = Labels { of, shape: rows.shape.clone(), names, threshold: None };
        Ok(vec![Value::Labels(label), Value::Rows(rows)])
    }

    /// `x / Σ|x|` or `x / √Σx²`; rows of zeros stay.
    fn normalizer(&mut self, call: &Call<'_>) -> Result<Value, Reason> {
        let x = call.number(0)?;
        x.columns()?;
        let norm = call.node.text("norm").unwrap_or_else(|| "MAX".to_owned());
        let atom = x.form.bare().and_then(|at| self.sums.atom(at));
        if norm == "L1" && matches!(atom, Some(Atom::Function(Activation::Softmax, _))) {
            return Ok(x.with(x.form.clone()));
        }
        let form = self.sums.share(x.form.clone());
        let length = match norm.as_str() {
            "L1" => {
                let sizes = self.sums.make(Atom::Abs(form.clone()), x.width());
                self.sums.make(Atom::Total(sizes), 1)
            }
            "L2" => {
                let squares = self.sums.square(form.clone());
                let total = self.sums.make(Atom::Total(squares), 1);
                self.sums.root(&total)?
            }
            other => return Err(format!("the norm {other:?}")),
        };
        let is_nothing = self.is_not_zero(length.clone()).times(&Coef::of(-1.0))?.plus(&Coef::of(1.0))?;
        let divisor = self.sums.add(length, is_nothing)?;
        let divisor = self.sums.share(divisor);
        let form = self.sums.divide(form, &divisor)?;
        Ok(x.with(form))
    }
}

fn scaler(call: &Call<'_>) -> Result<Value, Reason> {
    let x = call.number(0)?;
    let constants = |name: &str, none: f64| {
        let given = call.node.floats(name).filter(|given| !given.is_empty());
        let tensor = given.map(|given| Coef(given.iter().map(|x| f64::from(*x)).collect()));
        tensor.unwrap_or_else(|| Coef::of(none))
    };
    let (offset, scale) = (constants("offset", 0.0), constants("scale", 1.0));
    let form = x.form.clone().plus(&offset.map(|x| -x))?.times(&scale)?;
    Ok(x.with(form))
}

/// The function of scores that the node names, if it is one of `known`.
fn post_transform<'a>(node: &Node, known: &[&'a str]) -> Result<&'a str, Reason> {
    let name = node.text("post_transform").unwrap_or_else(|| "NONE".to_owned());
    known.iter().find(|known| **known == name).copied().ok_or_else(|| format!("scores transformed by {name:?}"))
}

/// Whole numbers as names.
fn whole_texts(node: &Node, name: &str) -> Option<Vec<String>> {
    node.ints(name).map(|all| all.iter().map(i64::to_string).collect())
}

/// What an encoder lists under `part`, in one of its types.
fn listed(node: &Node, part: &str) -> Result<Tensor, Reason> {
    let tensor = |data: Data| Tensor { dims: vec![data.len()], data };
    if let Some(attribute) = node.attribute(&format!("{part}_tensor")) {
        return Tensor::read(attribute.t.as_ref().ok_or("no tensor")?, None);
    }
    let texts = node.strings(&format!("{part}_strings")).map(|all| Data::Text(all.into()));
    let whole = || Some(Data::Whole(node.ints(&format!("{part}_int64s"))?.into()));
    let floats = || Some(Data::Floats(node.floats(&format!("{part}_floats"))?.into()));
    texts.or_else(whole).or_else(floats).map(tensor).ok_or_else(|| format!("no {part}"))
}
