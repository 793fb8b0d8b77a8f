//! Tables as they come: what a careless reader would take as data is refused, with its line.

use crate::readers::{Folder, gzip, refused};
use axone::data::{CsvOptions, Dataset, read_csv, read_csv_inputs, read_csv_table};

/// What reading `bytes` says, without the path.
fn problem(folder: &Folder, bytes: impl AsRef<[u8]>, options: CsvOptions) -> String {
    let path = folder.write("bad.csv", bytes);
    refused(&path, read_csv(&path, options))
}

#[test]
fn csv_quotes_out_of_place_are_refused() {
    let folder = Folder::new("csv-quotes");
    let names = |text: &str| problem(&folder, text, CsvOptions::class_names("kind"));
    assert_eq!(names("a,kind\n1,\"x\n2,z\n3,w\n"), " line 2: field 1 opens a quote that never closes");
    assert_eq!(names("a,kind\n1,x\n2,\"z"), " line 3: field 1 opens a quote that never closes");
    // The quote of line 2 is closed by the one of line 3, behind which text is left over.
    let after = " follows the quote that closes field 1, which opens in line 2";
    assert_eq!(names("a,kind\n1,\"x\n2,\"z\"\n3,w\n"), format!(" line 3: `z\"`{after}"));
    assert_eq!(names("a,kind\n1,\"x\"y\n"), format!(" line 2: `y`{after}"));
    let within =
        "a quote within a field must stand in a quoted field, twice; `CsvOptions::quotes(false)` takes quotes as text";
    assert_eq!(names("a,kind\n1,x\"y\n"), format!(" line 2: field 1 is `x\"y`: {within}"));
    // Closed by the quote of another row: a name over several lines.
    let control = ", column `kind`: expected a class name without control characters, got `x\\n2,`";
    assert_eq!(names("a,kind\n1,\"x\n2,\"\n3,w\n"), format!(" line 2{control}"));
}

#[test]
fn csv_quotes_can_be_text() {
    let folder = Folder::new("csv-plain-quotes");
    let path = folder.write("a.tsv", "a\tkind\n1\t5\"\n2\t\"x\n");
    let options = CsvOptions::class_names("kind").delimiter(b'\t');
    let within = " line 2: field 1 is `5\"`: a quote within a field";
    assert!(refused(&path, read_csv(&path, options.clone())).starts_with(within));
    let table = read_csv_table(&path, options.quotes(false)).unwrap();
    assert_eq!(table.labels.unwrap().classes(), ["\"x", "5\""]);
}

/// Whatever text the crate `csv` writes comes back: quotes, delimiters, spaces, no text at all where it is not used.
#[test]
fn csv_reads_what_another_writes() {
    let folder = Folder::new("csv-written");
    let pieces = ["a", "é", ",", ";", "\"", "\"\"", " ", "\t", "\u{a0}", "'", "\\", "#", "1"];
    for (seed, (delimiter, end)) in [(b',', "\n"), (b';', "\r\n"), (b'\t', "\r")].into_iter().enumerate() {
        let draw = |row: u32, i: u32| axone::random::threefry2x32([seed as u32, i], [row, 0])[0] as usize;
        let name = |row: u32| -> String {
            let text = |i| pieces[draw(row, i) % pieces.len()];
            let text: String = (0..1 + draw(row, 99) as u32 % 5).map(text).filter(|text| *text != "\t").collect();
            // Spaces around a field are kept by quotes alone, which the crate does not put there for their sake.
            format!("x{text}{row}")
        };
        let names: Vec<String> = (0..200).map(name).collect();
        let terminator = if end == "\r\n" { csv::Terminator::CRLF } else { csv::Terminator::Any(end.as_bytes()[0]) };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).terminator(terminator).from_writer(Vec::new());
        writer.write_record(["text", "name", "number"]).unwrap();
        for (row, name) in names.iter().enumerate() {
            let text = ["", "two\nlines", "\"\"", "\r\n"][row % 4];
            writer.write_record([text, name, &row.to_string()]).unwrap();
        }
        let path = folder.write("written.csv", writer.into_inner().unwrap());
        let options = CsvOptions::class_names("name").ignore(["text"]).delimiter(delimiter);
        let table = read_csv_table(&path, options).unwrap();
        let labels = table.dataset.targets()[0].labels().unwrap();
        let encoder = table.labels.unwrap();
        assert_eq!(encoder.inverse(labels).unwrap(), names);
        assert!(table.dataset.inputs()[0].data().iter().zip(0..).all(|(number, row)| *number == row as f32));
    }
}

#[test]
fn csv_quoted_spaces_stay() {
    let folder = Folder::new("csv-spaces");
    let path = folder.write("a.csv", "a,kind\n\" 1 \",\"  x \"\n 2 , x \n3, \"x\" \n");
    let table = read_csv_table(&path, CsvOptions::class_names("kind")).unwrap();
    assert_eq!(table.dataset, Dataset::new([[1.0], [2.0], [3.0]], [0, 1, 1]).unwrap());
    assert_eq!(table.labels.unwrap().classes(), ["  x ", "x"]);
}

#[test]
fn csv_line_ends_of_every_kind_are_counted() {
    let folder = Folder::new("csv-lines");
    let text = ["a,kind", "1,0", "", "2,1", "x,0", ""];
    for end in ["\n", "\r\n", "\r"] {
        let got = problem(&folder, text.join(end), CsvOptions::classes("kind"));
        assert_eq!(got, " line 5, column `a`: expected a finite number, got `x`", "{end:?}");
        let path = folder.write("good.csv", text.join(end).replace('x', "3"));
        let set = read_csv(&path, CsvOptions::classes("kind")).unwrap();
        assert_eq!(set, Dataset::new([[1.0], [2.0], [3.0]], [0, 1, 0]).unwrap(), "{end:?}");
    }
    let mixed = "a,kind\r1,0\n2,1\r\n\"3\r\",0\rx,0";
    let wanted = " line 6, column `a`: expected a finite number, got `x`";
    assert_eq!(problem(&folder, mixed, CsvOptions::classes("kind")), wanted);
}

/// In a table of one column an empty line may be a value that is missing.
#[test]
fn csv_an_empty_line_of_one_column_is_refused() {
    let folder = Folder::new("csv-empty");
    let read = |text: &str| {
        let path = folder.write("one.csv", text);
        (path.clone(), read_csv_inputs(&path, CsvOptions::inputs_only()))
    };
    let (path, got) = read("size\n1\n\n0\n");
    assert_eq!(refused(&path, got), " line 3: an empty line, in a table of one column");
    let (_, got) = read("\n\nsize\n1\n0\n\n\n");
    assert_eq!(got.unwrap().matrices, [[[1.0], [0.0]].into()]);
}

#[test]
fn csv_other_encodings_are_refused() {
    let folder = Folder::new("csv-encodings");
    let text = "a,kind\n1,x\n2,y\n";
    let read = |bytes: Vec<u8>| problem(&folder, bytes, CsvOptions::class_names("kind"));
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (bytes, mark) in [(&little, [0xff, 0xfe]), (&big, [0xfe, 0xff])] {
        let marked = [&mark[..], bytes.as_slice()].concat();
        assert_eq!(read(marked), ": UTF-16 text; it must be UTF-8");
    }
    assert_eq!(read(little), " line 1: a NUL byte, which UTF-8 text does not have; UTF-16 does");
    assert_eq!(
        read(b"a,kind\n1,x\n2,y\0\n".to_vec()),
        " line 3: a NUL byte, which UTF-8 text does not have; UTF-16 does"
    );
    // A mark where two files were joined.
    let joined = read("a,kind\n1,x\n2,\u{feff}x\n".into());
    let wanted = "expected a class name without control characters, got `\\u{feff}x`";
    assert_eq!(joined, format!(" line 3, column `kind`: {wanted}"));
}

#[test]
fn csv_headers_are_not_guessed() {
    let folder = Folder::new("csv-headers");
    // An unnamed column is most often a row number.
    let index = ",x,kind\n0,1.5,0\n1,2.5,1\n";
    let wanted = ": column 0 has no name: use it, or leave it out, by its number, as in `ignore([0])`";
    assert_eq!(problem(&folder, index, CsvOptions::classes("kind")), wanted);
    let twice = "x,y,x,kind\n1,2,3,0\n";
    let wanted =
        ": columns 0 and 2 share the name `x`: use them, or leave them out, by their numbers, as in `ignore([2])`";
    assert_eq!(problem(&folder, twice, CsvOptions::classes("kind")), wanted);
    // By number each is told apart.
    let path = folder.write("good.csv", index);
    let set = read_csv(&path, CsvOptions::classes("kind").ignore([0])).unwrap();
    assert_eq!(set.inputs()[0].data(), [1.5, 2.5]);
    let set = read_csv(&path, CsvOptions::classes("kind").inputs([1, 0])).unwrap();
    assert_eq!(set.inputs()[0].data(), [1.5, 0.0, 2.5, 1.0]);
    // The first row must not be lost as a header.
    let numbers = "1.5,0\n2.5,1\n";
    let say = "is a number; say `header(false)` if this line holds data, `header(true)` if it holds names";
    assert_eq!(problem(&folder, numbers, CsvOptions::classes(1)), format!(" line 1: `1.5` {say}"));
    let named = "\ncat,1.5\ndog,2.5\n";
    assert_eq!(problem(&folder, named, CsvOptions::class_names(0)), format!(" line 2: `1.5` {say}"));
    let years = folder.write("years.csv", "2019,2020\n1,0\n");
    assert_eq!(read_csv(&years, CsvOptions::classes("2020")).unwrap().inputs()[0].data(), [1.0]);
    let path = folder.write("good.csv", numbers);
    assert_eq!(read_csv(&path, CsvOptions::classes(1).header(false)).unwrap().len(), 2);
    assert_eq!(read_csv(&path, CsvOptions::classes(1).header(true)).unwrap().len(), 1);
}

#[test]
fn csv_columns_are_one_thing_alone() {
    let folder = Folder::new("csv-alone");
    let text = "town,x,kind\nUlm,1,0\nBonn,2,1\n";
    let read = |options: CsvOptions| problem(&folder, text, options.categories(["town"]));
    let classes = || CsvOptions::classes("kind");
    assert_eq!(read(classes().ignore(["town"])), ": column `town` is both category and ignored");
    assert_eq!(read(classes().ignore(["kind"])), ": column `kind` is both target and ignored");
    assert_eq!(read(classes().inputs(["x"]).ignore(["x"])), ": column `x` is both input and ignored");
    assert_eq!(read(classes().inputs(["x", "x"])), ": column `x` is asked for twice");
    assert_eq!(read(CsvOptions::values(["kind", "kind"])), ": column `kind` is asked for twice");
    for delimiter in [b'"', b'\n', b'\r', 0, 0xa7] {
        let wanted =
            format!(": delimiter must be an ASCII character other than a quote or a line end, got {delimiter}");
        assert_eq!(read(classes().delimiter(delimiter)), wanted);
    }
}

#[test]
fn csv_whole_numbers_are_exact() {
    let folder = Folder::new("csv-whole");
    let read = |number: &str| problem(&folder, format!("id,y\n7,1\n{number},2\n"), CsvOptions::values(["y"]));
    let wanted = |number: &str, nearest: &str| {
        format!(
            " line 3, column `id`: `{number}` is a whole number that f32 rounds to {nearest}; `ignore` the column, or take \
             it as a category, if it tells rows apart, or allow it with `round`"
        )
    };
    assert_eq!(read("16777217"), wanted("16777217", "16777216"));
    assert_eq!(read("-16777219"), wanted("-16777219", "-16777220"));
    assert_eq!(read("+123456789012"), wanted("+123456789012", "123456790528"));
    // What f32 holds exactly, and decimals, which round by nature.
    let path = folder.write("good.csv", "id,y\n7,1\n16777217,2\n");
    let set = read_csv(&path, CsvOptions::values(["y"]).round(["id"])).unwrap();
    assert_eq!(set.inputs()[0].data(), [7.0, 16_777_216.0]);
    for number in ["16777216", "-20000000", "16777217.0", "1.6777217e7", "0.1"] {
        let path = folder.write("good.csv", format!("id,y\n7,1\n{number},2\n"));
        let set = read_csv(&path, CsvOptions::values(["y"])).unwrap();
        assert_eq!(set.inputs()[0].data()[1], number.parse::<f32>().unwrap());
    }
    // Targets are held to the same.
    let got = problem(&folder, "x,y\n1,16777217\n", CsvOptions::values(["y"]));
    assert!(got.starts_with(" line 2, column `y`: `16777217` is a whole number"), "{got}");
}

#[test]
fn csv_long_fields_are_quoted_in_part() {
    let folder = Folder::new("csv-long");
    let got = problem(&folder, format!("x,y\n{},1\n", "é".repeat(4000)), CsvOptions::values(["y"]));
    assert_eq!(got, format!(" line 2, column `x`: expected a finite number, got `{}..`", "é".repeat(60)));
}

#[test]
fn gzip_ends_in_zeros_and_nothing_else() {
    let folder = Folder::new("gzip-tail");
    let (one, two) = (gzip(b"x,kind\n1,0\n"), gzip(b"2,1\n"));
    let wanted = Dataset::new([[1.0], [2.0]], [0, 1]).unwrap();
    for parts in [vec![one.clone(), two.clone()], vec![one.clone(), vec![0; 300], two.clone(), vec![0; 70_000]]] {
        let path = folder.write("a.csv.gz", parts.concat());
        assert_eq!(read_csv(&path, CsvOptions::classes("kind")).unwrap(), wanted);
    }
    for tail in [&b"\0\0rest"[..], b"rest", b"\x1f\x8b\x08"] {
        let path = folder.write("a.csv.gz", [&one, tail].concat());
        assert!(read_csv(&path, CsvOptions::classes("kind")).is_err(), "{tail:?}");
    }
}
