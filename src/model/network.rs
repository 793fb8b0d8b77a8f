//! The architecture of a model: layers applied to values. Chains, branches that meet again, a value used
//! twice, several inputs and outputs. Plain data: it holds no weights and names no device.

use super::gradient::AddedLoss;
use super::shared::{Again, Block, SharedBlocks};
use super::value::{Stamp, Value};
use super::{Model, Summary};
use crate::device::Device;
use crate::formula::{Formula, Symbol};
use crate::graph::{Graph, NodeId};
use crate::init::Initializer;
use crate::layers::{Apply, Built, Layer, MatMul};
use crate::losses::Losses;
use crate::optimizers::{LayerRule, Optimizer};
use crate::size::{self, MOST_ELEMENTS};
use crate::{Error, Result};
use std::ops::Range;

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub(crate) struct Applied {
    pub name: String,
    /// `None` for an input.
    pub layer: Option<Layer>,
    /// Their places in the network.
    pub inputs: Vec<usize>,
    /// Shape of one row.
    pub shape: Vec<usize>,
    /// The place of the value whose parameters this one has too.
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub shares: Option<usize>,
    #[cfg_attr(feature = "save", serde(skip))]
    pub stamp: Stamp,
}

/// What a network leaves in a graph.
pub(super) struct BuiltNetwork {
    pub outputs: Vec<Built>,
    /// What layers add to the loss of each row.
    pub penalties: Vec<NodeId>,
    /// The values whose mean is a loss, with their weights.
    pub added: Vec<(NodeId, f32)>,
}

impl Applied {
    fn named_shape(&self) -> (&str, &[usize]) {
        (&self.name, &self.shape)
    }
}

/// Layers applied to values: the functional way to describe a model.
///
/// ```
/// use axone::prelude::*;
///
/// let mut net = Network::new();
/// let x = net.input("x", 8)?;
/// let left = net.apply(Dense::new(16).activation(Activation::Relu), x)?;
/// let right = net.apply(Dense::new(16).activation(Activation::Tanh), x)?;
/// let both = net.add(&[left, right])?;
/// let y = net.apply(Dense::new(1), both)?;
/// net.output(y)?;
/// let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// assert_eq!(model.parameters(), 2 * (8 * 16 + 16) + 16 + 1);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(try_from = "super::stored::Stored"))]
pub struct Network {
    pub(super) values: Vec<Applied>,
    pub(super) outputs: Vec<usize>,
    /// From which the first weights are drawn.
    #[cfg_attr(feature = "save", serde(skip))]
    pub(super) seed: u64,
    #[cfg_attr(feature = "save", serde(skip_serializing_if = "Vec::is_empty"))]
    pub(super) added: Vec<AddedLoss>,
    #[cfg_attr(feature = "save", serde(skip))]
    pub(super) shared: SharedBlocks,
}

impl Network {
    /// A network without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// An input of the model. `shape` is that of one row: a width, or `[28, 28]` for an image.
    ///
    /// # Errors
    /// [`Error::Value`] where there is no side or one is 0, or a row has more numbers than kernels can count (2³⁰ - 1), or the name is
    /// taken or empty.
    pub fn input(&mut self, name: &str, shape: impl Into<RowShape>) -> Result<Value> {
        let RowShape(shape) = shape.into();
        if shape.is_empty() || shape.contains(&0) {
            return Err(Error::value(name, "shape", "sides of at least 1", format!("{shape:?}")));
        }
        self.push(name.to_owned(), None, Vec::new(), shape)
    }

    /// Applies a layer, a chain of layers or a [shared](Network::share) block to `x`. Each application has weights of its
    /// own, but for those of a shared block: `apply(layer.clone(), …)` twice makes two layers.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Value`], naming the layer, where it does not fit `x` or a setting is out of range;
    /// [`Error::Value`] for a value of another network, and for a name that is taken or empty.
    pub fn apply(&mut self, block: impl Into<Block>, x: Value) -> Result<Value> {
        self.apply_block(block.into(), x)
    }

    /// The sum of several values of one shape.
    ///
    /// # Errors
    /// [`Error::Shape`] with both shapes where two differ.
    pub fn add(&mut self, values: &[Value]) -> Result<Value> {
        self.apply_to(Layer::Add, values)
    }

    /// Several values side by side.
    ///
    /// # Errors
    /// [`Error::Value`] without values; [`Error::Shape`] for values of more than one dimension.
    pub fn concat(&mut self, values: &[Value]) -> Result<Value> {
        self.apply_to(Layer::Concat, values)
    }

    /// The product of the matrices that two values hold in each row: `[m, k]` and `[k, n]` make `[m, n]`, as
    /// `torch.matmul` does behind the batch (`torch.bmm`). A vector `[k]` is a row on the left and a column on the right,
    /// and leaves no side behind; two of them make their inner product, one number. [`Reshape`] makes matrices of a layer's
    /// numbers. `aᵢⱼ` of a row meets `bⱼₗ` of the same row alone: a product over the batch, such as `A Bᵀ` of the similarity
    /// of every row with every other, would make what a row is worth depend on the rows that it happens to be drawn
    /// with, on padding, and on how a batch is cut into parts. Put what is to be compared side by side in one row.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let (a, b) = (net.input("a", [2, 3])?, net.input("b", [2, 3])?);
    /// let scores = net.matmul_transposed(a, b)?; // (2, 3) (3, 2)
    /// let mixed = net.matmul(scores, b)?;        // (2, 2) (2, 3)
    /// let flat = net.apply(Flatten, mixed)?;
    /// net.output(flat)?;
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let [a, b] = [[[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]], [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]].map(Matrix::from);
    /// assert_eq!(model.predict_all(&[a, b])?[0].data(), [17.0, 22.0, 27.0, 22.0, 29.0, 36.0]);
    ///
    /// let (c, d) = (net.input("c", [2, 3])?, net.input("d", [2, 3])?);
    /// let error = net.matmul(c, d).unwrap_err();
    /// assert_eq!(error.to_string(), "matmul: expected [3, n] on the right of [2, 3], got [2, 3]");
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] with both shapes where they do not fit; [`Error::Value`] for a value of another network.
    ///
    /// [`Reshape`]: crate::layers::Reshape
    pub fn matmul(&mut self, a: Value, b: Value) -> Result<Value> {
        self.product(a, b, false)
    }

    /// `a bᵀ` in each row, as [`matmul`](Self::matmul): `[m, k]` and `[n, k]` make `[m, n]`.
    ///
    /// # Errors
    /// As [`matmul`](Self::matmul).
    pub fn matmul_transposed(&mut self, a: Value, b: Value) -> Result<Value> {
        self.product(a, b, true)
    }

    fn product(&mut self, a: Value, b: Value, transposed: bool) -> Result<Value> {
        let name = "matmul";
        let [of_a, of_b] = [self.place(name, "input", a)?, self.place(name, "input", b)?];
        let layer = MatMul::new(name, &self.values[of_a].shape, &self.values[of_b].shape, transposed)?;
        self.apply_to(Layer::MatMul(layer), &[a, b])
    }

    /// A function of values, called `name`: `build` says it, once, with the operators and methods of [`Symbol`], and numbers
    /// beside them. Values of one column, and numbers, stand beside each column of the others.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let (a, b) = (net.input("a", 3)?, net.input("b", 3)?);
    /// let distance = net.formula("distance", [a, b], |[a, b]| (a - b).square().sum().sqrt())?;
    /// net.output(distance)?;
    ///
    /// let c = net.input("c", 4)?;
    /// let error = net.formula("sum", [a, c], |[a, c]| a + c).unwrap_err();
    /// assert_eq!(error.to_string(), "sum: (a + c): expected shapes that broadcast with (B, 3), got (B, 4)");
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`], with the term and both shapes, where two do not fit; [`Error::Value`] for a result that does not
    /// depend on each of the values, a number that is not finite, a value of another network, and a name that is taken or
    /// empty.
    pub fn formula<const N: usize>(
        &mut self,
        name: &str,
        values: [Value; N],
        build: impl for<'a> FnOnce([Symbol<'a>; N]) -> Symbol<'a>,
    ) -> Result<Value> {
        let mut names = [""; N];
        for (name_of, value) in names.iter_mut().zip(values) {
            *name_of = &self.values[self.place(name, "input", value)?].name;
        }
        self.apply_to(Layer::Formula(Formula::new(name, names, build)), &values)
    }

    /// Makes `value` an output of the model. Outputs are numbered in the order of these calls.
    ///
    /// # Errors
    /// [`Error::Shape`] for a value of more than one dimension; [`Error::Value`] for one that is an output already, and
    /// for one of another network.
    pub fn output(&mut self, value: Value) -> Result<()> {
        let at = self.place("network", "output", value)?;
        let applied = &self.values[at];
        if applied.shape.len() != 1 {
            let got = format!("{:?}", applied.shape);
            return Err(Error::shape(&applied.name, "an output of one dimension (put Flatten in front)", got));
        }
        if self.outputs.contains(&at) {
            let got = format!("\"{}\" twice", applied.name);
            return Err(Error::value("network", "output", "a value that is none yet", got));
        }
        self.outputs.push(at);
        Ok(())
    }

    /// From which seed [`compile`](Self::compile) draws the weights; 0 if not told otherwise. Models of one description
    /// and different seeds are the members of an ensemble. A saved network forgets it: its weights are drawn.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Makes a model of the network: its weights, on `device`, to be trained on `losses` (one for each output) with
    /// `optimizer`.
    ///
    /// # Errors
    /// See [`Model::compile`].
    pub fn compile(&self, device: Device, losses: impl Into<Losses>, optimizer: impl Into<Optimizer>) -> Result<Model> {
        Model::compile(self.clone(), device, losses.into(), optimizer.into())
    }

    /// A table of the layers with shapes and parameter counts.
    pub fn summary(&self) -> Summary {
        Summary::new(self)
    }

    /// Name and shape of one row of each input, in the order in which predictions take them.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let image = net.input("image", [28, 28])?;
    /// let flat = net.apply(Flatten, image)?;
    /// let y = net.apply(Dense::new(10).named("digit"), flat)?;
    /// net.output(y)?;
    /// assert_eq!(net.input_shapes(), [("image", &[28, 28][..])]);
    /// assert_eq!(net.output_shapes(), [("digit", &[10][..])]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn input_shapes(&self) -> Vec<(&str, &[usize])> {
        self.inputs().map(Applied::named_shape).collect()
    }

    /// Name and shape of one row of each output.
    pub fn output_shapes(&self) -> Vec<(&str, &[usize])> {
        self.outputs.iter().filter_map(|at| self.values.get(*at)).map(Applied::named_shape).collect()
    }

    pub(crate) fn apply_to(&mut self, layer: Layer, inputs: &[Value]) -> Result<Value> {
        let kind = layer.inner().kind();
        let own = |value: &&Applied| value.shares.is_none();
        let of_kind = |value: &&Applied| value.layer.as_ref().is_some_and(|layer| layer.inner().kind() == kind);
        let name = match layer.inner().given_name() {
            Some(name) => name.to_owned(),
            None => self.free_name(kind, self.values.iter().filter(own).filter(of_kind).count()),
        };
        self.apply_named(name, layer, inputs)
    }

    pub(crate) fn apply_named(&mut self, name: String, layer: Layer, inputs: &[Value]) -> Result<Value> {
        let shares = self.shared.again.map(|Again { first, own, .. }| first + (self.values.len() - own));
        let first = shares.and_then(|at| self.values.get(at));
        let name = match (first, self.shared.again) {
            (Some(first), Some(again)) => format!("{}@{}", first.name, again.time),
            _ => name,
        };
        let places: Result<Vec<usize>> = inputs.iter().map(|&input| self.place(&name, "input", input)).collect();
        let places = places?;
        let shapes: Vec<&[usize]> = places.iter().map(|&at| self.values[at].shape.as_slice()).collect();
        let shape = layer.output_shape(&name, &shapes)?;
        if let (Layer::Embedding(_), Some(&input)) = (&layer, places.first())
            && self.input_slot(input).is_none()
        {
            let got = format!("the result of {}", self.values[input].name);
            return Err(Error::value(name, "input", "an input of the model, which holds the categories", got));
        }
        if let (Layer::Gradient, &[of, by]) = (&layer, places.as_slice()) {
            self.check_gradient(&name, of, by)?;
        }
        if let Some(first) = shares.and_then(|at| self.values.get(at)) {
            let of = |places: &[usize]| -> Vec<&[usize]> {
                places.iter().filter_map(|at| Some(self.values.get(*at)?.shape.as_slice())).collect()
            };
            let (wanted, got) = (of(&first.inputs), of(&places));
            if first.layer.as_ref() != Some(&layer) || wanted != got {
                let wanted = format!("rows of {wanted:?}, as {} has", first.name);
                return Err(Error::shape(name, wanted, format!("{got:?}")));
            }
        }
        let value = self.push(name, Some(layer), places, shape)?;
        if let Some(applied) = self.values.last_mut() {
            applied.shares = shares;
        }
        Ok(value)
    }

    /// Which input of the model the value at `at` is, as it is or flattened.
    pub(crate) fn input_slot(&self, at: usize) -> Option<usize> {
        let applied = self.values.get(at)?;
        match (&applied.layer, applied.inputs.as_slice()) {
            (None, _) => Some(self.values[..at].iter().filter(|value| value.layer.is_none()).count()),
            (Some(Layer::Flatten), &[input]) => self.input_slot(input),
            _ => None,
        }
    }

    pub(super) fn push(
        &mut self,
        name: String,
        layer: Option<Layer>,
        inputs: Vec<usize>,
        shape: Vec<usize>,
    ) -> Result<Value> {
        self.check_name(&name)?;
        if size::product(&shape).is_none_or(|numbers| numbers > MOST_ELEMENTS) {
            let wanted = format!("at most {MOST_ELEMENTS} numbers");
            return Err(Error::value(name, "row", wanted, format!("{shape:?}")));
        }
        self.values.push(Applied { name, layer, inputs, shape, shares: None, stamp: Stamp::default() });
        Ok(self.value(self.values.len() - 1))
    }

    pub(crate) fn values(&self) -> &[Applied] {
        &self.values
    }

    pub(crate) fn outputs(&self) -> impl ExactSizeIterator<Item = &Applied> {
        self.outputs.iter().filter_map(|output| self.values.get(*output)).collect::<Vec<_>>().into_iter()
    }

    /// The same network, with the value of every layer as an output.
    pub(super) fn with_every_output(&self) -> Self {
        let layers = self.values.iter().enumerate().filter(|(_, value)| value.layer.is_some());
        Self { outputs: layers.map(|(at, _)| at).collect(), ..self.clone() }
    }

    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Applied> {
        self.values.iter().filter(|value| value.layer.is_none())
    }

    /// The layers with parameters of their own, under their names.
    fn own_layers(&self) -> impl Iterator<Item = (&str, &dyn Apply)> {
        let own = self.values.iter().filter(|value| value.shares.is_none());
        own.filter_map(|value| Some((value.name.as_str(), value.layer.as_ref()?.inner())))
    }

    /// How each parameter starts, in the order of the graph's parameters.
    pub(crate) fn initializers(&self) -> Vec<Initializer> {
        self.own_layers().flat_map(|(_, layer)| layer.initializers()).collect()
    }

    /// The layer of each parameter, in the order of the graph's parameters.
    pub(crate) fn parameter_layers(&self) -> Vec<&str> {
        self.own_layers().flat_map(|(name, layer)| vec![name; layer.initializers().len()]).collect()
    }

    /// What the layer of each parameter says of its update, in the order of the graph's parameters.
    pub(crate) fn layer_rules(&self) -> Vec<LayerRule> {
        self.own_layers().flat_map(|(_, layer)| vec![layer.rule(); layer.initializers().len()]).collect()
    }

    /// Checks what can be wrong only once the network is whole.
    pub(crate) fn check(&self) -> Result<()> {
        if self.inputs().next().is_none() {
            return Err(Error::value("network", "inputs", "at least one", "none"));
        }
        if self.outputs.is_empty() {
            return Err(Error::value("network", "outputs", "at least one (call output)", "none"));
        }
        self.check_moments()
    }

    /// Appends the network to `graph`. Layers that
    /// behave differently while training (dropout, batch normalisation) do so if `training`, but for layers all of
    /// whose parameters are `frozen`; the parameters are the same either way.
    pub(super) fn build(&self, graph: &mut Graph, training: bool, frozen: &[bool]) -> Result<BuiltNetwork> {
        let mut built: Vec<Built> = Vec::with_capacity(self.values.len());
        let mut parameters: Vec<Range<usize>> = Vec::with_capacity(self.values.len());
        let mut penalties = Vec::new();
        for (i, applied) in self.values.iter().enumerate() {
            let declared = graph.parameters().len();
            let shared = applied.shares.and_then(|first| parameters.get(first).cloned());
            let value = match &applied.layer {
                None => {
                    let id: NodeId = graph.input(&applied.name, applied.shape.iter().product())?;
                    Built { value: id, before: None, penalty: None }
                }
                Some(layer) => {
                    let inputs: Vec<Built> =
                        applied.inputs.iter().filter_map(|input| built.get(*input).copied()).collect();
                    let own = declared..declared + layer.inner().initializers().len();
                    let own = shared.clone().unwrap_or(own);
                    let still = !own.is_empty() && frozen.get(own).is_some_and(|own| own.iter().all(|frozen| *frozen));
                    graph.declare_again(shared.clone().unwrap_or_default());
                    let value = layer.build(graph, &applied.name, &inputs, training && !still, i as u32);
                    graph.declare_again(0..0);
                    value?
                }
            };
            penalties.extend(value.penalty);
            built.push(value);
            parameters.push(shared.unwrap_or(declared..graph.parameters().len()));
        }
        let outputs = self.outputs.iter().filter_map(|output| built.get(*output).copied()).collect();
        let added = self.added.iter().filter_map(|added| Some((built.get(added.value)?.value, added.weight))).collect();
        Ok(BuiltNetwork { outputs, penalties, added })
    }
}

/// The shape of one row of an input: a width, or the sides of an image or grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowShape(pub(crate) Vec<usize>);

impl From<usize> for RowShape {
    fn from(width: usize) -> Self {
        Self(vec![width])
    }
}

impl<const N: usize> From<[usize; N]> for RowShape {
    fn from(sides: [usize; N]) -> Self {
        Self(sides.to_vec())
    }
}
