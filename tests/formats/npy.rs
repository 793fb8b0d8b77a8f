//! NPY and NPZ: what NumPy writes is read, and damaged files are refused.

use crate::mutants::mutants;
use crate::{Folder, fixture, refused};
use axone::data::{Matrix, Npz, NpzWriter, Targets, npy_shape, read_npy, read_npy_rows, write_npy, write_npz};

#[test]
fn every_type_and_order_of_numpy_is_read() {
    let mut file = Npz::open(fixture("types.npz")).unwrap();
    let names = file.names();
    let arrays: Vec<&String> = names.iter().filter(|name| name.ends_with("_C") || name.ends_with("_F")).collect();
    assert_eq!(arrays.len(), 48);
    for name in arrays {
        let array = file.read(name).unwrap();
        let wanted =
            if name.starts_with("b1") { [0.0, 1.0, 1.0, 1.0, 1.0, 1.0] } else { [0.0, 1.0, 2.0, 3.0, 100.0, 1.0] };
        assert_eq!((array.shape, array.data), (vec![2, 3], wanted.to_vec()), "{name}");
    }
    let cube = file.read("cube").unwrap();
    assert_eq!((cube.shape.as_slice(), &cube.data), (&[2, 3, 4][..], &(0..24).map(|i| i as f32).collect::<Vec<_>>()));
    assert_eq!(cube.into_matrix().unwrap().cols(), 12);
    assert_eq!(file.read("scalar").unwrap().data, [2.5]);
    assert_eq!(read_npy(fixture("version2.npy")).unwrap().data, [0.0, 1.0, 2.0, 3.0, 100.0, 1.0]);
}

#[test]
fn what_is_no_number_is_refused_by_name() {
    let path = fixture("types.npz");
    let mut file = Npz::open(&path).unwrap();
    let mut wrong = |name: &str| refused(&path, file.read(name));
    let known = "known are b1, u1 to u8, i1 to i8, f2, f4 and f8";
    let text = "(text: number it before it is saved)";
    assert_eq!(wrong("names"), format!(", array `names`: values of type `<U3` {text}, {known}"));
    assert_eq!(wrong("whole"), ", array `whole`: value [1, 1] is 16777217, which f32 cannot hold");
    assert!(wrong("record").starts_with(", array `record`: records of several types (`[('a', '<i4'), ('b', '<f4')]"));
    assert!(wrong("z").starts_with(": array must be one of `b1_little_C`, "));
}

#[test]
fn a_frame_of_pandas_is_read() {
    let x = read_npy(fixture("x.npy")).unwrap();
    assert_eq!((x.shape.as_slice(), &x.data[..4]), (&[500, 2][..], &[79.0, -0.6704386, 63.0, -0.69094414][..]));
    let fortran = read_npy(fixture("x_fortran.npy")).unwrap();
    assert_eq!(fortran, x);
    let mut both = Npz::open(fixture("xy_compressed.npz")).unwrap();
    assert_eq!((both.names(), both.read("x").unwrap()), (vec!["x".to_owned(), "y".to_owned()], x));
    assert_eq!(both.read("y").unwrap().to_labels().unwrap()[..3], [2, 0, 0]);
}

#[test]
fn what_is_written_comes_back() {
    let folder = Folder::new("npy-written");
    let (x, y) = (Matrix::from([[1.5, -2.0, 0.1], [f32::MAX, 1e-40, -0.0]]), vec![0, 7, 3]);
    let path = folder.0.join("a.npy");
    write_npy(&path, x.clone()).unwrap();
    assert_eq!(read_npy(&path).unwrap().into_matrix().unwrap(), x);
    // Values begin at a multiple of 64, as NumPy has them.
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((bytes.len() % 64, bytes[127]), (24, b'\n'));
    let path = folder.0.join("a.npz");
    write_npz(&path, [("x", Targets::from(x.clone())), ("y", y.clone().into())]).unwrap();
    let mut file = Npz::open(&path).unwrap();
    assert_eq!(
        (file.names(), file.read("x").unwrap().into_matrix().unwrap()),
        (vec!["x".to_owned(), "y".to_owned()], x)
    );
    assert_eq!(file.read("y").unwrap().to_labels().unwrap(), y);
    let twice = write_npz(&path, [("x", y.clone()), ("x", y)]);
    assert_eq!(refused(&path, twice), ": array must be named once, got `x`");
}

fn npy(header: &str, values: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16).to_le_bytes();
    [&b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), values].concat()
}

#[test]
fn headers_that_lie_are_refused() {
    let folder = Folder::new("npy-headers");
    let wrong = |bytes: &[u8]| {
        let path = folder.write("a.npy", bytes);
        refused(&path, read_npy(&path))
    };
    let of = |descr: &str, shape: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    assert_eq!(wrong(b""), ": not an NPY file: it starts with [], expected 147, then NUMPY");
    assert_eq!(wrong(b"\x93NUMPY\x09\x00ab"), ": version 9 of the format, known are 1, 2 and 3");
    assert_eq!(wrong(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"), ": a header of 4294967295 bytes, more than 65536");
    assert_eq!(wrong(b"\x93NUMPY\x01\x00\xff\xff{"), ": the file ends within its header");
    assert_eq!(
        wrong(&npy(&of("'<f4'", "(2, 3)"), &[0; 20])),
        ": shape [2, 3] of f4 takes 24 bytes after the header, the file has 20"
    );
    assert!(wrong(&npy(&of("'<f4'", "(1,)"), &[0; 5])).ends_with("takes 4 bytes after the header, the file has more"));
    assert!(wrong(&npy(&of("'<f4'", "(4294967296, 4294967296, 2)"), &[])).ends_with("is too large"));
    assert!(wrong(&npy(&of("'<f4'", "(2305843009213693952,)"), &[])).contains("takes 9223372036854775808 bytes"));
    assert_eq!(
        wrong(&npy(&of("'<f4'", "(-1,)"), &[])),
        ": shape is `(-1,), }`, expected sides such as (3, 4)".replace(", }", ", ")
    );
    assert!(wrong(&npy(&of("'|O'", "(1,)"), &[])).starts_with(": values of type `|O`, known are"));
    assert!(wrong(&npy(&of("'<f4'", "(0,)").replace("False", "maybe"), &[])).starts_with(": fortran_order is `maybe"));
    assert_eq!(wrong(&npy("{'shape': (1,)}", &[])), ": the header `{'shape': (1,)}` has no descr");
    let path = folder.write("a.npz", b"PK");
    assert!(!refused(&path, Npz::open(&path)).is_empty());
}

/// Text as NumPy pads it, numbers as they are printed, a row for each index of the first side.
#[test]
fn fields_are_text_and_numbers() {
    let folder = Folder::new("npz-fields");
    let path = folder.0.join("a.npz");
    let mut file = NpzWriter::new(&path);
    file.add_texts("town", &["Ulm", "", "Köln"]).unwrap();
    file.add("size", Matrix::from([[1.5, f32::NAN], [2.0, -3.0]])).unwrap();
    file.finish().unwrap();
    let mut file = Npz::open(&path).unwrap();
    assert_eq!(file.read_fields("town").unwrap(), [["Ulm"], [""], ["Köln"]]);
    assert_eq!(file.read_fields("size").unwrap(), [["1.5", "NaN"], ["2", "-3"]]);
    let error = file.read("town").unwrap_err().to_string();
    assert!(
        error.contains("`town`: values of type `<U4` (text: number it before it is saved), known are b1"),
        "{error}"
    );
}

#[test]
fn damaged_arrays_are_read_or_refused() {
    let folder = Folder::new("npy-mutants");
    let one = |kind: &str, order: &str, values: &[u8]| {
        npy(&format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': (2, 3), }}\n"), values)
    };
    let whole = [one("<f4", "False", &[7; 24]), one(">i8", "True", &[0; 48]), one("|b1", "False", &[1; 6])];
    let mut read = 0;
    mutants(&whole, 10_000, |_, bytes| {
        let array = read_npy(folder.write("a.npy", bytes));
        read += usize::from(array.and_then(|array| array.into_matrix()).is_ok());
    });
    assert!((500..9500).contains(&read), "{read} of 10,000 were read");
}

#[test]
fn damaged_archives_are_read_or_refused() {
    let folder = Folder::new("npz-mutants");
    let stored = folder.0.join("a.npz");
    write_npz(&stored, [("x", Targets::from([[1.0, 2.0]])), ("y", vec![1, 2].into())]).unwrap();
    let named = folder.0.join("c.npz");
    let mut file = NpzWriter::new(&named);
    file.add_texts("town", &["Ulm", "Köln"]).unwrap();
    file.finish().unwrap();
    let whole = [&stored, &named, &fixture("xy_compressed.npz")].map(|path| std::fs::read(path).unwrap());
    let mut read = 0;
    mutants(&whole, 10_000, |_, bytes| {
        let Ok(mut file) = Npz::open(folder.write("b.npz", bytes)) else { return };
        read += file.names().iter().filter(|name| file_read(&mut file, name)).count();
    });
    fn file_read(file: &mut Npz, name: &str) -> bool {
        file.read(name).is_ok() & file.read_fields(name).is_ok()
    }
    assert!((500..19_000).contains(&read), "{read} of 20,000 were read");
}

#[test]
fn rows_are_those_of_the_whole() {
    let folder = Folder::new("npy-rows");
    let path = folder.0.join("a.npy");
    write_npy(&path, Matrix::new(5, 3, (0..15).map(|i| i as f32).collect()).unwrap()).unwrap();
    assert_eq!(npy_shape(&path).unwrap(), [5, 3]);
    let part = read_npy_rows(&path, 1..4).unwrap();
    assert_eq!((part.shape, part.data), (vec![3, 3], (3..12).map(|i| i as f32).collect()));
    assert_eq!(read_npy_rows(&path, 5..5).unwrap().shape, [0, 3]);
    assert_eq!(refused(&path, read_npy_rows(&path, 4..6)), ": rows must be within 0..5, got 4..6");
    let bytes = std::fs::read(&path).unwrap();
    let cut = folder.write("cut.npy", &bytes[..bytes.len() - 4]);
    let takes = "shape [5, 3] of f4 takes 60 bytes after the header, the file has 56";
    assert_eq!(refused(&cut, read_npy_rows(&cut, 0..1)), format!(": {takes}"));
    let header =
        |kind: &str, order: &str| format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': (2, 3), }}\n");
    let fortran = folder.write("f.npy", npy(&header("<f4", "True"), &[0; 24]));
    let lie = "its columns lie one behind the other (fortran_order); rows must, to be read alone";
    assert_eq!(refused(&fortran, read_npy_rows(&fortran, 0..1)), format!(": {lie}"));
    let large = [0u32, 0, 0, 0, 0, 16_777_217].map(u32::to_be_bytes).concat();
    let large = folder.write("l.npy", npy(&header(">u4", "False"), &large));
    let rounded = ": value [1, 2] is 16777217, which f32 cannot hold";
    assert_eq!(refused(&large, read_npy_rows(&large, 1..2)), rounded);
    assert!(read_npy_rows(&large, 0..1).is_ok());
}

#[test]
fn damaged_arrays_are_read_by_rows_or_refused() {
    let folder = Folder::new("npy-rows-mutants");
    let one = |kind: &str, values: &[u8]| {
        npy(&format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': (2, 3), }}\n"), values)
    };
    let whole = [one("<f4", &[7; 24]), one(">i8", &[0; 48]), one("|b1", &[1; 6])];
    let mut read = 0;
    mutants(&whole, 10_000, |case, bytes| {
        let path = folder.write("a.npy", bytes);
        let rows = npy_shape(&path).ok().and_then(|shape| shape.first().copied()).unwrap_or(0);
        let parts = read_npy_rows(&path, 0..rows);
        read += usize::from(parts.is_ok());
        let bits = |data: Vec<f32>| data.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        if let Ok(parts) = parts {
            assert_eq!(bits(parts.data), bits(read_npy(&path).unwrap().data), "{case}");
        }
    });
    assert!((500..9500).contains(&read), "{read} of 10,000 were read");
}
