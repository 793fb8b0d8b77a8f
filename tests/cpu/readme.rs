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

/// What the README shows of a search, so that it compiles.
#[allow(dead_code, reason = "trials on the device of the machine are no test")]
mod search {
    use axone::prelude::*;
    use axone::search::{CrossValidation, Fold, Trial, bayesian_search};

    fn train(trial: &Trial, fold: &Fold) -> Result<Model> {
        let units: usize = trial.int("units", 8..=128).log().get()?;
        let rate = trial.float("rate", 1e-4..=1e-1).log().get_f32()?;
        let net = Sequential::new(64).add(Dense::new(units).activation(Activation::Relu));
        let net = net.add(Dense::new(10).activation(Activation::Softmax));
        let mut model = net.compile(Device::auto()?, Loss::CategoricalCrossEntropy, Adam::new(rate))?;
        model.fit(fold.train(), &Fit::new().epochs(12).silent())?;
        Ok(model)
    }

    fn shown(data: Dataset) -> Result<()> {
        let cv = CrossValidation::stratified(5).standardize(); // scaled anew within each fold
        let trials = bayesian_search(&data, &cv, 60, train)?; // or grid_search, random_search
        println!("{trials}");
        let best = trials.best_model(&data, &cv, train)?; // trained on all rows
        drop(best);
        Ok(())
    }
}

#[test]
fn its_search_is_the_one_above() {
    let own: Vec<&str> = include_str!("readme.rs").lines().map(str::trim).collect();
    let readme = read("README.md");
    let shown = readme.split("```rust\n").find(|block| block.contains("bayesian_search(")).unwrap();
    let shown = shown.split("```").next().unwrap().lines().map(str::trim);
    let lost: Vec<&str> = shown.filter(|line| !own.contains(line)).collect();
    assert_eq!(lost, [""; 0]);
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
