//! Parquet: what pandas and polars write is read as the same table in CSV, and damaged files are refused.

use crate::mutants::mutants;
use crate::{Folder, fixture, refused};
use axone::data::{Missing, Schema, Stream, Table, TableOptions};

fn options() -> TableOptions {
    TableOptions::classes("y")
        .categories(["colour", "grade"])
        .ignore(["when"])
        .missing(["income"], Missing::median().indicator())
}

#[test]
fn parquet_is_what_csv_is() {
    let csv = Table::read_csv(fixture("table.csv"), &options()).unwrap();
    let schema = Schema::fit(&csv, options()).unwrap();
    let wanted = schema.dataset(&csv).unwrap();
    assert_eq!((wanted.len(), wanted.inputs()[0].cols(), wanted.inputs()[1].cols()), (500, 5, 2));
    let names = if cfg!(feature = "zstd") {
        vec!["pandas_default.parquet", "polars_default.parquet"]
    } else {
        vec!["pandas_default.parquet"]
    };
    for name in names {
        let table = Table::read_parquet(fixture(name), &options()).unwrap();
        assert_eq!(Schema::fit(&table, options()).unwrap().dataset(&table).unwrap(), wanted, "{name}");
        // By the schema that the CSV taught, too.
        let table = Table::read_parquet(fixture(name), schema.options()).unwrap();
        assert_eq!(schema.dataset(&table).unwrap(), wanted, "{name}");
    }
}

#[test]
fn columns_and_rows_are_named() {
    let path = fixture("pandas_default.parquet");
    let wrong = |options: TableOptions| {
        let table = Table::read_parquet(&path, &options).unwrap();
        refused(&path, Schema::fit(&table, options))
    };
    let got = wrong(TableOptions::classes("y").inputs(["age", "income"]));
    assert_eq!(got, " row 0, column `income`: expected a finite number, got an empty field");
    let got = wrong(TableOptions::classes("y").inputs(["when"]));
    assert_eq!(got, " row 0, column `when`: expected a finite number, got `2026-01-01 00:00:00.000000`");
    assert!(wrong(TableOptions::classes("z")).starts_with(": column must be one of `age`, `income`, "));
    let folder = Folder::new("parquet");
    let path = folder.write("a.parquet", "PAR1");
    assert!(!refused(&path, Table::read_parquet(&path, &options())).is_empty());
}

fn whole() -> [Vec<u8>; 2] {
    ["pandas_default.parquet", "polars_default.parquet"].map(|name| std::fs::read(fixture(name)).unwrap())
}

#[test]
fn damaged_files_are_read_or_refused() {
    let folder = Folder::new("parquet-mutants");
    let mut read = 0;
    mutants(&whole(), 10_000, |_, bytes| {
        read += usize::from(Table::read_parquet(folder.write("a.parquet", bytes), &options()).is_ok());
    });
    assert!((500..9500).contains(&read), "{read} of 10,000 were read");
}

/// At these of 60,000 mutants the crate `parquet` (60.1) panics.
#[cfg(feature = "zstd")]
#[test]
fn a_decoder_that_gives_up_is_an_error() {
    let folder = Folder::new("parquet-panics");
    mutants(&whole(), 58_570, |case, bytes| {
        if [16_490, 20_972, 43_329, 50_051, 54_331, 58_569].contains(&case) {
            let path = folder.write("a.parquet", bytes);
            let wanted = ": damaged: its pages cannot be decoded";
            assert_eq!(refused(&path, Table::read_parquet(&path, &options())), wanted, "{case}");
        }
    });
}

#[test]
fn parquet_is_streamed_as_it_is_read() {
    let path = fixture("pandas_default.parquet");
    let table = Table::read_parquet(&path, &options()).unwrap();
    let schema = Schema::fit(&table, options()).unwrap();
    let wanted = schema.dataset(&table).unwrap();
    for rows in [1, 64, 1000] {
        assert_eq!(Stream::table(&path, &schema, rows).sample(1000, 1).unwrap(), wanted, "{rows} rows at a time");
    }
    assert_eq!(Table::sample(&path, &options(), 1000, 1).unwrap(), table);
}

#[test]
fn damaged_files_are_streamed_or_refused() {
    let folder = Folder::new("parquet-stream-mutants");
    let schema = Schema::fit(&Table::read_parquet(fixture("pandas_default.parquet"), &options()).unwrap(), options());
    let (schema, mut read) = (schema.unwrap(), 0);
    mutants(&whole(), 10_000, |_, bytes| {
        let path = folder.write("a.parquet", bytes);
        read += usize::from(Stream::table(path, &schema, 64).sample(1000, 1).is_ok());
    });
    assert!((500..9500).contains(&read), "{read} of 10,000 were read");
}
