//! Dependencies point one way, and library code does not panic: read from the source text.
//!
//! Comments, strings and `#[cfg(test)]` items are taken out first, so that only code counts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Source files below `src/folder`: path from `src` on, and their code.
fn code(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open: Vec<PathBuf> = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((name, stripped(&std::fs::read_to_string(&path).unwrap())));
        }
    }
    assert!(!found.is_empty(), "nothing in src/{folder}");
    found
}

/// `text` without comments, string contents and test modules.
fn stripped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                while chars.peek().is_some_and(|c| *c != '\n') {
                    chars.next();
                }
            }
            '"' => {
                out.push_str("\"\"");
                while let Some(c) = chars.next() {
                    match c {
                        '\\' => drop(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '\'' => {
                // A quote or backslash as a character; lifetimes and other characters need no care.
                out.push('\'');
                let mut ahead = chars.clone();
                match (ahead.next(), ahead.next(), ahead.next()) {
                    (Some('"'), Some('\''), _) => drop(chars.by_ref().take(2).count()),
                    (Some('\\'), Some(_), Some('\'')) => drop(chars.by_ref().take(3).count()),
                    _ => {}
                }
            }
            c => out.push(c),
        }
    }
    while let Some(start) = out.find("#[cfg(test)]") {
        let (mut depth, mut end) = (0, out.len());
        for (i, c) in out[start..].char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ';' if depth == 0 => {}
                _ => continue,
            }
            if depth == 0 {
                end = start + i + 1;
                break;
            }
        }
        out.replace_range(start..end, "");
    }
    out
}

/// The modules of this crate that `code` names: `crate::m`, and each of `crate::{m, n::…}`.
fn modules(code: &str) -> Vec<String> {
    names(code, "crate::")
}

/// What `code` names behind `path`.
fn names(code: &str, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices(path) {
        let rest = &code[at + path.len()..];
        let word =
            |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let Some(list) = rest.strip_prefix('{') else {
            found.push(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = 0;
        for (i, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    found.push(word(&list[start..i]));
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.push(word(&list[start..i]));
                    start = i + 1;
                }
                _ => {}
            }
        }
    }
    found
}

/// The modules of `src` from the ground up. One may use what stands on the floors below, and nothing of its own floor.
const FLOORS: [&[&str]; 14] = [
    &["error"],
    &["file", "formula", "random", "size", "text"],
    &["data", "init", "kernels", "schedules"],
    &["graph"],
    &["plan"],
    &["cpu", "gpu", "optimizers"],
    &["device"],
    &["layers"],
    &["losses"],
    &["metrics"],
    &["model"],
    &["train"],
    &["check", "interop", "search"],
    &["prelude"],
];

/// What `lib.rs` shows at the root of the crate, and where it lives.
const AT_THE_ROOT: [(&str, &str); 10] = [
    ("Device", "device"),
    ("DeviceInfo", "plan"),
    ("DeviceKind", "plan"),
    ("DeviceLimits", "plan"),
    ("Error", "error"),
    ("Initializer", "init"),
    ("Loss", "losses"),
    ("Precision", "model"),
    ("Result", "error"),
    ("SOFTWARE_HINT", "device"),
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The module that a path through the root of the crate leads to.
fn home(name: &str) -> &str {
    AT_THE_ROOT.iter().find(|(shown, _)| *shown == name).map_or(name, |(_, module)| module)
}

/// Uses of modules that do not stand below the one that uses them; `code` is that of `module`.
fn upward(module: &str, code: &[(String, String)]) -> Vec<String> {
    let own = floor(module).unwrap_or_else(|| panic!("{module} stands on no floor"));
    let mut found = Vec::new();
    for (name, code) in code {
        for used in modules(code).iter().map(|used| home(used)).filter(|used| *used != module) {
            match floor(used) {
                Some(other) if other < own => {}
                Some(_) => found.push(format!("src/{name} uses {used}")),
                None => found.push(format!("src/{name} uses {used}, which stands on no floor")),
            }
        }
    }
    found
}

/// Every module of `src` stands on a floor, no floor has one that is gone, and none uses what is beside or above it.
#[test]
fn dependencies_point_down() {
    let lib = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared = lib.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "));
    let declared: BTreeSet<&str> = declared.map(|line| line.trim_end_matches(';')).collect();
    let known: BTreeSet<&str> = FLOORS.iter().flat_map(|floor| floor.iter().copied()).collect();
    assert_eq!(declared, known);
    for module in known {
        let is_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module).is_dir();
        let code = code(&if is_folder { module.to_owned() } else { format!("{module}.rs") });
        assert_eq!(upward(module, &code), [""; 0]);
        if ["cpu", "gpu"].contains(&module) {
            // An executor sees plans, not what they were made from.
            assert!(code.iter().all(|(_, code)| !modules(code).contains(&"graph".to_owned())), "{module} uses graph");
        }
    }
}

/// The rooms of `train` from the ground up, as `FLOORS` has the modules.
const ROOMS: [&[&str]; 9] = [
    &["feed"],
    &["profile"],
    &["report"],
    &["evaluate"],
    &["run"],
    &["callbacks"],
    &["checkpoint"],
    &["settings"],
    &["by_hand", "fit", "minimize", "range_test"],
];

/// The rooms of `train` stand on each other as the modules do, each declared and none in a circle with another.
#[test]
fn the_rooms_of_training_stand_on_each_other() {
    let floor = |room: &str| ROOMS.iter().position(|floor| floor.contains(&room));
    let mut found = Vec::new();
    for (name, code) in code("train") {
        let path: Vec<&str> = name.trim_end_matches(".rs").split('/').collect();
        let room = path[1];
        if room == "mod" {
            let declared =
                code.lines().filter_map(|line| line.strip_prefix("mod ")).map(|line| line.trim_end_matches(';'));
            let known: BTreeSet<&str> = ROOMS.iter().flat_map(|floor| floor.iter().copied()).collect();
            assert_eq!(declared.collect::<BTreeSet<_>>(), known);
            continue;
        }
        let mut used = names(&code, "crate::train::");
        if path.len() == 2 || path[2] == "mod" {
            used.extend(names(&code, "super::"));
        }
        let upward = |used: &String| used != room && floor(used) >= floor(room);
        found.extend(used.into_iter().filter(upward).map(|used| format!("src/{name} uses {used}")));
    }
    assert_eq!(found, [""; 0]);
}

/// Every path in the documents leads somewhere.
#[test]
fn the_documents_name_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/decisions.md"];
    for page in pages {
        let text = std::fs::read_to_string(root.join(page)).unwrap();
        let folders = ["src/", "shaders/", "tests/", "benches/", "examples/"];
        let paths = text.split(|c: char| !(c.is_alphanumeric() || "/_.-".contains(c)));
        let paths = paths
            .map(|path| path.trim_end_matches('.'))
            .filter(|path| folders.iter().any(|folder| path.starts_with(folder)));
        // NAME and DATE stand for what the reader puts there.
        let paths = paths.filter(|path| !path.contains("NAME") && !path.contains("DATE"));
        let lost: Vec<&str> = paths.filter(|path| !root.join(path).exists()).collect();
        assert_eq!(lost, [""; 0], "{page}");
    }
}

#[test]
fn what_points_up_is_found() {
    let uses = |text: &str| upward("plan", &[("plan/x.rs".to_owned(), text.to_owned())]);
    assert_eq!(uses("use crate::{graph::Op, Error, DeviceInfo};"), [""; 0]);
    assert_eq!(
        uses("use crate::cpu::run; use crate::Device;"),
        ["src/plan/x.rs uses cpu", "src/plan/x.rs uses device"]
    );
    assert_eq!(uses("crate::attic::f()"), ["src/plan/x.rs uses attic, which stands on no floor"]);
}

#[test]
fn wgpu_appears_in_gpu_alone() {
    let names: Vec<_> =
        code("").into_iter().filter(|(_, code)| code.contains("wgpu::")).map(|(name, _)| name).collect();
    assert!(!names.is_empty());
    assert!(names.iter().all(|name| name.starts_with("gpu/")), "{names:?}");
}

/// What may end the program, in code that users call.
fn panics(code: &str) -> Vec<&'static str> {
    let calls = ["unwrap()", ".expect(\"", "panic!", "todo!", "unimplemented!", "unreachable!"];
    calls.into_iter().filter(|call| code.contains(call)).collect()
}

#[test]
fn library_code_does_not_panic() {
    for (name, code) in code("") {
        assert_eq!(panics(&code), [""; 0], "src/{name}");
    }
}

#[test]
fn the_reader_tells_code_from_the_rest() {
    let text = r#"
        // x.unwrap() panic!
        /// y.expect("no")
        fn f() { let s = "panic!(\"todo!\") wgpu::"; let c = '"'; use crate::{plan::{Buffer, Step}, model, Error}; }
        #[cfg(test)]
        mod tests { fn g() { x.unwrap(); use crate::train; } }
        fn h() { crate::cpu::run(); }
    "#;
    let code = stripped(text);
    assert_eq!(panics(&code), [""; 0]);
    assert_eq!(modules(&code), ["plan", "model", "Error", "cpu"]);
    assert_eq!(
        panics(&stripped("fn f() { a.unwrap(); b.expect(\"x\"); todo!() }")),
        ["unwrap()", ".expect(\"", "todo!"]
    );
}
