//! Folders of pictures: what Pillow writes is read, and damaged files are refused.

use crate::mutants::mutants;
use crate::{Folder, fixture, refused};
use axone::data::{ImageOptions, LabelEncoder, read_image_folder, read_images};

#[test]
fn a_folder_is_a_class() {
    let all = read_image_folder(fixture("pictures"), &ImageOptions::new()).unwrap();
    assert_eq!((all.dataset.len(), all.labels.classes()), (4, &["lines".to_owned(), "spots".to_owned()][..]));
    assert_eq!(all.dataset.targets()[0].labels(), Some(&[0, 0, 1, 1][..]));
    assert_eq!(all.dataset.input_shapes()[0], [4, 6, 3]);
    assert!(all.files[1].ends_with("lines/b.jpg"));
    let x = &all.dataset.inputs()[0];
    // A line from black to white; the JPEG is nearly that.
    for (png, jpeg) in x.row(0).unwrap().iter().zip(x.row(1).unwrap()) {
        assert!((png - jpeg).abs() < 0.02, "{png} {jpeg}");
    }
    assert_eq!(x.row(0).unwrap()[..6], [0.0, 0.0, 0.0, 0.2, 0.2, 0.2]);
    // Row 1, column 2 of the spot.
    assert_eq!(x.row(2).unwrap()[(6 + 2) * 3..][..3], [1.0, 128.0 / 255.0, 0.0]);

    let gray = read_image_folder(fixture("pictures"), &ImageOptions::new().gray()).unwrap();
    assert_eq!((gray.dataset.input_shapes()[0].as_slice(), gray.dataset.inputs()[0].cols()), (&[4, 6][..], 24));
    assert_eq!(gray.dataset.inputs()[0].row(0).unwrap()[..6], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    let small = read_images(&gray.files, &ImageOptions::new().gray().size(2, 3)).unwrap();
    assert_eq!((small.rows(), small.cols()), (4, 6));
    assert!(small.row(0).unwrap().is_sorted() || small.row(0).unwrap()[..3].is_sorted());
}

#[test]
fn folders_that_do_not_fit_are_refused() {
    let folder = Folder::new("images");
    let options = ImageOptions::new().gray();
    let read = |options: &ImageOptions| read_image_folder(&folder.0, options);
    assert_eq!(refused(&folder.0, read(&options)), ": no folder, one a class");
    let cats = folder.0.join("cats");
    std::fs::create_dir(&cats).unwrap();
    assert_eq!(refused(&cats, read(&options)), ": no picture");
    std::fs::copy(fixture("pictures/lines/a.png"), cats.join("a.png")).unwrap();
    folder.write(".hidden", "");
    assert_eq!(read(&options).unwrap().dataset.len(), 1);
    let known = options.clone().labels(LabelEncoder::from_classes(["dogs"]).unwrap());
    assert_eq!(refused(&cats, read(&known)), ": expected one of `dogs`, got `cats`");
    let known = options.clone().labels(LabelEncoder::from_classes(["dogs", "cats"]).unwrap());
    assert_eq!(read(&known).unwrap().dataset.targets()[0].labels(), Some(&[1][..]));
    let beside = folder.write("notes.txt", "");
    assert_eq!(refused(&beside, read(&options)), ": not a folder of UTF-8 name, as each class must be");
    std::fs::remove_file(beside).unwrap();
    let text = folder.write("cats/b.png", "no picture");
    assert!(refused(&text, read(&options)).starts_with(": "));
    let mut picture = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(5, 4).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    let other = folder.write("cats/b.png", picture.into_inner());
    let wanted =
        format!(": expected 6 x 4 pixels as in {}, got 5 x 4; `ImageOptions::size`", cats.join("a.png").display());
    assert!(refused(&other, read(&options)).starts_with(&wanted));
    assert_eq!(read(&options.clone().size(4, 4)).unwrap().dataset.inputs()[0].cols(), 16);
    let error = read(&options.size(0, 4)).unwrap_err().to_string();
    assert_eq!(error, "ImageOptions: size must be at least one pixel, got Some((0, 4))");
}

#[test]
fn damaged_pictures_are_read_or_refused() {
    let folder = Folder::new("images-mutants");
    let names = ["lines/a.png", "lines/b.jpg", "spots/a.png", "spots/b.png"];
    let whole = names.map(|name| std::fs::read(fixture("pictures").join(name)).unwrap());
    let mut read = 0;
    mutants(&whole, 10_000, |_, bytes| {
        let x = read_images([folder.write("a.picture", bytes)], &ImageOptions::new().gray().size(2, 2));
        read += usize::from(x.is_ok());
    });
    assert!((500..9500).contains(&read), "{read} of 10,000 were read");
}
