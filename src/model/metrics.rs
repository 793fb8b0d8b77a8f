//! Which metrics a model reports.

use super::reported::check_names;
use super::{Model, Watched};
use crate::metrics::Metric;
use crate::model::Purpose;
use crate::{Error, Result};

impl Model {
    /// What [`fit`](Self::fit) and [`evaluate`](Self::evaluate) report of every output from now on, beside its loss
    /// and the metric of that. An empty list takes it back. The weights stay as they are; metrics are not saved with a
    /// model.
    ///
    /// A training step reads nothing back: it writes a few numbers of each row to the log of the epoch, 4 bytes each
    /// (`RocAuc`, `R2` and `MeanAbsolutePercentageError` one for each column of the output, the others one).
    ///
    /// # Errors
    /// [`Error::Value`] for a metric that does not fit an output, naming both, or that is there twice, or by which two
    /// values would be reported under one name;
    /// [`Error::Gpu`]. The model then reports what it did before.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(1).add(Dense::new(1).activation(Activation::Sigmoid));
    /// let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Adam::new(0.1))?;
    /// model.set_metrics([Metric::F1(Average::Binary), Metric::RocAuc])?;
    /// let data = Dataset::new([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])?;
    /// let history = model.fit(&data, &Fit::new().epochs(50).silent())?;
    /// assert_eq!(history.names(), ["loss", "binary_accuracy", "f1", "auc"]);
    /// assert_eq!(history.last("auc"), Some(1.0));
    ///
    /// let error = model.set_metrics([Metric::R2]).unwrap_err();
    /// assert_eq!(error.to_string(), "dense_1: r2: output must be numbers, got binary_cross_entropy of 1 column");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_metrics(&mut self, metrics: impl IntoIterator<Item = Metric>) -> Result<()> {
        let metrics: Vec<Metric> = metrics.into_iter().collect();
        let outputs = self.program().network.outputs().len();
        self.watch("set_metrics", |_| true, &metrics, outputs)
    }

    /// As [`set_metrics`](Self::set_metrics), of one output, called by the name of its layer. The others keep theirs.
    ///
    /// # Errors
    /// As [`set_metrics`](Self::set_metrics), and [`Error::Value`] where no output has that name.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let x = net.input("x", 4)?;
    /// let (digit, size) = (net.apply(Dense::new(3).named("digit"), x)?, net.apply(Dense::new(1).named("size"), x)?);
    /// net.output(digit)?;
    /// net.output(size)?;
    /// let losses = [Loss::CategoricalCrossEntropy, Loss::MeanSquaredError];
    /// let mut model = net.compile(Device::cpu(), losses, Adam::default())?;
    /// model.set_metrics_of("digit", [Metric::TopK(2)])?; // reported as `digit_top_2_accuracy`
    /// model.set_metrics_of("size", [Metric::R2])?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_metrics_of(&mut self, output: &str, metrics: impl IntoIterator<Item = Metric>) -> Result<()> {
        let names: Vec<&str> = self.program().network.outputs().map(|value| value.name.as_str()).collect();
        let Some(place) = names.iter().position(|name| *name == output) else {
            return Err(Error::value("set_metrics_of", "output", format!("one of {}", names.join(", ")), output));
        };
        let metrics: Vec<Metric> = metrics.into_iter().collect();
        let outputs = names.len();
        self.watch("set_metrics_of", |i| i == place, &metrics, outputs)
    }

    fn watch(&mut self, call: &str, wanted: impl Fn(usize) -> bool, metrics: &[Metric], outputs: usize) -> Result<()> {
        for (i, metric) in metrics.iter().enumerate() {
            let place = format!("metrics[{i}]");
            metric.check(&place)?;
            if metrics[..i].iter().any(|before| before.name() == metric.name()) {
                return Err(Error::value(place, "metric", "there once", metric));
            }
        }
        self.program().check_has_losses()?;
        let mut program = self.program().clone();
        for i in (0..outputs).filter(|i| wanted(*i)) {
            for (value, loss) in program.network.outputs().zip(&program.losses).skip(i).take(1) {
                let cols = value.shape.iter().product();
                metrics.iter().try_for_each(|metric| metric.check_output(&value.name, loss, cols))?;
            }
            program.watched[i] = Watched { metrics: metrics.to_vec(), threshold: 0.0 };
        }
        check_names(&program, call)?;
        let classes: Vec<bool> = program.losses.iter().map(|loss| loss.takes_classes()).collect();
        let thresholds = program.build(Purpose::Evaluate, &classes)?.thresholds;
        for (watched, threshold) in program.watched.iter_mut().zip(thresholds) {
            watched.threshold = threshold;
        }
        self.replace_program(program, |purpose| purpose == Purpose::Evaluate)
    }
}
