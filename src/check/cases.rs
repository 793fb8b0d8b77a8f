//! Every kernel with inputs of its own, at shapes where indexing goes wrong.

use crate::kernels::ElementwiseOp as Op;
use crate::kernels::{
    Accuracy, AccuracyKind, Activation, ActivationForward, ActivationGrad, Adam, BiasAdd, CopyColumns, Dropout,
    Elementwise, ElementwiseLoss, ElementwiseLossKernel, Epilogue, Fill, Gather, GatherBatch, GatherWeights, Kernel,
    Log, LogSoftmax, LogSoftmaxGrad, Matmul, Part, Scale, Sgd, Softmax, SoftmaxCrossEntropy, SoftmaxGrad, Step,
    SumCols, SumRows, Tile, WeightedSum,
};
use crate::random::{threefry2x32, uniform};

/// A kernel with its inputs.
#[derive(Debug, Clone)]
pub struct Case {
    /// The kernel.
    pub kernel: Kernel,
    /// The sizes, in words.
    pub name: String,
    /// Its read buffers, in binding order; the row order is [`Case::order`].
    pub reads: Vec<Vec<f32>>,
    /// Its written buffers: NaN, or what is updated in place.
    pub writes: Vec<Vec<f32>>,
}

/// Rows and columns: single elements, single rows and columns, sizes no tile divides, tall and wide ones.
pub const SHAPES: [(u32, u32); 11] =
    [(1, 1), (1, 7), (5, 1), (3, 33), (9, 16), (130, 17), (3, 300), (2, 1031), (7000, 3), (70_000, 1), (1, 70_000)];

impl Case {
    /// The step that every case sees.
    pub fn step() -> Step {
        Step {
            learning_rate: 0.01,
            step: 3,
            start: 2,
            valid: 3,
            inverse_weight: 0.25,
            log_row: 1,
            seed_low: 7,
            seed_high: 9,
            correction1: 0.271,
            correction2: 0.002_997_001,
        }
    }

    /// The row order that every case sees: no identity, rows below 11.
    pub fn order() -> Vec<u32> {
        (0..100_000).map(|i| (i * 7 + 3) % 11).collect()
    }
}

/// `n` numbers from `low` to `high`, different for every `stream`.
fn numbers(stream: u32, n: usize, low: f32, high: f32) -> Vec<f32> {
    (0..n as u32).map(|i| low + (high - low) * uniform(threefry2x32([stream, 1], [i, 0])[0])).collect()
}

/// The inputs of one shape.
struct Shape {
    rows: u32,
    cols: u32,
    cases: Vec<Case>,
}

impl Shape {
    fn r(&self) -> usize {
        self.rows as usize
    }

    fn c(&self) -> usize {
        self.cols as usize
    }

    fn n(&self) -> usize {
        self.r() * self.c()
    }

    fn x(&self) -> Vec<f32> {
        numbers(1, self.n(), -2.0, 2.0)
    }

    fn dy(&self) -> Vec<f32> {
        numbers(2, self.n(), -2.0, 2.0)
    }

    fn per_row(&self) -> Vec<f32> {
        numbers(3, self.r(), 0.5, 1.5)
    }

    fn probabilities(&self) -> Vec<f32> {
        numbers(4, self.n(), 0.05, 0.95)
    }

    fn classes(&self) -> Vec<f32> {
        (0..self.rows).map(|row| (row % self.cols) as f32).collect()
    }

    /// A kernel whose outputs start as NaN.
    fn add(&mut self, kernel: Kernel, reads: Vec<Vec<f32>>, writes: &[usize]) {
        let writes = writes.iter().map(|n| vec![f32::NAN; *n]).collect();
        self.update(kernel, reads, writes);
    }

    /// A kernel that updates `writes`.
    fn update(&mut self, kernel: Kernel, reads: Vec<Vec<f32>>, writes: Vec<Vec<f32>>) {
        let name = format!("{}x{}", self.rows, self.cols);
        self.cases.push(Case { kernel, name, reads, writes });
    }
}

/// Every kernel but the matrix product, at one shape.
pub fn cases(rows: u32, cols: u32) -> Vec<Case> {
    let mut shape = Shape { rows, cols, cases: Vec::new() };
    elementwise(&mut shape);
    activations(&mut shape);
    by_rows(&mut shape);
    losses(&mut shape);
    batches(&mut shape);
    logging(&mut shape);
    optimizers(&mut shape);
    shape.cases
}

fn elementwise(s: &mut Shape) {
    let (rows, cols, n) = (s.rows, s.cols, s.n());
    let row = numbers(5, s.c(), -1.0, 1.0);
    s.add(Kernel::BiasAdd(BiasAdd { rows, cols }), vec![s.x(), row.clone()], &[n]);
    for op in [Op::Add, Op::Sub, Op::Mul] {
        let kernel = |a, b| Kernel::Elementwise(Elementwise::new(op, a, b));
        s.add(kernel((rows, cols), (rows, cols)), vec![s.x(), s.dy()], &[n]);
        s.add(kernel((rows, 1), (1, cols)), vec![s.per_row(), row.clone()], &[n]);
        s.add(kernel((1, 1), (rows, cols)), vec![vec![0.7], s.x()], &[n]);
    }
    s.add(Kernel::Scale(Scale { n: n as u32, factor: 0.3 }), vec![s.x()], &[n]);
    s.add(Kernel::Fill(Fill { n: n as u32, value: 0.3 }), vec![], &[n]);
    let columns = cols.div_ceil(2);
    let slice = CopyColumns {
        rows,
        cols: columns,
        from_width: cols,
        from_column: cols - columns,
        to_width: columns,
        to_column: 0,
    };
    s.add(Kernel::CopyColumns(slice), vec![s.x()], &[s.r() * columns as usize]);
    let paste = CopyColumns { rows, cols, from_width: cols, from_column: 0, to_width: cols + 2, to_column: 1 };
    s.update(Kernel::CopyColumns(paste), vec![s.x()], vec![vec![0.5; s.r() * (s.c() + 2)]]);
}

fn activations(s: &mut Shape) {
    let n = s.n();
    let wide = numbers(6, n, -9.0, 9.0);
    for f in Activation::ALL {
        s.add(Kernel::Activation(ActivationForward::new(f, n as u32)), vec![wide.clone()], &[n]);
        let saved = if f.saves_output() { numbers(7, n, 0.01, 0.99) } else { wide.clone() };
        s.add(Kernel::ActivationGrad(ActivationGrad::new(f, n as u32)), vec![saved, s.dy()], &[n]);
    }
}

fn by_rows(s: &mut Shape) {
    let (rows, cols, n) = (s.rows, s.cols, s.n());
    s.add(Kernel::SumRows(SumRows { rows, cols }), vec![s.x()], &[s.c()]);
    s.add(Kernel::SumCols(SumCols { rows, cols }), vec![s.x()], &[s.r()]);
    s.add(Kernel::Softmax(Softmax { rows, cols }), vec![s.x()], &[n]);
    s.add(Kernel::SoftmaxGrad(SoftmaxGrad { rows, cols }), vec![s.probabilities(), s.dy()], &[n]);
    s.add(Kernel::LogSoftmax(LogSoftmax { rows, cols }), vec![s.x()], &[n]);
    let log = numbers(12, n, -4.0, -0.1);
    s.add(Kernel::LogSoftmaxGrad(LogSoftmaxGrad { rows, cols }), vec![log, s.dy()], &[n]);
    for kind in [AccuracyKind::Classes, AccuracyKind::OneHot, AccuracyKind::Binary { threshold: 0.1 }] {
        let target = if kind == AccuracyKind::Classes { s.classes() } else { s.probabilities() };
        s.add(Kernel::Accuracy(Accuracy::new(kind, rows, cols)), vec![s.x(), target], &[s.r()]);
    }
}

fn losses(s: &mut Shape) {
    let (rows, cols, r, n) = (s.rows, s.cols, s.r(), s.n());
    for part in [Part::Loss, Part::Grad, Part::LossAndGrad] {
        let upstream = if part == Part::Loss { vec![] } else { vec![s.per_row()] };
        let inputs = |prediction, target| [vec![prediction, target], upstream.clone()].concat();
        let outputs: &[usize] = match part {
            Part::Loss => &[r],
            Part::Grad => &[n],
            Part::LossAndGrad => &[r, n],
        };
        for classes in [true, false] {
            let kernel = SoftmaxCrossEntropy::new(part, classes, 0.1, rows, cols);
            let target = if classes { s.classes() } else { s.probabilities() };
            s.add(Kernel::SoftmaxCrossEntropy(kernel), inputs(s.x(), target), outputs);
        }
        for loss in ElementwiseLoss::ALL {
            let kernel = Kernel::ElementwiseLoss(ElementwiseLossKernel::new(part, loss, rows, cols));
            s.add(kernel, inputs(s.probabilities(), numbers(8, n, 0.0, 1.0)), outputs);
        }
    }
}

fn batches(s: &mut Shape) {
    let (rows, cols, n) = (s.rows, s.cols, s.n());
    let data = numbers(10, 11 * s.c(), -2.0, 2.0);
    s.add(Kernel::Gather(Gather { rows, cols }), vec![data.clone()], &[n]);
    let weights = numbers(10, 11, 0.0, 2.0);
    s.add(Kernel::GatherWeights(GatherWeights { rows }), vec![weights.clone()], &[s.r()]);
    let both = Kernel::GatherBatch(GatherBatch { rows, x_cols: cols, y_cols: 3 });
    let targets = numbers(14, 11 * 3, -2.0, 2.0);
    s.add(both, vec![data.clone(), targets, weights], &[n, 3 * s.r(), s.r()]);
    s.add(Kernel::Dropout(Dropout::new(n as u32, 0.4, 5)), vec![s.x()], &[n]);
    s.add(Kernel::WeightedSum(WeightedSum { n: n as u32 }), vec![s.x(), s.dy()], &[1]);
}

/// The kernels that write to a log of two steps and two slots, the second of each.
fn logging(s: &mut Shape) {
    let (rows, cols, r) = (s.rows, s.cols, s.r());
    let (log_stride, log_at) = (2 * rows, rows);
    let log = || vec![0.5; 4 * r];
    s.update(Kernel::Log(Log { n: rows, log_stride, log_at }), vec![s.per_row()], vec![log()]);
    let mut accuracy = Accuracy::new(AccuracyKind::Classes, rows, cols);
    (accuracy.params.log_stride, accuracy.params.log_at) = (log_stride, log_at);
    s.update(Kernel::Accuracy(accuracy), vec![s.x(), s.classes()], vec![log()]);
    let mut loss = ElementwiseLossKernel::new(Part::Loss, ElementwiseLoss::Mse, rows, cols);
    (loss.params.log_stride, loss.params.log_at) = (log_stride, log_at);
    s.update(Kernel::ElementwiseLoss(loss), vec![s.probabilities(), s.dy()], vec![log()]);
    let mut loss =
        SoftmaxCrossEntropy { hit: true, ..SoftmaxCrossEntropy::new(Part::LossAndGrad, true, 0.0, rows, cols) };
    (loss.params.log_stride, loss.params.log_at, loss.params.hit_at) = (log_stride, 0, log_at);
    let outputs = vec![log(), vec![f32::NAN; s.n()]];
    s.update(Kernel::SoftmaxCrossEntropy(loss), vec![s.x(), s.classes(), s.per_row()], outputs);
}

/// Slabs are whole numbers of [`crate::plan::ALIGNMENT`] elements.
fn optimizers(s: &mut Shape) {
    let n = s.n().next_multiple_of(crate::plan::ALIGNMENT);
    let [gradient, parameter] = [2, 1].map(|stream| numbers(stream, n, -2.0, 2.0));
    s.update(Kernel::Sgd(Sgd { n: n as u32 }), vec![gradient.clone()], vec![parameter.clone()]);
    let adam = Kernel::Adam(Adam::new(n as u32, 0.9, 0.999, 1e-8));
    s.update(adam, vec![gradient], vec![parameter, numbers(13, n, -1.0, 1.0), numbers(11, n, 0.0, 1.0)]);
}

/// The matrix product: sizes, forms, epilogues and tiles.
pub fn matmul_cases() -> Vec<Case> {
    const SIZES: [(usize, usize, usize); 12] = [
        (1, 1, 1),
        (5, 3, 1),
        (7, 1, 33),
        (1, 50, 17),
        (17, 16, 16),
        (33, 65, 40),
        (64, 64, 64),
        (130, 70, 129),
        (65, 10, 1031),
        // Leading dimensions that are multiples of 4: operands are read as vec4.
        (4, 4, 4),
        (68, 36, 44),
        (132, 140, 100),
    ];
    let mut all = Vec::new();
    for (m, n, k) in SIZES {
        let at = (m * n).next_multiple_of(64);
        let (bias, gradient) = (Epilogue::Bias(Activation::Tanh), Epilogue::Gradient(Activation::Tanh));
        for tile in Tile::ALL {
            let product = |a, b| Matmul { tile: Some(tile), ..Matmul::new(m, n, k, a, b) };
            for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
                all.push(matmul_case(product(a, b)));
            }
            all.push(matmul_case(product(false, false).with_epilogue(bias)));
            all.push(matmul_case(product(false, true).with_epilogue(gradient)));
            all.push(matmul_case(product(true, false).with_epilogue(Epilogue::BiasRow { at })));
        }
        // The device's own choice of tile.
        for f in Activation::ALL {
            all.push(matmul_case(Matmul::new(m, n, k, false, false).with_epilogue(Epilogue::Bias(f))));
            all.push(matmul_case(Matmul::new(m, n, k, false, true).with_epilogue(Epilogue::Gradient(f))));
        }
    }
    all
}

/// More than 65,535 workgroups: the fold into a second dimension.
pub fn large_cases() -> Vec<Case> {
    let (rows, cols) = (65_537, 257);
    let mut s = Shape { rows, cols, cases: Vec::new() };
    let n = s.n();
    s.add(Kernel::Softmax(Softmax { rows, cols }), vec![s.x()], &[n]);
    s.add(Kernel::SumCols(SumCols { rows, cols }), vec![s.x()], &[s.r()]);
    let (rows, cols) = (65_537, 1_025);
    let mut wide = Shape { rows, cols, cases: s.cases };
    let n = wide.n();
    wide.add(Kernel::Fill(Fill { n: n as u32, value: 0.3 }), vec![], &[n]);
    wide.cases.push(matmul_case(Matmul::new(2_100_000, 1, 1, false, false)));
    wide.cases
}

fn matmul_case(kernel: Matmul) -> Case {
    let (m, n, k) = (kernel.params.m as usize, kernel.params.n as usize, kernel.params.k as usize);
    let mut reads = vec![numbers(20, m * k, -2.0, 2.0), numbers(21, k * n, -2.0, 2.0)];
    let mut writes = vec![vec![f32::NAN; m * n]];
    match kernel.epilogue {
        Epilogue::Plain => {}
        Epilogue::BiasRow { at } => {
            // What lies between dw and db belongs to nobody and must stay as it is.
            writes = vec![[vec![f32::NAN; m * n], vec![0.5; at - m * n], vec![f32::NAN; n]].concat()];
        }
        Epilogue::Bias(_) => reads.push(numbers(22, n, -1.0, 1.0)),
        Epilogue::Gradient(f) if f.saves_output() => reads.push(numbers(23, m * n, 0.01, 0.99)),
        Epilogue::Gradient(_) => reads.push(numbers(23, m * n, -9.0, 9.0)),
    }
    let form = |transposed| if transposed { "t" } else { "n" };
    let (a, b) = (form(kernel.transpose_a), form(kernel.transpose_b));
    let what = match kernel.epilogue {
        Epilogue::Plain => String::new(),
        Epilogue::BiasRow { .. } => " bias row".to_owned(),
        Epilogue::Bias(f) | Epilogue::Gradient(f) => format!(" {}", f.name()),
    };
    let tile = kernel.tile.map_or("chosen".to_owned(), |tile| format!("{tile:?}"));
    let name = format!("{m}x{n}x{k} {a}{b} {tile}{what}");
    Case { kernel: Kernel::Matmul(kernel), name, reads, writes }
}
