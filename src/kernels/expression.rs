//! `y = f(a, b, …)` element by element, for a function that a short program says: a chain of functions in one dispatch.

use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params};
use super::{ElementwiseOp, Kernel};
use crate::formula::Function;

/// Most values that a program reads.
pub const MOST_INPUTS: usize = 4;
/// Most instructions of a program.
pub const MOST_INSTRUCTIONS: usize = 16;

params! {
    /// `Params` of `expression`. A stride of 0 repeats the operand in that direction.
    pub struct ExpressionParams {
        /// Rows of `y`.
        rows: u32,
        /// Columns of `y`.
        cols: u32,
        /// Elements from one row of `a` to the next.
        a_row: u32,
        /// Elements from one column of `a` to the next.
        a_col: u32,
        /// Of `b`.
        b_row: u32,
        /// Of `b`.
        b_col: u32,
        /// Of `c`.
        c_row: u32,
        /// Of `c`.
        c_col: u32,
        /// Of `d`.
        d_row: u32,
        /// Of `d`.
        d_col: u32,
        /// The number of the first instruction, if it is a constant; then of the others.
        k0: f32,
        /// Of instruction 1.
        k1: f32,
        /// Of instruction 2.
        k2: f32,
        /// Of instruction 3.
        k3: f32,
        /// Of instruction 4.
        k4: f32,
        /// Of instruction 5.
        k5: f32,
        /// Of instruction 6.
        k6: f32,
        /// Of instruction 7.
        k7: f32,
        /// Of instruction 8.
        k8: f32,
        /// Of instruction 9.
        k9: f32,
        /// Of instruction 10.
        k10: f32,
        /// Of instruction 11.
        k11: f32,
        /// Of instruction 12.
        k12: f32,
        /// Of instruction 13.
        k13: f32,
        /// Of instruction 14.
        k14: f32,
        /// Of instruction 15.
        k15: f32,
    }
}

/// A value that a program reads or has computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An input.
    Input(usize),
    /// The value of an earlier instruction.
    Value(usize),
}

/// One instruction of a program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Instruction {
    /// A constant.
    Number(f32),
    /// A function; one of a single argument has it twice.
    Apply(Function, [Source; 2]),
}

impl Instruction {
    /// As `shaders/expression.wgsl` reads it: the number of the function, then its arguments, inputs before values.
    fn code(self) -> u32 {
        let place = |source| match source {
            Source::Input(at) => at,
            Source::Value(at) => MOST_INPUTS + at,
        } as u32;
        match self {
            Instruction::Number(_) => 0,
            Instruction::Apply(function, [left, right]) => function.number() | place(left) << 8 | place(right) << 16,
        }
    }

    fn reading(self, places: impl Fn(Source) -> Source) -> Self {
        match self {
            Instruction::Number(_) => self,
            Instruction::Apply(function, of) => Instruction::Apply(function, of.map(places)),
        }
    }
}

/// A program over the elements of up to four values, whose last instruction is the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The instructions.
    pub code: Vec<Instruction>,
    /// Elements from one row and from one column of each input to the next.
    pub strides: Vec<[u32; 2]>,
    /// The uniform.
    pub params: ExpressionParams,
}

fn stride((rows, cols): (u32, u32)) -> [u32; 2] {
    [if rows == 1 { 0 } else { cols }, u32::from(cols != 1)]
}

impl Expression {
    /// `function` of inputs of these shapes, either of which may be repeated.
    pub fn new(function: Function, a: (u32, u32), b: (u32, u32)) -> Self {
        let strides = [stride(a), stride(b)].into_iter().take(function.arity()).collect();
        let right = Source::Input(function.arity() - 1);
        let code = vec![Instruction::Apply(function, [Source::Input(0), right])];
        Self::of(code, strides, (a.0.max(b.0), a.1.max(b.1)))
    }

    fn of(code: Vec<Instruction>, strides: Vec<[u32; 2]>, (rows, cols): (u32, u32)) -> Self {
        let mut words = [0u32; std::mem::size_of::<ExpressionParams>() / 4];
        (words[0], words[1]) = (rows, cols);
        for (words, stride) in words[2..].chunks_exact_mut(2).zip(&strides) {
            words.copy_from_slice(stride);
        }
        for (word, instruction) in words[2 + 2 * MOST_INPUTS..].iter_mut().zip(&code) {
            if let Instruction::Number(number) = instruction {
                *word = number.to_bits();
            }
        }
        Self { code, strides, params: bytemuck::cast(words) }
    }

    /// What `kernel` computes, as a program; `None` where no program says it.
    pub(crate) fn of_kernel(kernel: &Kernel) -> Option<Self> {
        match kernel {
            Kernel::Expression(expression) => Some(expression.clone()),
            Kernel::Fill(fill) => Some(Self::of(vec![Instruction::Number(fill.value)], Vec::new(), (1, 1))),
            Kernel::Scale(scale) => {
                let product = Instruction::Apply(Function::Mul, [Source::Input(0), Source::Value(0)]);
                Some(Self::of(
                    vec![Instruction::Number(scale.factor), product],
                    vec![stride((1, scale.n))],
                    (1, scale.n),
                ))
            }
            Kernel::Elementwise(p) => {
                let (function, p) = match p.op {
                    ElementwiseOp::Add => (Function::Add, &p.params),
                    ElementwiseOp::Sub => (Function::Sub, &p.params),
                    ElementwiseOp::Mul => (Function::Mul, &p.params),
                };
                let strides = vec![[p.a_row, p.a_col], [p.b_row, p.b_col]];
                let code = vec![Instruction::Apply(function, [Source::Input(0), Source::Input(1)])];
                Some(Self::of(code, strides, (p.rows, p.cols)))
            }
            _ => None,
        }
    }

    /// This program with `producer`, which computes its input `at`, as its beginning. `own` and `others` are what both
    /// read; with the program comes what it reads then. `None` where that is more than a program may be, or where the
    /// producer would compute each element many times.
    pub(crate) fn absorb<T: Copy + PartialEq>(
        &self,
        own: &[T],
        at: usize,
        producer: &Self,
        others: &[T],
    ) -> Option<(Self, Vec<T>)> {
        let (shape, inner) = ((self.params.rows, self.params.cols), (producer.params.rows, producer.params.cols));
        let flat = |strides: &[[u32; 2]], of| strides.iter().all(|one| *one == stride(of));
        // A kernel that knows no rows and columns has one long row.
        let as_long = cells(shape.0, shape.1) == cells(inner.0, inner.1);
        let same = as_long && (shape == inner || flat(&producer.strides, inner)) && self.strides[at] == stride(shape);
        if !(same || producer.strides.is_empty()) {
            return None;
        }
        let (mut strides, mut operands, mut code) = (Vec::new(), Vec::new(), Vec::new());
        let mut input = |operand: T, stride: [u32; 2]| {
            let known = operands.iter().zip(&strides).position(|one| one == (&operand, &stride));
            known.unwrap_or_else(|| {
                operands.push(operand);
                strides.push(stride);
                operands.len() - 1
            })
        };
        let kept = |from: &[u32; 2]| if shape == inner { *from } else { stride(shape) };
        let inner_inputs: Vec<usize> =
            others.iter().zip(&producer.strides).map(|(operand, from)| input(*operand, kept(from))).collect();
        let own_inputs: Vec<Option<usize>> = (own.iter().zip(&self.strides).enumerate())
            .map(|(i, (operand, from))| (i != at).then(|| input(*operand, *from)))
            .collect();
        let mut append = |instruction: Instruction| {
            let known = code.iter().position(|known| *known == instruction);
            known.unwrap_or_else(|| {
                code.push(instruction);
                code.len() - 1
            })
        };
        let mut values: Vec<usize> = Vec::new();
        for instruction in &producer.code {
            let read = |source| match source {
                Source::Input(i) => Source::Input(inner_inputs[i]),
                Source::Value(i) => Source::Value(values[i]),
            };
            let place = append(instruction.reading(read));
            values.push(place);
        }
        let produced = Source::Value(*values.last()?);
        let mut values: Vec<usize> = Vec::new();
        for instruction in &self.code {
            let read = |source| match source {
                Source::Input(i) => own_inputs[i].map_or(produced, Source::Input),
                Source::Value(i) => Source::Value(values[i]),
            };
            let place = append(instruction.reading(read));
            values.push(place);
        }
        // The result is the last instruction, unless the producer had computed it, which no two values of a graph do.
        let whole = values.last() == Some(&(code.len() - 1));
        let fits = whole && (1..=MOST_INPUTS).contains(&operands.len()) && code.len() <= MOST_INSTRUCTIONS;
        fits.then(|| (Self::of(code, strides, shape), operands))
    }

    /// Whether input `at` has an element for each of the result.
    pub(crate) fn is_whole(&self, at: usize) -> bool {
        self.strides[at] == stride((self.params.rows, self.params.cols))
    }
}

const A: Binding = Binding::read(1, "a").or_half();
const B: Binding = Binding::read(2, "b").or_half();
const C: Binding = Binding::read(3, "c").or_half();
const D: Binding = Binding::read(4, "d").or_half();
const Y: Binding = Binding::write(5, "y").or_half();

const CODES: [&str; MOST_INSTRUCTIONS] = [
    "CODE0", "CODE1", "CODE2", "CODE3", "CODE4", "CODE5", "CODE6", "CODE7", "CODE8", "CODE9", "CODE10", "CODE11",
    "CODE12", "CODE13", "CODE14", "CODE15",
];

/// `shaders/expression.wgsl`.
pub const SHADER: Shader = Shader {
    name: "expression",
    sources: &[
        include_str!("../../shaders/lib/math.wgsl"),
        include_str!("../../shaders/lib/fours.wgsl"),
        include_str!("../../shaders/lib/cells.wgsl"),
        include_str!("../../shaders/expression.wgsl"),
    ],
    params: ExpressionParams::MEMBERS,
    overrides: &{
        let mut names = ["RESULT"; MOST_INSTRUCTIONS + 1];
        let mut at = 0;
        while at < MOST_INSTRUCTIONS {
            names[at] = CODES[at];
            at += 1;
        }
        names
    },
    workgroup_size: 256,
    uses_step: false,
    entries: &[
        Entry { name: "of_one", bindings: &[A, Y] },
        Entry { name: "of_two", bindings: &[A, B, Y] },
        Entry { name: "of_three", bindings: &[A, B, C, Y] },
        Entry { name: "of_four", bindings: &[A, B, C, D, Y] },
    ],
};

impl Spec for Expression {
    fn entry(&self) -> &'static Entry {
        &SHADER.entries[self.strides.len().clamp(1, MOST_INPUTS) - 1]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        let result = (MOST_INPUTS + self.code.len() - 1) as f64;
        let codes = CODES.into_iter().zip(&self.code).map(|(name, instruction)| (name, f64::from(instruction.code())));
        codes.chain([("RESULT", result)]).collect()
    }

    fn workgroups(&self) -> u64 {
        groups(self.params.rows as usize * self.params.cols as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.params.rows as usize, self.params.cols as usize);
        let reach =
            |[row, col]: &[u32; 2]| rows.saturating_sub(1) * *row as usize + cols.saturating_sub(1) * *col as usize + 1;
        self.strides.iter().map(reach).chain([rows * cols]).collect()
    }

    fn flops(&self) -> u64 {
        let functions = self.code.iter().filter(|one| matches!(one, Instruction::Apply(..))).count() as u64;
        functions * cells(self.params.rows, self.params.cols)
    }

    fn is_flat(&self) -> bool {
        (0..self.strides.len()).all(|at| self.is_whole(at) || self.strides[at] == [0, 0])
    }
}
