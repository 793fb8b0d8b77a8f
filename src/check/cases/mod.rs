//! Every kernel with inputs of its own, at shapes where indexing goes wrong.

mod batches;
mod elementwise;
mod losses;
mod matmul;
mod norms;
mod optimizers;
mod rows;
mod tables;

pub use matmul::matmul_cases;
pub(super) use matmul::quick_matmul_cases;

use crate::kernels::{Access, Binding, Fill, Halves, Kernel, Matmul, Softmax, Step, SumCols};
use crate::random::{threefry2x32, uniform};
use half::f16;

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
    /// What changes from step to step; [`Case::step`] if not told otherwise.
    pub step: Step,
    /// Which of its buffers hold f16; what is read from them is exact there.
    pub halves: Halves,
}

/// Rows and columns: single elements, single rows and columns, sizes no tile divides, tall and wide ones.
pub const SHAPES: [(u32, u32); 11] =
    [(1, 1), (1, 7), (5, 1), (3, 33), (9, 16), (130, 17), (3, 300), (2, 1031), (7000, 3), (70_000, 1), (1, 70_000)];

impl Case {
    /// The step that most cases see.
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
            share: 0.3,
            gradient_share: 0.6,
            moment_share: 1.4,
        }
    }

    /// The same with f16 in those of the buffers `names` that can hold it; in all that can where none are named.
    pub(super) fn in_half(mut self, names: &[&str]) -> Self {
        let bindings = self.kernel.spec().entry().bindings;
        let named = |binding: &&Binding| binding.half && (names.is_empty() || names.contains(&binding.name));
        self.halves = bindings.iter().filter(named).fold(Halves::NONE, |halves, binding| halves.with(binding));
        let read = bindings.iter().filter(|binding| binding.access == Access::Read && binding.name != "order");
        for (binding, values) in read.zip(&mut self.reads) {
            if self.halves.has(binding) {
                values.iter_mut().for_each(|value| *value = f16::from_f32(*value).to_f32());
            }
        }
        self.name += " f16";
        self
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

    /// The classes, a row with a 1 in its column each.
    fn one_hot(&self) -> Vec<f32> {
        let cols = 0..self.cols;
        let row = |row: u32| cols.clone().map(move |c| if c == row % self.cols { 1.0 } else { 0.0 });
        (0..self.rows).flat_map(row).collect()
    }

    /// A kernel whose outputs start as NaN.
    fn add(&mut self, kernel: Kernel, reads: Vec<Vec<f32>>, writes: &[usize]) {
        let writes = writes.iter().map(|n| vec![f32::NAN; *n]).collect();
        self.update(kernel, reads, writes);
    }

    /// A kernel that updates `writes`.
    fn update(&mut self, kernel: Kernel, reads: Vec<Vec<f32>>, writes: Vec<Vec<f32>>) {
        let name = format!("{}x{}", self.rows, self.cols);
        self.cases.push(Case { kernel, name, reads, writes, step: Case::step(), halves: Halves::NONE });
    }
}

/// Every kernel but the matrix product, at one shape.
pub fn cases(rows: u32, cols: u32) -> Vec<Case> {
    let mut shape = Shape { rows, cols, cases: Vec::new() };
    elementwise::elementwise(&mut shape);
    elementwise::activations(&mut shape);
    rows::by_rows(&mut shape);
    losses::losses(&mut shape);
    batches::batches(&mut shape);
    losses::logging(&mut shape);
    optimizers::optimizers(&mut shape);
    optimizers::lbfgs(&mut shape);
    norms::norms(&mut shape);
    tables::tables(&mut shape);
    let can = |case: &&Case| case.kernel.spec().entry().bindings.iter().any(|binding| binding.half);
    let halves: Vec<Case> = shape.cases.iter().filter(can).map(|case| case.clone().in_half(&[])).collect();
    shape.cases.into_iter().chain(halves).collect()
}

/// More than 65,535 workgroups, the fold into a second dimension: by rows, flat (256 elements a workgroup, and 1024, whose
/// buffer not every adapter binds), and of a product. Each is made when it is its turn, for the largest has 67 million
/// elements.
pub fn large_cases() -> Vec<fn() -> Case> {
    const ROWS: u32 = 65_537;
    /// The only case that `add` adds to a shape of `cols` columns.
    fn one(cols: u32, add: fn(&mut Shape)) -> Case {
        let mut shape = Shape { rows: ROWS, cols, cases: Vec::new() };
        add(&mut shape);
        shape.cases.remove(0)
    }
    vec![
        || one(257, |s| s.add(Kernel::Softmax(Softmax { rows: s.rows, cols: s.cols }), vec![s.x()], &[s.n()])),
        || one(257, |s| s.add(Kernel::SumCols(SumCols { rows: s.rows, cols: s.cols }), vec![s.x()], &[s.r()])),
        || one(257, norms::normalize),
        || one(1_025, |s| s.add(Kernel::Fill(Fill { n: s.n() as u32, value: 0.3 }), vec![], &[s.n()])),
        || matmul::matmul_case(Matmul::new(2_100_000, 1, 1, false, false)),
    ]
}
