//! What a host must know to dispatch a WGSL file, as plain data.

use super::{Kernel, LossPart};
use std::fmt::Debug;

/// How a kernel uses a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `var<storage, read>`.
    Read,
    /// `var<storage, read_write>`, every element of the result is written, none is read.
    Write,
    /// `var<storage, read_write>`, updated in place or written in part.
    Update,
}

/// A storage buffer of an entry point. Binding 0 is always the uniform `Params`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The WGSL `@binding`.
    pub index: u32,
    /// The WGSL variable.
    pub name: &'static str,
    /// How the entry point uses it.
    pub access: Access,
    /// Whether its elements may be f16. WGSL then declares those of `x` as the alias `OfX` and stores them through `to_x`
    /// or `to_x4`, all of which the host puts in front.
    pub half: bool,
    /// Whether WGSL takes its elements two at a time, as u64.
    pub pairs: bool,
}

impl Binding {
    /// A buffer that is only read.
    pub const fn read(index: u32, name: &'static str) -> Self {
        Self { index, name, access: Access::Read, half: false, pairs: false }
    }

    /// A buffer that is wholly written.
    pub const fn write(index: u32, name: &'static str) -> Self {
        Self { index, name, access: Access::Write, half: false, pairs: false }
    }

    /// A buffer that is updated in place or written in part.
    pub const fn update(index: u32, name: &'static str) -> Self {
        Self { index, name, access: Access::Update, half: false, pairs: false }
    }

    /// The same buffer, whose elements may be f16.
    pub const fn or_half(self) -> Self {
        Self { half: true, ..self }
    }

    /// The same buffer, whose elements are taken two at a time.
    pub const fn in_pairs(self) -> Self {
        Self { pairs: true, ..self }
    }

    /// The WGSL alias of its elements and, if it is written, what makes them of f32: one, and four neighbours.
    fn element(&self, half: bool) -> String {
        let Self { name, .. } = self;
        let (first, rest) = name.split_at(1);
        let (ty, one, four) = if half { ("f16", "in_f16(vec4(x)).x", "in_f16(x)") } else { ("f32", "x", "x") };
        let alias = format!("alias Of{}{rest} = {ty};\n", first.to_uppercase());
        if self.access == Access::Read {
            return alias;
        }
        alias
            + &format!("fn to_{name}(x: f32) -> {ty} {{ return {one}; }}\n")
            + &format!("fn to_{name}4(x: vec4<f32>) -> vec4<{ty}> {{ return {four}; }}\n")
    }
}

/// f32 in f16. What rounds to more than its largest number, 65,504, becomes infinite: so says IEEE 754, but WGSL leaves it
/// open and Direct3D rounds to zero, which would hide an overflow from the loss scale.
const IN_F16: &str = "\
fn in_f16(x: vec4<f32>) -> vec4<f16> {
  let bits = bitcast<vec4<u32>>(x);
  let infinite = (bits & vec4(0x80000000u)) | vec4(0x7f800000u);
  return vec4<f16>(bitcast<vec4<f32>>(select(bits, infinite, abs(x) >= vec4(65520.0))));
}
";

/// Which storage buffers of a dispatch hold f16; the others hold 32-bit elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Halves(u32);

impl Halves {
    /// None.
    pub const NONE: Self = Self(0);

    /// These and `binding`.
    pub fn with(self, binding: &Binding) -> Self {
        Self(self.0 | 1 << binding.index)
    }

    /// Whether `binding` holds f16.
    pub fn has(self, binding: &Binding) -> bool {
        self.0 >> binding.index & 1 == 1
    }
}

/// One entry point of a WGSL file: its name and the storage buffers it touches, reads before writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The WGSL function.
    pub name: &'static str,
    /// Its storage buffers, in binding order.
    pub bindings: &'static [Binding],
}

impl Entry {
    /// [`Spec::touched`] of a kernel that also reads what it writes.
    pub(crate) fn touched_twice(&self, bound: &[usize]) -> u64 {
        let times = |binding: &Binding| if binding.access == Access::Read { 1 } else { 2 };
        self.bindings.iter().zip(bound).map(|(binding, &len)| times(binding) * len as u64).sum()
    }
}

/// A WGSL file and what the host assumes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shader {
    /// The file without `.wgsl`; also the name of the spec, the twin and the debug label.
    pub name: &'static str,
    /// The library pieces (`shaders/lib`) the file uses, then the file itself.
    pub sources: &'static [&'static str],
    /// Names and byte offsets of the members of `Params`.
    pub params: &'static [(&'static str, usize)],
    /// Names of the override constants that specs of this file set.
    pub overrides: &'static [&'static str],
    /// Invocations of a workgroup.
    pub workgroup_size: u32,
    /// Whether it reads the uniform [`Step`] at group 1, binding 0.
    pub uses_step: bool,
    /// The entry points.
    pub entries: &'static [Entry],
}

impl Shader {
    /// The buffers that may hold f16, each once.
    pub fn may_be_half(&self) -> Vec<&'static Binding> {
        let mut found: Vec<&Binding> = Vec::new();
        for binding in self.entries.iter().flat_map(|entry| entry.bindings).filter(|binding| binding.half) {
            if found.iter().all(|known| known.index != binding.index) {
                found.push(binding);
            }
        }
        found
    }

    /// The WGSL extensions that its files ask for in a line `// enable: `.
    fn extensions(&self) -> impl Iterator<Item = &'static str> {
        let lines = self.sources.iter().flat_map(|source| source.lines());
        lines.filter_map(|line| line.strip_prefix("// enable: ")).flat_map(str::split_whitespace)
    }

    /// The text handed to the WGSL compiler: extensions, what the elements of each buffer are that may hold f16 and how
    /// they are made, then the files.
    pub fn source(&self, halves: Halves) -> String {
        let own = self.extensions().filter(|name| *name != "f16");
        let has_f16 = halves != Halves::NONE || self.extensions().any(|name| name == "f16");
        let enables: String = own.chain(has_f16.then_some("f16")).map(|name| format!("enable {name};\n")).collect();
        let elements = self.may_be_half().into_iter().map(|binding| binding.element(halves.has(binding)));
        let elements: String = elements.collect();
        [&*enables, if has_f16 { IN_F16 } else { "" }, &elements, &self.sources.concat()].concat()
    }
}

/// Where the code of a kernel stands, as its line in `kernels!` says.
pub trait Files {
    /// Its WGSL files; none where they are composed.
    fn files(&self) -> &'static [&'static Shader];
}

/// What every kernel tells the executors.
pub trait Spec: Files + Debug + Sync {
    /// The WGSL file, the first of its files if no other is said.
    fn shader(&self) -> &'static Shader {
        self.files()[0]
    }

    /// The entry point to run.
    fn entry(&self) -> &'static Entry {
        &self.shader().entries[0]
    }

    /// The bytes of the uniform `Params`.
    fn params(&self) -> &[u8];

    /// Values of the override constants; part of the pipeline's identity.
    fn overrides(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// Bytes of the elements that its storage buffers are declared as: 4, or 16 for vec4.
    fn element_bytes(&self) -> u64 {
        4
    }

    /// Bytes of the elements that `binding` is declared as, where they differ; half as many where it holds f16.
    fn binding_bytes(&self, _binding: &Binding) -> u64 {
        self.element_bytes()
    }

    /// Bytes of memory that a workgroup shares; `None` for a kernel that no other can stand beside in a dispatch.
    fn workgroup_bytes(&self) -> Option<u32> {
        let shares = self.shader().sources.iter().any(|source| source.contains("var<workgroup>"));
        (!shares).then_some(0)
    }

    /// How many workgroups cover the work, before folding into two dimensions.
    fn workgroups(&self) -> u64;

    /// Element counts of the buffers, in binding order: what a caller must supply.
    fn sizes(&self) -> Vec<usize>;

    /// Floating-point operations, as [`Work`](crate::plan::Work) counts them; 0 where values are moved as they are.
    fn flops(&self) -> u64 {
        0
    }

    /// Elements read and written, of buffers with `bound` elements, in binding order; 0 stands for a buffer whose size the
    /// plan does not fix (the data set and the log).
    fn touched(&self, bound: &[usize]) -> u64 {
        bound.iter().map(|&len| len as u64).sum()
    }

    /// Whether element i of every output depends on element i of every other buffer alone (and on the rule of its block),
    /// so that the work can be cut anywhere between blocks.
    fn is_flat(&self) -> bool {
        false
    }

    /// The same kernel writing its rows to the log, `log_stride` elements further for each step, from `log_at` on; `None`
    /// for one that writes no row.
    fn to_log(&self, _log_stride: u32, _log_at: u32) -> Option<Kernel> {
        None
    }

    /// The same loss, of which `part` is computed; `None` for what is no loss.
    fn with_part(&self, _part: LossPart) -> Option<Kernel> {
        None
    }
}

/// Declares the `Params` of a kernel: a `Pod` struct of 4-byte members and the list of their offsets.
macro_rules! params {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* $member:ident: $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct $name { $($(#[$doc])* pub $member: $ty),* }

        impl $name {
            /// Names and byte offsets, in the order of the WGSL struct.
            pub const MEMBERS: &'static [(&'static str, usize)] =
                &[$((stringify!($member), std::mem::offset_of!($name, $member))),*];
        }
    };
}
pub(crate) use params;

params! {
    /// What changes from one training step to the next: group 1, binding 0 of the kernels that need it.
    ///
    /// One entry per step lies ready in a buffer; a dynamic offset picks it, so that bind groups are
    /// recorded once and a step uploads nothing.
    #[derive(Default)]
    pub struct Step {
        /// Learning rate of this step.
        learning_rate: f32,
        /// Steps done since training began, this one included: 1, 2, ….
        step: u32,
        /// Where this batch begins in the row order.
        start: u32,
        /// Rows of the batch that are real; the rest is padding with weight 0.
        valid: u32,
        /// 1 / (sum of the weights of the batch).
        inverse_weight: f32,
        /// Row of the log this step writes.
        log_row: u32,
        /// Low half of the seed of the run.
        seed_low: u32,
        /// High half of the seed of the run.
        seed_high: u32,
        /// Bias correction of the first moment, `1 - β₁ᵗ`.
        correction1: f32,
        /// Bias correction of the second moment, `1 - β₂ᵗ`.
        correction2: f32,
        /// What counts of the newer of two values that are blended; the older has the rest.
        share: f32,
        /// Share of the gradient in a step of Nadam.
        gradient_share: f32,
        /// Share of the first moment in a step of Nadam.
        moment_share: f32,
    }
}

/// A step is built in this order: its rows, its seed, then what the optimizer asks for (`Optimizer::fill`).
impl Step {
    /// Of `rows` rows from `start` on, whose weights add up to `weight`.
    pub(crate) fn over(start: usize, rows: usize, weight: f64) -> Self {
        let inverse_weight = if weight > 0.0 { (1.0 / weight) as f32 } else { 0.0 };
        Self { start: start as u32, valid: rows as u32, inverse_weight, ..Self::default() }
    }

    /// With the seed of the run.
    pub(crate) fn seeded(self, seed: u64) -> Self {
        Self { seed_low: seed as u32, seed_high: (seed >> 32) as u32, ..self }
    }
}

/// Workgroups needed for `items` when each covers `per_group`.
pub(crate) fn groups(items: usize, per_group: usize) -> u64 {
    items.div_ceil(per_group).max(1) as u64
}

/// Elements of a matrix.
pub(crate) fn cells(rows: u32, cols: u32) -> u64 {
    u64::from(rows) * u64::from(cols)
}

/// [`Spec::touched`] of a kernel with buffers whose size the plan may not fix: there it is what a batch has, of `batch`.
pub(crate) fn touched_or<const N: usize>(bound: &[usize], batch: [u64; N]) -> u64 {
    bound.iter().zip(batch).map(|(&len, batch)| if len > 0 { len as u64 } else { batch }).sum()
}
