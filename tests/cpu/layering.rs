//! Dependencies point one way, and library code does not panic: read from the source text.
//!
//! Comments, strings and `#[cfg(test)]` items are taken out first, so that only code counts.

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
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
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

/// Uses in `folder` of a module it must not know.
fn forbidden(folder: &str, modules_above: &[&str]) -> Vec<String> {
    let uses = |(name, code): (String, String)| {
        let bad: Vec<_> =
            modules(&code).into_iter().filter(|module| modules_above.contains(&module.as_str())).collect();
        bad.into_iter().map(move |module| format!("src/{name} uses {module}"))
    };
    code(folder).into_iter().flat_map(uses).collect()
}

#[test]
fn dependencies_point_one_way() {
    let above_plan = ["model", "train", "layers", "losses", "optimizers", "search", "check", "data", "init"];
    let above_kernels = [&above_plan[..], &["cpu", "gpu", "plan", "graph", "device"]].concat();
    let above_graph = [&above_plan[..], &["cpu", "gpu", "plan", "device"]].concat();
    assert_eq!(forbidden("kernels", &above_kernels), [""; 0]);
    assert_eq!(forbidden("graph", &above_graph), [""; 0]);
    assert_eq!(forbidden("plan", &[&above_plan[..], &["cpu", "gpu", "device"]].concat()), [""; 0]);
    assert_eq!(forbidden("cpu", &[&above_plan[..], &["gpu", "graph"]].concat()), [""; 0]);
    assert_eq!(forbidden("gpu", &[&above_plan[..], &["cpu", "graph"]].concat()), [""; 0]);
    assert_eq!(forbidden("data", &["model", "train", "graph", "plan", "kernels", "cpu", "gpu", "device"]), [""; 0]);
    // The other way round there is something to find.
    assert!(!forbidden("model", &["plan"]).is_empty());
    assert!(!forbidden("gpu", &["plan"]).is_empty());
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
