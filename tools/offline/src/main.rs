//! What compilers of GPUs make of axone's kernels, without a GPU. `run.sh` fetches the compilers and starts this; what it
//! does and which budgets it holds is in `docs/architecture.md`.

mod assembly;
mod budgets;
mod dxc;
#[allow(dead_code)]
#[path = "../../../src/error.rs"]
mod error;
#[allow(dead_code, unexpected_cfgs, unused_imports)]
#[path = "../../../src/formula/mod.rs"]
mod formula;
mod gpus;
// The kernels are plain data and stand on nothing but errors and formulas: the library itself need not be built.
#[allow(dead_code, unexpected_cfgs, unused_imports)]
#[path = "../../../src/kernels/mod.rs"]
mod kernels;
mod measure;
mod tables;
mod translate;
mod variants;

use budgets::Excess;
use error::{Error, Result};
use gpus::{Compilers, Facts, GPUS, feed};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use translate::Text;
use variants::{Identity, Rank, Variant};

/// What compilers made of pipelines, by compiler and pipeline.
pub type Measured = BTreeMap<&'static str, BTreeMap<String, std::result::Result<Facts, String>>>;

const USAGE: &str = "\
usage: axone-offline COMPILERS PROJECT short|table

  short   translates and compiles the pipelines that matter, holds them against the budgets
  table   translates all, compiles more, and writes docs/portability and the known excesses

COMPILERS is the folder that fetch.sh fills. run.sh calls both.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["measure"] => measure::run().map(|()| true),
        ["dxc", library] => dxc::run(Path::new(library)).map(|()| true),
        [compilers, project, "short"] => run(compilers.into(), Path::new(project), false),
        [compilers, project, "table"] => run(compilers.into(), Path::new(project), true),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is as it must be.
fn run(root: PathBuf, project: &Path, table: bool) -> std::result::Result<bool, String> {
    let compilers = Compilers { root: root.clone() };
    let folder = root.join("out");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(failed)?;
    }
    std::fs::create_dir_all(&folder).map_err(failed)?;

    let all = variants::all()?;
    let wanted: Vec<&Variant> = all.iter().filter(|variant| table || variant.rank == Rank::Short).collect();
    let entries = translate_all(&wanted, &folder)?;
    println!("naga: {} of {} pipelines to SPIR-V, HLSL and MSL", wanted.len(), all.len());
    // A browser's compiler takes seconds for all of them.
    let tint = in_browser(&all, &root, &folder)?;
    let valid = validate(&compilers, &wanted, &folder)?;

    let most = if table { Rank::Table } else { Rank::Short };
    let compiled: Vec<&Variant> = wanted.iter().copied().filter(|variant| variant.rank <= most).collect();
    let mut measured = on_gpus(&compilers, &compiled, &folder)?;
    if let Some(facts) = through_dxc(&compilers, &compiled, &entries, &folder)? {
        measured.insert("dxil", facts);
    }

    let refused: Vec<String> = measured
        .iter()
        .flat_map(|(gpu, of)| of.iter().filter_map(move |(name, it)| Some((gpu, name, it.as_ref().err()?))))
        .map(|(gpu, name, error)| format!("{gpu}: {name}: refused: {error}"))
        .collect();
    let mut excess = Excess::new();
    for (gpu, of) in &measured {
        for (name, facts) in of.iter().filter_map(|(name, facts)| Some((name, facts.as_ref().ok()?))) {
            budgets::hold(gpu, name, facts, &mut excess);
        }
    }
    let path = project.join("tools/offline/known.tsv");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let known = budgets::parse(&text)?;
    let has = |gpu: &str, name: &str| measured.get(gpu).is_some_and(|of| of.contains_key(name));
    let (worse, better) = budgets::compare(&known, &excess, has);
    println!("{} over a budget, {} of them known", excess.len(), excess.len() - worse.len());
    better.iter().for_each(|line| println!("better: {line}"));
    worse.iter().chain(&refused).for_each(|line| println!("OVER BUDGET: {line}"));
    let versions = tables::versions(&root);
    // A compiler that was not fetched has measured nothing.
    let same = text.is_empty() || versions.split(", ").all(|compiler| text.contains(compiler));
    if table {
        tables::write(project, &measured, &excess, &versions)?;
        let mut kept = known;
        kept.retain(|(gpu, name, _), _| !has(gpu, name));
        kept.extend(excess);
        let text = format!("{}{versions}\n{}", tables::KNOWN, budgets::write(&kept));
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("docs/portability and tools/offline/known.tsv are renewed; what they say is yours to accept");
    } else if !(same || worse.is_empty() && refused.is_empty()) {
        println!(
            "THE BUDGETS WERE MEASURED WITH OTHER COMPILERS ({versions} now): nothing fails. Renew: run.sh --table"
        );
        return Ok(tint && valid);
    }
    Ok(tint && valid && refused.is_empty() && (table || worse.is_empty()))
}

/// Runs `work` on all of `items`, on every core, and gives the first error.
fn on_all<T: Sync>(
    items: &[T],
    work: impl Fn(&T) -> std::result::Result<(), String> + Sync,
) -> std::result::Result<(), String> {
    let (next, failure) = (AtomicUsize::new(0), Mutex::new(None));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(item) {
                        failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}

/// Writes SPIR-V, HLSL and MSL of `wanted`; the names of their entry points in HLSL, for those that have it.
fn translate_all(wanted: &[&Variant], folder: &Path) -> std::result::Result<BTreeMap<String, String>, String> {
    let mut texts: Vec<Vec<&Variant>> = Vec::new();
    for variant in wanted {
        match texts.iter_mut().find(|of| of[0].identity() == variant.identity()) {
            Some(of) => of.push(variant),
            None => texts.push(vec![variant]),
        }
    }
    let entries = Mutex::new(BTreeMap::new());
    on_all(&texts, |of| {
        let text = Text::of(of[0]).map_err(|error| format!("{}: {error}", of[0].name))?;
        for variant in of {
            let made = text.translate(variant).map_err(|error| format!("{}: {error}", variant.name))?;
            let write = |ending: &str, bytes: &[u8]| {
                let path = folder.join(format!("{}.{ending}", variant.name));
                std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
            };
            write("spv", bytemuck::cast_slice(&made.spirv))?;
            write("metal", made.msl.as_bytes())?;
            if let Some((hlsl, entry)) = made.hlsl {
                write("hlsl", hlsl.as_bytes())?;
                entries.lock().unwrap_or_else(PoisonError::into_inner).insert(variant.name.clone(), entry);
            }
        }
        Ok(())
    })?;
    Ok(entries.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// SPIR-V as Khronos' validator reads it.
fn validate(compilers: &Compilers, wanted: &[&Variant], folder: &Path) -> std::result::Result<bool, String> {
    let library = compilers.library();
    let program = compilers.root.join("mesa/usr/bin/spirv-val");
    let wrong = AtomicUsize::new(0);
    on_all(wanted, |variant| {
        let mut command = Command::new(library.join("ld-linux-x86-64.so.2"));
        command.arg("--library-path").arg(&library).arg(&program).args(["--target-env", "spv1.6"]);
        let output = command.arg(folder.join(format!("{}.spv", variant.name))).output();
        let output = output.map_err(|error| format!("spirv-val: {error}"))?;
        if !output.status.success() {
            wrong.fetch_add(1, Ordering::Relaxed);
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            println!("spirv-val: {}: {}", variant.name, error.lines().next().unwrap_or_default());
        }
        Ok(())
    })?;
    let wrong = wrong.into_inner();
    println!("spirv-val: {} of {} valid", wanted.len() - wrong, wanted.len());
    Ok(wrong == 0)
}

/// Every GPU's compiler, as many at once as there are cores.
fn on_gpus(compilers: &Compilers, compiled: &[&Variant], folder: &Path) -> std::result::Result<Measured, String> {
    let measured = Mutex::new(Measured::new());
    on_all(&GPUS, |gpu| {
        let takes = |variant: &&&Variant| gpu.takes(variant);
        let names: Vec<&str> = compiled.iter().filter(takes).map(|variant| &*variant.name).collect();
        let started = std::time::Instant::now();
        let found = match gpu.compile(compilers, folder, &names) {
            Ok(found) => found,
            Err(error) => {
                println!("SKIPPED: {}, whose compiler does not begin: {error}", gpu.name);
                return Ok(());
            }
        };
        println!("{}: {} pipelines, {:.0} s", gpu.name, found.len(), started.elapsed().as_secs_f64());
        measured.lock().unwrap_or_else(PoisonError::into_inner).insert(gpu.name, found);
        Ok(())
    })?;
    Ok(measured.into_inner().unwrap_or_else(PoisonError::into_inner))
}

type OfGpu = BTreeMap<String, std::result::Result<Facts, String>>;

/// HLSL through DXC; `None` where it was not fetched.
fn through_dxc(
    compilers: &Compilers,
    wanted: &[&Variant],
    entries: &BTreeMap<String, String>,
    folder: &Path,
) -> std::result::Result<Option<OfGpu>, String> {
    let library = compilers.root.join("dxc/libdxcompiler.so");
    if !library.exists() {
        println!("SKIPPED: DXC, which was not fetched");
        return Ok(None);
    }
    let out = folder.join("dxil");
    std::fs::create_dir_all(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    let path = |name: &str| out.join(format!("{name}.txt"));
    let asked: Vec<(&Variant, &String)> =
        wanted.iter().filter_map(|variant| Some((*variant, entries.get(&variant.name)?))).collect();
    let parts: Vec<(usize, &[(&Variant, &String)])> =
        asked.chunks(asked.len().div_ceil(8).max(1)).enumerate().collect();
    on_all(&parts, |(number, part)| {
        let line = |(variant, entry): &(&Variant, &String)| {
            let profile = if variant.is_f32() { "cs_6_0" } else { "cs_6_2" };
            let from = folder.join(format!("{}.hlsl", variant.name));
            format!("{profile}\t{entry}\t{}\t{}\n", from.display(), path(&variant.name).display())
        };
        let mut command = compilers.command("")?;
        command.arg("dxc").arg(&library);
        feed(command, &part.iter().map(line).collect::<String>(), &out.join(format!("log{number}")))
    })?;
    let mut found = OfGpu::new();
    for (variant, _) in &asked {
        let path = path(&variant.name);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        found.insert(variant.name.clone(), gpus::dxil(&text));
    }
    println!("DXC: {} pipelines", found.len());
    Ok(Some(found))
}

/// Texts that a browser may be given, through Tint: no f16, no u64, no cooperative matrices.
fn in_browser(all: &[Variant], root: &Path, folder: &Path) -> std::result::Result<bool, String> {
    let webgpu = root.join("webgpu");
    if !webgpu.join("index.js").exists() {
        println!("SKIPPED: Tint, which was not fetched");
        return Ok(true);
    }
    let mut files: BTreeMap<Identity, PathBuf> = BTreeMap::new();
    let mut list = String::new();
    let mut seen = BTreeSet::new();
    for variant in all.iter().filter(|variant| variant.runs_in_a_browser()) {
        let key = variant.identity();
        let path = folder.join(format!("{}.wgsl", files.len()));
        let path = match files.get(&key) {
            Some(path) => path.clone(),
            None => {
                std::fs::write(&path, variant.for_a_browser())
                    .map_err(|error| format!("{}: {error}", path.display()))?;
                files.entry(key).or_insert(path).clone()
            }
        };
        let constants: Vec<String> = variant.constants.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let line = format!("{}\t{}\t{}\n", path.display(), variant.entry, constants.join(","));
        // Two forms of a product may be one pipeline.
        if seen.insert(line.clone()) {
            list += &format!("{}\t{line}", variant.name);
        }
    }
    let path = folder.join("browser.tsv");
    std::fs::write(&path, list).map_err(|error| format!("{}: {error}", path.display()))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tint.mjs");
    let node = root.join("node");
    let node = if node.exists() { node } else { "node".into() };
    let status = Command::new(node).arg(script).arg(webgpu).arg(path).status();
    Ok(status.map_err(|error| format!("node: {error}"))?.success())
}
