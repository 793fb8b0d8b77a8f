//! Several kernels in one WGSL text, for dispatches that do not wait for each other: the first workgroups run one, the
//! next the other. Each text stays as it is, but for the names and the bindings of those behind the first.

use super::{Entry, Halves, Shader};
use std::collections::HashSet;
use std::fmt::Write;

/// Most kernels of a text.
pub const MOST: usize = 4;

/// By how much the bindings of a kernel in group 0 are further on than those of the one before; in group 1 it is 1.
pub const STRIDE: u32 = 16;

/// The uniform with the workgroups up to the end of each kernel; the bindings of a kernel stay below.
pub const ENDS: u32 = STRIDE - 1;

/// The entry point of a text of several.
pub const ENTRY: &str = "joined";

/// A kernel of such a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Its WGSL file.
    pub shader: &'static Shader,
    /// Its entry point.
    pub entry: &'static Entry,
    /// Which of its buffers hold f16.
    pub halves: Halves,
}

/// The name of `name` in the kernel that stands at `place`.
pub fn renamed(name: &str, place: usize) -> String {
    if place == 0 { name.to_owned() } else { format!("{name}_{}", place + 1) }
}

/// The text of `sides`, of which there are at most [`MOST`], all with workgroups of one size.
pub fn source(sides: &[Side]) -> String {
    let bodies: Vec<Body> = sides.iter().enumerate().map(|(place, side)| Body::of(side, place)).collect();
    let mut enables: Vec<&str> = bodies.iter().flat_map(|body| body.enables.lines()).collect();
    enables.sort_unstable();
    enables.dedup();
    let mut builtins: Vec<(&str, &str)> =
        bodies.iter().flat_map(|body| &body.parameters).map(|(builtin, ty)| (&**builtin, &**ty)).collect();
    builtins.extend([("workgroup_id", "vec3<u32>"), ("num_workgroups", "vec3<u32>")]);
    builtins.sort_unstable();
    builtins.dedup();
    let parameters: Vec<String> = builtins.iter().map(|(name, ty)| format!("@builtin({name}) {name}: {ty}")).collect();

    let mut text = enables.join("\n") + "\n";
    bodies.iter().for_each(|body| text += &body.text);
    let size = sides.first().map_or(1, |side| side.shader.workgroup_size);
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "@group(0) @binding({ENDS}) var<uniform> joined_ends: vec4<u32>;\n\
         @compute @workgroup_size({size})\n\
         fn {ENTRY}({}) {{\n  let number = workgroup_id.y * num_workgroups.x + workgroup_id.x;\n",
        parameters.join(", ")
    );
    for (place, body) in bodies.iter().enumerate() {
        let before = if place == 0 { "0u".to_owned() } else { format!("joined_ends[{}]", place - 1) };
        let argument = |(builtin, _): &(String, String)| match builtin.as_str() {
            "workgroup_id" => format!("vec3<u32>(number - {before}, 0u, 0u)"),
            "num_workgroups" => "vec3<u32>(1u, 1u, 1u)".to_owned(),
            other => other.to_owned(),
        };
        let arguments: Vec<String> = body.parameters.iter().map(argument).collect();
        let otherwise = if place == 0 { "  " } else { " else " };
        let within = if place + 1 == bodies.len() && place > 0 {
            String::new()
        } else {
            format!("if (number < joined_ends[{place}]) ")
        };
        let _ = write!(text, "{otherwise}{within}{{ {}({}); }}", body.function, arguments.join(", "));
    }
    text + "\n}\n"
}

/// The text of a kernel as a part of another.
struct Body {
    enables: String,
    text: String,
    /// What was its entry point.
    function: String,
    /// The builtin values that it takes, and their types.
    parameters: Vec<(String, String)>,
}

impl Body {
    fn of(side: &Side, place: usize) -> Self {
        let source = side.shader.source(side.halves);
        let (mut enables, mut text, mut parameters) = (String::new(), String::new(), Vec::new());
        let mut lines = source.lines().map(|line| line.split("//").next().unwrap_or_default());
        while let Some(line) = lines.next() {
            if line.starts_with("enable ") {
                enables = enables + line + "\n";
            } else if line.starts_with("@compute") {
                let entry: Vec<&str> = lines.by_ref().take_while(|line| *line != "}").collect();
                let entry = entry.join("\n") + "\n}\n";
                if entry.starts_with(&format!("fn {}(", side.entry.name)) {
                    parameters = parameters_of(&entry);
                    text += &without_builtins(&entry);
                }
            } else {
                text = text + &rebound(line, place) + "\n";
            }
        }
        let names: HashSet<&str> = text.lines().filter_map(declared).collect();
        let text = if place == 0 { text } else { rename(&text, &names, place) };
        Self { enables, text, function: renamed(side.entry.name, place), parameters }
    }
}

/// The builtin values in the head of an entry point, with their types.
fn parameters_of(entry: &str) -> Vec<(String, String)> {
    let head = entry.split(") {").next().unwrap_or_default();
    let parameter = |piece: &str| {
        let (builtin, rest) = piece.split_once(')')?;
        let (_, ty) = rest.split(',').next()?.split_once(':')?;
        Some((builtin.to_owned(), ty.trim().to_owned()))
    };
    head.split("@builtin(").skip(1).filter_map(parameter).collect()
}

/// An entry point as a function.
fn without_builtins(entry: &str) -> String {
    let mut parts = entry.split("@builtin(");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(") ").map_or(part, |(_, rest)| rest))
}

/// A line whose bindings are those of the kernel at `place`.
fn rebound(line: &str, place: usize) -> String {
    if let Some(rest) = line.strip_prefix("@group(1) @binding(0)") {
        return format!("@group(1) @binding({place}){rest}");
    }
    let binding = || {
        let (number, rest) = line.strip_prefix("@group(0) @binding(")?.split_once(')')?;
        let number = number.parse::<u32>().ok()? + STRIDE * place as u32;
        Some(format!("@group(0) @binding({number}){rest}"))
    };
    binding().unwrap_or_else(|| line.to_owned())
}

/// What a line declares for the whole text.
fn declared(line: &str) -> Option<&str> {
    let line =
        line.rsplit_once("@binding(").map_or(line, |(_, rest)| rest.split_once(") ").map_or("", |(_, rest)| rest));
    let (word, rest) = line.split_once(' ')?;
    let is_declaration = matches!(word, "fn" | "const" | "override" | "struct" | "alias") || word.starts_with("var<");
    let rest = if word == "var<storage," { rest.split_once("> ")?.1 } else { rest };
    let end = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
    is_declaration.then(|| &rest[..end])
}

const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The text in which `names` are those of the kernel at `place`. Members keep theirs.
fn rename(text: &str, names: &HashSet<&str>, place: usize) -> String {
    let (mut out, mut rest, mut in_struct) = (String::with_capacity(text.len() * 2), text, false);
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end.max(c.len_utf8()));
        in_struct = (in_struct || word == "struct") && c != '}';
        let is_member = out.ends_with('.') || in_struct && after.trim_start().starts_with(':');
        match names.contains(word) && !is_member {
            true => out += &renamed(word, place),
            false => out += word,
        }
        rest = after;
    }
    out
}
