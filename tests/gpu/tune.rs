//! How the tile of a matrix product is chosen, with `AXONE_TUNE` and `AXONE_CACHE` set as a user would: each case is this
//! test binary again, running one test that prints what the device chose.

use crate::need_device;
use axone::kernels::{Kernel, Matmul, Spec, Tile};
use axone::plan::{Buffer, BufferRange, Plan, PlanStep};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small product with three tiles to choose from on lavapipe.
fn product() -> Matmul {
    Matmul::new(20, 12, 16, false, false)
}

#[test]
#[ignore = "prints what the device chooses: started by the tests below"]
fn child() {
    let mut executor = need_device!(own).executor();
    let sizes = product().sizes();
    let operands = sizes.iter().enumerate().map(|(i, &len)| BufferRange::of(Buffer::Temporary(i), len)).collect();
    let step = PlanStep { kernel: Kernel::Matmul(product()), operands, name: "product".to_owned() };
    match executor.load(&Plan::of_one(step, sizes)) {
        Ok(id) => println!("\nCHOSEN {}", executor.plan(id).unwrap().steps[0].kernel_name()),
        Err(error) => println!("\nCHOSEN {error}"),
    }
}

fn chosen(tune: &str, cache: &Path) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "tune::child", "--include-ignored", "--nocapture"]);
    let output = child.env("AXONE_TUNE", tune).env("AXONE_CACHE", cache).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("CHOSEN "));
    line.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

/// The one file in `folder`.
fn file_in(folder: &Path) -> PathBuf {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_choice_is_kept_on_disk() {
    need_device!();
    let folder = std::env::temp_dir().join(format!("axone-tune-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let first = chosen("time", &folder);
    assert!(first.starts_with("matmul"), "{first}");
    let stored = std::fs::read_to_string(file_in(&folder)).unwrap();
    let (line, name) = ("nn plain 32x16x16 by 444 = ", |text: &str| text.split_whitespace().last().unwrap().to_owned());
    assert!(stored.contains(line) && stored.ends_with("end of 1\n"), "{stored}");
    assert_eq!(chosen("time", &folder), first, "another choice after a restart");
    // The choice is read, not made again: another one in the file is taken.
    let at = stored.find(line).unwrap() + line.len();
    let other = if stored[at..].starts_with("small") { "tall" } else { "small" };
    let changed = format!("{}{other}\nend of 1\n", &stored[..at]);
    std::fs::write(file_in(&folder), &changed).unwrap();
    assert_eq!(name(&chosen("time", &folder)), other);
    // A file that is cut off, or of an unknown tile, or of another driver counts for nothing and is replaced.
    for corrupt in
        [changed[..changed.len() - 9].to_owned(), changed.replace(other, "huge"), changed.replacen('a', "b", 1)]
    {
        std::fs::write(file_in(&folder), &corrupt).unwrap();
        assert!(chosen("time", &folder).starts_with("matmul"));
        let mended = std::fs::read_to_string(file_in(&folder)).unwrap();
        assert!(mended.contains(line) && mended.ends_with("end of 1\n") && mended != corrupt, "{mended}");
    }
    // A folder that is a file cannot be written; nothing depends on it.
    let blocked = file_in(&folder);
    assert!(chosen("time", &blocked).starts_with("matmul"));
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_choice_can_be_left_to_a_rule_or_to_nothing() {
    need_device!();
    let nowhere = std::env::temp_dir().join("axone-tune-never-made");
    assert_eq!(chosen("off", &nowhere), "matmul.plain small");
    assert_eq!(chosen("rule", &nowhere), chosen("", &nowhere), "a software adapter goes by the rule");
    assert_eq!(chosen("fast", &nowhere), "environment: AXONE_TUNE must be `off`, `rule` or `time`, got \"fast\"");
    assert!(!nowhere.exists(), "nothing was timed, but something was kept");
}

/// A runner that computes something else is out, whatever its time.
#[test]
fn a_wrong_tile_loses_its_race() {
    let device = need_device!();
    let right = Matmul { tile: Some(Tile::Small), ..Matmul::new(16, 16, 16, false, false) };
    let wrong = Matmul { transpose_b: true, ..right.clone() };
    let race = axone::gpu::race(&|| device.executor(), &[right.clone(), wrong, right]).unwrap();
    assert_eq!(race.wrong, [1]);
    assert!(race.fastest != 1 && race.seconds[1].is_none(), "{race:?}");
    assert!(race.seconds[0].is_some_and(|seconds| seconds > 0.0) && race.seconds[2].is_some(), "{race:?}");
}

/// So is one that the adapter cannot run.
#[test]
fn a_tile_that_does_not_run_loses_its_race() {
    let device = need_device!();
    let right = Matmul { tile: Some(Tile::Small), ..Matmul::new(16, 16, 16, false, false) };
    // For more columns than it takes, whatever the adapter.
    let refused = Matmul { tile: Some(Tile::SubgroupTall), ..Matmul::new(16, 20, 16, false, false) };
    let race = axone::gpu::race(&|| device.executor(), &[right.clone(), refused, right]).unwrap();
    assert!(matches!(race.failed.as_slice(), [(1, axone::Error::Unsupported { .. })]), "{race:?}");
    assert!(race.fastest != 1 && race.seconds[1].is_none() && race.seconds[2].is_some(), "{race:?}");
}
