//! Every WGSL file against its host spec, read by naga: a spec that names the wrong binding order or the
//! wrong offset would otherwise compute wrong numbers without a word.
//!
//! `violations` lists what differs; the canaries at the end prove that it sees a difference.

use axone::kernels::join::{self, Side};
use axone::kernels::{Access, Binding, Halves, Shader, Step, shaders};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Expression, Function, Module, ScalarKind, StorageAccess, TypeInner};
use std::collections::BTreeSet;
use std::path::Path;

const CAPABILITIES: Capabilities = Capabilities::SUBGROUP
    .union(Capabilities::SHADER_FLOAT16)
    .union(Capabilities::SHADER_INT64)
    .union(Capabilities::COOPERATIVE_MATRIX);

fn parse(source: &str) -> Result<(Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(source).map_err(|e| e.emit_to_string(source))?;
    let info =
        Validator::new(ValidationFlags::all(), CAPABILITIES).validate(&module).map_err(|e| e.emit_to_string(source))?;
    Ok((module, info))
}

/// Name and offset of the members of the uniform at (group, 0).
fn uniform_members(module: &Module, group: u32) -> Option<Vec<(String, usize)>> {
    let (_, uniform) = module.global_variables.iter().find(|(_, v)| {
        v.space == AddressSpace::Uniform && v.binding.as_ref().is_some_and(|b| (b.group, b.binding) == (group, 0))
    })?;
    let TypeInner::Struct { members, .. } = &module.types[uniform.ty].inner else { return None };
    Some(members.iter().map(|m| (m.name.clone().unwrap_or_default(), m.offset as usize)).collect())
}

fn owned(members: &[(&str, usize)]) -> Vec<(String, usize)> {
    members.iter().map(|(name, offset)| ((*name).to_owned(), *offset)).collect()
}

/// The width in bytes of the numbers in the array that a storage buffer is.
fn element_width(module: &Module, name: &str) -> Option<u8> {
    let (_, buffer) = module.global_variables.iter().find(|(_, v)| v.name.as_deref() == Some(name))?;
    let TypeInner::Array { base, .. } = module.types[buffer.ty].inner else { return None };
    module.types[base].inner.scalar_width()
}

/// The storage buffers that an entry point uses: index, name, whether it may write.
fn used_bindings(module: &Module, info: &ModuleInfo, entry: usize) -> Vec<(u32, String, bool)> {
    let uses = info.get_entry_point(entry);
    let mut found: Vec<_> = module
        .global_variables
        .iter()
        .filter(|(handle, _)| !uses[*handle].is_empty())
        .filter_map(|(_, v)| match (v.space, &v.binding) {
            (AddressSpace::Storage { access }, Some(binding)) if binding.group == 0 => {
                Some((binding.binding, v.name.clone().unwrap_or_default(), access.contains(StorageAccess::STORE)))
            }
            _ => None,
        })
        .collect();
    found.sort();
    found
}

/// All buffers of `shader` that may hold f16.
fn all_halves(shader: &Shader) -> Halves {
    shader.may_be_half().into_iter().fold(Halves::NONE, |halves, binding| halves.with(binding))
}

/// Everything in which the WGSL of `shader` differs from its spec, with f32 in all buffers and with f16 in all that may
/// hold it.
fn violations(shader: &Shader) -> Vec<String> {
    let halves = all_halves(shader);
    let variants = if halves == Halves::NONE { vec![halves] } else { vec![Halves::NONE, halves] };
    variants.into_iter().flat_map(|halves| violations_with(shader, halves)).collect()
}

fn violations_with(shader: &Shader, halves: Halves) -> Vec<String> {
    let (module, info) = match parse(&shader.source(halves)) {
        Ok(parsed) => parsed,
        Err(error) => return vec![format!("{}: {error}", shader.name)],
    };
    let mut found = Vec::new();
    let mut hold = |what: &str, wgsl: String, spec: String| {
        if wgsl != spec {
            found.push(format!("{}: {what}: WGSL has {wgsl}, the spec {spec}", shader.name));
        }
    };
    hold("Params", format!("{:?}", uniform_members(&module, 0)), format!("{:?}", Some(owned(shader.params))));
    let step = shader.uses_step.then(|| owned(Step::MEMBERS));
    hold("Step", format!("{:?}", uniform_members(&module, 1)), format!("{step:?}"));
    let overrides: BTreeSet<_> = module.overrides.iter().filter_map(|(_, o)| o.name.as_deref()).collect();
    hold("overrides", format!("{overrides:?}"), format!("{:?}", shader.overrides.iter().collect::<BTreeSet<_>>()));
    let names: Vec<_> = module.entry_points.iter().map(|e| e.name.as_str()).collect();
    hold(
        "entry points",
        format!("{names:?}"),
        format!("{:?}", shader.entries.iter().map(|e| e.name).collect::<Vec<_>>()),
    );
    for (i, (wgsl, spec)) in module.entry_points.iter().zip(shader.entries).enumerate() {
        hold("workgroup", format!("{:?}", wgsl.workgroup_size), format!("{:?}", [shader.workgroup_size, 1, 1]));
        let bindings: Vec<_> =
            spec.bindings.iter().map(|b| (b.index, b.name.to_owned(), b.access != Access::Read)).collect();
        hold(spec.name, format!("{:?}", used_bindings(&module, &info, i)), format!("{bindings:?}"));
        let reads_first = spec.bindings.is_sorted_by_key(|b| (b.access != Access::Read, b.index));
        hold(spec.name, format!("reads first: {reads_first}"), "reads first: true".into());
        for binding in spec.bindings {
            let wanted = if binding.pairs {
                8
            } else if halves.has(binding) {
                2
            } else {
                4
            };
            let width = element_width(&module, binding.name);
            hold(binding.name, format!("{width:?} bytes"), format!("{:?} bytes", Some(wanted)));
        }
    }
    let shared: u32 = module
        .global_variables
        .iter()
        .filter(|(_, v)| v.space == AddressSpace::WorkGroup)
        .map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx()))
        .sum();
    // What WebGPU guarantees; who has cooperative matrices has more, and the tile asks for it.
    let most = if shader.name == "matmul_cooperative" { 32 } else { 16 };
    hold("workgroup memory fits", (shared <= most * 1024).to_string(), "true".into());
    hold("invocations fit", (shader.workgroup_size <= 256).to_string(), "true".into());
    found
}

/// The functions of a module that make f16 of numbers known at run time alone.
fn makers_of_f16(module: &Module) -> BTreeSet<String> {
    let half = |it: &Expression| matches!(it, Expression::As { kind: ScalarKind::Float, convert: Some(2), .. });
    let makes = |function: &Function| function.expressions.iter().any(|(_, it)| half(it));
    let functions = module.functions.iter().map(|(_, function)| function);
    let all = functions.chain(module.entry_points.iter().map(|entry| &entry.function));
    all.filter(|function| makes(function)).map(|function| function.name.clone().unwrap_or_default()).collect()
}

/// Every `.wgsl` file: its path below `shaders/` and its text.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut found = Vec::new();
    for folder in ["", "lib/"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "wgsl") {
                let name = path.file_name().unwrap().to_str().unwrap();
                found.push((format!("{folder}{name}"), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The library files that the first line of `text` asks for; a `*` stands for what sizes and device decide.
fn wanted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().next().and_then(|line| line.strip_prefix("// with: ")).unwrap_or("").split_whitespace()
}

fn is_one_of(name: &str, wanted: &str) -> bool {
    wanted.split_once('*').map_or(name == wanted, |(begin, end)| name.starts_with(begin) && name.ends_with(end))
}

/// The buffers that the line `// f16: ` of `text` says may hold f16.
fn halves_of(text: &str) -> impl Iterator<Item = &str> {
    let line = text.lines().take(2).find_map(|line| line.strip_prefix("// f16: "));
    line.unwrap_or("").split_whitespace()
}

#[test]
fn every_shader_keeps_its_contract() {
    let found: Vec<_> = shaders().flat_map(violations).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_file_is_listed_and_gets_what_it_asks_for() {
    let files = files();
    let name_of = |source: &str| files.iter().find(|(_, text)| text == source).map(|(name, _)| name.as_str());
    let mut listed = BTreeSet::new();
    for shader in shaders() {
        let names: Vec<_> = shader.sources.iter().map(|s| name_of(s).expect("a source is a file")).collect();
        listed.extend(names.iter().copied());
        let (own, library) = names.split_last().unwrap();
        assert_eq!(*own, format!("{}.wgsl", shader.name));
        let wanted: Vec<_> = wanted(shader.sources.last().unwrap()).collect();
        let fits =
            wanted.len() == library.len() && wanted.iter().zip(library).all(|(wanted, lib)| is_one_of(lib, wanted));
        assert!(fits, "{}: `with:` asks for {wanted:?}, the spec gives {library:?}", shader.name);
        let said: BTreeSet<_> = shader.sources.iter().flat_map(|source| halves_of(source)).collect();
        let spec: BTreeSet<_> = shader.may_be_half().into_iter().map(|binding| binding.name).collect();
        assert_eq!(said, spec, "{}: what may be f16", shader.name);
    }
    let all: BTreeSet<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(all, listed);
}

/// What overflows f16 is infinite on every adapter: numbers become f16 in the one function that says so.
#[test]
fn one_function_alone_makes_f16() {
    for shader in shaders() {
        let halves = all_halves(shader);
        let (module, _) = parse(&shader.source(halves)).unwrap();
        let (found, own) = (makers_of_f16(&module), shader.name == "matmul_cooperative");
        let wanted = if halves == Halves::NONE && !own { BTreeSet::new() } else { ["in_f16".to_owned()].into() };
        assert_eq!(found, wanted, "{}", shader.name);
    }
}

/// A library piece is valid WGSL behind the pieces that it asks for itself.
#[test]
fn every_library_piece_stands_alone() {
    let files = files();
    let text_of =
        |wanted: &str| files.iter().find(|(n, _)| is_one_of(n, wanted)).map(|(_, text)| text.as_str()).unwrap();
    for (name, text) in files.iter().filter(|(name, _)| name.starts_with("lib/")) {
        let pieces: Vec<&str> = wanted(text).map(text_of).chain([text.as_str()]).collect();
        let alias = |name: &str| {
            format!("alias Of{}{} = f32;\n", name[..1].to_uppercase(), &name[1..])
                + &format!("fn to_{name}(x: f32) -> f32 {{ return x; }}\n")
                + &format!("fn to_{name}4(x: vec4<f32>) -> vec4<f32> {{ return x; }}\n")
        };
        let aliases: String = pieces.iter().flat_map(|piece| halves_of(piece)).map(alias).collect();
        let enables = pieces.iter().flat_map(|piece| piece.lines()).filter_map(|line| line.strip_prefix("// enable: "));
        let enables: String = enables.flat_map(str::split_whitespace).map(|name| format!("enable {name};\n")).collect();
        let source = enables + &aliases + &pieces.concat();
        if let Err(error) = parse(&source) {
            panic!("{name}: {error}");
        }
    }
}

/// WGSL's own versions of these differ between drivers, up to NaN; lib/math.wgsl has ours.
#[test]
fn no_file_calls_a_builtin_of_unknown_accuracy() {
    for (name, text) in files() {
        let code: String =
            text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
        for builtin in ["tanh(", "exp(", "exp2(", "log(", "log2(", "pow(", "sin(", "cos(", "inverseSqrt("] {
            let called = code
                .match_indices(builtin)
                .any(|(i, _)| !code[..i].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_'));
            assert!(!called, "{name} calls {builtin}..)");
        }
    }
}

/// Kernels of one text keep theirs apart, whatever they are called there: each parses behind others of many names.
#[test]
fn every_kernel_can_stand_behind_others() {
    let texts: Vec<&'static Shader> = shaders().collect();
    let side = |shader: &'static Shader, entry: usize| Side {
        shader,
        entry: &shader.entries[entry],
        halves: all_halves(shader),
    };
    let in_front: Vec<Side> = ["matmul_fine", "gather_batch"]
        .map(|name| side(texts.iter().find(|shader| shader.name == name).unwrap(), 0))
        .to_vec();
    let mut wrong = Vec::new();
    for shader in texts {
        for entry in 0..shader.entries.len() {
            let sides = [&in_front[..], &[side(shader, entry)]].concat();
            let text = join::source(&sides);
            let (module, info) = match parse(&text) {
                Ok(parsed) => parsed,
                Err(error) => {
                    wrong.push(format!("{} {}: {error}", shader.name, shader.entries[entry].name));
                    continue;
                }
            };
            let used = used_bindings(&module, &info, 0);
            let wanted = (0..).zip(&sides).flat_map(|(place, side)| {
                let bindings = side.entry.bindings.iter();
                bindings.map(move |b| {
                    (join::STRIDE * place + b.index, join::renamed(b.name, place as usize), b.access != Access::Read)
                })
            });
            let wanted: Vec<_> = wanted.collect();
            if used != wanted {
                wrong.push(format!("{} {}: {used:?} are not {wanted:?}", shader.name, shader.entries[entry].name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn named(name: &str) -> Shader {
    *shaders().find(|s| s.name == name).unwrap()
}

/// A spec that is wrong must be seen: each of these differs from a right one in one thing.
#[test]
fn canaries_turn_red() {
    const SWAPPED: &[Binding] = &[Binding::read(1, "dy"), Binding::read(2, "y"), Binding::write(3, "dx")];
    const READ_ONLY: &[Binding] = &[Binding::read(1, "y"), Binding::read(2, "dy"), Binding::read(3, "dx")];
    const MISSING: &[Binding] = &[Binding::read(1, "y"), Binding::write(3, "dx")];
    const NEVER_HALF: &[Binding] = &[Binding::read(1, "y").or_half(), Binding::read(2, "dy"), Binding::write(3, "dx")];
    let right = named("softmax_grad");
    assert!(violations(&right).is_empty());
    for bindings in [SWAPPED, READ_ONLY, MISSING, NEVER_HALF] {
        let entry = axone::kernels::Entry { name: "main", bindings };
        let wrong = Shader { entries: Box::leak(Box::new([entry])), ..right };
        assert_eq!(violations(&wrong).len(), 1, "{bindings:?}");
    }
    for wrong in [
        Shader { params: &[("cols", 0), ("rows", 4)], ..right },
        Shader { params: &[("rows", 0), ("cols", 8)], ..right },
        Shader { overrides: &["WIDTH"], ..right },
        Shader { workgroup_size: 32, ..right },
        Shader { uses_step: true, ..right },
        Shader { sources: &["fn main( {"], ..right },
    ] {
        assert_eq!(violations(&wrong).len(), 1, "{wrong:?}");
    }
}
