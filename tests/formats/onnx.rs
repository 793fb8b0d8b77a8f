//! ONNX: files of real exporters give what onnxruntime makes of them, our own come back bit for bit, and files that lie
//! are refused.

use crate::common::mutants::mutants_with_lengths;
use crate::common::{fixtures, layers};
use axone::data::{Missing, Scaling, Schema, Table, TableOptions};
use axone::interop::onnx::{self, Imported};
use axone::prelude::*;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::PathBuf;

fn folder() -> PathBuf {
    fixtures::folder().join("interop/onnx")
}

/// Names of the models whose outputs are kept.
fn models() -> Vec<String> {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        files.filter_map(|name| name.strip_suffix(".safetensors").map(str::to_owned)).collect();
    names.sort();
    assert!(names.len() > 10, "{names:?}");
    names
}

/// Rows, columns and numbers by name.
fn arrays(name: &str) -> HashMap<String, Matrix> {
    let bytes = std::fs::read(folder().join(format!("{name}.safetensors"))).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let matrix = |tensor: &safetensors::tensor::TensorView<'_>| {
        let data: Vec<f32> = match tensor.dtype() {
            Dtype::F32 => tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::I64 => tensor.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect(),
            other => panic!("{name}: {other:?}"),
        };
        let rows = tensor.shape()[0];
        Matrix::new(rows, data.len() / rows, data).unwrap()
    };
    file.tensors().into_iter().map(|(name, tensor)| (name, matrix(&tensor))).collect()
}

/// The columns that a pipeline was asked, and the names that it answered with.
fn table(name: &str, imported: &Imported) -> Option<Table> {
    let path = folder().join(format!("{name}.csv"));
    path.exists().then(|| Table::read(path, imported.schema().unwrap().options()).unwrap())
}

fn predict(imported: &Imported, arrays: &HashMap<String, Matrix>, table: Option<&Table>) -> Vec<Matrix> {
    let inputs = match table {
        Some(table) => imported.schema().unwrap().inputs(table).unwrap(),
        None => imported.inputs().iter().map(|name| arrays[&format!("in_{name}")].clone()).collect(),
    };
    imported.model(Device::cpu()).unwrap().predict_all(&inputs).unwrap()
}

/// A column of a table.
fn column(table: &Table, name: &str) -> Vec<String> {
    let at = table.header().unwrap().iter().position(|own| own == name).unwrap();
    (0..table.rows()).map(|row| table.field(row, at).unwrap().to_owned()).collect()
}

/// A product of K terms is off by at most K ε times the sum of their sizes in either library; these have K up to 17 and
/// six layers, and sizes of a few. What is larger than 1 may be off by as much of itself.
const TOLERANCE: f32 = 1e-5;

#[test]
fn models_of_real_exporters_give_the_numbers_of_onnxruntime() {
    let mut problems = Vec::new();
    for name in models() {
        let imported = match onnx::load(folder().join(format!("{name}.onnx"))) {
            Ok(imported) => imported,
            Err(error) => {
                problems.push(error.to_string());
                continue;
            }
        };
        let arrays = arrays(&name);
        let table = table(&name, &imported);
        let results = predict(&imported, &arrays, table.as_ref());
        for output in imported.outputs() {
            if let Some(table) = table.as_ref().filter(|_| output.classes.is_some()) {
                assert_eq!(
                    output.names(&results).unwrap().unwrap(),
                    column(table, &format!("out_{}", output.name)),
                    "{name}"
                );
                continue;
            }
            let (got, wanted) = (&results[output.value], &arrays[&format!("out_{}", output.name)]);
            if let Some(classes) = &output.classes {
                let largest =
                    |row: &[f32]| (1..row.len()).fold(0, |best, at| if row[at] > row[best] { at } else { best });
                let labels: Vec<f32> = got.iter_rows().map(|row| classes[largest(row)].parse().unwrap()).collect();
                if labels != wanted.data() {
                    problems.push(format!("{name}, {}: {labels:?}, not {:?}", output.name, wanted.data()));
                }
                continue;
            }
            assert_eq!(got.data().len(), wanted.data().len(), "{name}, {}", output.name);
            let off = got.data().iter().zip(wanted.data()).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
            let off = off.fold(0.0, f32::max);
            if off > TOLERANCE || off.is_nan() {
                problems.push(format!("{name}, {}: off by {off:e}", output.name));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The exporters' parts are one layer again.
#[test]
fn patterns_become_layers() {
    let layers =
        |name: &str| onnx::load(folder().join(format!("{name}.onnx"))).unwrap().network().summary().to_string();
    let gelu = layers("torch_gelu_dynamo");
    assert!(gelu.contains("dense, gelu ") && gelu.contains("dense, gelu_tanh"), "{gelu}");
    let keras = layers("keras_seq_tensorflow");
    assert!(
        keras.contains("layer_norm") && keras.contains("batch_norm") && keras.contains("dense, softmax"),
        "{keras}"
    );
    let legacy = layers("torch_batchnorm_dropout_legacy");
    assert!(legacy.contains("batch_norm") && legacy.contains("relu"), "{legacy}");
    for opset in [9, 13, 20] {
        let all = layers(&format!("patterns_{opset}"));
        for layer in ["gelu", "gelu_tanh", "silu", "mish", "softsign", "softplus", "layer_norm", "leaky_relu"] {
            assert!(all.contains(layer), "{opset}: no {layer} in\n{all}");
        }
    }
}

/// Columns of the file are those of a table, whose names and missing numbers are dealt with as scikit-learn does.
#[test]
fn a_pipeline_is_a_network_with_a_schema() {
    let imported = onnx::load(folder().join("pipeline_one_hot.onnx")).unwrap();
    let schema = imported.schema().unwrap();
    let columns: Vec<String> = schema.input_columns().iter().map(ToString::to_string).collect();
    assert_eq!(columns, ["age", "size", "town", "kind"]);
    assert_eq!(schema.labels().unwrap().classes(), ["maybe", "no", "yes"]);
    let shown = schema.to_string();
    assert!(shown.contains("category of 4: `Bonn`, `Köln`, `Ulm`, `other`"), "{shown}");
    let mut model = imported.model(Device::cpu()).unwrap();
    let table = table("pipeline_one_hot", &imported).unwrap();
    assert_eq!(model.predict_names(&table).unwrap(), column(&table, "out_label"));
    assert_eq!(imported.frozen().len(), 3, "categories, those that are there, and the scaler: {:?}", imported.frozen());

    // A name that the encoder was not told to pass over, and a whole number that is none of those known.
    let rows = |name: &str, header: &[&str], row: &[&str]| {
        let imported = onnx::load(folder().join(format!("pipeline_{name}.onnx"))).unwrap();
        imported.schema().unwrap().inputs(&Table::from_rows(header.to_vec(), [row]).unwrap()).unwrap_err().to_string()
    };
    let error = rows("drop_first", &["town", "kind", "size"], &["Rome", "a", "5"]);
    assert_eq!(error, "table row 0, column `town`: expected one of `Bonn`, `Köln`, `Ulm`, got `Rome`");
    let error = rows("whole", &["age", "size", "rooms"], &["40", "", "2.0"]);
    assert_eq!(error, "table row 0, column `rooms`: expected one of `1`, `2`, `3`, `4`, got `2.0`");
}

/// A model with a schema and a threshold, and the table that it was trained on.
fn with_schema() -> (Model, Table) {
    let names = ["size", "town", "kind"];
    let rows = [["10", "Ulm", "cat"], ["", "Bonn", "cat"], ["60", "Ulm", "dog"], ["80", "Bonn", "dog"]];
    let table = Table::from_rows(names, rows).unwrap();
    let options = TableOptions::class_names("kind").categories(["town"]).scale(Scaling::Standard);
    let schema = Schema::fit(&table, options.missing(["size"], Missing::median().indicator())).unwrap();
    let mut net = Network::new();
    let (x, town) = (net.input("numbers", 2).unwrap(), net.input("towns", 1).unwrap());
    let town = net.apply(Embedding::per_column([2], 2), town).unwrap();
    let all = net.concat(&[x, town]).unwrap();
    let y = net.apply(Dense::new(1).activation(Activation::Sigmoid), all).unwrap();
    net.output(y).unwrap();
    let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Adam::new(0.1)).unwrap();
    model.fit(&schema.dataset(&table).unwrap(), &Fit::new().epochs(20).silent()).unwrap();
    model.set_schema(schema).unwrap();
    model.set_threshold(0.375).unwrap();
    (model, table)
}

#[test]
fn schemas_and_thresholds_go_out_and_in() {
    let (mut model, table) = with_schema();
    let again = round_trip(&mut model);
    assert_eq!(again.schema(), model.schema());
    let mut again = again.model(Device::cpu()).unwrap();
    assert_eq!(again.threshold(), Some(0.375));
    assert_eq!(again.predict_table(&table).unwrap(), model.predict_table(&table).unwrap());
    assert_eq!(again.predict_names(&table).unwrap(), model.predict_names(&table).unwrap());

    let bytes = onnx::to_bytes(&mut model).unwrap();
    let at = bytes.windows(8).position(|window| window == b"\"kind\":\"").unwrap();
    let mut wrong = bytes.clone();
    wrong[at + 1] = b'?';
    let error = onnx::from_bytes(&wrong).unwrap_err().to_string();
    assert!(error.starts_with("onnx: axone.schema: unknown field `?ind`"), "{error}");
}

#[test]
fn an_imported_model_is_trained_on() {
    let imported = onnx::load(folder().join("skl_pipeline_scaler_mlp.onnx")).unwrap();
    assert_eq!(imported.frozen().len(), 1, "the scaler");
    let mut model = imported.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap();
    let x = arrays("skl_pipeline_scaler_mlp")["in_X"].clone();
    let data = Dataset::new(x, vec![0u32, 1, 2, 0, 1, 2, 0, 1, 2]).unwrap();
    let scaler: Vec<_> = model.weights().unwrap().into_iter().take(4).collect();
    let history = model.fit(&data, &Fit::new().epochs(30).batch_size(3).silent()).unwrap();
    assert!(history.last("loss").unwrap() < 0.8 * history.get("loss")[0]);
    assert_eq!(model.weights().unwrap()[..4], scaler);
}

#[test]
fn what_no_layer_expresses_is_named_all_at_once() {
    let error = onnx::load(folder().join("refused.onnx")).unwrap_err().to_string();
    for node in ["(CumSum): no layer", "(Sinh): no layer", "(Erf): the error function"] {
        assert!(error.contains(node), "{node} is not in\n{error}");
    }
    assert!(!error.contains("Cosh"), "no output needs it:\n{error}");
}

/// Every function at the end of a layer and as one, and sums of sums.
fn functions() -> Model {
    let mut net = Network::new();
    let x = net.input("x", [2, 3]).unwrap();
    let flat = net.apply(Flatten, x).unwrap();
    for function in Activation::ELEMENTWISE.iter().chain(&[Activation::Softmax, Activation::LogSoftmax]) {
        let y = net.apply(Dense::new(4).activation(*function), flat).unwrap();
        let y = net.apply(*function, y).unwrap();
        net.output(y).unwrap();
    }
    let a = net.apply(Dense::new(4), flat).unwrap();
    let b = net.apply(Dense::new(4), flat).unwrap();
    let sum = net.add(&[a, b, a]).unwrap();
    let twice = net.add(&[b, sum]).unwrap();
    for value in [sum, twice] {
        net.output(value).unwrap();
    }
    let losses = vec![Loss::MeanSquaredError; Activation::ELEMENTWISE.len() + 4];
    net.compile(Device::cpu(), losses, Sgd::new(0.1)).unwrap()
}

fn grid() -> Matrix {
    Matrix::new(9, 6, (0..54).map(|i| (i as f32 * 0.37).sin() * 3.0).collect()).unwrap()
}

fn round_trip(model: &mut Model) -> Imported {
    let bytes = onnx::to_bytes(model).unwrap();
    onnx::from_bytes(&bytes).unwrap()
}

#[test]
fn our_own_come_back_bit_for_bit() {
    let device = Device::cpu();
    let mut model = layers::everything(&device);
    let data = layers::table(13);
    model.fit(&data, &Fit::new().epochs(2).silent()).unwrap();
    let again = round_trip(&mut model);
    let mut names: Vec<_> = again.weights().iter().map(|weight| weight.name.clone()).collect();
    let mut own: Vec<_> = model.weights().unwrap().into_iter().map(|weight| weight.name).collect();
    names.sort();
    own.sort();
    assert_eq!(names, own);
    let (inputs, wanted) = (data.inputs(), model.predict_all(data.inputs()).unwrap());
    assert_eq!(again.model(device.clone()).unwrap().predict_all(inputs).unwrap(), wanted);

    let mut model = functions();
    let x = grid();
    let again = round_trip(&mut model);
    let wanted = model.predict_all(std::slice::from_ref(&x)).unwrap();
    let got = again.model(device).unwrap().predict_all(&[x]).unwrap();
    for (output, (got, wanted)) in again.outputs().iter().zip(got.iter().zip(&wanted)) {
        assert_eq!(got, wanted, "{}", output.name);
    }
}

/// Arithmetic of values, own activations and shared layers.
fn arithmetic() -> Model {
    let mut net = Network::new();
    let (x, y) = (net.input("x", 6).unwrap(), net.input("y", 6).unwrap());
    let twice = net.share(Dense::new(4).activation(Activation::Tanh));
    let (a, b) = (net.apply(&twice, x).unwrap(), net.apply(&twice, y).unwrap());
    let distance = net.formula("distance", [a, b], |[a, b]| (a - b).square().sum().sqrt()).unwrap();
    let gated = net.formula("gated", [a, b], |[a, b]| a * b.sigmoid() / (1.5 + b.abs())).unwrap();
    let most = net.formula("most", [a, b], |[a, b]| a.max(b) - (a * 0.5).min(b) + a.columns(1..2) * b.mean()).unwrap();
    let swish = Activation::custom("swish", |x| x * (1.7 * x).sigmoid());
    let own = net.apply(Dense::new(3).activation(swish), gated).unwrap();
    for value in [distance, gated, most, own] {
        net.output(value).unwrap();
    }
    net.compile(Device::cpu(), vec![Loss::MeanSquaredError; 4], Sgd::new(0.1)).unwrap()
}

fn two_grids() -> [Matrix; 2] {
    [grid(), grid().map(|x| 0.5 - x)]
}

/// They go out, and come back as the same numbers.
#[test]
fn formulas_and_shared_layers_go_out_and_in() {
    let (mut model, inputs) = (arithmetic(), two_grids());
    let again = round_trip(&mut model);
    let names: Vec<&str> = again.outputs().iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["distance", "gated", "most", "dense_2"]);
    let wanted = model.predict_all(&inputs).unwrap();
    let got = again.model(Device::cpu()).unwrap().predict_all(&inputs).unwrap();
    for (name, (got, wanted)) in names.iter().zip(got.iter().zip(&wanted)) {
        let off = got.data().iter().zip(wanted.data()).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
        let off = off.fold(0.0, f32::max);
        assert!(off <= TOLERANCE, "{name}: off by {off:e}");
    }

    // What takes the columns of a grid together has another meaning in ONNX.
    let mut net = Network::new();
    let x = net.input("x", [2, 3]).unwrap();
    let y = net.formula("total", [x], |[x]| x * x.sum()).unwrap();
    let y = net.apply(Flatten, y).unwrap();
    net.output(y).unwrap();
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let error = onnx::to_bytes(&mut model).unwrap_err().to_string();
    assert!(error.contains("total: expected rows of one side for ONNX (put Flatten in front), got [2, 3]"), "{error}");
}

#[test]
fn frozen_layers_stay_frozen() {
    let net = Sequential::new(2).add(Dense::new(3)).add(BatchNorm::new()).add(Dense::new(1));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    model.freeze("batch_norm_1").unwrap();
    assert_eq!(round_trip(&mut model).frozen(), ["batch_norm_1"]);
}

/// Weights lie beside the model, and nowhere else.
#[test]
fn external_data_are_read_from_the_folder_of_the_model_alone() {
    let bytes = std::fs::read(folder().join("torch_defaults.onnx")).unwrap();
    let error = onnx::from_bytes(&bytes).unwrap_err().to_string();
    assert!(error.contains("load the model from its file"), "{error}");
    let name = b"torch_defaults.onnx.data";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    let outside = std::env::temp_dir().join(format!("axone-onnx-{}", std::process::id()));
    let inside = outside.join("model");
    std::fs::create_dir_all(&inside).unwrap();
    std::fs::copy(folder().join("torch_defaults.onnx.data"), outside.join("eights.onnx.data.secret")).unwrap();
    for place in ["../eights.onnx.data.secr", "/etc/./././././././hosts", "a/../../../../etc/passwd"] {
        assert_eq!(place.len(), name.len());
        let mut changed = bytes.clone();
        changed[at..at + name.len()].copy_from_slice(place.as_bytes());
        std::fs::write(inside.join("m.onnx"), changed).unwrap();
        let error = onnx::load(inside.join("m.onnx")).unwrap_err().to_string();
        assert!(error.contains("outside the model's folder"), "{error}");
    }
    // Cut short: the file has fewer bytes than the tensor.
    std::fs::write(inside.join("m.onnx"), &bytes).unwrap();
    std::fs::write(inside.join("torch_defaults.onnx.data"), [0; 100]).unwrap();
    let error = onnx::load(inside.join("m.onnx")).unwrap_err().to_string();
    assert!(error.contains("which has 100"), "{error}");
    #[cfg(unix)]
    {
        std::fs::remove_file(inside.join("torch_defaults.onnx.data")).unwrap();
        std::os::unix::fs::symlink(outside.join("eights.onnx.data.secret"), inside.join("torch_defaults.onnx.data"))
            .unwrap();
        let error = onnx::load(inside.join("m.onnx")).unwrap_err().to_string();
        assert!(error.contains("outside the model's folder"), "{error}");
    }
    std::fs::remove_dir_all(outside).unwrap();
}

/// Ten thousand files with bytes changed, cut, doubled and left out: read or refused, never a panic, and what is read
/// is no larger than the file allows.
#[test]
fn changed_files_are_read_or_refused() {
    let files: Vec<Vec<u8>> =
        models().iter().map(|name| std::fs::read(folder().join(format!("{name}.onnx"))).unwrap()).collect();
    let mut read = 0;
    mutants_with_lengths(&files, 10_000, |_, bytes| {
        if let Ok(imported) = onnx::from_bytes(bytes) {
            read += 1;
            let numbers: usize = imported.weights().iter().map(|weight| weight.data.len()).sum();
            assert!(numbers <= 16 * bytes.len() + (1 << 22), "{numbers} of {} bytes", bytes.len());
        }
    });
    assert!((100..9_900).contains(&read), "{read}");
}

/// Writes models, inputs and outputs to the folder that `AXONE_ONNX` names: `tests/interop/onnx.py` holds them against
/// the checker of ONNX and onnxruntime.
#[test]
#[ignore = "started by tests/interop/onnx.py"]
fn exports_for_other_libraries() {
    let folder = PathBuf::from(std::env::var_os("AXONE_ONNX").unwrap());
    let mut trained = layers::everything(&Device::cpu());
    trained.fit(&layers::table(13), &Fit::new().epochs(2).silent()).unwrap();
    let (model, table) = with_schema();
    let inputs = model.schema().unwrap().inputs(&table).unwrap();
    let cases = [
        ("schema", model, vec!["numbers", "towns"], inputs),
        ("everything", trained, vec!["numbers", "categories"], layers::table(13).inputs().to_vec()),
        ("functions", functions(), vec!["x"], vec![grid()]),
        ("arithmetic", arithmetic(), vec!["x", "y"], two_grids().to_vec()),
    ];
    for (name, mut model, names, inputs) in cases {
        onnx::save(&mut model, folder.join(format!("{name}.onnx"))).unwrap();
        let results = model.predict_all(&inputs).unwrap();
        let inputs = names.iter().map(|name| format!("in_{name}")).zip(&inputs);
        let outputs = (0..results.len()).map(|i| format!("out_{i}")).zip(&results);
        let tensors: Vec<(String, &Matrix)> = inputs.chain(outputs).collect();
        let bytes: Vec<Vec<u8>> =
            tensors.iter().map(|(_, x)| x.data().iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
        let views = tensors.iter().zip(&bytes).map(|((name, x), bytes)| {
            let shape = vec![x.rows(), x.cols()];
            (name.as_str(), safetensors::tensor::TensorView::new(Dtype::F32, shape, bytes).unwrap())
        });
        let file = safetensors::serialize(views, None).unwrap();
        std::fs::write(folder.join(format!("{name}.safetensors")), file).unwrap();
    }
}
