//! IDX, CSV and the bundled digits: what is read, and how each damaged file is refused.

use axone::data::{CsvOptions, Dataset, IdxArray, digits, read_csv, read_csv_table, read_idx, read_mnist};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A folder of its own for each test, removed at its end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("axone-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn idx(kind: u8, shape: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, shape.len() as u8];
    shape.iter().for_each(|side| bytes.extend(side.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// The message of an error, without the path it starts with.
pub fn refused<T: std::fmt::Debug>(path: &Path, result: axone::Result<T>) -> String {
    let message = result.unwrap_err().to_string();
    let rest = message.strip_prefix(&path.display().to_string());
    rest.unwrap_or_else(|| panic!("`{message}` does not start with the path")).to_string()
}

#[test]
fn data_idx_reads_every_type() {
    let folder = Folder::new("idx-types");
    let be = |values: &[[u8; 4]]| values.concat();
    let files: [(u8, Vec<u8>, [f32; 2]); 6] = [
        (0x08, vec![0, 255], [0.0, 255.0]),
        (0x09, vec![0x80, 5], [-128.0, 5.0]),
        (0x0b, vec![0xff, 0xfe, 1, 0], [-2.0, 256.0]),
        (0x0c, be(&[(-7i32).to_be_bytes(), 70_000i32.to_be_bytes()]), [-7.0, 70_000.0]),
        (0x0d, be(&[1.5f32.to_be_bytes(), (-2.25f32).to_be_bytes()]), [1.5, -2.25]),
        (0x0e, [3.5f64.to_be_bytes(), 1e-3f64.to_be_bytes()].concat(), [3.5, 1e-3]),
    ];
    for (kind, values, data) in files {
        let bytes = idx(kind, &[2, 1], &values);
        let expected = IdxArray { shape: vec![2, 1], data: data.to_vec() };
        assert_eq!(read_idx(folder.write("plain", &bytes)).unwrap(), expected);
        assert_eq!(read_idx(folder.write("packed", gzip(&bytes))).unwrap(), expected);
        assert_eq!(expected.into_matrix().unwrap().rows(), 2);
    }
}

#[test]
fn data_idx_refuses_damaged_files() {
    let folder = Folder::new("idx-damaged");
    let read = |bytes: &[u8]| {
        let path = folder.write("damaged", bytes);
        refused(&path, read_idx(&path))
    };
    let takes = ": shape [2, 3] of u8 takes 6 bytes after the header, the file has";
    assert_eq!(read(&idx(8, &[2, 3], &[0; 5])), format!("{takes} 5"));
    assert_eq!(read(&idx(8, &[2, 3], &[0; 7])), format!("{takes} more"));
    assert_eq!(
        read(&idx(8, &[u32::MAX; 2], &[0; 3])).split(" takes").next(),
        Some(": shape [4294967295, 4294967295] of u8")
    );
    assert!(read(&idx(8, &[u32::MAX; 3], &[])).ends_with("is too large"));
    assert_eq!(read(&idx(8, &[2, 3], &[])[..9]), ": the file ends within the header of 2 sides");
    assert_eq!(read(b"P5 28"), ": not an IDX file: it starts with [80, 53, 32, 50], expected 0, 0, type, sides");
    assert_eq!(read(b""), ": not an IDX file: it starts with [], expected 0, 0, type, sides");
    assert!(read(&idx(0x0a, &[1], &[0])).starts_with(": IDX type 0x0a is unknown"));
    let packed = gzip(&idx(8, &[100], &[7; 100]));
    assert!(!read(&packed[..packed.len() - 12]).is_empty(), "a truncated gzip file");
    let missing = folder.0.join("missing");
    assert!(refused(&missing, read_idx(&missing)).len() > 2);
    let whole = [16_777_216i32, -16_777_217].map(i32::to_be_bytes).concat();
    assert_eq!(read(&idx(0x0c, &[2], &whole)), ": value 1 is -16777217, which f32 cannot hold");
    let huge = [f64::NAN, 1e300].map(f64::to_be_bytes).concat();
    assert_eq!(read(&idx(0x0e, &[2], &huge)), ": value 1 is 1e300, which f32 cannot hold");
    // 2^24 is what f32 makes of 2^24 + 1 too.
    let labels = IdxArray { shape: vec![1], data: vec![16_777_216.0] }.to_labels();
    assert_eq!(labels.unwrap_err().to_string(), "labels row 0: 16777216 is not a class label");
    let labels = IdxArray { shape: vec![2], data: vec![1.0, 0.5] }.to_labels();
    assert_eq!(labels.unwrap_err().to_string(), "labels row 1: 0.5 is not a class label");
}

#[test]
fn data_mnist_reads_four_files() {
    let folder = Folder::new("mnist");
    let image = |first: u8| [vec![first], vec![51; 27 * 28 + 27]].concat();
    folder.write("train-images-idx3-ubyte", idx(8, &[2, 28, 28], &[image(255), image(0)].concat()));
    folder.write("train-labels-idx1-ubyte.gz", gzip(&idx(8, &[2], &[9, 4])));
    folder.write("t10k-images-idx3-ubyte.gz", gzip(&idx(8, &[1, 28, 28], &image(102))));
    let missing = read_mnist(&folder.0);
    let path = folder.0.join("t10k-labels-idx1-ubyte");
    assert_eq!(refused(&path, missing), ": no such file, nor t10k-labels.idx1-ubyte, nor one with .gz added");
    folder.write("t10k-labels-idx1-ubyte", idx(8, &[1], &[3]));

    let (train, test) = read_mnist(&folder.0).unwrap();
    assert_eq!((train.len(), test.len(), train.classes()), (2, 1, Some(10)));
    assert_eq!((train.input_shapes(), test.targets()[0].labels()), (&[vec![28, 28]][..], Some(&[3][..])));
    assert_eq!((train.inputs()[0].data()[..2].to_vec(), test.inputs()[0].data()[0]), (vec![1.0, 0.2], 0.4));

    folder.write("train-labels-idx1-ubyte", idx(8, &[3], &[9, 4, 1]));
    let error = read_mnist(&folder.0).unwrap_err().to_string();
    assert_eq!(error, "targets[0]: expected 2 rows as in inputs[0], got 3 rows");
    let path = folder.write("train-images-idx3-ubyte", idx(8, &[2, 2], &[0; 4]));
    assert_eq!(refused(&path, read_mnist(&folder.0)), ": expected three sides, [images, height, width], got [2, 2]");
}

#[test]
fn data_csv_reads_classes_names_and_values() {
    let folder = Folder::new("csv");
    let path = folder.write("a.csv", "\u{feff}id, x ,y,kind\n1, 0.5,-2e1,1\n2,1.5,3,0.0\n\n3,2.5,4,2\n");
    let set = read_csv(&path, CsvOptions::classes("kind").ignore(["id"])).unwrap();
    assert_eq!(set, Dataset::new([[0.5, -20.0], [1.5, 3.0], [2.5, 4.0]], [1, 0, 2]).unwrap());
    let set = read_csv(&path, CsvOptions::values(["y", "x"]).inputs([3])).unwrap();
    assert_eq!(set, Dataset::new([[1.0], [0.0], [2.0]], [[-20.0, 0.5], [3.0, 1.5], [4.0, 2.5]]).unwrap());

    let path = folder.write("b.csv.gz", gzip(b"1;\"b; c\"\n2;a\n3;a\n"));
    let table = read_csv_table(&path, CsvOptions::class_names(1).header(false).delimiter(b';')).unwrap();
    assert_eq!(table.dataset, Dataset::new([[1.0], [2.0], [3.0]], [1, 0, 0]).unwrap());
    assert_eq!((table.inputs, table.targets), (vec!["0".to_string()], vec!["1".to_string()]));
    assert_eq!(table.labels.unwrap().classes(), ["a", "b; c"]);
}

#[test]
fn data_csv_numbers_categories() {
    let folder = Folder::new("csv-categories");
    let path = folder.write("a.csv", "town,size,colour,kind\nUlm,4,red,1\nBonn,6,blue,0\nUlm,5,blue,1\n");
    let options = || CsvOptions::classes("kind").categories(["colour", "town"]);
    let table = read_csv_table(&path, options()).unwrap();
    let wanted = Dataset::new([[4.0], [6.0], [5.0]], [1, 0, 1]).unwrap();
    assert_eq!(table.dataset, wanted.with_input([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]).unwrap());
    assert_eq!(table.inputs, ["size"]);
    let names: Vec<_> = table.categories.iter().map(axone::data::LabelEncoder::classes).collect();
    assert_eq!(names, [["blue", "red"], ["Bonn", "Ulm"]]);
    // Without numbers the categories are the only input.
    let only = read_csv(&path, options().inputs([0usize; 0])).unwrap();
    assert_eq!(only.inputs(), [[[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]].into()]);

    // Other rows, numbered as the first.
    let read = |text: &str, options: CsvOptions| {
        let path = folder.write("b.csv", text);
        read_csv(&path, options).map_err(|error| error.to_string().replace(&path.display().to_string(), ""))
    };
    let known = || options().encoders(table.categories.clone());
    let more = read("town,size,colour,kind\nUlm,1,red,0\n", known()).unwrap();
    assert_eq!(more.inputs()[1].data(), [1.0, 1.0]);
    let message = |text: &str, options| read(text, options).unwrap_err();
    let wanted = " line 2, column `town`: expected one of `Bonn`, `Ulm`, got `Kiel`";
    assert_eq!(message("town,size,colour,kind\nKiel,1,red,0\n", known()), wanted);
    let wanted = " line 2, column `colour`: expected a category, got an empty field";
    assert_eq!(message("town,size,colour,kind\nUlm,1,,0\n", options()), wanted);
    let text = "town,size,colour,kind\nUlm,1,red,0\n";
    let wanted = ": encoders must be one for each of 2 columns of categories, got 0";
    assert_eq!(message(text, options().encoders(vec![])), wanted);
    assert_eq!(message(text, options().inputs(["town"])), ": column `town` is both number and category");
    assert_eq!(
        message(text, CsvOptions::classes("kind").categories(["kind"])),
        ": column `kind` is both input and target"
    );
}

#[test]
fn data_csv_refuses_bad_fields() {
    let folder = Folder::new("csv-fields");
    let read = |text: &str, options: CsvOptions| {
        let path = folder.write("bad.csv", text);
        refused(&path, read_csv(&path, options))
    };
    let classes = || CsvOptions::classes("kind");
    let expected = |place: &str, what: &str| format!(" line {place}: expected {what}");
    let number = |place: &str, got: &str| expected(place, &format!("a finite number, got {got}"));
    assert_eq!(read("x,kind\n1,0\nabc,1\n", classes()), number("3, column `x`", "`abc`"));
    assert_eq!(read("x,kind\n,0\n", classes()), number("2, column `x`", "an empty field"));
    assert_eq!(read("x,kind\n\n\nNaN,0\n", classes()), number("4, column `x`", "`NaN`"));
    assert_eq!(read("x,kind\r\n1,0\r\n\r\n\"a\nb\",0", classes()), number("4, column `x`", "`a\nb`"));
    assert_eq!(read("x,kind\n\"1\n\",0\na,0\n", classes()), number("4, column `x`", "`a`"));
    assert_eq!(read("x,kind\n1e39,0\n", classes()), number("2, column `x`", "`1e39`"));
    for label in ["-1", "1.5", "cat", "4294967296", "NaN"] {
        let label_error = expected("2, column `kind`", &format!("a class number (0, 1, 2, ..), got `{label}`"));
        assert_eq!(read(&format!("x,kind\n1,{label}\n"), classes()), label_error);
    }
    let name_error = expected("2, column `kind`", "a class name, got an empty field");
    assert_eq!(read("x,kind\n1, \n", CsvOptions::class_names("kind")), name_error);
    let ragged = expected("3", "2 fields as in the first line, got 3");
    assert_eq!(read("x,kind\n1,0\n1,0,5\n", classes()), ragged);
    let headless = CsvOptions::values([1]).header(false);
    assert_eq!(read("x,kind\n1,0\n", headless), number("1, column `0`", "`x`"));

    let path = folder.write("latin1.csv", b"x,kind\n1,0\n\xe9,1\n");
    assert_eq!(refused(&path, read_csv(&path, classes())), " line 3: field 0 is not UTF-8 text");
}

#[test]
fn data_csv_refuses_bad_columns() {
    let folder = Folder::new("csv-columns");
    let path = folder.write("c.csv", "x,y,x\n1,2,3\n");
    let read = |options: CsvOptions| refused(&path, read_csv(&path, options));
    assert_eq!(read(CsvOptions::classes("z")), ": column must be one of `x`, `y`, `x`, got `z`");
    assert_eq!(read(CsvOptions::classes(3)), ": column must be below 3, got 3");
    assert_eq!(
        read(CsvOptions::classes("x")),
        ": column must be a number, as columns 0 and 2 share that name, got `x`"
    );
    let headless = CsvOptions::classes("y").header(false);
    assert_eq!(read(headless), ": column must be a number where the table has no header, got `y`");
    assert_eq!(read(CsvOptions::classes("y").inputs([0, 1])), ": column `y` is both input and target");
    assert_eq!(read(CsvOptions::classes("y").ignore([0, 2])), ": no input columns are left of 3");
    assert_eq!(read(CsvOptions::values([0usize; 0])), ": no target columns are left of 3");
    let path = folder.write("c.csv", "");
    assert_eq!(refused(&path, read_csv(&path, CsvOptions::classes("y"))), ": the table is empty");
    folder.write("c.csv", "x,y\n");
    assert_eq!(refused(&path, read_csv(&path, CsvOptions::classes("y"))), ": the table has a header but no rows");
}

/// Archives spell the names in two ways; one of them unpacks each file into a folder that has the name of the other.
#[test]
fn data_mnist_finds_both_spellings() {
    let folder = Folder::new("mnist-spellings");
    let image = idx(8, &[1, 1, 2], &[255, 0]);
    std::fs::create_dir(folder.0.join("train-images-idx3-ubyte")).unwrap();
    folder.write("train-images.idx3-ubyte", &image);
    folder.write("train-labels.idx1-ubyte.gz", gzip(&idx(8, &[1], &[3])));
    folder.write("t10k-images-idx3-ubyte.gz", gzip(&image));
    folder.write("t10k-labels.idx1-ubyte", idx(8, &[1], &[5]));
    let (train, test) = read_mnist(&folder.0).unwrap();
    assert_eq!((train.targets()[0].labels(), test.targets()[0].labels()), (Some(&[3][..]), Some(&[5][..])));
    assert_eq!(train.inputs()[0].data(), [1.0, 0.0]);
}

/// The numbers of each class are those the source gives for its test part.
#[test]
fn data_digits_are_those_of_the_source() {
    let digits = digits().unwrap();
    assert_eq!((digits.len(), digits.inputs()[0].cols(), digits.input_shapes()[0].as_slice()), (1797, 64, &[8, 8][..]));
    let labels = digits.targets()[0].labels().unwrap();
    let counts: Vec<usize> = (0..10).map(|class| labels.iter().filter(|&&label| label == class).count()).collect();
    assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    let pixels = digits.inputs()[0].data();
    assert!(pixels.iter().all(|pixel| (0.0..=1.0).contains(pixel) && (pixel * 16.0).fract() == 0.0));
    assert_eq!(pixels[..8], [0.0, 0.0, 5.0, 13.0, 9.0, 1.0, 0.0, 0.0].map(|ink| ink / 16.0));
}
