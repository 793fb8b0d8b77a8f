//! The committed tables: a file for each compiler in `docs/portability`.

use crate::Measured;
use crate::budgets::Excess;
use crate::gpus::{Facts, GPUS};
use std::fmt::Write as _;
use std::path::Path;

/// Head of the list of known excesses.
pub const KNOWN: &str = "\
# What is over a budget today: GPU, pipeline, what, how much. It may become less, never more.
# scratch: bytes (on a660: accesses); spills: registers; registers: those of a large tile that leave too few warps;
# arrays: accesses by a variable in the inner loop of DXIL; no fma: instructions of the inner loop of the large tile that
# are none, of a hundred. Written by `tools/offline/run.sh --table`. Compilers:
# ";

/// Which compilers are in `root`.
pub fn versions(root: &Path) -> String {
    std::fs::read_to_string(root.join("versions")).unwrap_or_default().trim().replace('\n', ", ")
}

pub fn write(project: &Path, measured: &Measured, excess: &Excess, versions: &str) -> Result<(), String> {
    let folder = project.join("docs/portability");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(failed)?;
    for (gpu, of) in measured {
        let mut text = "pipeline\tregisters\tspills\tscratch\tinstructions\tloop\tfma %\tin flight\tover\n".to_owned();
        for (name, facts) in of {
            let over = excess.keys().filter(|(on, pipeline, _)| (on, pipeline) == (&(*gpu).to_owned(), name));
            let over: Vec<&str> = over.map(|(.., what)| &**what).collect();
            // A `String` takes all that is written.
            let _ = match facts {
                Ok(facts) => writeln!(text, "{name}\t{}\t{}", row(gpu, facts), over.join(" ")),
                Err(error) => writeln!(text, "{name}\trefused: {error}"),
            };
        }
        std::fs::write(folder.join(format!("{gpu}.tsv")), text).map_err(failed)?;
    }
    std::fs::write(folder.join("summary.md"), summary(measured, excess, versions)).map_err(failed)
}

fn row(gpu: &str, facts: &Facts) -> String {
    let inner = facts.inner.map_or("\t".to_owned(), |it| format!("{}\t{}", it.instructions, it.percent()));
    if gpu == "dxil" {
        return format!("\t\t\t{}\t{inner}\t", facts.instructions);
    }
    let Facts { registers, spills, scratch, instructions, in_flight, .. } = facts;
    format!("{registers}\t{spills}\t{scratch}\t{instructions}\t{inner}\t{in_flight}")
}

/// Pipelines that the summary shows on every GPU.
const SHOWN: [&str; 8] = [
    "matmul.large.vec4.with_bias.relu",
    "matmul.large.vec4.with_bias.gelu",
    "matmul.medium.vec4.with_bias.relu",
    "matmul.small.vec4.with_bias.relu",
    "matmul.fine.vec4.with_bias.relu",
    "matmul.tall.vec4.with_bias.relu",
    "matmul.flat.vec4.with_bias.relu",
    "matmul.cooperative_16_large.vec4.with_bias.gelu",
];

fn summary(measured: &Measured, excess: &Excess, versions: &str) -> String {
    let mut text = format!(
        "<!-- Written by tools/offline/run.sh --table. -->\n# What compilers make of the kernels\n{versions}\n\n\
         | compiler | pipelines | scratch | spills | registers | arrays |\n|---|---|---|---|---|---|\n"
    );
    for (gpu, of) in measured {
        let about = GPUS.iter().find(|known| known.name == *gpu).map_or("DXC, DXIL", |known| known.about);
        let count = |kind: &str| excess.keys().filter(|(on, _, what)| on == gpu && what == kind).count();
        let [scratch, spills, registers, arrays] = ["scratch", "spills", "registers", "arrays"].map(count);
        let _ = writeln!(
            text,
            "| [{gpu}]({gpu}.tsv): {about} | {} | {scratch} | {spills} | {registers} | {arrays} |",
            of.len()
        );
    }
    text += "\nThe columns count pipelines over that budget.\n";
    for name in SHOWN {
        let _ = writeln!(
            text,
            "\n## {name}\n| compiler | registers | spills | scratch | inner loop | of it FMA | in flight |\n|---|---|---|---|---|---|---|"
        );
        for (gpu, of) in measured {
            let Some(Ok(facts)) = of.get(name) else { continue };
            let inner = facts.inner.map_or(("".to_owned(), "".to_owned()), |it| {
                (it.instructions.to_string(), format!("{} %", it.percent()))
            });
            let Facts { registers, spills, scratch, in_flight, .. } = facts;
            let _ = if *gpu == "dxil" {
                writeln!(text, "| {gpu} | | | | {} | {} | |", inner.0, inner.1)
            } else {
                writeln!(
                    text,
                    "| {gpu} | {registers} | {spills} | {scratch} | {} | {} | {in_flight} |",
                    inner.0, inner.1
                )
            };
        }
    }
    text
}
