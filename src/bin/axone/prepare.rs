//! A table made ready to train on: what its columns are, its parts, and the network that fits it.

use crate::arguments::{Common, Learning, Task};
use crate::said::Failure;
use axone::data::{Dataset, Inference, Inferred, LabelEncoder, Schema, Standardizer, Table, TableOptions, Targets};
use axone::prelude::*;

/// Most numbers of the vector that a category becomes.
const WIDEST_EMBEDDING: usize = 8;

/// Parts of a table, read by what the first of them taught.
pub struct Prepared {
    pub schema: Schema,
    pub train: Dataset,
    pub validation: Dataset,
    pub test: Option<Dataset>,
    /// Number of classes; `None` where the target is numbers.
    pub classes: Option<usize>,
    /// What was taken for what.
    pub notes: Vec<String>,
    /// Of the targets, where they are numbers: training sees them scaled.
    scaler: Option<Standardizer>,
}

/// What is chosen of a network and its training.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Recipe {
    pub hidden: Vec<usize>,
    pub rate: f32,
    pub dropout: f32,
    pub decay: f32,
}

impl Prepared {
    pub fn of(args: &Learning, common: &Common) -> Result<Self, Failure> {
        let (reading, targets) = (&args.reading, args.reading.columns(&args.target));
        let table = Table::read(&args.data, &reading.of(TableOptions::values(targets.clone())))?;
        let inference = Inference::new(targets.clone()).ignore(reading.ignored());
        let inference = inference.categories(reading.columns(&args.categories));
        let inference = match args.task {
            Some(task) => inference.classes(task == Task::Classification),
            None => inference,
        };
        let Inferred { options, classes, notes } = inference.of(&table)?;
        notes.iter().for_each(|note| common.note(note));

        let split = |table: &Table, share: f64| match (classes, targets.first()) {
            (Some(_), Some(target)) => table.train_test_split_stratified(target.clone(), share, args.seed),
            _ => table.train_test_split(share, args.seed),
        };
        let (rest, test) = match args.test {
            0.0 => (table, None),
            share => split(&table, share).map(|(rest, test)| (rest, Some(test)))?,
        };
        let (train, validation) = split(&rest, args.validation)?;
        let schema = Schema::fit(&train, reading.of(options))?;
        let mut prepared = Self {
            train: schema.dataset(&train)?,
            validation: schema.dataset(&validation)?,
            test: test.map(|test| schema.dataset(&test)).transpose()?,
            schema,
            classes,
            notes,
            scaler: None,
        };
        if let Some(values) = prepared.train.targets().first().and_then(Targets::values) {
            let scaler = Standardizer::fit(values)?;
            for part in [&mut prepared.train, &mut prepared.validation] {
                *part = scaled(part, &scaler)?;
            }
            prepared.scaler = Some(scaler);
        }
        Ok(prepared)
    }

    /// Rows to train on, to stop by, and to judge by.
    pub fn rows(&self) -> [usize; 3] {
        [self.train.len(), self.validation.len(), self.test.as_ref().map_or(0, Dataset::len)]
    }

    /// A model for the table: embeddings for its categories beside its numbers, hidden layers, and one output a class, one
    /// alone for two classes, or one a number.
    pub fn model(&self, recipe: &Recipe, device: Device, seed: u64) -> Result<Model> {
        let mut net = Network::new();
        let mut widths = self.schema.widths().into_iter();
        let names: Vec<usize> = self.schema.categories().iter().map(|names| names.classes().len()).collect();
        let mut parts = Vec::new();
        if !names.is_empty() && widths.len() == 1 {
            widths.next();
        }
        if let Some(width) = widths.next() {
            parts.push(net.input("numbers", width)?);
        }
        if let Some(most) = names.iter().max() {
            let categories = net.input("categories", names.len())?;
            let width = most.div_ceil(2).min(WIDEST_EMBEDDING);
            parts.push(net.apply(Embedding::per_column(names, width), categories)?);
        }
        let mut x = match parts.as_slice() {
            [x] => *x,
            parts => net.concat(parts)?,
        };
        for units in &recipe.hidden {
            x = net.apply(Dense::new(*units).activation(Activation::Relu).weights(Initializer::HeNormal), x)?;
            if recipe.dropout > 0.0 {
                x = net.apply(Dropout::new(recipe.dropout), x)?;
            }
        }
        let (units, activation, loss) = match self.classes {
            Some(2) => (1, Activation::Sigmoid, Loss::BinaryCrossEntropy),
            Some(classes) => (classes, Activation::Softmax, Loss::CategoricalCrossEntropy),
            None => (self.train.targets()[0].width(), Activation::Identity, Loss::MeanSquaredError),
        };
        let y = net.apply(Dense::new(units).activation(activation).named(self.output()), x)?;
        net.output(y)?;
        let mut model = net.compile(device, loss, Adam::new(recipe.rate).weight_decay(recipe.decay))?;
        model.reset(seed)?;
        model.set_metrics(match self.classes {
            Some(2) => vec![Metric::RocAuc, Metric::F1(Average::Binary), Metric::ConfusionMatrix],
            Some(_) => vec![Metric::F1(Average::Macro), Metric::ConfusionMatrix],
            None => vec![Metric::RootMeanSquaredError, Metric::R2],
        })?;
        Ok(model)
    }

    /// What the output is called.
    fn output(&self) -> &'static str {
        if self.classes.is_some() { "probabilities" } else { "values" }
    }

    /// How the model is trained.
    pub fn fit(&self, args: &Learning) -> Fit {
        let batch = (self.train.len() / 20).clamp(8, 256).next_power_of_two();
        let stopping = EarlyStopping::new("val_loss").patience(args.patience).restore_best();
        Fit::new()
            .epochs(args.epochs)
            .batch_size(args.batch.unwrap_or(batch))
            .seed(args.seed)
            .validation(&self.validation)
            .callback(ReduceOnPlateau::new("val_loss").factor(0.5).patience((args.patience / 3).max(1)))
            .callback(stopping)
    }

    /// Makes the trained model speak of targets as the table has them: `(x W + b) σ + μ` is the last layer with `W σ` and
    /// `b σ + μ`.
    pub fn finish(&self, model: &mut Model) -> Result<()> {
        if let Some(scaler) = &self.scaler {
            let name = |part: &str| format!("{}.{part}", self.output());
            let cols = scaler.std().len();
            let (w, b) = (model.weight(&name("w"))?, model.weight(&name("b"))?);
            let scale = |at: usize| scaler.std()[at % cols];
            let w_data = w.data.iter().enumerate().map(|(at, w)| (f64::from(*w) * scale(at)) as f32).collect();
            let b_data = b.data.iter().zip(scaler.std()).zip(scaler.mean());
            let b_data = b_data.map(|((b, std), mean)| (f64::from(*b) * std + mean) as f32).collect();
            model.set_weight(&name("w"), Matrix::new(w.shape.0, w.shape.1, w_data)?)?;
            model.set_weight(&name("b"), Matrix::new(b.shape.0, b.shape.1, b_data)?)?;
        }
        model.set_schema(self.schema.clone())
    }

    pub fn labels(&self) -> Option<&LabelEncoder> {
        self.schema.labels()
    }
}

fn scaled(data: &Dataset, scaler: &Standardizer) -> Result<Dataset> {
    let values = data.targets().first().and_then(Targets::values).cloned().unwrap_or_default();
    let mut inputs = data.inputs().iter().cloned();
    let scaled = Dataset::new(inputs.next().unwrap_or_default(), scaler.transform(&values)?)?;
    inputs.try_fold(scaled, Dataset::with_input)
}
