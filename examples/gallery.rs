//! Every picture that axone draws, on a light and on a dark ground.
//!
//! `cargo run --release --example gallery -- [FOLDER]`

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::data::{CsvTable, Standardizer, breast_cancer, diabetes, iris};
use axone::metrics::{Residuals, calibration_curve, precision_recall_curve};
use axone::model::Purpose;
use axone::plot::dark;
use axone::prelude::*;
use axone::search::{Picture, Study};
use axone::train::{RangeTest, WeightPath};
use std::path::PathBuf;

const USAGE: &str = "usage: gallery [FOLDER]

Writes every picture to FOLDER, \"gallery\" if not told, as NAME.svg and NAME_dark.svg. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    let mut arguments = Arguments::new(USAGE);
    let gallery =
        Gallery { folder: arguments.plain().unwrap_or_else(|| "gallery".to_owned()).into(), device: Device::auto()? };
    arguments.end();
    std::fs::create_dir_all(&gallery.folder).map_err(|error| Error::Internal(error.to_string()))?;
    gallery.classifier()?;
    gallery.regression()?;
    gallery.plane()?;
    gallery.inside()?;
    gallery.search()
}

struct Gallery {
    folder: PathBuf,
    device: Device,
}

impl Gallery {
    fn write(&self, name: &str, svg: String) -> Result<()> {
        let save = |name: String, text: &str| {
            let path = self.folder.join(name);
            println!("{}", path.display());
            std::fs::write(&path, text).map_err(|error| Error::Internal(format!("{}: {error}", path.display())))
        };
        save(format!("{name}.svg"), &svg)?;
        save(format!("{name}_dark.svg"), &dark(&svg))
    }

    /// What shows how good a classifier is: on the tumours of breast_cancer.
    fn classifier(&self) -> Result<()> {
        let (train, test) = halves(breast_cancer()?)?;
        let net = Sequential::new(30).add(Dense::new(16).activation(Activation::Relu));
        let net =
            net.add(Dense::new(16).activation(Activation::Relu)).add(Dense::new(1).activation(Activation::Sigmoid));
        let mut model = net.compile(self.device.clone(), Loss::BinaryCrossEntropy, Adam::new(0.003))?;
        self.write("range_test", model.range_test(&train, &RangeTest::new())?.to_svg()?)?;
        model.reset(1)?;
        model.set_metrics([Metric::ConfusionMatrix, Metric::RocAuc])?;
        let history = model.fit(&train, &Fit::new().epochs(30).batch_size(16).seed(1).validation(&test).silent())?;
        self.write("history", history.to_svg()?)?;
        self.write("layers", model.layer_histograms(&train)?.to_svg()?)?;
        let evaluation = model.evaluate(&test)?;
        if let (Some(matrix), Some(curve)) = (evaluation.confusion_matrix(), evaluation.roc_curve()) {
            self.write("confusion", matrix.clone().with_labels(["benign", "malignant"])?.to_svg()?)?;
            self.write("roc", curve.to_svg()?)?;
        }
        let (truth, scores) = (test.targets()[0].labels().unwrap_or_default(), model.predict(&test.inputs()[0])?);
        self.write("precision_recall", precision_recall_curve(truth, scores.data(), None)?.to_svg()?)?;
        self.write("calibration", calibration_curve(truth, scores.data(), 10, None)?.to_svg()?)
    }

    /// Numbers: the progression of diabetes.
    fn regression(&self) -> Result<()> {
        let (train, test) = halves(diabetes()?)?;
        let (train, test) = (hundreds(train)?, hundreds(test)?);
        let net = Sequential::new(10).add(Dense::new(16).activation(Activation::Tanh)).add(Dense::new(1));
        let mut model = net.compile(self.device.clone(), Loss::MeanSquaredError, Adam::new(0.01))?;
        model.fit(&train, &Fit::new().epochs(60).seed(1).silent())?;
        let (truth, predicted) =
            (test.targets()[0].values().cloned().unwrap_or_default(), model.predict(&test.inputs()[0])?);
        let residuals = Residuals::new(truth.data(), predicted.data())?.quantity("progression (hundreds of points)");
        self.write("residuals", residuals.to_svg()?)
    }

    /// Two features, so that a plane shows all: petals of irises.
    fn plane(&self) -> Result<()> {
        let table = iris()?;
        let petals = table.dataset.map_inputs(|x| Matrix::from_rows(x.iter_rows().map(|row| [row[2], row[3]])))?;
        let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Tanh));
        let net = net.add(Dense::new(3).activation(Activation::Softmax));
        let mut model = net.compile(self.device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.02))?;
        let path = WeightPath::new();
        model.fit(&petals, &Fit::new().epochs(60).batch_size(16).seed(1).callback(path.clone()).silent())?;
        let boundary = model.decision_boundary(&petals)?.features(["petal length (cm)", "petal width (cm)"]);
        self.write("boundary", boundary.classes(["setosa", "versicolor", "virginica"]).to_svg()?)?;
        self.write("surface", model.loss_surface(&petals, &path)?.to_svg()?)?;
        self.write("network", model.to_svg()?)
    }

    /// How a model is made: layers and operations.
    fn inside(&self) -> Result<()> {
        let mut net = Network::new();
        let x = net.input("pixels", 64)?;
        let hidden = net.apply(Dense::new(32).activation(Activation::Relu), x)?;
        let more = net.apply(Dense::new(32).activation(Activation::Relu), hidden)?;
        let sum = net.add(&[hidden, more])?;
        let y = net.apply(Dense::new(10).activation(Activation::Softmax), sum)?;
        net.output(y)?;
        self.write("branches", net.to_svg()?)?;

        let net = Sequential::new(4).add(Dense::new(8).activation(Activation::Tanh));
        let net = net.add(Dense::new(3).activation(Activation::Softmax));
        let model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::new(0.1))?;
        let graph = model.program().graph(Purpose::Train, &[true])?;
        self.write("graph", graph.to_svg()?)?;
        let path = self.folder.join("graph.dot");
        println!("{}", path.display());
        std::fs::write(&path, graph.to_dot()?).map_err(|error| Error::Internal(error.to_string()))
    }

    /// A search: the minimum of Branin's function.
    fn search(&self) -> Result<()> {
        let trials = Study::minimize("branin").trials(60).seed(1).silent().run(|trial| {
            let (x, y) = (trial.float("x", -5.0..=10.0).get()?, trial.float("y", 0.0..=15.0).get()?);
            let valley = y - 5.1 / (4.0 * std::f64::consts::PI.powi(2)) * x * x + 5.0 / std::f64::consts::PI * x - 6.0;
            Ok(valley.powi(2) + 10.0 * (1.0 - 1.0 / (8.0 * std::f64::consts::PI)) * x.cos() + 10.0)
        })?;
        for (name, picture) in
            [("history", Picture::History), ("slices", Picture::Slices), ("parallel", Picture::Parallel)]
        {
            self.write(&format!("search_{name}"), trials.to_svg(picture)?)?;
        }
        self.write("search_importance", trials.to_svg(Picture::Importance)?)
    }
}

/// Training and test rows, both scaled as the former.
fn halves(table: CsvTable) -> Result<(Dataset, Dataset)> {
    let (train, test) = table.dataset.train_test_split(0.4, 1)?;
    let scaler = Standardizer::fit(&train.inputs()[0])?;
    Ok((train.map_inputs(|x| scaler.transform(x))?, test.map_inputs(|x| scaler.transform(x))?))
}

/// The same rows with targets a hundredth as large.
fn hundreds(data: Dataset) -> Result<Dataset> {
    let targets = data.targets()[0].values().cloned().unwrap_or_default();
    Dataset::new(data.inputs()[0].clone(), targets.map(|y| y / 100.0))
}
