//! Reads `tests/fixtures/conformance`: results of PyTorch in float64, see the README there.

use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The folder of the fixtures.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The folder of PyTorch's results. `AXONE_CONFORMANCE` names another, with training runs of another seed
/// (`generate_runs.py`).
fn conformance() -> PathBuf {
    std::env::var_os("AXONE_CONFORMANCE").map_or_else(|| folder().join("conformance"), PathBuf::from)
}

/// The tensors of one file, as f64; integers are converted, which is exact for class labels.
pub struct Tensors(HashMap<String, (Vec<usize>, Vec<f64>)>);

impl Tensors {
    /// Reads `name` below the conformance folder.
    pub fn read(name: &str) -> Self {
        let bytes = std::fs::read(conformance().join(name)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let wide = |data: &[u8], dtype: Dtype| -> Vec<f64> {
            let words = data.as_chunks::<8>().0.iter();
            match dtype {
                Dtype::F64 => words.map(|word| f64::from_le_bytes(*word)).collect(),
                Dtype::I64 => words.map(|word| i64::from_le_bytes(*word) as f64).collect(),
                other => panic!("{name}: {other:?}"),
            }
        };
        let tensors = file.tensors().into_iter();
        Self(tensors.map(|(name, t)| (name, (t.shape().to_vec(), wide(t.data(), t.dtype())))).collect())
    }

    /// The numbers of `name`.
    pub fn get(&self, name: &str) -> &[f64] {
        &self.0.get(name).unwrap_or_else(|| panic!("no tensor {name}")).1
    }

    /// The shape of `name`.
    pub fn shape(&self, name: &str) -> &[usize] {
        &self.0.get(name).unwrap_or_else(|| panic!("no tensor {name}")).0
    }

    /// The numbers of `name` in f32, which must hold them exactly.
    pub fn exact(&self, name: &str) -> Vec<f32> {
        let narrow = |x: &f64| {
            let y = *x as f32;
            assert_eq!(f64::from(y), *x, "{name} is not exact in f32");
            y
        };
        self.get(name).iter().map(narrow).collect()
    }
}

/// `manifest.json`.
pub fn manifest() -> serde_json::Value {
    let text = std::fs::read_to_string(conformance().join("manifest.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The names listed under `key` of the manifest.
pub fn names(key: &str) -> Vec<String> {
    let manifest = manifest();
    let list = manifest[key].as_array().unwrap().iter();
    list.map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}
