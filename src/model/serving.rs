//! What a model needs to be asked in the words of its data: the schema of its tables, and the threshold of its answers.

use super::Model;
use super::network::Applied;
use crate::data::{Matrix, Schema, Table};
use crate::losses::{Loss, Task};
use crate::{Error, Result};

/// Kept and saved with the model; training has no use for it.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(deny_unknown_fields))]
pub(super) struct Serving {
    pub schema: Option<Schema>,
    pub threshold: Option<f32>,
}

impl Model {
    /// Keeps the schema that its data were read by, so that [`predict_table`](Self::predict_table) takes raw rows, and
    /// `save` writes it with the model.
    ///
    /// # Errors
    /// [`Error::Shape`] where the inputs of the schema, or the number of its class names, are not those of the model.
    ///
    /// ```
    /// use axone::data::{Missing, Scaling, Schema, Table, TableOptions};
    /// use axone::prelude::*;
    ///
    /// let train = Table::from_rows(["size", "kind"], [["10", "cat"], ["", "cat"], ["60", "dog"], ["80", "dog"]])?;
    /// let options = TableOptions::class_names("kind").missing(["size"], Missing::constant(20)).scale(Scaling::Standard);
    /// let schema = Schema::fit(&train, options)?;
    /// let net = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
    /// let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.1))?;
    /// model.fit(&schema.dataset(&train)?, &Fit::new().epochs(100).silent())?;
    /// model.set_schema(schema)?;
    ///
    /// let new = Table::from_rows(["size"], [["90"], [""]])?;
    /// assert_eq!(model.predict_table(&new)?.rows(), 2);
    /// assert_eq!(model.predict_names(&new)?, ["dog", "cat"]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_schema(&mut self, schema: Schema) -> Result<()> {
        let network = &self.program.network;
        let widths: Vec<usize> = network.inputs().map(|input| input.shape.iter().product()).collect();
        if schema.widths() != widths {
            return Err(Error::shape(
                "schema",
                format!("inputs of {widths:?} columns"),
                format!("{:?}", schema.widths()),
            ));
        }
        if let (Some(labels), Some(output)) = (schema.labels(), network.outputs().next()) {
            let (cols, names) = (output.shape.iter().product::<usize>(), labels.classes().len());
            // Yes and no in one column are two classes.
            if names > cols.max(2) {
                return Err(Error::shape(
                    format!("schema, {}", output.name),
                    format!("{} class names", cols.max(2)),
                    names,
                ));
            }
        }
        self.serving.schema = Some(schema);
        Ok(())
    }

    /// The schema that [`set_schema`](Self::set_schema) set, or that came with the model's file.
    pub fn schema(&self) -> Option<&Schema> {
        self.serving.schema.as_ref()
    }

    /// From which output on [`predict_classes`](Self::predict_classes) says yes, of a model of yes and no in one column:
    /// what is above it is class 1. It is compared with what [`predict`](Self::predict) gives, as the thresholds of a ROC
    /// curve are, and saved with the model. Metrics that training reports have 0.5 all the same.
    ///
    /// # Errors
    /// [`Error::Value`] unless it is finite, and for a model that does not answer with yes or no in one column.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(1).add(Dense::new(1).activation(Activation::Sigmoid).weights(Initializer::Constant(1.0)));
    /// let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Adam::new(0.1))?;
    /// let x = Matrix::from([[0.5], [2.0]]); // probabilities 0.62 and 0.88
    /// assert_eq!(model.predict_classes(&x)?, [1, 1]);
    /// model.set_threshold(0.8)?;
    /// assert_eq!(model.predict_classes(&x)?, [0, 1]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_threshold(&mut self, threshold: f32) -> Result<()> {
        let program = &self.program;
        program.check_has_losses()?;
        let first = program.network.outputs().zip(&program.losses).next();
        let fits = |(output, loss): &(&Applied, &Loss)| {
            loss.task() == Task::YesNo && output.shape.iter().product::<usize>() == 1
        };
        if !first.as_ref().is_some_and(fits) {
            let got = first.map_or_else(String::new, |(output, loss)| loss.of_columns(output.shape.iter().product()));
            return Err(Error::value("threshold", "output", "yes and no in one column", got));
        }
        if !threshold.is_finite() {
            return Err(Error::value("set_threshold", "threshold", "finite", threshold));
        }
        self.serving.threshold = Some(threshold);
        Ok(())
    }

    /// The threshold that [`set_threshold`](Self::set_threshold) set, or that came with the model's file.
    pub fn threshold(&self) -> Option<f32> {
        self.serving.threshold
    }

    /// The model's first output for each row of a table, which is read by the model's schema: raw rows, of a file or from
    /// memory, with or without targets.
    ///
    /// # Errors
    /// [`Error::Value`] without a schema ([`set_schema`](Self::set_schema)); as [`Schema::inputs`] and
    /// [`predict`](Self::predict).
    pub fn predict_table(&mut self, table: &Table) -> Result<Matrix> {
        let inputs = self.known_schema()?.inputs(table)?;
        self.predict_first(&inputs)
    }

    /// The names of the classes that the model takes each row of a table for, as [`predict_classes`](Self::predict_classes)
    /// numbers them.
    ///
    /// # Errors
    /// As [`predict_table`](Self::predict_table) and [`predict_classes`](Self::predict_classes); [`Error::Value`] where the
    /// schema knows no class names.
    pub fn predict_names(&mut self, table: &Table) -> Result<Vec<String>> {
        let schema = self.known_schema()?;
        let nameless = || Error::value("predict_names", "schema", "one of class names", "none");
        let labels = schema.labels().cloned().ok_or_else(nameless)?;
        let inputs = schema.inputs(table)?;
        let classes = self.predict_classes_of(&inputs)?;
        Ok(labels.inverse(&classes)?.into_iter().map(str::to_owned).collect())
    }

    fn known_schema(&self) -> Result<&Schema> {
        let missing = || Error::value("model", "schema", "set (`set_schema`) to read tables", "none");
        self.serving.schema.as_ref().ok_or_else(missing)
    }
}
