//! What examples and benchmarks are told is heard. `tests/usage.sh` runs the examples; benchmarks are built too rarely.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn every_program_looks_at_its_arguments() {
    let programs = [sources("examples"), sources("benches")].concat();
    assert!(programs.len() > 20, "{programs:?}");
    for path in programs {
        let text = fs::read_to_string(&path).unwrap();
        // Criterion has a parser of its own.
        let hears = ["arguments::none(", "arguments::filter(", "Arguments::new(", "criterion_main!"];
        assert!(hears.iter().any(|call| text.contains(call)), "{} does not", path.display());
        assert!(!text.contains("env::args"), "{} has a parser of its own", path.display());
    }
}
