//! The questions to a GPU, as kernels and variants of them: what a variant changes is said in words of the text, and a text
//! that has other words is an error.

use crate::Fault;
use axone::kernels::join::{self, Side};
use axone::kernels::{
    Access, Activation, ActivationForward, Elementwise, ElementwiseOp, Epilogue, Formula, Halves, Kernel, Matmul,
    Softmax, Spec, Step, Tile, Update, UpdateParams,
};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A variant: words that are replaced, and what is compiled around them.
#[derive(Clone, Copy)]
struct Change {
    name: &'static str,
    edits: &'static [(&'static str, &'static str)],
    checks: bool,
    loops: bool,
    zero: bool,
}

/// The text as it is, compiled as the library does.
const AS_IT_IS: Change = Change { name: "0", edits: &[], checks: true, loops: false, zero: false };

const fn edit(name: &'static str, edits: &'static [(&'static str, &'static str)]) -> Change {
    Change { name, edits, ..AS_IT_IS }
}

const FOUR_STEPS: &str = "      add_step(&sums, four, 0u, x, y);
      add_step(&sums, four, 1u, x, y);
      add_step(&sums, four, 2u, x, y);
      add_step(&sums, four, 3u, x, y);
";
const LOOP_OVER_FOURS: &str = "    for (var four = 0u; four < FOURS; four++) {
      let x = cell(four, x_of(lane), ACROSS);
      let y = cell(four, y_of(lane), DOWN);
";

/// What is compiled around a product: bounds checks off, loops bounded, workgroup memory zeroed.
const AROUND: [Change; 3] = [
    Change { name: "checks_off", checks: false, ..AS_IT_IS },
    Change { name: "loops_bounded", loops: true, ..AS_IT_IS },
    Change { name: "zeroed", zero: true, ..AS_IT_IS },
];

/// Variants of `matmul.wgsl`: steps of k unrolled by 1 and in a loop that a driver may unroll whole, quads not exchanged, no
/// slice on its way while another is added, slices of other depths.
const OF_BLOCKS: [Change; 6] = [
    edit("by_1", &[(FOUR_STEPS, "      for (var k = 0u; k < 4u; k++) { add_step(&sums, four, k, x, y); }\n")]),
    edit(
        "by_8",
        &[
            (
                LOOP_OVER_FOURS,
                "    for (var pair = 0u; pair < FOURS / 2u; pair++) {
      var four = 2u * pair;
      var x = cell(four, x_of(lane), ACROSS);
      var y = cell(four, y_of(lane), DOWN);
",
            ),
            (
                FOUR_STEPS,
                "      add_step(&sums, four, 0u, x, y);
      add_step(&sums, four, 1u, x, y);
      add_step(&sums, four, 2u, x, y);
      add_step(&sums, four, 3u, x, y);
      four = 2u * pair + 1u;
      x = cell(four, x_of(lane), ACROSS);
      y = cell(four, y_of(lane), DOWN);
      add_step(&sums, four, 0u, x, y);
      add_step(&sums, four, 1u, x, y);
      add_step(&sums, four, 2u, x, y);
      add_step(&sums, four, 3u, x, y);
",
            ),
        ],
    ),
    edit("no_exchange", &[("return (quad ^ (four * (8u / FOURS))) % quads;", "return quad % quads;")]),
    edit(
        "no_prefetch",
        &[
            ("  var next = fetch(at, lane, at.k);\n", ""),
            ("    share(lane, next);", "    share(lane, fetch(at, lane, k0));"),
            ("    if (k0 + DEPTH < at.end) { next = fetch(at, lane, k0 + DEPTH); }\n", ""),
        ],
    ),
    edit("depth_8", &[("const DEPTH = 16u;", "const DEPTH = 8u;")]),
    edit("depth_32", &[("const DEPTH = 16u;", "const DEPTH = 32u;")]),
];

/// Variants of the 128 x 128 tile: which invocations a subgroup of 32 is made of, across x down, and the order in which
/// workgroups take their blocks.
const OF_LARGE: [Change; 3] = [
    edit(
        "lanes_4x8",
        &[
            ("return lane % ACROSS;", "return lane / 32u % 4u * 4u + lane % 4u;"),
            ("return lane / ACROSS;", "return lane / 128u * 8u + lane % 32u / 4u;"),
        ],
    ),
    edit(
        "lanes_8x4",
        &[
            ("return lane % ACROSS;", "return lane / 32u % 2u * 8u + lane % 8u;"),
            ("return lane / ACROSS;", "return lane / 64u * 4u + lane % 32u / 8u;"),
        ],
    ),
    edit(
        "by_8_rows",
        &[(
            "return Place((group / blocks_across) * ROWS, (group % blocks_across) * COLS, 0u, params.k);",
            "let band = group / (8u * blocks_across);
  return Place((band * 8u + group % 8u) * ROWS, group / 8u % blocks_across * COLS, 0u, params.k);",
        )],
    ),
];

/// Writes everything.
pub fn write_all(folder: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(folder)?;
    let mut writer = Writer { folder: folder.to_owned(), count: 0 };
    tiles(&mut writer)?;
    dispatches(&mut writer)?;
    texts(&mut writer)?;
    long_sums(&mut writer)?;
    memory(&mut writer)?;
    neighbours(&mut writer)?;
    println!("{} files in {}", writer.count, folder.display());
    Ok(())
}

fn product((m, n, k, form): (usize, usize, usize, &str), epilogue: Epilogue, tile: Tile) -> Matmul {
    let product = Matmul::new(m, n, k, form == "tn", form == "nt").with_epilogue(epilogue);
    Matmul { tile: Some(tile), ..product }
}

/// Those of shuffles ask for subgroups of 8 lanes, which no GPU has that this is for.
fn of_gpus() -> impl Iterator<Item = Tile> {
    Tile::ALL.into_iter().filter(|tile| !tile.to_string().starts_with("subgroup"))
}

/// Which tile for which product: those of a step of 784-512-256-10 and square ones; with 782 inputs no row of `a` begins at
/// a multiple of 4.
fn tiles(writer: &mut Writer) -> Result<(), Fault> {
    let shapes: [(usize, usize, usize, &str); 10] = [
        (128, 512, 784, "nn"),
        (128, 512, 782, "nn"),
        (128, 256, 512, "nn"),
        (128, 10, 256, "nn"),
        (784, 512, 128, "tn"),
        (512, 256, 128, "tn"),
        (128, 512, 256, "nt"),
        (512, 512, 512, "nn"),
        (1024, 1024, 1024, "nn"),
        (4096, 4096, 4096, "nn"),
    ];
    let epilogues = [
        ("plain", Epilogue::Plain),
        ("relu", Epilogue::Bias(Activation::Relu)),
        ("gelu", Epilogue::Bias(Activation::Gelu)),
    ];
    for shape @ (m, n, k, form) in shapes {
        for (name, epilogue) in epilogues {
            for tile in of_gpus() {
                let group = format!("tile_{form}_{m}x{n}x{k}_{name}");
                writer.write(&group, &tile.to_string(), &[&product(shape, epilogue, tile)], AS_IT_IS)?;
            }
        }
    }
    Ok(())
}

/// What a dispatch and the barrier behind it cost, by the buffers that it may write.
fn dispatches(writer: &mut Writer) -> Result<(), Fault> {
    for buffers in [1, 2, 4, 7] {
        let mut text = "struct Params { n: u32 }\n@group(0) @binding(0) var<uniform> params: Params;\n".to_owned();
        let (mut body, mut header) = (String::new(), String::new());
        for binding in 1..=buffers {
            writeln!(text, "@group(0) @binding({binding}) var<storage, read_write> b{binding}: array<f32>;")?;
            write!(body, " b{binding}[i] = 0.0;")?;
            writeln!(header, "// buffer: {binding} write 64")?;
        }
        let text = format!(
            "// lab: group=dispatch_{buffers} entry=main workgroups=1x1 flops=0 bytes=0 checks=1 loops=0 zero=0\n\
             // params: 00000000\n{header}{text}@compute @workgroup_size(64)\n\
             fn main(@builtin(local_invocation_index) i: u32) {{ if (i < params.n) {{{body} }} }}\n"
        );
        writer.put(&format!("dispatch_{buffers}_buffers"), &text)?;
    }
    Ok(())
}

/// What the text of a product and what is compiled around it do to its speed.
fn texts(writer: &mut Writer) -> Result<(), Fault> {
    // The first is for adapters that the next two take too long.
    let shapes = [
        (1024, 256, 128, "nn"),
        (1024, 1024, 1024, "nn"),
        (4096, 4096, 4096, "nn"),
        (512, 256, 128, "tn"),
        (128, 512, 784, "nn"),
    ];
    for shape @ (m, n, k, form) in shapes {
        for tile in [Tile::Small, Tile::Medium, Tile::Large, Tile::Fine] {
            // An invocation of the 64 x 64 tile holds no more of a slice than it does.
            let blocks = match tile {
                Tile::Fine => &[][..],
                Tile::Medium => &OF_BLOCKS[..OF_BLOCKS.len() - 1],
                _ => &OF_BLOCKS,
            };
            let large = if tile == Tile::Large && m % 1024 == 0 { &OF_LARGE[..] } else { &[] };
            let group = format!("text_{form}_{m}x{n}x{k}_{tile}");
            let epilogue =
                if form == "tn" { Epilogue::BiasRow { at: m * n } } else { Epilogue::Bias(Activation::Relu) };
            for change in [AS_IT_IS].iter().chain(&AROUND).chain(blocks).chain(large) {
                writer.write(&group, change.name, &[&product(shape, epilogue, tile)], *change)?;
            }
        }
    }
    Ok(())
}

/// From how many steps on a sum in parts pays. Parts have other bits, so each is a group of its own.
fn long_sums(writer: &mut Writer) -> Result<(), Fault> {
    for shape @ (m, n, k, form) in [(64, 10, 4096, "tn"), (784, 10, 60_000, "tn"), (128, 512, 784, "nn")] {
        for parts in [1, 2, 4, 8, 16] {
            let steps = usize::div_ceil(k, parts).next_multiple_of(axone::kernels::matmul::PART_ALIGNMENT);
            let tile = if n <= 16 { Tile::Tall } else { Tile::Fine };
            let group = format!("parts_{form}_{m}x{n}x{k}_{parts:02}");
            writer.write(&group, "parts", &[&product(shape, Epilogue::InParts { steps }, tile)], AS_IT_IS)?;
        }
    }
    Ok(())
}

/// Kernels that move more than they compute, for the GB/s that they reach.
fn memory(writer: &mut Writer) -> Result<(), Fault> {
    for n in [1 << 20, 1 << 24] {
        let params = UpdateParams::new(n, 0.9, 0.999, 1e-7);
        let update = |formula| Kernel::Update(Update { formula, params, by_rules: false });
        let kernels: [(&str, Kernel); 5] = [
            ("sgd", update(Formula::Sgd)),
            ("adam", update(Formula::Adam)),
            ("activation", ActivationForward::new(Activation::Relu, n).into()),
            ("elementwise", Elementwise::new(ElementwiseOp::Add, (n / 256, 256), (1, 256)).into()),
            ("softmax", Softmax { rows: n / 256, cols: 256 }.into()),
        ];
        for (name, kernel) in &kernels {
            let around = [AS_IT_IS, AROUND[0], AROUND[1]];
            for change in around {
                writer.write(&format!("memory_{name}_{n}"), change.name, &[kernel.spec()], change)?;
            }
        }
    }
    Ok(())
}

/// Whether the gradients of a layer's weights and input are better together: against the sum of both alone.
fn neighbours(writer: &mut Writer) -> Result<(), Fault> {
    for (rows, inputs, units) in [(128, 512, 256), (128, 256, 10), (32, 32, 10)] {
        let first = |tile| product((inputs, units, rows, "tn"), Epilogue::BiasRow { at: inputs * units }, tile);
        let second = |tile| product((rows, inputs, units, "nt"), Epilogue::Gradient(Activation::Relu), tile);
        for tile in [Tile::Small, Tile::Fine] {
            let (dw, dx) = (first(tile), second(tile));
            let group = format!("joined_{rows}_{inputs}x{units}_{tile}");
            writer.write(&format!("{group}_a_dw"), "alone", &[&dw], AS_IT_IS)?;
            writer.write(&format!("{group}_b_dx"), "alone", &[&dx], AS_IT_IS)?;
            writer.write(&format!("{group}_c_both"), "both", &[&dw, &dx], AS_IT_IS)?;
        }
    }
    Ok(())
}

struct Writer {
    folder: PathBuf,
    count: usize,
}

impl Writer {
    fn put(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        std::fs::write(self.folder.join(format!("{}.wgsl", name.replace(' ', "_"))), text)?;
        self.count += 1;
        Ok(())
    }

    /// A file for the kernels `specs` in one dispatch, changed.
    fn write(&mut self, group: &str, name: &str, specs: &[&dyn Spec], change: Change) -> Result<(), Fault> {
        let side = |spec: &&dyn Spec| Side { shader: spec.shader(), entry: spec.entry(), halves: Halves::NONE };
        let (mut text, entry) = match specs {
            [spec] => (spec.shader().source(Halves::NONE), spec.entry().name),
            _ => (join::source(&specs.iter().map(side).collect::<Vec<_>>()), join::ENTRY),
        };
        for (from, to) in change.edits {
            if !text.contains(from) {
                return Err(format!("{group} {}: the text has no \"{from}\"", change.name).into());
            }
            text = text.replace(from, to);
        }
        let flag = u8::from;
        let (workgroups, most) = (specs.iter().map(|spec| spec.workgroups()).sum::<u64>(), 65_535);
        let (x, y) = if workgroups <= most { (workgroups, 1) } else { (most, workgroups.div_ceil(most)) };
        let flops: u64 = specs.iter().map(|spec| spec.flops()).sum();
        let bytes: u64 = specs.iter().map(|spec| 4 * spec.touched(&spec.sizes())).sum();
        let mut header = format!(
            "// lab: group={group} entry={entry} workgroups={x}x{y} flops={flops} bytes={bytes} checks={} loops={} zero={}\n",
            flag(change.checks),
            flag(change.loops),
            flag(change.zero)
        );
        let mut constants = Vec::new();
        let (mut ends, mut all) = ([u32::MAX; join::MOST], 0);
        for ((place, spec), end) in (0..).zip(specs).zip(&mut ends) {
            all += spec.workgroups() as u32;
            *end = all;
            let named = |(name, value): (&str, f64)| format!("{}={value}", join::renamed(name, place as usize));
            constants.extend(spec.overrides().into_iter().map(named));
            match place {
                0 => writeln!(header, "// params: {}", hex(spec.params()))?,
                _ => writeln!(header, "// uniform: {} {}", join::STRIDE * place, hex(spec.params()))?,
            }
            if spec.shader().uses_step {
                let step =
                    Step { learning_rate: 0.01, step: 1, correction1: 0.1, correction2: 0.001, ..Step::default() };
                writeln!(header, "// step: {}", hex(bytemuck::bytes_of(&step)))?;
            }
            for (binding, len) in spec.entry().bindings.iter().zip(spec.sizes()) {
                let access = if binding.access == Access::Read { "read" } else { "write" };
                writeln!(header, "// buffer: {} {access} {len}", join::STRIDE * place + binding.index)?;
            }
        }
        if specs.len() > 1 {
            writeln!(header, "// uniform: {} {}", join::ENDS, hex(bytemuck::cast_slice(&ends)))?;
        }
        if !constants.is_empty() {
            writeln!(header, "// overrides: {}", constants.join(" "))?;
        }
        self.put(&format!("{group}_{name}"), &(header + "\n" + &text))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
