//! The README shows programs and commands that exist.

use std::path::Path;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn its_example_is_the_one_in_examples() {
    let program = read("examples/xor.rs");
    let code = program.split_once("\n\n").map_or("", |(_header, code)| code);
    assert!(code.starts_with("use axone::prelude::*;"), "examples/xor.rs has lost its header");
    // What every example says of its arguments is no part of the program that is shown.
    let shown = |line: &&str| !line.trim_start().starts_with("arguments::");
    let code: String = code.split_inclusive('\n').filter(shown).collect();
    assert!(read("README.md").contains(&format!("```rust\n{code}```\n")), "README.md and examples/xor.rs differ");
}

#[test]
fn every_example_is_named() {
    let readme = read("README.md");
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "README.md does not name the example {name}");
    }
}
