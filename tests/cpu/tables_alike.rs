//! What a reader learns of one table serves the next: numbers of names, and which columns are what.

use crate::readers::{Folder, refused};
use axone::data::{CsvInputs, CsvOptions, CsvTable, read_csv, read_csv_inputs, read_csv_table};
use axone::prelude::*;

const TRAIN: &str = "size,legs,kind\n0.1,2,bird\n0.3,4,cat\n0.9,4,dog\n0.2,2,bird\n0.4,4,cat\n1.0,4,dog\n";

fn table(folder: &Folder, text: &str, options: CsvOptions) -> CsvTable {
    read_csv_table(folder.write("table.csv", text), options).unwrap()
}

fn inputs(folder: &Folder, text: &str, options: CsvOptions) -> CsvInputs {
    read_csv_inputs(folder.write("inputs.csv", text), options).unwrap()
}

/// What reading `text` says, without the path.
fn problem(folder: &Folder, text: &str, options: CsvOptions) -> String {
    let path = folder.write("bad.csv", text);
    refused(&path, read_csv(&path, options))
}

/// A test file in which the first class is missing.
#[test]
fn csv_classes_keep_their_numbers() {
    let folder = Folder::new("csv-alike");
    let train = table(&folder, TRAIN, CsvOptions::class_names("kind"));
    let net = Sequential::new(2).add(Dense::new(16).activation(Activation::Tanh)).add(Dense::new(3));
    let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.05)).unwrap();
    model.fit(&train.dataset, &Fit::new().epochs(300).silent()).unwrap();
    let text = "size,legs,kind\n0.3,4,cat\n0.9,4,dog\n0.4,4,cat\n";
    let mut accuracy =
        |options| model.evaluate(&table(&folder, text, options).dataset).unwrap().get("accuracy").unwrap();
    assert_eq!(accuracy(CsvOptions::like(&train)), 1.0);
    assert_eq!(accuracy(CsvOptions::class_names("kind").labels(train.labels.clone().unwrap())), 1.0);
    assert_eq!(accuracy(CsvOptions::class_names("kind")), 0.0, "numbered by itself, the file is no control");

    let got = problem(&folder, "size,legs,kind\n0.3,4,cat\n0.3,4,cow\n", CsvOptions::like(&train));
    assert_eq!(got, " line 3, column `kind`: expected one of `bird`, `cat`, `dog`, got `cow`");
    let numbers = CsvOptions::values(["size"]).inputs(["legs"]).labels(train.labels.clone().unwrap());
    assert_eq!(
        problem(&folder, TRAIN, numbers),
        ": labels must be left out where the target is no class name, got an encoder"
    );
}

#[test]
fn csv_columns_are_found_by_name() {
    let folder = Folder::new("csv-alike-columns");
    let text = "id,town,size,kind,rent\n16777217,Ulm,40,b,500\n2,Bonn,60,a,700\n";
    let options = CsvOptions::class_names("kind").categories(["town"]).ignore(["rent"]).round(["id"]);
    let train = table(&folder, text, options);
    assert_eq!(train.inputs, ["id", "size"]);
    // Another order, one column more, one that was ignored less.
    let like = || CsvOptions::like(&train);
    let other = "extra,kind,size,town,id\nx,a,41,Ulm,16777219\n";
    let test = table(&folder, other, like());
    assert_eq!(test.dataset.inputs(), [[[16_777_220.0, 41.0]].into(), [[1.0]].into()]);
    assert_eq!(test.dataset.targets()[0].labels(), Some(&[0][..]));
    // What was learned goes on from table to table.
    assert_eq!(CsvOptions::like(&test), like());
    let got = problem(&folder, "id,town,size,kind\n1,Kiel,3,a\n", like());
    assert_eq!(got, " line 2, column `town`: expected one of `Bonn`, `Ulm`, got `Kiel`");
    let got = problem(&folder, "id,town,kind\n1,Ulm,a\n", like());
    assert_eq!(got, ": column must be one of `id`, `town`, `kind`, got `size`");
    let got = problem(&folder, other, like().ignore(["size"]));
    assert_eq!(got, ": column `size` is both input and ignored");
}

#[test]
fn csv_inputs_need_no_target() {
    let folder = Folder::new("csv-alike-inputs");
    let train = table(&folder, TRAIN, CsvOptions::class_names("kind"));
    for text in ["size,legs\n0.7,4\n", "legs,size\n4,0.7\n", "legs,kind,size\n4,,0.7\n"] {
        let new = inputs(&folder, text, CsvOptions::like(&train));
        assert_eq!((new.matrices, new.columns), (vec![[[0.7, 4.0]].into()], vec!["size".to_owned(), "legs".into()]));
    }
    let mut options = CsvOptions::inputs_only().categories(["town"]);
    let first = inputs(&folder, "town,size\nUlm,1\nBonn,2\n", options.clone());
    assert_eq!(first.matrices, [[[1.0], [2.0]].into(), [[1.0], [0.0]].into()]);
    options = options.encoders(first.categories);
    assert_eq!(inputs(&folder, "town,size\nUlm,1\n", options.clone()).matrices[1].data(), [1.0]);
    let path = folder.write("inputs.csv", "town,size\nKiel,1\n");
    let wanted = " line 2, column `town`: expected one of `Bonn`, `Ulm`, got `Kiel`";
    assert_eq!(refused(&path, read_csv_inputs(&path, options.clone())), wanted);
    assert_eq!(refused(&path, read_csv(&path, options)), ": no target columns are left of 2");
    // A target that may be rounded need not be there either.
    let count = table(&folder, "x,n\n1,16777217\n", CsvOptions::values(["n"]).round(["n"]));
    assert_eq!(inputs(&folder, "x\n2\n", CsvOptions::like(&count)).matrices[0].data(), [2.0]);
    // Without `like` a target that is there is no input.
    assert_eq!(inputs(&folder, "x,y\n1,2\n", CsvOptions::values(["y"])).columns, ["x"]);
    let path = folder.write("inputs.csv", "y\n1\n");
    assert_eq!(refused(&path, read_csv_inputs(&path, CsvOptions::values(["y"]))), ": no input columns are left of 1");
}

/// Columns without a name are known by their number, which says something only in tables of one width.
#[test]
fn csv_columns_without_names_keep_their_numbers() {
    let folder = Folder::new("csv-alike-numbers");
    let train = table(&folder, "a,1,2\nb,3,4\n", CsvOptions::class_names(0).header(false));
    let like = || CsvOptions::like(&train);
    let test = table(&folder, "b,5,6\n", like());
    assert_eq!(
        (test.dataset.inputs()[0].data(), test.dataset.targets()[0].labels()),
        (&[5.0, 6.0][..], Some(&[1][..]))
    );
    let path = folder.write("inputs.csv", "5,6\n");
    let wanted = ": expected 3 columns as in the table before, since not all have names, got 2";
    assert_eq!(refused(&path, read_csv_inputs(&path, like())), wanted);
    // One name twice.
    let train = table(&folder, "x,x,y\n1,2,3\n", CsvOptions::values(["y"]).inputs([1]));
    let test = table(&folder, "x,x,y\n4,5,6\n", CsvOptions::like(&train));
    assert_eq!(test.dataset.inputs()[0].data(), [5.0]);
    assert_eq!(problem(&folder, "x,y\n4,6\n", CsvOptions::like(&train)), wanted);
}

/// Another program reads what this one has learned from a file.
#[cfg(feature = "save")]
#[test]
fn csv_options_survive_json() {
    let folder = Folder::new("csv-alike-json");
    let train = table(&folder, TRAIN, CsvOptions::class_names("kind"));
    let json = serde_json::to_string(&CsvOptions::like(&train)).unwrap();
    let read: CsvOptions = serde_json::from_str(&json).unwrap();
    assert_eq!(read, CsvOptions::like(&train));
    assert_eq!(table(&folder, "size,legs,kind\n1,4,dog\n", read).dataset.targets()[0].labels(), Some(&[2][..]));
    let unknown = json.replacen('{', "{\"headers\":true,", 1);
    assert!(serde_json::from_str::<CsvOptions>(&unknown).unwrap_err().to_string().contains("unknown field `headers`"));
    let twice = json.replace("\"bird\"", "\"cat\"");
    let error = serde_json::from_str::<CsvOptions>(&twice).unwrap_err().to_string();
    assert!(error.contains("class `cat` stands at 0 and at 1"), "{error}");
}
