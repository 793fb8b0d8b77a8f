//! What a dispatch has to do: floating-point operations and bytes, from its kernel and the ranges it binds.
//!
//! Both are what the mathematics asks for, not what a device happens to do: an operand counts once however often a
//! tile reads it again, and an addition, product, quotient, comparison, root or elementary function (exp, log, tanh)
//! counts as one operation. A product of matrices counts `2 m n k`, as everywhere. So the rates of two kernels that do
//! the same work compare, and a better kernel shows a higher rate.

use super::{Buffer, PlanStep, Range};
use crate::kernels::{
    Activation, BatchNormGradPart, Embedding, EmbeddingGrad, Epilogue, GradientNormPart, Kernel, LbfgsPart, Matmul,
    NormPart, Part,
};
use std::iter::Sum;
use std::ops::Add;

/// What a dispatch has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read and written, 4 for each element: what a value of f16 saves does not count.
    pub bytes: u64,
}

impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { flops: self.flops + other.flops, bytes: self.bytes + other.bytes }
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl PlanStep {
    /// What this dispatch has to do.
    ///
    /// ```
    /// use axone::kernels::{Kernel, Matmul};
    /// use axone::plan::{Buffer, PlanStep, Range, Work};
    ///
    /// let operands = [8 * 3, 3 * 5, 8 * 5].iter().enumerate();
    /// let operands = operands.map(|(i, &len)| Range::of(Buffer::Activation(i), len)).collect();
    /// let kernel = Kernel::Matmul(Matmul::new(8, 5, 3, false, false));
    /// let step = PlanStep { kernel, operands, name: "product".to_owned() };
    /// assert_eq!(step.work(), Work { flops: 2 * 8 * 5 * 3, bytes: 4 * (24 + 15 + 40) });
    /// ```
    pub fn work(&self) -> Work {
        let elements = match &self.kernel {
            // Ranges are wider than what is copied.
            Kernel::CopyColumns(p) => 2 * cells(p.rows, p.cols),
            // A table may be larger than what is picked from it.
            Kernel::Embedding(Embedding(p)) => cells(p.rows, p.columns) * u64::from(1 + 2 * p.width),
            Kernel::EmbeddingGrad(EmbeddingGrad(p)) => {
                cells(p.rows, p.columns) * u64::from(1 + p.width) + cells(p.categories, p.width)
            }
            _ => self.operands.iter().map(|range| elements(&self.kernel, range)).sum(),
        };
        // The update reads what it writes.
        let again: usize = match &self.kernel {
            Kernel::Update(_) | Kernel::Blend(_) | Kernel::Lbfgs(_) | Kernel::RunningStatistics(_) => {
                self.writes().map(|range| range.len).sum()
            }
            _ => 0,
        };
        Work { flops: flops(&self.kernel), bytes: 4 * (elements + again as u64) }
    }
}

fn cells(rows: u32, cols: u32) -> u64 {
    u64::from(rows) * u64::from(cols)
}

/// Elements of `range` that `kernel` touches. Where the plan does not fix the size, as many as a batch has.
fn elements(kernel: &Kernel, range: &Range) -> u64 {
    if range.len > 0 {
        return range.len as u64;
    }
    match (kernel, range.buffer) {
        (Kernel::Gather(p), Buffer::DataInput(_) | Buffer::DataTarget(_)) => cells(p.rows, p.cols),
        (Kernel::Gather(p), _) => p.rows.into(),
        (Kernel::GatherWeights(p), _) => p.rows.into(),
        (Kernel::GatherBatch(p), Buffer::DataInput(_)) => cells(p.rows, p.x_cols),
        (Kernel::GatherBatch(p), Buffer::DataTarget(_)) => cells(p.rows, p.y_cols),
        (Kernel::GatherBatch(p), _) => p.rows.into(),
        (Kernel::SoftmaxCrossEntropy(p), _) => cells(p.params.rows, 1 + u32::from(p.hit)),
        (Kernel::ElementwiseLoss(p), _) => p.params.rows.into(),
        (Kernel::CosineLoss(p), _) => p.params.rows.into(),
        (Kernel::Accuracy(p), _) => p.params.rows.into(),
        (Kernel::Rank(p), _) => p.params.rows.into(),
        (Kernel::Log(p), _) => cells(p.rows, p.cols),
        _ => 0,
    }
}

/// Operations for each element, times the elements.
fn flops(kernel: &Kernel) -> u64 {
    let (per_element, elements) = match kernel {
        Kernel::Matmul(matmul) => (1, matmul_flops(matmul)),
        // Moved as they are.
        Kernel::Fill(_) | Kernel::CopyColumns(_) | Kernel::Gather(_) | Kernel::Log(_) => (0, 0),
        // A weight times the inverse of their sum.
        Kernel::GatherWeights(p) => (1, p.rows.into()),
        Kernel::GatherBatch(p) => (1, p.rows.into()),
        Kernel::BiasAdd(p) => (1, cells(p.rows, p.cols)),
        Kernel::SumRows(p) => (1, cells(p.rows, p.cols)),
        Kernel::SumCols(p) => (1, cells(p.rows, p.cols)),
        Kernel::Elementwise(p) => (1, cells(p.params.rows, p.params.cols)),
        Kernel::Scale(p) => (1, p.n.into()),
        Kernel::Dropout(p) => (1, p.n.into()),
        Kernel::WeightedSum(p) => (2, p.n.into()),
        Kernel::Accuracy(p) => (1, cells(p.params.rows, p.params.cols)),
        Kernel::Rank(p) => (1, cells(p.params.rows, p.params.cols)),
        Kernel::Activation(p) => (forward(p.function), p.params.n.into()),
        Kernel::ActivationGrad(p) => (gradient(p.function), p.params.n.into()),
        // Maximum, difference, exp, sum; then a quotient, or a difference from the logarithm of the sum.
        Kernel::Softmax(p) => (5, cells(p.rows, p.cols)),
        Kernel::LogSoftmax(p) => (5, cells(p.rows, p.cols)),
        // A dot product, a difference, a product; a sum, exp, a product, a difference.
        Kernel::SoftmaxGrad(p) => (4, cells(p.rows, p.cols)),
        Kernel::LogSoftmaxGrad(p) => (4, cells(p.rows, p.cols)),
        // Maximum, difference, exp, sum; target dot logits; a quotient, a difference, a product.
        Kernel::SoftmaxCrossEntropy(p) => {
            let each = match p.part {
                Part::Loss => 6,
                Part::Grad => 7,
                Part::LossAndGrad => 9,
            };
            (each + u64::from(p.hit), cells(p.params.rows, p.params.cols))
        }
        // Difference, function, sum; derivative, product.
        Kernel::ElementwiseLoss(p) => {
            let each = match p.part {
                Part::Loss | Part::Grad => 3,
                Part::LossAndGrad => 5,
            };
            (each, cells(p.params.rows, p.params.cols))
        }
        Kernel::AlphaDropout(p) => (2, p.n.into()),
        Kernel::BatchNorm(p) => (norm(p.part), cells(p.params.rows, p.params.cols)),
        Kernel::LayerNorm(p) => (norm(p.part), cells(p.params.rows, p.params.cols)),
        // n: 2; sums of dy and dy n: 3; the step back: a product, a sum, a product, a difference, a product.
        Kernel::BatchNormGrad(p) => {
            let each = match p.part {
                BatchNormGradPart::Scale => 4,
                BatchNormGradPart::Input | BatchNormGradPart::All => 10,
            };
            (each, cells(p.params.rows, p.params.cols))
        }
        // g: 1 more.
        Kernel::LayerNormGrad(p) => (11, cells(p.rows, p.cols)),
        Kernel::LayerNormScaleGrad(p) => (4 + u64::from(p.with_shift), cells(p.params.rows, p.params.cols)),
        // Two products and a sum for the mean, one product more for the variance.
        Kernel::RunningStatistics(p) => (7, p.cols.into()),
        // Moved as they are.
        Kernel::Embedding(_) => (0, 0),
        Kernel::EmbeddingGrad(EmbeddingGrad(p)) => (1, cells(p.rows, p.columns) * u64::from(p.width)),
        // Of both operands the largest size, a quotient, a square, its sum; two quotients, a difference, a square, its
        // sum; then two differences and two products.
        Kernel::CosineLoss(p) => {
            let each = match p.part {
                Part::Loss => 13,
                Part::Grad | Part::LossAndGrad => 17,
            };
            (each, cells(p.params.rows, p.params.cols))
        }
        Kernel::Blend(p) => (3, p.n.into()),
        Kernel::Update(p) => (p.flops(), p.params.n.into()),
        Kernel::GradientNorm(p) => match p.part {
            GradientNormPart::Partials => (2, p.params.n.into()),
            GradientNormPart::Factor | GradientNormPart::ScaledFactor => (1, p.params.partials.into()),
        },
        Kernel::Lbfgs(p) => {
            let (n, slots) = (u64::from(p.params.n), u64::from(p.params.slots));
            match p.part {
                // A product and a sum for each row, and for the step.
                LbfgsPart::Advance => (4 * slots + 3, n),
                // The penalty, its square, the change, four sums of products a slot, two more, the largest.
                LbfgsPart::Measure => (8 * slots + 11, n),
                LbfgsPart::Accept => (0, 0),
            }
        }
    };
    per_element * elements
}

/// Sum; difference, square, sum; then a difference, two products and a sum.
fn norm(part: NormPart) -> u64 {
    match part {
        NormPart::Measure | NormPart::Normalize => 4,
        NormPart::Both => 8,
    }
}

fn forward(function: Activation) -> u64 {
    u64::from(function != Activation::Identity)
}

/// The derivative and its product with the gradient from above.
fn gradient(function: Activation) -> u64 {
    2 * forward(function)
}

fn matmul_flops(matmul: &Matmul) -> u64 {
    let (m, n, k) = (u64::from(matmul.params.m), u64::from(matmul.params.n), u64::from(matmul.params.k));
    let epilogue = match matmul.epilogue {
        Epilogue::Plain | Epilogue::InParts { .. } => 0,
        Epilogue::BiasRow { .. } => k * n,
        Epilogue::Bias(function) => (1 + forward(function)) * m * n,
        Epilogue::Gradient(function) => gradient(function) * m * n,
    };
    2 * m * n * k + epilogue
}
