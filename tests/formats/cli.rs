//! The program `axone`, from end to end: what it says, writes and answers, and what it makes of bad input.

use crate::Folder;
use crate::common::{fixtures, numbers};
use axone::data::{Npz, NpzWriter, Table, TableOptions, write_npy, write_npz};
use axone::prelude::*;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Runs `axone` in `folder`.
fn axone(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axone"));
    command.current_dir(&folder.0).args(arguments).env("AXONE_DEVICE", "cpu").env_remove("NO_COLOR").output().unwrap()
}

/// Standard output of a call that must succeed.
fn said(folder: &Folder, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = axone(folder, arguments);
    let (out, error) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{arguments:?}: {status}\n{out}{error}");
    out
}

fn json(folder: &Folder, arguments: &[&str]) -> Value {
    serde_json::from_str(&said(folder, &[arguments, &["--json"]].concat())).unwrap()
}

/// Standard error of a call that must fail with `status`.
fn refused(folder: &Folder, status: i32, arguments: &[&str]) -> String {
    let output = axone(folder, arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
    assert!(output.stdout.is_empty(), "{arguments:?} said {}", String::from_utf8_lossy(&output.stdout));
    assert!(!error.contains("panicked"), "{error}");
    error
}

/// Three kinds of flower by size and colour: rows with an id, a gap here and there, and the name of the kind.
fn flowers() -> String {
    let mut text = "id,width,length,colour,kind\n".to_owned();
    for (row, noise) in numbers(3, 360).chunks(2).enumerate() {
        let kind = row % 3;
        let (width, length) = (10.0 + 2.0 * kind as f32 + noise[0], 200.0 + 40.0 * (2 - kind) as f32 + 10.0 * noise[1]);
        let width = if row % 17 == 0 { String::new() } else { width.to_string() };
        let colour = ["red", "blue"][usize::from(kind == 1)];
        text += &format!("{row},{width},{length},{colour},{}\n", ["aster", "bellis", "carex"][kind]);
    }
    text
}

#[test]
fn a_table_becomes_a_model_that_takes_raw_rows() {
    let folder = Folder::new("cli-train");
    folder.write("flowers.csv", flowers());
    let output = axone(&folder, &["train", "flowers.csv", "--target", "kind", "--epochs", "60"]);
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{error}");
    for line in [
        "classification: `kind` is one of 3 classes (`aster`, `bellis`, `carex`)",
        "`id` numbers the rows: left out",
        "`width` is missing in 11 of 180 rows: the median stands there, and a column says so",
        "`colour` is categories: 2 names",
        "115 rows to train on, 29 to know when to stop, 36 to judge by",
        "epoch  1/60",
    ] {
        assert!(error.contains(line), "no line `{line}` in\n{error}");
    }
    assert!(out.contains("model: model.safetensors\nreport: model.json\n"), "{out}");
    let report: Value = serde_json::from_slice(&std::fs::read(folder.0.join("model.json")).unwrap()).unwrap();
    assert_eq!(report["rows"]["test"], 36);
    assert!(report["test"]["accuracy"].as_f64().unwrap() > 0.9, "{report:#}");
    assert_eq!(report["history"].as_array().unwrap().len(), report["epochs"].as_u64().unwrap() as usize);

    // Rows as people write them: other columns, another order, a gap.
    folder.write("new.csv", "length,colour,width,note\n280,red,10,a\n240,blue,,b\n200,red,14,c\n");
    let lines = said(&folder, &["predict", "model.safetensors", "new.csv"]);
    let kinds: Vec<&str> = lines.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(kinds, ["kind", "aster", "bellis", "carex"]);
    assert!(lines.starts_with("kind,P(aster),P(bellis),P(carex)\n"), "{lines}");
    let answer = json(&folder, &["predict", "model.safetensors", "new.csv"]);
    assert_eq!(answer["outputs"]["kind"], serde_json::json!(["aster", "bellis", "carex"]));

    // The same from every kind of file into every kind.
    let options = TableOptions::inputs_only();
    Table::read(folder.0.join("new.csv"), &options).unwrap().write(folder.0.join("new.parquet")).unwrap();
    said(&folder, &["predict", "model.safetensors", "new.parquet", "-o", "out.parquet"]);
    said(&folder, &["predict", "model.safetensors", "new.parquet", "-o", "out.tsv"]);
    said(&folder, &["predict", "model.safetensors", "new.csv", "-o", "out.npz"]);
    said(&folder, &["predict", "model.safetensors", "new.csv", "-o", "out.npy"]);
    let tables = ["out.parquet", "out.tsv"].map(|name| Table::read(folder.0.join(name), &options).unwrap());
    assert_eq!(tables[0].to_csv(','), tables[1].to_csv(','));
    assert_eq!(tables[1].to_csv(','), lines);
    let mut arrays = Npz::open(folder.0.join("out.npz")).unwrap();
    assert_eq!(arrays.names(), ["kind", "probabilities"]);
    assert_eq!(arrays.read("probabilities").unwrap(), axone::data::read_npy(folder.0.join("out.npy")).unwrap());

    let judged = json(&folder, &["evaluate", "model.safetensors", "flowers.csv"]);
    assert!(judged["values"]["accuracy"].as_f64().unwrap() > 0.9, "{judged}");
    assert_eq!(judged["confusion"]["classes"], serde_json::json!(["aster", "bellis", "carex"]));

    let text = said(&folder, &["inspect", "model.safetensors"]);
    for part in ["embedding_1", "length", "number, scaled", "missing", "category of 2: `blue`, `red`", "class of 3"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
}

#[test]
fn numbers_are_predicted_in_their_own_units() {
    let folder = Folder::new("cli-regression");
    let rows = numbers(5, 400);
    let rows = rows.chunks(2).map(|x| format!("{},{},{}\n", x[0], x[1], 50_000.0 + 20_000.0 * x[0] - 7_000.0 * x[1]));
    folder.write("prices.csv", "size,age,price\n".to_owned() + &rows.collect::<String>());
    // Without noise, which nothing has to be done against.
    let exact = ["train", "prices.csv", "-t", "price", "-o", "price.safetensors", "--dropout", "0", "--rate", "0.005"];
    let report = json(&folder, &exact);
    assert_eq!(report["task"], "regression");
    assert!(report["test"]["r2"].as_f64().unwrap() > 0.99, "{report:#}");
    let report = json(&folder, &["train", "prices.csv", "-t", "age,price", "--epochs", "3", "-o", "two.safetensors"]);
    assert_eq!(report["target"], serde_json::json!(["age", "price"]));

    write_npy(folder.0.join("new.npy"), Matrix::from([[0.5, 0.0]])).unwrap();
    let text = said(&folder, &["predict", "price.safetensors", "new.npy"]);
    let price: f32 = text.strip_prefix("price\n").unwrap().trim().parse().unwrap();
    assert!((price - 60_000.0).abs() < 1500.0, "{text}");
    let (size, age) = (Matrix::column(vec![0.5]), Matrix::column(vec![0.0]));
    write_npz(folder.0.join("columns.npz"), [("age", age), ("size", size)]).unwrap();
    assert_eq!(said(&folder, &["predict", "price.safetensors", "columns.npz"]), text);
    let error = refused(&folder, 1, &["predict", "two.safetensors", "new.npy"]);
    assert!(error.contains("new.npy: expected 1 columns (size), got 2"), "{error}");
}

/// The arrays of a fixture as NPZ, those of its inputs.
fn inputs(folder: &Folder, model: &str) -> Vec<(String, Matrix)> {
    let bytes = std::fs::read(fixtures::folder().join(format!("interop/onnx/{model}.safetensors"))).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let matrix = |name: &str| {
        let tensor = file.tensor(name).unwrap();
        let data = tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        Matrix::new(tensor.shape()[0], tensor.shape()[1], data).unwrap()
    };
    let names = file.names().into_iter().filter_map(|name| name.strip_prefix("in_"));
    let arrays: Vec<_> = names.map(|name| (name.to_owned(), matrix(&format!("in_{name}")))).collect();
    write_npz(folder.0.join("in.npz"), arrays.clone()).unwrap();
    arrays
}

#[test]
fn an_onnx_file_gives_an_array_an_output() {
    let folder = Folder::new("cli-onnx");
    for (model, outputs) in
        [("torch_two_heads_dynamo", 2), ("skl_mlp_multi", 2), ("keras_seq_tensorflow", 1), ("torch_defaults", 1)]
    {
        let path = fixtures::folder().join(format!("interop/onnx/{model}.onnx"));
        let path = path.to_str().unwrap();
        let arrays = inputs(&folder, model);
        said(&folder, &["predict", path, "in.npz", "--output", "out.npz"]);
        let imported = axone::interop::onnx::load(path).unwrap();
        let given: Vec<Matrix> = imported
            .inputs()
            .iter()
            .map(|name| arrays.iter().find(|(known, _)| known == name).unwrap().1.clone())
            .collect();
        let results = imported.model(Device::cpu()).unwrap().predict_all(&given).unwrap();
        let mut file = Npz::open(folder.0.join("out.npz")).unwrap();
        assert_eq!(file.names().len(), outputs, "{model}");
        for output in imported.outputs() {
            let array = file.read(&output.name).unwrap();
            match output.names(&results).unwrap() {
                Some(names) => {
                    let labels: Vec<f32> = names.iter().map(|name| name.parse().unwrap()).collect();
                    assert_eq!((array.shape, array.data), (vec![labels.len()], labels), "{model}");
                }
                None => assert_eq!(array.into_matrix().unwrap(), output.numbers(&results), "{model}"),
            }
        }
    }
    let keras = fixtures::folder().join("interop/keras");
    let (model, arrays) = (keras.join("seq.keras"), keras.join("seq.npz"));
    let rows = Npz::open(arrays).unwrap().read("in_0").unwrap().into_matrix().unwrap();
    write_npy(folder.0.join("keras.npy"), rows).unwrap();
    said(&folder, &["predict", model.to_str().unwrap(), "keras.npy", "--output", "out.npz"]);
    assert_eq!(Npz::open(folder.0.join("out.npz")).unwrap().names(), ["dense_2"]);

    let model = fixtures::folder().join("interop/onnx/skl_mlp_multi.onnx");
    let model = model.to_str().unwrap();
    folder.write("rows.csv", "a,b,c,d\n0.1,0.2,0.3,0.4\n1,2,3,4\n");
    let text = said(&folder, &["predict", model, "rows.csv"]);
    let header = "output_label,output_probability_0,output_probability_1,output_probability_2";
    assert_eq!((text.lines().next(), text.lines().count()), (Some(header), 3));
    folder.write("wide.csv", "n,a,b,c,d,y\n1,0.1,0.2,0.3,0.4,0\n2,1,2,3,4,2\n");
    let error = refused(&folder, 1, &["predict", model, "wide.csv"]);
    assert!(error.contains("takes 4 columns, the table has 6 (n, a, b, c, d, y)"), "{error}");
    assert_eq!(said(&folder, &["predict", model, "wide.csv", "--ignore", "n,y"]), text);
    let judged = json(&folder, &["evaluate", model, "wide.csv", "--ignore", "n", "--target", "y"]);
    assert_eq!(judged["rows"], 2);
    folder.write("bare.csv", "0.1,0.2,0.3,0.4\n1,2,3,4\n");
    assert!(refused(&folder, 1, &["predict", model, "bare.csv"]).contains("--no-header"));
    assert_eq!(said(&folder, &["predict", model, "bare.csv", "--no-header"]), text);
}

#[test]
fn models_are_converted_there_and_back() {
    let folder = Folder::new("cli-convert");
    let model = fixtures::folder().join("interop/onnx/torch_gelu_dynamo.onnx");
    let model = model.to_str().unwrap();
    said(&folder, &["convert", model, "a.safetensors"]);
    said(&folder, &["convert", "a.safetensors", "b.onnx"]);
    write_npy(folder.0.join("x.npy"), inputs(&folder, "torch_gelu_dynamo")[0].1.clone()).unwrap();
    said(&folder, &["predict", model, "x.npy", "-o", "1.npy"]);
    said(&folder, &["predict", "b.onnx", "x.npy", "-o", "2.npy"]);
    assert_eq!(std::fs::read(folder.0.join("1.npy")).unwrap(), std::fs::read(folder.0.join("2.npy")).unwrap());

    let weights = Model::load_from(folder.0.join("a.safetensors"), Device::cpu()).unwrap().weights().unwrap();
    let layer = weights[0].name.strip_suffix(".w").unwrap().to_owned();
    let module = format!("{layer}=fc");
    said(&folder, &["convert", "a.safetensors", "w.safetensors", "--to", "torch", "--module", &module]);
    let text = said(&folder, &["inspect", "w.safetensors"]);
    assert!(text.contains("weights of PyTorch") && text.contains("fc.weight"), "{text}");
    assert!(refused(&folder, 2, &["convert", "w.safetensors", "c.safetensors"]).contains("--like MODEL"));
    assert!(refused(&folder, 1, &["predict", "w.safetensors", "x.npy"]).contains("weights alone"));
    let back = ["convert", "w.safetensors", "c.safetensors", "--like", "a.safetensors", "--module", &module];
    assert!(said(&folder, &back).contains(&format!("-> {layer}.w")));
    said(&folder, &["predict", "c.safetensors", "x.npy", "-o", "3.npy"]);
    assert_eq!(std::fs::read(folder.0.join("1.npy")).unwrap(), std::fs::read(folder.0.join("3.npy")).unwrap());
}

#[test]
fn hyperparameters_are_searched() {
    let folder = Folder::new("cli-search");
    folder.write("flowers.csv", flowers());
    let search = ["search", "flowers.csv", "-t", "kind", "--trials", "4", "--epochs", "12", "--log", "log.jsonl", "-q"];
    let report = json(&folder, &search);
    assert_eq!(report["search"]["trials"], 4);
    assert!(folder.0.join("model.safetensors").exists());
    assert_eq!(json(&folder, &search)["recipe"], report["recipe"], "the log has all trials");
}

#[test]
fn bad_input_is_told_with_its_place() {
    let folder = Folder::new("cli-bad");
    folder.write("flowers.csv", flowers());
    folder.write("empty.csv", "");
    folder.write("header.csv", "a,b\n");
    folder.write("stray.csv", "a,b\n1,x\n2,y\n3,x\nfour,y\n5,x\n");
    folder.write("inf.csv", "a,b\n1,2\ninf,3\n2,4\n3,9\n4,5.5\n5,7\n");
    folder.write("one.csv", "a,b\n1,x\n2,x\n");
    folder.write("not.onnx", "no model");
    let train = |data: &str, target: &str| refused(&folder, 1, &["train", data, "--target", target]);
    assert!(train("no.csv", "kind").contains("no.csv: No such file"));
    assert!(train("flowers.csv", "sort").contains("one of `id`, `width`, `length`, `colour`, `kind`, got `sort`"));
    assert!(train("empty.csv", "kind").contains("empty.csv: the table is empty"));
    assert!(train("header.csv", "b").contains("header.csv: the table has a header but no rows"));
    let stray = train("stray.csv", "b");
    assert!(
        stray.contains("stray.csv line 5, column `a`: `four` is no number") && stray.contains("--categories"),
        "{stray}"
    );
    assert!(train("inf.csv", "b").contains("inf.csv line 3, column `a`: `inf` is no number"));
    assert!(train("one.csv", "b").contains("column `b`: holds `x` alone"));
    assert!(train("flowers.xlsx", "kind").contains("its name should end in .csv"));
    assert!(refused(&folder, 2, &["train", "flowers.csv", "-t", "kind", "-o", "m.pt"]).contains(".safetensors"));
    let nowhere = ["train", "flowers.csv", "-t", "kind", "-o", "nowhere/m.safetensors"];
    assert!(refused(&folder, 1, &nowhere).contains("its folder is not there"));
    assert!(!folder.0.join("model.safetensors").exists());

    said(&folder, &["train", "flowers.csv", "-t", "kind", "--epochs", "2", "-q"]);
    let predict = |rows: &str| {
        folder.write("rows.csv", rows);
        refused(&folder, 1, &["predict", "model.safetensors", "rows.csv"])
    };
    assert!(predict("width,length\n1,2\n").contains("column must be one of `width`, `length`, got `colour`"));
    let error = predict("width,length,colour\n1,2,green\n");
    assert!(error.contains("rows.csv line 2, column `colour`: expected one of `blue`, `red`, got `green`"), "{error}");
    assert!(predict("width,length,colour\n1,NaN,red\n").contains("line 2, column `length`: expected a finite number"));
    let model = fixtures::folder().join("interop/onnx/skl_mlp_multi.onnx");
    write_npy(folder.0.join("nan.npy"), Matrix::from([[0.0, f32::NAN, 1.0, 2.0]])).unwrap();
    assert!(refused(&folder, 1, &["predict", model.to_str().unwrap(), "nan.npy"]).contains("row 0, column 1"));
    assert!(refused(&folder, 1, &["predict", "not.onnx", "nan.npy"]).contains("no ONNX model"));
    assert!(refused(&folder, 1, &["predict", "gone.onnx", "nan.npy"]).contains("gone.onnx: No such file"));
    assert!(refused(&folder, 2, &["predict", "flowers.csv", "nan.npy"]).contains("no model file"));
    assert!(refused(&folder, 2, &["predict", "model.safetensors", "flowers.csv", "-o", "a.txt.zip"]).contains(".npz"));
    write_npz(folder.0.join("other.npz"), [("a", vec![0.5f32]), ("b", vec![0.5f32])]).unwrap();
    assert!(
        refused(&folder, 1, &["predict", model.to_str().unwrap(), "other.npz"]).contains("one of `a`, `b`, got `X`")
    );

    // As JSON, too.
    let error = refused(&folder, 1, &["predict", "gone.onnx", "nan.npy", "--json"]);
    let error: Value = serde_json::from_str(&error).unwrap();
    assert!(error["error"].as_str().unwrap().contains("gone.onnx"), "{error}");
}

#[test]
fn a_wrong_call_is_status_2_and_help_has_examples() {
    let folder = Folder::new("cli-usage");
    assert!(refused(&folder, 2, &["pedict"]).contains("predict"));
    assert!(refused(&folder, 2, &["train", "a.csv"]).contains("--target"));
    assert!(refused(&folder, 2, &["bench", "--net", "64"]).contains("at least two widths"));
    refused(&folder, 2, &[]);
    assert!(said(&folder, &["--help"]).contains("axone train iris.csv --target species"));
    for command in ["predict", "train", "evaluate", "search", "inspect", "convert", "check", "bench", "completions"] {
        let help = said(&folder, &[command, "--help"]);
        assert!(help.contains(&format!("axone {command} ")) && help.contains("Example"), "{command}:\n{help}");
        let about = help.lines().next().unwrap();
        assert!(about.len() > 15 && !about.contains("table is written"), "{command}: {about}");
    }
    assert!(said(&folder, &["completions", "bash"]).contains("complete -F _axone"));
    assert!(said(&folder, &["--version"]).starts_with("axone "));
}

#[test]
fn devices_checks_and_speed_are_said() {
    let folder = Folder::new("cli-devices");
    let devices = json(&folder, &["devices"]);
    let devices = devices["devices"].as_array().unwrap();
    assert!(devices.iter().any(|device| device["name"] == "CPU" && device["auto"] == true), "{devices:?}");
    let bench = ["bench", "--net", "8-4-2", "--batch", "8", "--seconds", "0.01", "--device", "cpu"];
    let speed = json(&folder, &bench);
    assert!(speed["devices"][0]["steps_per_second"].as_f64().unwrap() > 0.0, "{speed}");
    let error = refused(&folder, 1, &["check", "--quick", "--device", "no such device"]);
    assert!(error.contains("no device named \"no such device\""), "{error}");
}

/// A reader that has gone is no error, a full disk is one.
#[test]
#[cfg(target_os = "linux")]
fn standard_output_may_be_closed_or_full() {
    use std::process::Stdio;
    let run = |out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_axone"));
        command.args(["completions", "bash"]).stdout(out).stderr(Stdio::piped()).output().unwrap()
    };
    let full = run(std::fs::File::options().write(true).open(Path::new("/dev/full")).unwrap().into());
    assert_eq!(full.status.code(), Some(1), "{}", String::from_utf8_lossy(&full.stderr));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let closed = run(writer.into());
    assert!(closed.status.success(), "{}", String::from_utf8_lossy(&closed.stderr));
}

/// Columns by name, from a table and from arrays, and in the file's order where a table has other names.
#[test]
fn pipelines_of_scikit_learn_take_tables() {
    let folder = Folder::new("cli-pipelines");
    let file = |name: &str| fixtures::folder().join(format!("interop/onnx/{name}")).display().to_string();
    let (model, rows) = (file("pipeline_one_hot.onnx"), file("pipeline_one_hot.csv"));
    let lines = said(&folder, &["predict", &model, &rows]);
    assert!(lines.starts_with("label,probabilities_0,probabilities_1,probabilities_2\nyes,"), "{lines}");
    let mut arrays = NpzWriter::new(folder.0.join("in.npz"));
    for name in ["age", "size"] {
        arrays.add(name, Matrix::from([[f32::NAN], [40.0]])).unwrap();
    }
    arrays.add_texts("town", &["Ulm", "Rome"]).unwrap();
    arrays.add_texts("kind", &["a", ""]).unwrap();
    arrays.finish().unwrap();
    let table = "size,kind,town,age\n,a,Ulm,\n40,,Rome,40\n";
    std::fs::write(folder.0.join("in.csv"), table).unwrap();
    assert_eq!(said(&folder, &["predict", &model, "in.npz"]), said(&folder, &["predict", &model, "in.csv"]));

    let model = file("pipeline_logistic.onnx");
    std::fs::write(folder.0.join("x.csv"), "a,b\n,3\n14,5\n").unwrap();
    std::fs::write(folder.0.join("y.csv"), "X_1,X_0\n3,\n5,14\n").unwrap();
    assert_eq!(said(&folder, &["predict", &model, "x.csv"]), said(&folder, &["predict", &model, "y.csv"]));
}
