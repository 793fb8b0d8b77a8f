//! Schemas: what the first table taught is what the second is read by, missing values among it.

use crate::common::fixtures::folder;
use crate::common::mutants::mutants;
use crate::readers::{Folder, refused};
use axone::data::{
    CsvOptions, Missing, Scaling, Schema, Table, TableOptions, read_csv, read_csv_inputs, read_csv_table,
};
use axone::prelude::*;

const PEOPLE: &str = "age,town,rent\n30,Ulm,500\n,Ulm,600\n50,NA,700\n71,Bonn,\n20,Bonn,400\n";

fn options() -> TableOptions {
    TableOptions::values(["rent"]).categories(["town"]).missing(["rent"], Missing::drop_row())
}

/// `PEOPLE` by these options: ages with what stands behind them, and towns.
fn people(options: TableOptions) -> axone::Result<(Vec<f32>, Vec<f32>)> {
    let folder = Folder::new("schema-people");
    let table = Table::read_csv(folder.write("people.csv", PEOPLE), &options)?;
    let set = Schema::fit(&table, options)?.dataset(&table)?;
    Ok((set.inputs()[0].data().to_vec(), set.inputs()[1].data().to_vec()))
}

#[test]
fn each_rule_has_its_way() {
    let with = |age, town| people(options().missing(["age"], age).missing(["town"], town));
    let (ages, towns) = with(Missing::mean(), Missing::constant("?")).unwrap();
    assert_eq!((ages, towns), (vec![30.0, 100.0 / 3.0, 50.0, 20.0], vec![2.0, 2.0, 0.0, 1.0]));
    let (ages, towns) = with(Missing::median(), Missing::most_frequent()).unwrap();
    assert_eq!((ages, towns), (vec![30.0, 30.0, 50.0, 20.0], vec![1.0, 1.0, 1.0, 0.0]));
    let (ages, _) = with(Missing::most_frequent(), Missing::drop_row()).unwrap();
    assert_eq!(ages, [30.0, 20.0, 20.0]);
    let (ages, towns) = with(Missing::constant(-1.5).indicator(), Missing::constant("Ulm").indicator()).unwrap();
    assert_eq!(ages, [30.0, 0.0, 0.0, -1.5, 1.0, 0.0, 50.0, 0.0, 1.0, 20.0, 0.0, 0.0]);
    assert_eq!(towns, [1.0, 1.0, 1.0, 0.0]);
}

#[test]
fn without_a_rule_it_is_refused() {
    let folder = Folder::new("schema-refused");
    let path = folder.write("people.csv", PEOPLE);
    let wrong = |options: TableOptions| refused(&path, read_csv(&path, options));
    let number = "expected a finite number, got";
    assert_eq!(wrong(options()), format!(" line 3, column `age`: {number} an empty field"));
    assert_eq!(
        wrong(TableOptions::values(["rent"]).inputs(["age"])),
        format!(" line 3, column `age`: {number} an empty field")
    );
    let texts = || options().missing(["age"], Missing::mean()).missing_texts(["-"]);
    assert_eq!(wrong(texts()), format!(" line 3, column `age`: {number} an empty field"));
    assert_eq!(
        wrong(options().missing(["age"], Missing::mean()).missing(["age"], Missing::median())),
        ": column `age` has two rules for missing values"
    );
    assert_eq!(
        wrong(options().missing(["town", "age"], Missing::mean())),
        ", column `town`: categories have no mean and no median"
    );
    assert_eq!(
        wrong(TableOptions::values(["rent"]).missing(["rent"], Missing::mean())),
        ", column `rent`: the row of a missing target can be dropped, and nothing else"
    );
    assert_eq!(
        wrong(options().inputs(["age"]).missing(["age"], Missing::constant("old"))),
        ", column `age`: `old` stands for what is missing, and is no finite number"
    );
    assert_eq!(
        wrong(options().missing(["age"], Missing::drop_row().indicator())),
        ", column `age`: what is missing is dropped, so that nothing is to indicate"
    );
    let unknown = ": a name that is not known can be replaced in a column of categories, and nothing else";
    assert_eq!(wrong(options().missing(["age"], Missing::mean().or_unknown())), format!(", column `age`{unknown}"));
    assert_eq!(
        wrong(options().missing(["town"], Missing::drop_row().or_unknown())),
        format!(", column `town`{unknown}")
    );
    assert_eq!(
        wrong(options().ignore(["age"]).inputs([0usize; 0]).missing(["age"], Missing::mean())),
        ": column `age` has a rule for missing values, but is no input, category or target"
    );
    let got = wrong(options().missing(["size"], Missing::mean()));
    assert_eq!(got, ": column must be one of `age`, `town`, `rent`, got `size`");

    let path = folder.write("none.csv", "a,y\n,1\n,2\n");
    let wrong = |policy| refused(&path, read_csv(&path, TableOptions::values(["y"]).missing(["a"], policy)));
    assert_eq!(wrong(Missing::mean()), ", column `a`: no value is there to have a mean");
    assert_eq!(wrong(Missing::drop_row()), ": no rows are left: each lacks a value without which it is dropped");
}

/// Means and numbers of names are those of the first part, whatever the second holds.
#[test]
fn the_second_table_learns_nothing() {
    let names = ["x", "town", "kind"];
    let first = Table::from_rows(names, [["1", "Ulm", "b"], ["3", "Bonn", "a"], ["", "", "b"]]).unwrap();
    let second =
        Table::from_rows(["kind", "x", "town", "more"], [["b", "", "", "?"], ["b", "100", "Ulm", ""]]).unwrap();
    let options = TableOptions::class_names("kind").categories(["town"]).missing(["x"], Missing::mean().indicator());
    let schema = Schema::fit(&first, options.missing(["town"], Missing::constant("none"))).unwrap();
    let set = schema.dataset(&second).unwrap();
    assert_eq!(set.inputs()[0].data(), [2.0, 1.0, 100.0, 0.0]);
    assert_eq!((set.inputs()[1].data(), set.targets()[0].labels()), (&[2.0, 1.0][..], Some(&[1, 1][..])));
    assert_eq!(
        (schema.labels().unwrap().classes(), schema.categories()[0].classes().len()),
        (&["a".into(), "b".into()][..], 3)
    );
    // Without the target; and a row that would be dropped is asked for by name.
    let inputs = schema.inputs(&Table::from_rows(["town", "x"], [["Ulm", "NaN"]]).unwrap()).unwrap();
    assert_eq!((inputs[0].data(), inputs[1].data()), (&[2.0, 1.0][..], &[1.0][..]));
    let drops = TableOptions::class_names("kind").inputs(["x"]).missing(["x"], Missing::drop_row());
    let schema = Schema::fit(&first, drops).unwrap();
    assert_eq!((schema.dataset(&first).unwrap().len(), schema.dataset(&second).unwrap().len()), (2, 1));
    let error = schema.inputs(&second).unwrap_err().to_string();
    let wanted = "a value is missing; rows of such are left out, and nothing is predicted from them";
    assert_eq!(error, format!("table row 0, column `x`: {wanted}"));
    // Nothing is to be predicted by a schema without a target.
    let plain =
        Schema::fit(&first, TableOptions::inputs_only().inputs(["x"]).missing(["x"], Missing::drop_row())).unwrap();
    assert_eq!(plain.inputs(&second).unwrap()[0].data(), [100.0]);
}

#[test]
fn files_that_do_not_fit_are_told_by_column_and_line() {
    let folder = Folder::new("schema-fit");
    let path = folder.write("first.csv", "x;town;kind\n1;Ulm;b\n2;Bonn;a\n");
    let options = CsvOptions::class_names("kind").categories(["town"]).delimiter(b';');
    let schema = read_csv_table(&path, options).unwrap().schema().clone();
    let wrong = |text: &str| {
        let path = folder.write("second.csv", text);
        let table = Table::read_csv(&path, schema.options()).unwrap();
        refused(&path, schema.dataset(&table))
    };
    assert_eq!(wrong("x;kind\n1;b\n"), ": column must be one of `x`, `kind`, got `town`");
    assert_eq!(
        wrong("town;x;kind\nUlm;1;b\n\nKiel;1;b\n"),
        " line 4, column `town`: expected one of `Bonn`, `Ulm`, got `Kiel`"
    );
    assert_eq!(wrong("town;x;kind\nUlm;1;c\n"), " line 2, column `kind`: expected one of `a`, `b`, got `c`");
    assert_eq!(wrong("town;x;kind\nUlm;one;b\n"), " line 2, column `x`: expected a finite number, got `one`");
    let path = folder.write("second.csv", "x;town\n2;Ulm\n");
    let inputs = schema.inputs(&Table::read_csv(&path, schema.options()).unwrap()).unwrap();
    assert_eq!((inputs[0].data(), inputs[1].data()), (&[2.0][..], &[1.0][..]));
    // The same by `like`.
    let again = read_csv_inputs(&path, schema.options().clone()).unwrap();
    assert_eq!(again.matrices, inputs);
}

/// Lines stay those of the file when rows are picked, and both parts hold each row once.
#[test]
fn tables_are_parted() {
    let folder = Folder::new("schema-parts");
    let path = folder.write("a.csv", "x,y\n0,0\n1,1\n\n2,2\n3,3\nx,4\n");
    let table = Table::read_csv(&path, &TableOptions::values(["y"])).unwrap();
    let schema = Schema::fit(&table.select(&[0, 1]).unwrap(), TableOptions::values(["y"])).unwrap();
    let part = table.select(&[4, 1]).unwrap();
    assert_eq!(refused(&path, schema.dataset(&part)), " line 7, column `x`: expected a finite number, got `x`");
    let (train, test) = table.train_test_split(0.4, 7).unwrap();
    assert_eq!((train.rows(), test.rows()), (3, 2));
    let mut ys: Vec<&str> =
        [&train, &test].iter().flat_map(|part| (0..part.rows()).map(|row| part.field(row, 1).unwrap())).collect();
    ys.sort_unstable();
    assert_eq!(ys, ["0", "1", "2", "3", "4"]);
    assert_eq!((table.field(5, 0), table.field(0, 2)), (None, None));
    let error = table.select(&[5]).unwrap_err().to_string();
    assert_eq!(error, "Table::select: row index must be below 5, got 5 at position 0");
    assert_eq!(table.select(&[]).unwrap_err().to_string(), format!("{}: Table::select: no rows", path.display()));
    let error = Table::from_rows(["a", "b"], [vec!["1", "2"], vec!["3"]]).unwrap_err().to_string();
    assert_eq!(error, "table row 1: expected 2 fields, one a column, got 1");
    assert_eq!(Table::from_rows(["a"], [[1.0; 1]; 0]).unwrap_err().to_string(), "table: no rows");
}

/// Against scikit-learn's `SimpleImputer`.
#[test]
fn rules_learn_what_scikit_learn_learns() {
    let text = std::fs::read_to_string(folder().join("preprocessing/preprocessing.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = json["imputers"].as_array().unwrap();
    assert_eq!(cases.len(), 9);
    for case in cases {
        let policy = match case["strategy"].as_str().unwrap() {
            "mean" => Missing::mean(),
            "median" => Missing::median(),
            _ => Missing::most_frequent(),
        };
        let row = |row: &serde_json::Value| -> Vec<String> {
            row.as_array().unwrap().iter().map(|x| x.as_f64().map_or(String::new(), |x| x.to_string())).collect()
        };
        let rows: Vec<Vec<String>> = case["x"].as_array().unwrap().iter().map(row).collect();
        let table = Table::from_rows(["a", "b", "c"], rows).unwrap();
        let schema = Schema::fit(&table, TableOptions::inputs_only().missing(["a", "b", "c"], policy)).unwrap();
        let empty = Table::from_rows(["a", "b", "c"], [["", "", ""]]).unwrap();
        let wanted: Vec<f32> =
            case["statistics"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect();
        let got = schema.inputs(&empty).unwrap();
        for (got, wanted) in got[0].data().iter().zip(&wanted) {
            assert!((got - wanted).abs() <= wanted.abs() * f32::EPSILON, "{case}: {got} for {wanted}");
        }
    }
}

/// Numbers are scaled by what the first table taught; what indicates stays 0 and 1.
#[test]
fn numbers_are_scaled() {
    let first = Table::from_rows(["x", "y"], [["1", "0"], ["3", "1"], ["", "1"], ["8", "0"]]).unwrap();
    let with = |scaling| {
        let options = TableOptions::classes("y").missing(["x"], Missing::mean().indicator()).scale(scaling);
        let schema = Schema::fit(&first, options).unwrap();
        let next = Table::from_rows(["x"], [["15"], [""]]).unwrap();
        (schema.inputs(&next).unwrap()[0].data().to_vec(), schema)
    };
    // The column is 1, 3, 4, 8.
    assert_eq!(with(Scaling::MinMax).0, [2.0, 0.0, 3.0 / 7.0, 1.0]);
    assert_eq!(with(Scaling::Robust).0, [11.5 / 2.5, 0.0, 0.5 / 2.5, 1.0]);
    let std = 6.5_f64.sqrt();
    let (standard, schema) = with(Scaling::Standard);
    assert_eq!(standard, [(11.0 / std) as f32, 0.0, 0.0, 1.0]);
    assert_eq!((schema.widths(), schema.scaler().is_some()), (vec![2], true));
    let json = serde_json::to_string(&schema).unwrap();
    assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), schema);
    let fewer = json.replace("\"mean\":[4.0]", "\"mean\":[]").replace(&format!("\"std\":[{std}]"), "\"std\":[]");
    let error = serde_json::from_str::<Schema>(&fewer).unwrap_err().to_string();
    assert!(error.starts_with("schema: scaler: not learned"), "{error}");
}

/// The schema and the threshold go with the model, and are checked as it is.
#[test]
fn a_saved_model_takes_raw_rows() {
    let folder = Folder::new("schema-model");
    let rows = [["1", "Ulm", "b"], ["3", "Bonn", "a"], ["", "", "b"], ["9", "Bonn", "a"]];
    let first = Table::from_rows(["x", "town", "kind"], rows).unwrap();
    let options = TableOptions::class_names("kind").categories(["town"]).scale(Scaling::Standard);
    let options = options.missing(["x"], Missing::median().indicator()).missing(["town"], Missing::constant("none"));
    let schema = Schema::fit(&first, options).unwrap();
    let mut net = Network::new();
    let (numbers, towns) = (net.input("numbers", 2).unwrap(), net.input("towns", 1).unwrap());
    let towns = net.apply(Embedding::per_column([3], 2), towns).unwrap();
    let all = net.concat(&[numbers, towns]).unwrap();
    let y = net.apply(Dense::new(1).activation(Activation::Sigmoid), all).unwrap();
    net.output(y).unwrap();
    let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Adam::new(0.1)).unwrap();
    let error = model.predict_table(&first).unwrap_err().to_string();
    assert_eq!(error, "model: schema must be set (`set_schema`) to read tables, got none");
    model.fit(&schema.dataset(&first).unwrap(), &Fit::new().epochs(60).silent()).unwrap();
    let plain = folder.0.join("plain.safetensors");
    model.save(&plain).unwrap();
    assert!(Model::load_from(&plain, Device::cpu()).unwrap().schema().is_none());

    model.set_schema(schema.clone()).unwrap();
    let path = folder.0.join("model.safetensors");
    model.save(&path).unwrap();
    let mut again = Model::load_from(&path, Device::cpu()).unwrap();
    assert_eq!(again.schema(), Some(&schema));
    let new = Table::from_rows(["town", "x"], [["Ulm", "1"], ["Bonn", "8"], ["", ""]]).unwrap();
    assert_eq!(again.predict_names(&new).unwrap(), ["b", "a", "b"]);
    let predicted = again.predict_table(&new).unwrap();
    assert_eq!(predicted, model.predict_all(&schema.inputs(&new).unwrap()).unwrap()[0]);
    // A threshold between two answers, saved as well.
    let most = predicted.data().iter().copied().fold(0.0, f32::max);
    again.set_threshold(most).unwrap();
    assert_eq!(again.predict_names(&new).unwrap(), ["a", "a", "a"]);
    again.save(&path).unwrap();
    let mut last = Model::load_from(&path, Device::cpu()).unwrap();
    assert_eq!((last.threshold(), last.predict_names(&new).unwrap()), (Some(most), vec!["a".to_owned(); 3]));
    let unknown = Table::from_rows(["town", "x"], [["Kiel", "1"]]).unwrap();
    let error = last.predict_names(&unknown).unwrap_err().to_string();
    assert_eq!(error, "table row 0, column `town`: expected one of `Bonn`, `Ulm`, `none`, got `Kiel`");
    assert!(last.set_threshold(f32::NAN).unwrap_err().to_string().ends_with("threshold must be finite, got NaN"));
}

#[test]
fn a_schema_must_fit_the_model() {
    let table = Table::from_rows(["x", "kind"], [["1", "a"], ["2", "b"], ["3", "c"]]).unwrap();
    let schema = Schema::fit(&table, TableOptions::class_names("kind")).unwrap();
    let model = |inputs: usize, outputs: usize| {
        let net = Sequential::new(inputs).add(Dense::new(outputs).activation(Activation::Softmax));
        net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default()).unwrap()
    };
    let refused = |inputs, outputs| model(inputs, outputs).set_schema(schema.clone()).unwrap_err().to_string();
    assert_eq!(refused(2, 3), "schema: expected inputs of [2] columns, got [1]");
    assert_eq!(refused(1, 2), "schema, dense_1: expected 2 class names, got 3");
    let mut fits = model(1, 3);
    fits.set_schema(schema).unwrap();
    let error = fits.set_threshold(0.3).unwrap_err().to_string();
    assert!(error.starts_with("threshold: output must be yes and no in one column, got "), "{error}");
}

fn taught() -> Schema {
    let first =
        Table::from_rows(["x", "town", "kind"], [["1", "Ulm", "b"], ["3", "Bonn", "a"], ["", "", "b"]]).unwrap();
    let options = TableOptions::class_names("kind").categories(["town"]).missing(["x"], Missing::mean().indicator());
    Schema::fit(&first, options.missing(["town"], Missing::constant("none"))).unwrap()
}

#[test]
fn schemas_survive_json_and_pass_checks() {
    let schema = taught();
    let json = serde_json::to_string(&schema).unwrap();
    assert_eq!(serde_json::from_str::<Schema>(&json).unwrap(), schema);
    // What `CsvOptions` of version 0.1.0 wrote has no missing values in it.
    let old = json.replace(&json[json.find(",\"missing\"").unwrap()..], "}");
    assert!(serde_json::from_str::<TableOptions>(&old).is_ok(), "{old}");
    for (what, other, wanted) in [
        ("\"header\":true", "\"header\":null", "schema: header: not learned; `Schema::fit` does"),
        ("\"learned\":\"2\"", "\"learned\":null", "schema: what stands for missing values: not learned"),
        ("[\"a\",\"b\"]", "null", "schema: labels: not learned"),
        ("[[\"Bonn\",\"Ulm\",\"none\"]]", "[]", "schema: encoders: not learned"),
        ("\"width\"", "\"depth\"", "unknown field `depth`"),
    ] {
        assert!(json.contains(what), "{what} in {json}");
        let error = serde_json::from_str::<Schema>(&json.replacen(what, other, 1)).unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
    // A number that a file names, and that is none.
    let schema: Schema = serde_json::from_str(&json.replacen("\"learned\":\"2\"", "\"learned\":\"two\"", 1)).unwrap();
    let error = schema.inputs(&Table::from_rows(["x", "town"], [["1", "Ulm"]]).unwrap()).unwrap_err().to_string();
    assert_eq!(error, "table, column `x`: `two` stands for what is missing, and is no finite number");
}

#[test]
fn damaged_tables_are_read_or_refused() {
    let folder = Folder::new("schema-mutants");
    let options = options().missing(["age"], Missing::median().indicator()).missing(["town"], Missing::most_frequent());
    let whole = ["", "\u{feff}", "\"extra\",\"\""].map(|head| format!("{head}{PEOPLE}").into_bytes());
    let schema =
        Schema::fit(&Table::read_csv(folder.write("a.csv", PEOPLE), &options).unwrap(), options.clone()).unwrap();
    let mut read = 0;
    mutants(&whole, 10_000, |_, bytes| {
        let path = folder.write("mutant.csv", bytes);
        let table = Table::read_csv(&path, schema.options());
        read += usize::from(table.and_then(|table| schema.dataset(&table)).is_ok());
        drop(read_csv_table(&path, options.clone()));
    });
    assert!((500..9500).contains(&read), "{read} of 10,000 were read");
}

#[test]
fn damaged_schemas_are_read_or_refused() {
    let json = serde_json::to_vec(&taught()).unwrap();
    let table = Table::from_rows(["x", "town", "kind"], [["1", "Ulm", "b"], ["", "", "a"]]).unwrap();
    let mut read = 0;
    mutants(&[json], 10_000, |_, bytes| {
        if let Ok(schema) = serde_json::from_slice::<Schema>(bytes) {
            read += 1;
            drop((schema.dataset(&table), schema.inputs(&table)));
        }
    });
    assert!((20..9500).contains(&read), "{read} of 10,000 were read");
}
