//! Every pipeline that the crate can load: a WGSL text, which of its buffers hold f16, an entry point and constants.

use crate::kernels::join::{self, Side};
use crate::kernels::matmul::{Epilogue, Matmul, Tile};
use crate::kernels::{Activation, ElementwiseLoss, Entry, GatherBatch, Halves, Shader, Spec, columns, rows, shaders};
use std::collections::BTreeSet;

/// A pipeline before it is compiled.
pub struct Variant {
    /// File, tile, layouts, f16, entry point, constants: also the name of its files.
    pub name: String,
    /// Its kernel, or those that stand side by side in it.
    pub sides: Vec<Side>,
    pub entry: &'static str,
    pub constants: Vec<(String, f64)>,
    /// How often GPUs compile it.
    pub rank: Rank,
}

/// What makes a text what it is.
pub type Identity = Vec<(usize, Halves, &'static str)>;

impl Variant {
    /// Of one kernel.
    fn of(
        (name, rank): (String, Rank),
        (shader, halves): (&'static Shader, Halves),
        entry: &'static Entry,
        constants: Vec<(&'static str, f64)>,
    ) -> Self {
        let constants = constants.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { name, sides: vec![Side { shader, entry, halves }], entry: entry.name, constants, rank }
    }

    /// Of several, in f32.
    fn joined(name: String, rank: Rank, specs: &[&dyn Spec]) -> Self {
        let side = |spec: &&dyn Spec| Side { shader: spec.shader(), entry: spec.entry(), halves: Halves::NONE };
        let constants = specs.iter().enumerate().flat_map(|(place, spec)| {
            spec.overrides().into_iter().map(move |(name, value)| (join::renamed(name, place), value))
        });
        let (constants, sides) = (constants.collect(), specs.iter().map(side).collect());
        Self { name, sides, entry: join::ENTRY, constants, rank }
    }

    /// The text, which several variants may share.
    pub fn source(&self) -> String {
        match self.sides.as_slice() {
            [side] => side.shader.source(side.halves),
            sides => join::source(sides),
        }
    }

    /// Of its text.
    pub fn identity(&self) -> Identity {
        let alone = self.sides.len() == 1;
        let of = |side: &Side| {
            (side.shader.sources.as_ptr() as usize, side.halves, if alone { "" } else { side.entry.name })
        };
        self.sides.iter().map(of).collect()
    }

    /// Whether its buffers are f32.
    pub fn is_f32(&self) -> bool {
        self.sides.iter().all(|side| side.halves == Halves::NONE)
    }

    /// Whether it multiplies by cooperative matrices, which only Vulkan has.
    pub fn is_cooperative(&self) -> bool {
        self.sides.iter().any(|side| side.shader.name == "matmul_cooperative")
    }

    /// WebGPU has no u64 and no cooperative matrices, f16 not everywhere, and binds 8 storage buffers.
    pub fn runs_in_a_browser(&self) -> bool {
        let buffers: usize = self.sides.iter().map(|side| side.entry.bindings.len()).sum();
        self.is_f32() && !self.is_cooperative() && buffers <= 8 && !self.source().contains("u64")
    }

    /// The text as a browser wants it. naga 30 does not know the line that WebGPU asks for in front of subgroups.
    pub fn for_a_browser(&self) -> String {
        let text = self.source();
        if text.contains("subgroup_invocation_id") { format!("enable subgroups;\n{text}") } else { text }
    }
}

/// Which runs compile a variant for GPUs; all of them are translated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Each.
    Short,
    /// Those that renew the tables.
    Table,
    /// None: what differs from a variant of the tables in pieces alone that stand there too.
    Translated,
}

/// The tile of a product, by which budgets ask.
pub const LARGE: &str = "matmul.large.";

/// All variants, each once.
pub fn all() -> Result<Vec<Variant>, String> {
    let mut found = products();
    found.extend(neighbours());
    let mut known: Vec<&Shader> = Vec::new();
    for shader in shaders().filter(|shader| !shader.overrides.contains(&"TRANSPOSE_A")) {
        if known.iter().all(|other| other.sources != shader.sources) {
            let twins = known.iter().filter(|other| other.name == shader.name).count();
            known.push(shader);
            found.extend(others(shader, twins)?);
        }
    }
    let mut names = BTreeSet::new();
    match found.iter().find(|variant| !names.insert(variant.name.clone())) {
        Some(twice) => Err(format!("two variants are named {}", twice.name)),
        None => Ok(found),
    }
}

/// None and all of the buffers that may be f16.
fn halves_of(shader: &Shader) -> Vec<Halves> {
    let all = shader.may_be_half().into_iter().fold(Halves::NONE, Halves::with);
    if all == Halves::NONE { vec![all] } else { vec![Halves::NONE, all] }
}

fn suffix(halves: Halves) -> &'static str {
    if halves == Halves::NONE { "" } else { ".f16" }
}

/// Products in the forms that layers make of them (x W + b, dy Wᵀ, xᵀ dy), and all others without an epilogue.
fn products() -> Vec<Variant> {
    let functions = || Activation::ELEMENTWISE.iter().copied();
    let mut forms: Vec<(bool, bool, Epilogue, String)> = Vec::new();
    for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
        let which = ["n", "t"];
        let order = format!("{}{}", which[usize::from(a)], which[usize::from(b)]);
        forms.push((a, b, Epilogue::Plain, format!("plain.{order}")));
        forms.push((a, b, Epilogue::BiasRow { at: 0 }, format!("bias_row.{order}")));
        forms.push((a, b, Epilogue::InParts { steps: 32 }, format!("in_parts.{order}")));
    }
    forms.extend(functions().map(|f| (false, false, Epilogue::Bias(f), format!("with_bias.{}", f.name()))));
    forms.extend(functions().map(|f| (false, true, Epilogue::Gradient(f), format!("with_gradient.{}", f.name()))));

    let mut found = Vec::new();
    for tile in Tile::ALL.into_iter().chain(Tile::COOPERATIVE) {
        for (transpose_a, transpose_b, epilogue, form) in &forms {
            // Sizes that are no multiple of 4 keep an operand from being read as vec4.
            for sizes in 0..8u32 {
                let [m, n, k] = [1, 2, 4].map(|bit| if sizes & bit == 0 { 16 } else { 15 });
                for pairs in [false, true] {
                    let mut product = Matmul::new(m, n, k, *transpose_a, *transpose_b).with_epilogue(*epilogue);
                    (product.tile, product.pairs) = (Some(tile), pairs);
                    let layouts = match (sizes, pairs) {
                        (0, true) => "u64",
                        (0, false) => "vec4",
                        (7, false) => "any",
                        (_, true) => continue,
                        _ => "mixed",
                    };
                    if pairs && !tile.by_subgroup() {
                        continue;
                    }
                    let shader = product.shader();
                    for halves in halves_of(shader) {
                        let layouts = if layouts == "mixed" { format!("mixed{sizes}") } else { layouts.to_owned() };
                        let name = format!("matmul.{tile}.{layouts}{}.{form}", suffix(halves));
                        let rank = rank(tile, &layouts, halves, form);
                        found.push(Variant::of((name, rank), (shader, halves), product.entry(), product.overrides()));
                    }
                }
            }
        }
    }
    found
}

/// What a training step of a dense network runs side by side: the gradients of a layer's weights and input, and an update
/// with the next batch.
fn neighbours() -> Vec<Variant> {
    let product = |tile, a, b, epilogue| {
        let product = Matmul::new(16, 16, 16, a, b).with_epilogue(epilogue);
        Matmul { tile: Some(tile), ..product }
    };
    let tiles = [(Tile::Fine, Tile::Fine), (Tile::Tall, Tile::Fine), (Tile::Small, Tile::Small)];
    let mut found = Vec::new();
    for (first, second) in tiles {
        for function in [Activation::Relu, Activation::Gelu] {
            let dw = product(first, true, false, Epilogue::BiasRow { at: 0 });
            let dx = product(second, false, true, Epilogue::Gradient(function));
            let name = format!("joined.{first}.{second}.vec4.{}", function.name());
            found.push(Variant::joined(name, Rank::Short, &[&dw, &dx]));
        }
    }
    let batch = GatherBatch { rows: 16, x_cols: 16, y_cols: 1 };
    for update in shaders().filter(|shader| ["sgd", "adam", "adam_ruled"].contains(&shader.name)) {
        let side = Side { shader: update, entry: &update.entries[0], halves: Halves::NONE };
        let joined = Variant::joined(format!("joined.{}.gather_batch", update.name), Rank::Short, &[&batch]);
        found.push(Variant { sides: [&[side], &joined.sides[..]].concat(), ..joined });
    }
    found
}

/// Tiles with shuffles are for subgroups of 8 lanes, which none of the GPUs here has.
fn rank(tile: Tile, layouts: &str, halves: Halves, form: &str) -> Rank {
    let f32 = halves == Halves::NONE;
    let usual = ["plain.nt", "bias_row.tn", "in_parts.tn", "with_bias.identity", "with_bias.relu", "with_bias.gelu"];
    let usual = usual.contains(&form) || ["with_gradient.relu", "with_gradient.gelu"].contains(&form);
    let matters = ["plain.nt", "bias_row.tn", "with_bias.relu", "with_bias.gelu", "with_gradient.gelu"].contains(&form);
    let large = matches!(tile, Tile::Large | Tile::Medium);
    match layouts {
        _ if tile.by_subgroup() || tile == Tile::Cooperative8 => Rank::Translated,
        "vec4" if f32 && matters && !tile.is_cooperative() => Rank::Short,
        "vec4" if f32 && form == "with_bias.gelu" => Rank::Short,
        "any" if f32 && large && form == "with_bias.relu" => Rank::Short,
        "vec4" if f32 && large => Rank::Table,
        "vec4" | "any" if usual => Rank::Table,
        _ => Rank::Translated,
    }
}

/// Values that specs give to a constant of the other kernels.
fn values(name: &str, shader: &Shader) -> Result<Vec<f64>, String> {
    let first = |count: u32| (0..count).map(f64::from).collect();
    let by_columns = || shader.sources.iter().any(|source| source.contains("\nfn column_sum("));
    Ok(match (name, shader.name) {
        ("LANES", _) if by_columns() => [1, 4, 16].map(|cols| columns::lanes_override(cols).1).to_vec(),
        ("LANES", _) => [1, 256, 1000].map(|cols| rows::lanes_override(cols).1).to_vec(),
        ("KIND", "activation" | "activation_grad") => {
            Activation::ELEMENTWISE.iter().map(|function| f64::from(function.kind())).collect()
        }
        ("LOSS", _) => ElementwiseLoss::ALL.iter().map(|loss| f64::from(loss.kind())).collect(),
        ("KIND" | "OP", _) => first(3),
        ("CLASSES" | "HIT" | "NESTEROV", _) => first(2),
        // A program of one function, over and over.
        (_, "expression") => first(1),
        (_, file) => return Err(format!("{file}: tools/offline/src/variants.rs knows no values of {name}")),
    })
}

/// `twins`: how many texts of the same name came before.
fn others(shader: &'static Shader, twins: usize) -> Result<Vec<Variant>, String> {
    let mut sets: Vec<(String, Vec<(&'static str, f64)>)> = vec![Default::default()];
    for &name in shader.overrides {
        let values = values(name, shader)?;
        let with = |(label, set): &(String, Vec<_>), value: f64| {
            (format!("{label}.{}{value}", name.to_lowercase()), [set.as_slice(), &[(name, value)]].concat())
        };
        sets = sets.iter().flat_map(|old| values.iter().map(move |value| with(old, *value))).collect();
    }
    let mut found = Vec::new();
    for halves in halves_of(shader) {
        for entry in shader.entries {
            for (number, (label, constants)) in sets.iter().enumerate() {
                let twin = if twins == 0 { String::new() } else { format!(".{}", twins + 1) };
                let name = format!("{}{twin}{}.{}{label}", shader.name, suffix(halves), entry.name);
                let middle = number == sets.len() / 2;
                let rank = if halves == Halves::NONE && middle { Rank::Short } else { Rank::Table };
                found.push(Variant::of((name, rank), (shader, halves), entry, constants.clone()));
            }
        }
    }
    Ok(found)
}
