//! Layers for the sums that the outputs need.

use super::super::proto::Node;
use super::super::tensor::{Reason, Tensor};
use super::super::{Imported, Output};
use super::algebra::Sums;
use super::form::{Atom, Coef, Form, Origin};
use super::table::Columns;
use super::{Input, place};
use crate::data::Schema;
use crate::formula::{Formula, Symbol};
use crate::layers::{Activation, BatchNorm, Dense, Embedding, Flatten, Layer, LayerNorm};
use crate::model::{Network, RowShape, Value, Weight};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap, HashSet};

/// A layer that is to be, and what it reads.
struct Step {
    /// Empty where the network is to find one.
    name: String,
    layer: Layer,
    inputs: Vec<usize>,
    /// Each without the name of the layer.
    weights: Vec<Weight>,
    frozen: bool,
    width: usize,
}

/// Why there is no layer: `None` where that has been said.
type Missing = Option<Reason>;

/// One table for each column of an input, all as wide as the widest.
struct Tables {
    step: usize,
    width: usize,
    columns: usize,
}

pub(super) struct Emitter<'a> {
    sums: &'a Sums,
    nodes: &'a [Node],
    /// Those of the file.
    given: &'a [Input],
    fills: &'a BTreeMap<(usize, usize), f32>,
    /// Those of the network.
    inputs: Vec<(String, Vec<usize>)>,
    /// Where they are those of a table.
    columns: Option<Columns>,
    /// The embedding of the columns of names.
    encoded: Option<usize>,
    /// Numbers that may still be made: a file cannot ask for more than some multiple of itself.
    room: usize,
    steps: Vec<Step>,
    /// Of inputs that have been flattened.
    flat: HashMap<usize, usize>,
    places: HashMap<usize, usize>,
    /// What the product, or normalisation, of an atom reads: its layer is made where its constants are known.
    sources: HashMap<usize, usize>,
    tables: HashMap<usize, Tables>,
    broken: HashSet<usize>,
}

fn weight(name: impl Into<String>, rows: usize, cols: usize, data: Vec<f32>) -> Weight {
    Weight { name: name.into(), shape: (rows, cols), data }
}

impl<'a> Emitter<'a> {
    pub fn new(
        sums: &'a Sums,
        nodes: &'a [Node],
        given: &'a [Input],
        fills: &'a BTreeMap<(usize, usize), f32>,
        room: usize,
    ) -> Self {
        Self {
            sums,
            nodes,
            given,
            fills,
            inputs: given.iter().map(|input| (input.name.clone(), input.shape.clone())).collect(),
            columns: None,
            encoded: None,
            room,
            steps: Vec::new(),
            flat: HashMap::new(),
            places: HashMap::new(),
            sources: HashMap::new(),
            tables: HashMap::new(),
            broken: HashSet::new(),
        }
    }

    pub fn run(&mut self, outputs: (Vec<Form>, Vec<Output>), problems: &mut Vec<String>) -> Result<Imported> {
        let (forms, mut asked) = outputs;
        let mut needed = vec![false; self.sums.atoms.len()];
        let mark = |form: &Form, needed: &mut Vec<bool>| {
            for (atom, _) in &form.terms {
                needed.get_mut(*atom).into_iter().for_each(|needed| *needed = true);
            }
        };
        forms.iter().for_each(|form| mark(form, &mut needed));
        for (at, made) in self.sums.atoms.iter().enumerate().rev() {
            if needed.get(at) == Some(&true) {
                made.atom.parts().iter().for_each(|form| mark(form, &mut needed));
            }
        }
        match Columns::of(self.sums, &needed, self.given, !self.fills.is_empty()) {
            Ok(Some(columns)) => {
                self.inputs = columns.inputs(self.given);
                self.columns = Some(columns);
            }
            Ok(None) => {}
            Err((at, reason)) => problems.push(format!("{}: {reason}", self.called(at))),
        }
        for (at, _) in needed.iter().enumerate().filter(|(_, needed)| **needed) {
            if let Err(reason) = self.prepare(at, &needed) {
                self.broken.insert(at);
                problems.extend(reason.map(|reason| format!("{}: {reason}", self.called(at))));
            }
        }
        let mut ends = Vec::<usize>::new();
        let mut of_form = Vec::with_capacity(forms.len());
        for (number, form) in forms.iter().enumerate() {
            match self.form(form) {
                Ok(step) => {
                    let known = ends.iter().position(|end| *end == step);
                    of_form.push(known.unwrap_or(ends.len()));
                    if known.is_none() {
                        ends.push(step);
                    }
                }
                Err(reason) => {
                    of_form.push(0);
                    let name = asked.iter().find(|output| output.value == number).map_or("", |output| &output.name);
                    problems.extend(reason.map(|reason| format!("output \"{name}\": {reason}")));
                }
            }
        }
        for output in &mut asked {
            output.value = of_form.get(output.value).copied().unwrap_or_default();
        }
        if !problems.is_empty() {
            return Err(Error::data("onnx", "not expressible"));
        }
        self.merge_activations(&ends);
        let schema = self.columns.as_ref().map(|columns| columns.schema(self.given, self.fills, &asked)).transpose()?;
        self.network(&ends, asked, schema)
    }

    fn called(&self, atom: usize) -> String {
        let node = self.sums.atoms.get(atom).and_then(|made| self.nodes.get(made.node));
        node.map_or_else(|| "input".to_owned(), place)
    }

    /// What the layer of an atom is to be called.
    fn name(&self, atom: usize) -> String {
        let Some(node) = self.sums.atoms.get(atom).and_then(|made| self.nodes.get(made.node)) else {
            return String::new();
        };
        let module = node.input.iter().find_map(|input| input.strip_suffix(".weight"));
        module.unwrap_or(&node.name).to_owned()
    }

    /// Calls a step without a name as the layer of `atom`.
    fn call(&mut self, step: usize, atom: usize) {
        let name = self.name(atom);
        let step = step.checked_sub(self.inputs.len()).and_then(|step| self.steps.get_mut(step));
        if let Some(step) = step.filter(|step| step.name.is_empty() && step.layer != Layer::Flatten) {
            step.name = name;
        }
    }

    fn take(&mut self, numbers: usize) -> Result<(), Missing> {
        self.room = self
            .room
            .checked_sub(numbers)
            .ok_or_else(|| Some("needs more numbers than such a file can mean".to_owned()))?;
        Ok(())
    }

    fn push(&mut self, step: Step) -> Result<usize, Missing> {
        self.take(step.weights.iter().fold(64, |sum, weight| sum + weight.data.len()))?;
        self.steps.push(step);
        Ok(self.inputs.len() + self.steps.len() - 1)
    }

    fn width(&self, step: usize) -> usize {
        match step.checked_sub(self.inputs.len()) {
            Some(at) => self.steps.get(at).map_or(1, |step| step.width),
            None => self.inputs.get(step).map_or(1, |(_, shape)| shape.iter().product()),
        }
    }

    fn plain(
        &mut self,
        name: String,
        layer: impl Into<Layer>,
        inputs: Vec<usize>,
        width: usize,
    ) -> Result<usize, Missing> {
        self.push(Step { name, layer: layer.into(), inputs, weights: Vec::new(), frozen: false, width })
    }

    fn activation(&mut self, name: String, function: Activation, x: usize) -> Result<usize, Missing> {
        let width = self.width(x);
        self.plain(name, function, vec![x], width)
    }

    /// A formula of values, those of one column beside each column of the others.
    fn formula(&mut self, name: String, formula: Formula, inputs: Vec<usize>) -> Result<usize, Missing> {
        let widths: Vec<usize> = inputs.iter().map(|input| self.width(*input)).collect();
        let width = widths.iter().max().copied().unwrap_or(1);
        if let Some(other) = widths.iter().find(|own| **own != width && **own != 1) {
            return Err(Some(format!("the sum, or another function, of rows of {width} and of {other}")));
        }
        self.plain(name, Layer::Formula(formula), inputs, width)
    }

    /// A formula of one value.
    fn unary(
        &mut self,
        at: usize,
        x: &Form,
        what: &str,
        build: impl for<'s> FnOnce(Symbol<'s>) -> Symbol<'s>,
    ) -> Result<usize, Missing> {
        let x = self.form(x)?;
        self.formula(self.name(at), Formula::new(what, ["x"], |[x]| build(x)), vec![x])
    }

    /// A formula of one value that makes one column of its columns.
    fn row(
        &mut self,
        at: usize,
        x: &Form,
        what: &str,
        build: impl for<'s> FnOnce(Symbol<'s>) -> Symbol<'s>,
    ) -> Result<usize, Missing> {
        let x = self.form(x)?;
        let formula = Formula::new(what, ["x"], |[x]| build(x));
        self.plain(self.name(at), Layer::Formula(formula), vec![x], 1)
    }

    /// `coef · x + shift`: by a formula where each is one number, else by a batch normalisation of mean 0 and variance 1,
    /// which training leaves as it is.
    fn affine(&mut self, x: usize, coef: &Coef, shift: Option<&Coef>) -> Result<usize, Missing> {
        let width = self.width(x);
        if coef.is(1.0) && coef.len() <= width && shift.is_none_or(|shift| shift.is(0.0) && shift.len() <= width) {
            return Ok(x);
        }
        if let (&[k], &[c]) = (&*coef.0, shift.map_or(&[0.0][..], |shift| &*shift.0)) {
            let (k, c) = (k as f32, c as f32);
            let formula = match (k == 1.0, c == 0.0) {
                (true, _) => Formula::new("shifted", ["x"], |[x]| x + c),
                (_, true) => Formula::new("scaled", ["x"], |[x]| x * k),
                _ => Formula::new("scaled_and_shifted", ["x"], |[x]| x * k + c),
            };
            return self.formula(String::new(), formula, vec![x]);
        }
        self.take(4 * width)?;
        let zero = Coef::of(0.0);
        let spread = |coef: &Coef| {
            coef.spread(width)
                .ok_or_else(|| Some(format!("rows of {width} beside {} constants: one number is repeated", coef.len())))
        };
        let vectors = [("scale", spread(coef)?), ("shift", spread(shift.unwrap_or(&zero))?)];
        let statistics = [("mean", vec![0.0; width]), ("variance", vec![1.0; width])];
        let weights = vectors.into_iter().chain(statistics).map(|(name, data)| weight(name, 1, width, data)).collect();
        let layer = BatchNorm::new().epsilon(f32::MIN_POSITIVE).into();
        self.push(Step { name: String::new(), layer, inputs: vec![x], weights, frozen: true, width })
    }

    /// A sum as a value of the network.
    fn form(&mut self, form: &Form) -> Result<usize, Missing> {
        let mut shift = form.shift.as_ref();
        let mut summands = Vec::with_capacity(form.terms.len());
        let has_constants =
            |sums: &Sums, at: usize| matches!(sums.atom(at), Some(Atom::Product(..) | Atom::LayerNorm(..)));
        // Constants go to the layer that has room for them.
        let first = form.terms.iter().position(|(at, _)| has_constants(self.sums, *at)).unwrap_or(0);
        for (i, (at, coef)) in form.terms.iter().enumerate() {
            let own = if first == i { shift.take() } else { None };
            summands.push(self.term(*at, coef, own)?);
        }
        match summands.as_slice() {
            [] => Err(Some("the same for all rows".to_owned())),
            &[one] => Ok(one),
            [one, others @ ..] => {
                let width = summands.iter().map(|summand| self.width(*summand)).max().unwrap_or(1);
                if summands.iter().any(|summand| self.width(*summand) != width) {
                    // A column beside each of the others, or rows that do not fit.
                    return others.iter().try_fold(*one, |sum, next| {
                        self.formula(String::new(), Formula::new("sum", ["a", "b"], |[a, b]| a + b), vec![sum, *next])
                    });
                }
                self.plain(String::new(), Layer::Add, summands, width)
            }
        }
    }

    /// `coef · atom + shift`.
    fn term(&mut self, at: usize, coef: &Coef, shift: Option<&Coef>) -> Result<usize, Missing> {
        if self.broken.contains(&at) {
            return Err(None);
        }
        let atom = self.sums.atom(at).ok_or(None)?;
        match (atom, self.sources.get(&at).copied()) {
            (Atom::Product(_, weights), Some(x)) => self.dense(at, x, weights, coef, shift),
            (Atom::LayerNorm(_, epsilon), Some(x)) => {
                let width = self.width(x);
                let zero = Coef::of(0.0);
                let spread = |coef: &Coef| {
                    coef.spread(width).ok_or_else(|| Some(format!("{} constants for rows of {width}", coef.len())))
                };
                self.take(2 * width)?;
                let weights = vec![
                    weight("scale", 1, width, spread(coef)?),
                    weight("shift", 1, width, spread(shift.unwrap_or(&zero))?),
                ];
                let layer = LayerNorm::new().epsilon(*epsilon as f32).into();
                self.push(Step { name: self.name(at), layer, inputs: vec![x], weights, frozen: false, width })
            }
            (Atom::Lookup { .. }, _) => {
                let x = self.looked_up(at)?;
                self.affine(x, coef, shift)
            }
            (Atom::Category { .. }, _) => {
                let x = self.row_of_name(at)?;
                self.affine(x, coef, shift)
            }
            _ => {
                let known = self.places.get(&at).copied();
                let x = known.map_or_else(|| self.columns_of(at), Ok)?;
                self.affine(x, coef, shift)
            }
        }
    }

    fn dense(&mut self, at: usize, x: usize, w: &Tensor, coef: &Coef, shift: Option<&Coef>) -> Result<usize, Missing> {
        let &[rows, cols] = w.dims.as_slice() else { return Err(None) };
        self.take(w.len())?;
        let mut data = w.floats().map_err(Some)?.to_vec();
        let too_wide = |coef: &Coef| Some(format!("{} constants for rows of {cols}", coef.len()));
        if !coef.is(1.0) {
            let factors = coef.spread(cols).ok_or_else(|| too_wide(coef))?;
            data.iter_mut().zip(factors.iter().cycle()).for_each(|(w, factor)| *w *= factor);
        }
        let mut layer = Dense::new(cols);
        let mut weights = vec![weight("w", rows, cols, data)];
        match shift {
            Some(shift) => weights.push(weight("b", 1, cols, shift.spread(cols).ok_or_else(|| too_wide(shift))?)),
            None => layer = layer.without_bias(),
        }
        self.push(Step {
            name: self.name(at),
            layer: layer.into(),
            inputs: vec![x],
            weights,
            frozen: false,
            width: cols,
        })
    }

    /// Makes the layers of an atom, those of its parts being there.
    fn prepare(&mut self, at: usize, needed: &[bool]) -> Result<(), Missing> {
        let atom = self.sums.atom(at).ok_or(None)?;
        if self.columns.is_some() && self.sums.origins(at).is_some() {
            return Ok(());
        }
        let step = match atom {
            Atom::Input(input) => self.flattened(*input)?,
            Atom::Shared(form) => {
                let step = self.form(form)?;
                self.call(step, at);
                step
            }
            Atom::Product(x, _) | Atom::LayerNorm(x, _) => {
                let source = self.form(x)?;
                self.sources.insert(at, source);
                return Ok(());
            }
            Atom::Function(function, x) => {
                let x = self.form(x)?;
                self.activation(self.name(at), *function, x)?
            }
            Atom::BatchNorm(x, parameters, epsilon, momentum) => {
                let x = self.form(x)?;
                let width = self.width(x);
                let names = ["scale", "shift", "mean", "variance"];
                self.take(4 * width)?;
                let weights =
                    names.into_iter().zip(parameters).map(|(name, data)| weight(name, 1, width, data.to_vec()));
                let layer = BatchNorm::new().epsilon(*epsilon).momentum(*momentum).into();
                let (name, weights) = (self.name(at), weights.collect());
                self.push(Step { name, layer, inputs: vec![x], weights, frozen: false, width })?
            }
            Atom::Concat(parts) => self.concat(at, parts)?,
            Atom::Columns(x, columns) => {
                // Categories are picked by the table of their column.
                if x.bare().is_some_and(|x| matches!(self.sums.atom(x), Some(Atom::Input(_))))
                    && self.picks_categories(at, needed)
                {
                    return Ok(());
                }
                let x = self.form(x)?;
                self.picked(x, columns, self.name(at))?
            }
            Atom::Lookup { .. } if self.columns.is_some() => {
                return Err(Some("a table picked by whole numbers, beside columns of names".to_owned()));
            }
            Atom::Lookup { input, column: Some(_), .. } => return self.prepare_tables(*input, needed),
            Atom::Lookup { column: None, .. } | Atom::Renamed(_) => return Ok(()),
            Atom::Category { .. } => return self.prepare_names(),
            Atom::Step(x) => self.unary(at, x, "step", |x| x.greater(0.0))?,
            Atom::Abs(x) => {
                let x = self.form(x)?;
                self.kinked(at, x, &Coef::of(-1.0))?
            }
            Atom::Kinked(x, slope) => {
                let x = self.form(x)?;
                self.kinked(at, x, slope)?
            }
            Atom::Call(function, parts) => match (function.arity(), parts.as_slice()) {
                (1, [x]) => self.unary(at, x, function.name(), |x| x.one(*function))?,
                (2, [a, b]) => {
                    let (a, b) = (self.form(a)?, self.form(b)?);
                    let formula = Formula::new(function.name(), ["a", "b"], |[a, b]| a.two(*function, b));
                    self.formula(self.name(at), formula, vec![a, b])?
                }
                _ => return Err(None),
            },
            Atom::Power(x, exponent) => self.unary(at, x, "power", |x| x.pow(*exponent as f32))?,
            Atom::Reciprocal(x) => self.unary(at, x, "reciprocal", |x| 1.0 / x)?,
            Atom::Total(x) => self.row(at, x, "sum", |x| x.sum())?,
            Atom::Mean(x) => self.row(at, x, "mean", |x| x.mean())?,
            Atom::Square(x) => self.unary(at, x, "square", |x| x.square())?,
            Atom::Cube(x) => self.unary(at, x, "cube", |x| x * x * x)?,
            Atom::Exp(x) => self.unary(at, x, "exp", |x| x.exp())?,
            Atom::Deviation(x) => self.unary(at, x, "squared_deviation", |x| (x - x.mean()).square())?,
            Atom::Variance(x) => self.row(at, x, "variance", |x| (x - x.mean()).square().mean())?,
            Atom::Spread(..) | Atom::InverseSpread(..) | Atom::Scaled(..) | Atom::ScaledMean(..) => {
                return Err(Some("a part of layer normalisation without the rest".to_owned()));
            }
            Atom::Erf(_) => return Err(Some("the error function, but for GELU".to_owned())),
        };
        self.places.insert(at, step);
        Ok(())
    }

    /// Whether the column is read by nothing but tables.
    fn picks_categories(&self, at: usize, needed: &[bool]) -> bool {
        let users = self.sums.atoms.iter().zip(needed).filter(|(_, needed)| **needed).map(|(made, _)| &made.atom);
        let read = |form: &Form| form.terms.iter().any(|(atom, _)| *atom == at);
        !users.into_iter().any(|atom| atom.parts().iter().any(read))
    }

    fn flattened(&mut self, input: usize) -> Result<usize, Missing> {
        if let Some(step) = self.flat.get(&input) {
            return Ok(*step);
        }
        let shape = self.inputs.get(input).map(|(_, shape)| shape).ok_or(None)?;
        let (rank, width) = (shape.len(), shape.iter().product());
        let step = if rank == 1 { input } else { self.plain(String::new(), Flatten, vec![input], width)? };
        self.flat.insert(input, step);
        Ok(step)
    }

    /// `relu(x) - slope · relu(-x)`.
    fn kinked(&mut self, at: usize, x: usize, slope: &Coef) -> Result<usize, Missing> {
        let above = self.activation(self.name(at), Activation::Relu, x)?;
        let minus = self.affine(x, &Coef::of(-1.0), None)?;
        let below = self.activation(String::new(), Activation::Relu, minus)?;
        let below = self.affine(below, &slope.map(|slope| -slope), None)?;
        let width = self.width(x);
        self.plain(String::new(), Layer::Add, vec![above, below], width)
    }

    /// Columns of `x` by a product with zeros and ones, which is exact; training leaves it as it is.
    fn picked(&mut self, x: usize, columns: &[usize], name: String) -> Result<usize, Missing> {
        let (rows, cols) = (self.width(x), columns.len());
        self.take(rows.saturating_mul(cols))?;
        let mut data = vec![0.0; rows.saturating_mul(cols)];
        for (to, from) in columns.iter().enumerate() {
            data.get_mut(from * cols + to).into_iter().for_each(|cell| *cell = 1.0);
        }
        let (layer, weights) = (Dense::new(cols).without_bias().into(), vec![weight("w", rows, cols, data)]);
        self.push(Step { name, layer, inputs: vec![x], weights, frozen: true, width: cols })
    }

    fn concat(&mut self, at: usize, parts: &[Form]) -> Result<usize, Missing> {
        let mut inputs = Vec::with_capacity(parts.len());
        let mut rest = parts;
        while let Some((first, others)) = rest.split_first() {
            if let Some((step, count)) = self.all_tables(rest)? {
                inputs.push(step);
                rest = rest.get(count..).unwrap_or_default();
            } else if let (columns, count @ 1..) = self.rows_of_names(rest) {
                inputs.push(self.picked_names(&columns)?);
                rest = rest.get(count..).unwrap_or_default();
            } else {
                inputs.push(self.form(first)?);
                rest = others;
            }
        }
        if let &[one] = inputs.as_slice() {
            self.call(one, at);
            return Ok(one);
        }
        let width = inputs.iter().map(|input| self.width(*input)).sum();
        self.plain(self.name(at), Layer::Concat, inputs, width)
    }

    /// The embedding whose tables, one after the other, are the first of `parts`, and how many.
    fn all_tables(&self, parts: &[Form]) -> Result<Option<(usize, usize)>, Missing> {
        let of = |form: &Form| match self.sums.atom(form.bare()?)? {
            Atom::Lookup { input, column: Some(column), table } => Some((*input, *column, table.dims.get(1).copied()?)),
            _ => None,
        };
        let Some((input, 0, _)) = parts.first().and_then(of) else { return Ok(None) };
        let Some(tables) = self.tables.get(&input) else { return Ok(None) };
        let fits = (0..tables.columns).all(|i| parts.get(i).and_then(of) == Some((input, i, tables.width)));
        Ok(fits.then_some((tables.step, tables.columns)))
    }

    /// The rows that the table of `at` gives.
    fn looked_up(&mut self, at: usize) -> Result<usize, Missing> {
        if let Some(step) = self.places.get(&at) {
            return Ok(*step);
        }
        let Some(Atom::Lookup { input, column, table }) = self.sums.atom(at) else { return Err(None) };
        let &[categories, width] = table.dims.as_slice() else { return Err(None) };
        let step = match column {
            None => {
                let x = self.flattened(*input)?;
                self.take(table.len())?;
                let data = table.floats().map_err(Some)?.to_vec();
                let (layer, columns) = (Embedding::new(categories, width).into(), self.width(x));
                let weights = vec![weight("w", categories, width, data)];
                let name = self.name(at);
                self.push(Step { name, layer, inputs: vec![x], weights, frozen: false, width: columns * width })?
            }
            Some(column) => {
                let tables = self.tables.get(input).ok_or(None)?;
                let (step, from) = (tables.step, column * tables.width);
                if tables.columns == 1 {
                    step
                } else {
                    self.picked(step, &(from..from + width).collect::<Vec<_>>(), String::new())?
                }
            }
        };
        self.places.insert(at, step);
        Ok(step)
    }

    /// Columns of the table's numbers, made where they are first read.
    fn columns_of(&mut self, at: usize) -> Result<usize, Missing> {
        let (Some(columns), Some(origins)) = (&self.columns, self.sums.origins(at)) else { return Err(None) };
        let place = |origin: &Origin| columns.numbers.get(&(origin.input, origin.column)).copied();
        let problem = || Some("calculates with a column of names, or of categories".to_owned());
        let places = origins.iter().map(place).collect::<Option<Vec<usize>>>().ok_or_else(problem)?;
        let is_all = places.iter().copied().eq(0..columns.numbers.len());
        let step = if is_all { 0 } else { self.picked(0, &places, String::new())? };
        self.places.insert(at, step);
        Ok(step)
    }

    /// The embedding of all columns of names, as wide as the widest needs, which training leaves as it is.
    fn prepare_names(&mut self) -> Result<(), Missing> {
        if self.encoded.is_some() {
            return Ok(());
        }
        let Some(columns) = self.columns.take() else { return Err(None) };
        let all = &columns.categories;
        let width = all.values().map(|category| category.width).max().unwrap_or(1);
        let counts: Vec<usize> = all.values().map(|category| category.names.len()).collect();
        let mut weights = Vec::with_capacity(counts.len());
        for (category, count) in all.values().zip(&counts) {
            self.take(count.saturating_mul(width))?;
            let mut data = vec![0.0; count * width];
            for (row, own) in data.chunks_mut(width).zip(category.rows.chunks(category.width.max(1))) {
                row.iter_mut().zip(own).for_each(|(to, from)| *to = *from);
            }
            weights.push(weight(format!("w{}", category.at), *count, width, data));
        }
        let x = self.inputs.len() - 1;
        let (layer, total) = (Embedding::per_column(counts, width).into(), all.len() * width);
        let step = Step { name: String::new(), layer, inputs: vec![x], weights, frozen: true, width: total };
        self.columns = Some(columns);
        self.encoded = Some(self.push(step)?);
        Ok(())
    }

    /// Which columns of that embedding the first of `parts` are, and how many of these.
    fn rows_of_names(&self, parts: &[Form]) -> (Vec<usize>, usize) {
        let mut all = Vec::new();
        let Some(columns) = &self.columns else { return (all, 0) };
        let width = columns.categories.values().map(|category| category.width).max().unwrap_or(1);
        for (count, part) in parts.iter().enumerate() {
            let Some(Atom::Category { origin, .. }) = part.bare().and_then(|at| self.sums.atom(at)) else {
                return (all, count);
            };
            let Some(category) = columns.categories.get(&(origin.input, origin.column)) else { return (all, count) };
            all.extend(category.at * width..category.at * width + category.width);
        }
        (all, parts.len())
    }

    fn picked_names(&mut self, columns: &[usize]) -> Result<usize, Missing> {
        let step = self.encoded.ok_or(None)?;
        let is_all = columns.iter().copied().eq(0..self.width(step));
        if is_all { Ok(step) } else { self.picked(step, columns, String::new()) }
    }

    /// The row that belongs to the name of each row.
    fn row_of_name(&mut self, at: usize) -> Result<usize, Missing> {
        if let Some(step) = self.places.get(&at) {
            return Ok(*step);
        }
        let (columns, _) = self.rows_of_names(&[Form::of(at)]);
        let step = self.picked_names(&columns)?;
        self.places.insert(at, step);
        Ok(step)
    }

    /// The embedding of all columns of an input, for the tables that the graph has of each.
    fn prepare_tables(&mut self, input: usize, needed: &[bool]) -> Result<(), Missing> {
        if self.tables.contains_key(&input) {
            return Ok(());
        }
        let mut of_column = BTreeMap::<usize, (usize, &Tensor)>::new();
        for (at, made) in self.sums.atoms.iter().enumerate().filter(|(at, _)| needed.get(*at) == Some(&true)) {
            let Atom::Lookup { input: of, column: Some(column), table } = &made.atom else { continue };
            if *of == input && of_column.insert(*column, (at, table)).is_some_and(|(_, before)| before != table) {
                return Err(Some(format!("two tables for column {column} of an input")));
            }
        }
        let x = self.flattened(input)?;
        let columns = self.width(x);
        let tables: Vec<(usize, &Tensor)> = of_column.into_values().collect();
        if tables.len() != columns {
            let problem = format!(
                "{} of {columns} columns of an input are categories: give them an input of their own",
                tables.len()
            );
            return Err(Some(problem));
        }
        let width = tables.iter().filter_map(|(_, table)| table.dims.get(1)).max().copied().unwrap_or(1);
        let mut weights = Vec::with_capacity(columns);
        for (i, (_, table)) in tables.iter().enumerate() {
            let &[categories, own] = table.dims.as_slice() else { return Err(None) };
            self.take(categories.saturating_mul(width))?;
            let mut data = vec![0.0; categories.saturating_mul(width)];
            let numbers = table.floats().map_err(Some)?;
            for (row, numbers) in data.chunks_mut(width.max(1)).zip(numbers.chunks(own.max(1))) {
                row.iter_mut().zip(numbers).for_each(|(to, from)| *to = *from);
            }
            weights.push(weight(format!("w{i}"), categories, width, data));
        }
        let categories = tables.iter().filter_map(|(_, table)| table.dims.first().copied());
        let layer = Embedding::per_column(categories, width).into();
        let name = if let &[(at, _)] = tables.as_slice() { self.name(at) } else { String::new() };
        let step = self.push(Step { name, layer, inputs: vec![x], weights, frozen: false, width: columns * width })?;
        self.tables.insert(input, Tables { step, width, columns });
        Ok(())
    }

    /// Puts functions that alone read a dense layer into it.
    fn merge_activations(&mut self, ends: &[usize]) {
        let offset = self.inputs.len();
        let mut uses = vec![0usize; self.steps.len()];
        for at in self.steps.iter().flat_map(|step| &step.inputs).chain(ends) {
            at.checked_sub(offset).and_then(|at| uses.get_mut(at)).into_iter().for_each(|uses| *uses += 1);
        }
        for at in 0..self.steps.len() {
            let Some(Step { layer: Layer::Activation(function), inputs, .. }) = self.steps.get(at) else { continue };
            let (function, Some(source)) = (*function, inputs.first().and_then(|x| x.checked_sub(offset))) else {
                continue;
            };
            if uses.get(source) != Some(&1) {
                continue;
            }
            let Some(dense) = self.steps.get_mut(source) else { continue };
            if let Layer::Dense(layer) = &mut dense.layer
                && layer.activation == Activation::Identity
                && !dense.frozen
            {
                layer.activation = function;
                self.steps
                    .get_mut(at)
                    .into_iter()
                    .for_each(|step| step.layer = Layer::Activation(Activation::Identity));
            }
        }
    }

    fn network(&mut self, ends: &[usize], outputs: Vec<Output>, schema: Option<Schema>) -> Result<Imported> {
        let mut network = Network::new();
        let mut values: Vec<Value> = Vec::with_capacity(self.inputs.len() + self.steps.len());
        for (name, shape) in &self.inputs {
            values.push(network.input(name, RowShape(shape.clone()))?);
        }
        let gone = |at: usize| Error::Internal(format!("value {at} of an imported network is not there"));
        let (mut weights, mut frozen) = (Vec::new(), Vec::new());
        let mut taken: HashSet<String> = self.inputs.iter().map(|(name, _)| name.clone()).collect();
        for step in std::mem::take(&mut self.steps) {
            let inputs: Result<Vec<Value>> =
                step.inputs.iter().map(|at| values.get(*at).copied().ok_or_else(|| gone(*at))).collect();
            let inputs = inputs?;
            if step.layer == Layer::Activation(Activation::Identity) {
                // Merged into what it read.
                values.extend(inputs.first().copied());
                continue;
            }
            let value = if step.name.is_empty() || taken.contains(&step.name) {
                let kind = if let Layer::Formula(formula) = &step.layer { Some(formula.name()) } else { None };
                match kind {
                    // By itself it would be called as others of its kind are.
                    Some(kind) => network.apply_named(network.free_name(kind, 0), step.layer, &inputs)?,
                    None => network.apply_to(step.layer, &inputs)?,
                }
            } else {
                network.apply_named(step.name, step.layer, &inputs)?
            };
            values.push(value);
            let name = network.values().last().map(|applied| applied.name.clone()).unwrap_or_default();
            for mut weight in step.weights {
                weight.name = format!("{name}.{}", weight.name);
                weight.check_finite()?;
                weights.push(weight);
            }
            if step.frozen {
                frozen.push(name.clone());
            }
            taken.insert(name);
        }
        for end in ends {
            network.output(values.get(*end).copied().ok_or_else(|| gone(*end))?)?;
        }
        network.check()?;
        Ok(Imported { network, weights, frozen, outputs, schema, threshold: None })
    }
}
