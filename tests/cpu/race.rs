//! The race between devices: who wins, what it says, what is kept on disk.

use axone::prelude::*;
use std::path::Path;
use std::process::Command;

fn compile(device: Device) -> Result<Model> {
    let net = Sequential::new(3).add(Dense::new(8).activation(Activation::Tanh)).add(Dense::new(1));
    net.compile(device, Loss::MeanSquaredError, Adam::default())
}

fn data() -> Dataset {
    let x: Vec<[f32; 3]> = (0..40).map(|i| [i as f32 / 40.0, (i % 7) as f32, (i % 3) as f32]).collect();
    let y: Vec<[f32; 1]> = (0..40).map(|i| [(i % 5) as f32]).collect();
    Dataset::new(x, y).unwrap()
}

/// In a process of its own, for its cache folder.
#[test]
#[ignore = "run by the tests below, with a cache folder"]
fn child() {
    // f64 is several times slower.
    let race = Device::fastest_of(&[Device::cpu_f64(), Device::cpu_one_thread()], &data(), 8, compile).unwrap();
    println!("remembered {}", race.remembered);
    for (info, rate) in &race.rates {
        println!("{}: {}", info.name, rate.clone().unwrap());
    }
    println!("{race}");
}

fn run(folder: &Path) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["race::child", "--exact", "--ignored", "--nocapture"]).env("AXONE_CACHE", folder);
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_race_is_run_once() {
    let folder = std::env::temp_dir().join(format!("axone-race-{}", std::process::id()));
    let first = run(&folder);
    assert!(first.contains("remembered false") && first.contains("<- fastest"), "{first}");
    let rates = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("CPU") && line.contains(": ")).map(str::to_owned).collect()
    };
    let again = run(&folder);
    assert!(again.contains("remembered true"), "{again}");
    assert_eq!(rates(&first), rates(&again));
    // Half a file is none.
    let file = std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 9]).unwrap();
    assert!(run(&folder).contains("remembered false"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_race_is_refused() {
    let refused =
        |devices: &[Device], batch| Device::fastest_of(devices, &data(), batch, compile).err().unwrap().to_string();
    assert_eq!(refused(&[], 8), "Device::fastest_of: devices must be at least one, got none");
    assert_eq!(refused(&[Device::cpu()], 0), "Device::fastest: batch must be at least 1, got 0");
    let wrong = Dataset::new([[1.0, 2.0]], [[1.0]]).unwrap();
    assert!(Device::fastest_of(&[Device::cpu()], &wrong, 8, compile).err().unwrap().to_string().contains("2"));
}
