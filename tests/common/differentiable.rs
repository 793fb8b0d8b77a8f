//! One small graph for every differentiable operation, the operation in the middle: parameters are first turned into
//! something else, the operation's result is multiplied by numbers that differ from 1 and from each other, then
//! summed with weights. So no rule gets away with taking the gradient from above for 1, or its input for a leaf.

use super::numbers;
use axone::formula::Function;
use axone::graph::{BatchProduct, Graph, NodeId, Op, Role, Rows, Shape};
use axone::kernels::{Activation, ElementwiseLoss, EntropyKind};

/// Rows of the batch.
pub const BATCH: usize = 5;

/// A graph under construction, with the numbers of its inputs and parameters.
#[derive(Default)]
pub struct Sample {
    pub graph: Graph,
    pub inputs: Vec<Vec<f64>>,
    /// By parameter.
    pub parameters: Vec<Vec<f64>>,
}

impl Sample {
    fn draw(&self, n: usize) -> Vec<f64> {
        let stream = (self.inputs.len() + 31 * self.parameters.len()) as u32;
        // From 0.2 up in size, either sign: no value lies on the kink of an operation, none is 0 or 1.
        numbers(stream, n).into_iter().map(|x| f64::from(0.2 * x.signum() + 0.7 * x)).collect()
    }

    /// An input `(B, cols)`.
    pub fn input(&mut self, cols: usize) -> NodeId {
        let values = self.draw(BATCH * cols);
        self.input_of(cols, values)
    }

    fn input_of(&mut self, cols: usize, values: Vec<f64>) -> NodeId {
        self.inputs.push(values);
        self.graph.input(&format!("input{}", self.inputs.len()), cols).unwrap()
    }

    /// A parameter `(rows, cols)`.
    pub fn parameter(&mut self, rows: usize, cols: usize) -> NodeId {
        let values = self.draw(rows * cols);
        self.parameters.push(values);
        self.graph.parameter(&format!("p{}", self.parameters.len()), Role::Weight, rows, cols).unwrap()
    }

    /// A running mean and a running variance, which nobody differentiates with respect to.
    pub fn statistics(&mut self, cols: usize) -> [NodeId; 2] {
        [0.3, 1.7].map(|value| {
            self.parameters.push(vec![value; cols]);
            let name = format!("p{}", self.parameters.len());
            self.graph.parameter(&name, Role::Statistic, 1, cols).unwrap()
        })
    }

    /// `(B, cols)`, made of a parameter.
    pub fn rows(&mut self, cols: usize) -> NodeId {
        let (x, w) = (self.input(3), self.parameter(3, cols));
        self.graph.matmul("before", x, w).unwrap()
    }

    /// `(rows, cols)`, made of a parameter.
    pub fn fixed(&mut self, rows: usize, cols: usize) -> NodeId {
        let w = self.parameter(rows, cols);
        self.graph.scale("before", 1.5, w)
    }

    /// The weighted sum of the elements of `y`, with weights that all differ.
    pub fn reduce(&mut self, y: NodeId) -> NodeId {
        let Shape { rows, cols } = self.graph.shape(y);
        let (factors, weights) = match rows {
            Rows::Batch => (self.input(cols), self.input(1)),
            Rows::Fixed(rows) => (self.parameter(rows, cols), self.parameter(rows, 1)),
        };
        let product = self.graph.mul("above", y, factors).unwrap();
        let sums = self.graph.sum_cols("sums", product);
        self.graph.weighted_sum("loss", sums, weights).unwrap()
    }
}

type Build = Box<dyn Fn(&mut Sample) -> NodeId>;

/// Every case: its name and how the value in the middle is made.
pub fn cases() -> Vec<(String, Build)> {
    let mut cases: Vec<(String, Build)> = Vec::new();
    let mut add = |name: &str, build: Build| cases.push((name.to_owned(), build));
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        let name = format!("matmul {ta} {tb}");
        add(
            &name,
            Box::new(move |s| {
                let (a, b) = match (ta, tb) {
                    (false, false) => (s.rows(4), s.fixed(4, 2)),
                    (false, true) => (s.rows(4), s.fixed(2, 4)),
                    (true, false) => (s.rows(4), s.rows(2)),
                    (true, true) => (s.fixed(4, 3), s.fixed(2, 4)),
                };
                s.graph.matmul_form("middle", a, ta, b, tb).unwrap()
            }),
        );
    }
    for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
        add(
            &format!("batch_matmul {ta} {tb}"),
            Box::new(move |s| {
                let (a, b) = (s.rows(6), s.rows(8));
                let product = BatchProduct { sizes: [3, 2, 4], transpose_a: ta, transpose_b: tb };
                s.graph.batch_matmul("middle", product, a, b).unwrap()
            }),
        );
    }
    for &function in Activation::ELEMENTWISE {
        add(
            function.name(),
            Box::new(move |s| {
                let x = s.rows(4);
                s.graph.activation("middle", function, x)
            }),
        );
    }
    for (name, a, b) in [
        ("same shapes", (None, 4), (None, 4)),
        ("a row", (None, 4), (Some(1), 4)),
        ("a column", (None, 4), (None, 1)),
        ("a number", (Some(1), 1), (None, 4)),
        ("a column and a row", (None, 1), (Some(1), 4)),
        ("fixed rows", (Some(3), 2), (Some(3), 1)),
    ] {
        let operand = |s: &mut Sample, (rows, cols): (Option<usize>, usize)| match rows {
            Some(rows) => s.fixed(rows, cols),
            None => s.rows(cols),
        };
        type Join = fn(&mut Graph, &str, NodeId, NodeId) -> axone::Result<NodeId>;
        let joins: [(&str, Join); 3] = [("add", Graph::add), ("sub", Graph::sub), ("mul", Graph::mul)];
        for (operation, join) in joins {
            add(
                &format!("{operation} {name}"),
                Box::new(move |s| {
                    let (a, b) = (operand(s, a), operand(s, b));
                    join(&mut s.graph, "middle", a, b).unwrap()
                }),
            );
        }
    }
    for &function in Function::ALL.iter().filter(|function| !matches!(function, Function::Greater | Function::Sign)) {
        for (cols, more) in [((None, 4), (None, 4)), ((None, 1), (Some(1), 4))] {
            if function.arity() == 1 && cols.1 == 1 {
                continue;
            }
            add(
                &format!("{} {cols:?} {more:?}", function.name()),
                Box::new(move |s| {
                    let mut operand = |(rows, cols): (Option<usize>, usize)| match rows {
                        Some(rows) => s.fixed(rows, cols),
                        None => s.rows(cols),
                    };
                    let of: Vec<NodeId> = [cols, more].into_iter().take(function.arity()).map(&mut operand).collect();
                    let positive = matches!(function, Function::Pow | Function::Sqrt | Function::Ln);
                    let first = if positive { s.graph.activation("before", Activation::Sigmoid, of[0]) } else { of[0] };
                    let of = [&[first], &of[1..]].concat();
                    let middle = s.graph.function("middle", function, &of).unwrap();
                    // What only steps in its first argument moves with the second alone.
                    if function == Function::Keep { s.graph.add("with", middle, of[1]).unwrap() } else { middle }
                }),
            );
        }
    }
    for loss in ElementwiseLoss::ALL {
        add(
            loss.name(),
            Box::new(move |s| {
                let (x, target) = (s.rows(4), s.input(4));
                let probability = matches!(loss, ElementwiseLoss::BinaryCrossEntropy | ElementwiseLoss::Poisson);
                let x = if probability { s.graph.activation("before", Activation::Sigmoid, x) } else { x };
                s.graph.elementwise_loss("middle", loss, x, target).unwrap()
            }),
        );
    }
    for (classes, smoothing) in [(true, 0.0), (true, 0.125), (false, 0.0), (false, 0.125)] {
        add(
            &format!("softmax_cross_entropy {classes} {smoothing}"),
            Box::new(move |s| {
                let x = s.rows(3);
                let target = if classes { s.input_of(1, vec![0.0, 2.0, 1.0, 1.0, 0.0]) } else { s.input(3) };
                s.graph.softmax_cross_entropy("middle", x, target, classes, smoothing).unwrap()
            }),
        );
    }
    for (name, kind, classes) in [
        ("focal of classes", EntropyKind::Focal { gamma: 2.0 }, true),
        ("focal of rows", EntropyKind::Focal { gamma: 0.5 }, false),
        ("divergence", EntropyKind::Divergence, false),
    ] {
        add(
            name,
            Box::new(move |s| {
                let x = s.rows(3);
                let target = match kind {
                    _ if classes => s.input_of(1, vec![0.0, 2.0, 1.0, 1.0, 0.0]),
                    EntropyKind::Divergence => s.input_of(3, (1..=15).map(|i| f64::from(i) / 16.0).collect()),
                    _ => s.input_of(3, (0..15).map(|i| f64::from(u8::from(i % 3 == i / 3 % 3))).collect()),
                };
                s.graph.entropy_loss("middle", kind, x, target, classes).unwrap()
            }),
        );
    }
    for (name, from, cols) in [("the front", 0, 2), ("the middle", 1, 2), ("the end", 2, 2), ("all", 0, 4)] {
        add(
            &format!("slice {name}"),
            Box::new(move |s| {
                let x = s.rows(4);
                s.graph.slice("middle", x, from, cols).unwrap()
            }),
        );
    }
    let mut one = |name: &str, build: fn(&mut Sample) -> NodeId| add(name, Box::new(build));
    one("bias_add", |s| {
        let (x, b) = (s.rows(4), s.fixed(1, 4));
        s.graph.bias_add("middle", x, b).unwrap()
    });
    one("sum_rows", |s| {
        let x = s.rows(4);
        s.graph.sum_rows("middle", x)
    });
    one("sum_cols", |s| {
        let x = s.rows(4);
        s.graph.sum_cols("middle", x)
    });
    one("softmax", |s| {
        let x = s.rows(4);
        s.graph.softmax("middle", x)
    });
    one("log_softmax", |s| {
        let x = s.rows(4);
        s.graph.log_softmax("middle", x)
    });
    one("cosine_loss", |s| {
        let (x, target) = (s.rows(4), s.input(4));
        s.graph.cosine_loss("middle", x, target).unwrap()
    });
    one("scale", |s| {
        let x = s.rows(4);
        s.graph.scale("middle", -0.7, x)
    });
    one("concat", |s| {
        let (a, b, c) = (s.rows(2), s.input(1), s.rows(3));
        s.graph.concat("middle", &[a, b, c]).unwrap()
    });
    one("concat of one value twice", |s| {
        let a = s.rows(2);
        s.graph.concat("middle", &[a, a]).unwrap()
    });
    one("dropout", |s| {
        let x = s.rows(4);
        s.graph.dropout("middle", 0.4, 3, x).unwrap()
    });
    one("alpha_dropout", |s| {
        let x = s.rows(4);
        s.graph.alpha_dropout("middle", 0.4, 3, x).unwrap()
    });
    one("batch_norm", |s| {
        let (x, scale, shift) = (s.rows(4), s.fixed(1, 4), s.fixed(1, 4));
        let (mean, variance) = (s.parameter(1, 4), s.parameter(1, 4));
        s.graph.batch_norm("middle", x, [scale, shift, mean, variance], 0.01, 0.1).unwrap()
    });
    one("batch_norm of parameters", |s| {
        let x = s.rows(4);
        let [scale, shift, mean, variance] = [0; 4].map(|_| s.parameter(1, 4));
        s.graph.batch_norm("middle", x, [scale, shift, mean, variance], 0.01, 0.1).unwrap()
    });
    one("batch_norm_inference", |s| {
        let (x, scale, shift) = (s.rows(4), s.fixed(1, 4), s.fixed(1, 4));
        let running = s.statistics(4);
        s.graph.batch_norm_inference("middle", x, [scale, shift, running[0], running[1]], 0.01).unwrap()
    });
    one("batch_norm_inference of parameters", |s| {
        let x = s.rows(4);
        let [scale, shift] = [0; 2].map(|_| s.parameter(1, 4));
        let running = s.statistics(4);
        s.graph.batch_norm_inference("middle", x, [scale, shift, running[0], running[1]], 0.01).unwrap()
    });
    one("layer_norm", |s| {
        let (x, scale, shift) = (s.rows(4), s.fixed(1, 4), s.fixed(1, 4));
        s.graph.layer_norm("middle", x, scale, shift, 0.01).unwrap()
    });
    one("layer_norm of parameters", |s| {
        let (x, scale, shift) = (s.rows(4), s.parameter(1, 4), s.parameter(1, 4));
        s.graph.layer_norm("middle", x, scale, shift, 0.01).unwrap()
    });
    one("embedding of one table", |s| {
        let x = s.input_of(2, vec![0.0, 2.0, 1.0, 1.0, 2.0, 0.0, 0.0, 0.0, 2.0, 1.0]);
        let table = s.fixed(3, 2);
        s.graph.embedding("middle", x, &[table]).unwrap()
    });
    one("embedding of a table a column", |s| {
        let x = s.input_of(2, vec![0.0, 2.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let (first, second) = (s.fixed(2, 3), s.parameter(4, 3));
        s.graph.embedding("middle", x, &[first, second]).unwrap()
    });
    one("weighted_sum", |s| {
        let (values, weights) = (s.rows(1), s.rows(1));
        s.graph.weighted_sum("middle", values, weights).unwrap()
    });
    one("a power by a number", |s| {
        let x = s.rows(4);
        let x = s.graph.activation("before", Activation::Sigmoid, x);
        let exponent = s.graph.fill("exponent", 2.5, Shape::SCALAR);
        s.graph.function("middle", Function::Pow, &[x, exponent]).unwrap()
    });
    one("a formula of many terms", |s| {
        let formula = Activation::custom("many", |x| {
            let wave = (3.0 * x).sin() * (-x.square()).exp() + x.tanh().max(x / 3.0).min(0.4 + x.cos());
            let far = x.abs().greater(0.5).select(1.0 / (x - 9.0), x.softplus().sqrt());
            wave + far * x.columns(1..2) - x.softmax(2.0) * x.mean() + (x.square() + 1.0).ln().pow(1.5)
        });
        let (x, Activation::Custom(formula)) = (s.rows(4), formula) else { panic!("a formula") };
        s.graph.formula("middle", formula, &[x], false).unwrap()
    });
    one("a value used twice", |s| {
        let x = s.rows(4);
        s.graph.mul("middle", x, x).unwrap()
    });
    one("branches that meet", |s| {
        let x = s.rows(4);
        let left = s.graph.activation("left", Activation::Tanh, x);
        let right = s.graph.activation("right", Activation::Softplus, x);
        let right = s.graph.scale("right", 2.0, right);
        let both = s.graph.add("meet", left, right).unwrap();
        s.graph.sub("middle", both, x).unwrap()
    });
    one("one parameter in two layers", |s| {
        let (x, w) = (s.input(4), s.parameter(4, 4));
        let first = s.graph.matmul("first", x, w).unwrap();
        let first = s.graph.activation("first", Activation::Tanh, first);
        s.graph.matmul("middle", first, w).unwrap()
    });
    one("a parameter times itself", |s| {
        let w = s.parameter(3, 4);
        s.graph.matmul_form("middle", w, true, w, false).unwrap()
    });
    one("two parameters with one gradient", |s| {
        let (a, b) = (s.parameter(3, 4), s.parameter(3, 4));
        s.graph.add("middle", a, b).unwrap()
    });
    one("a dense layer", |s| {
        let (x, w, b, v) = (s.input(3), s.parameter(3, 4), s.parameter(1, 4), s.parameter(4, 2));
        let z = s.graph.matmul("dense", x, w).unwrap();
        let z = s.graph.bias_add("dense", z, b).unwrap();
        let y = s.graph.activation("dense", Activation::Tanh, z);
        s.graph.matmul("middle", y, v).unwrap()
    });
    cases
}

/// Names of the operations that have a gradient.
pub const DIFFERENTIABLE: [&str; 40] = [
    "matmul",
    "batch_matmul",
    "bias_add",
    "sum_rows",
    "sum_cols",
    "activation",
    "softmax",
    "log_softmax",
    "softmax_cross_entropy",
    "elementwise_loss",
    "cosine_loss",
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "min",
    "max",
    "keep",
    "abs",
    "sqrt",
    "exp",
    "ln",
    "sin",
    "cos",
    "sigmoid",
    "tanh",
    "softplus",
    "fill",
    "scale",
    "concat",
    "slice",
    "dropout",
    "alpha_dropout",
    "batch_norm",
    "batch_norm_inference",
    "layer_norm",
    "embedding",
    "weighted_sum",
    "parameter",
];

/// Names of the operations that are gradients and have one themselves.
pub const GRADIENTS: [&str; 12] = [
    "activation_grad",
    "softmax_grad",
    "log_softmax_grad",
    "softmax_cross_entropy_grad",
    "elementwise_loss_grad",
    "cosine_loss_grad",
    "batch_norm_inference_input_grad",
    "batch_norm_inference_scale_grad",
    "layer_norm_grad",
    "layer_norm_scale_grad",
    "alpha_dropout_grad",
    "embedding_grad",
];

/// The names of the operations of `graph`.
pub fn operations(graph: &Graph) -> Vec<&'static str> {
    graph.nodes().iter().map(|node| Op::name(&node.op)).collect()
}
