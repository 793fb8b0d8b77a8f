//! Metrics of a user's own, on any device: whatever takes the name of a metric takes theirs.

use super::api::classifier;
use super::matrix;
use axone::metrics::{Direction, Measure, Need, Output, Rows};
use axone::prelude::*;

/// Euros lost: 5 for a yes that is missed, 1 for a false one.
pub struct Cost;

impl Measure for Cost {
    fn name(&self) -> String {
        "cost".to_owned()
    }

    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn needs(&self) -> &[Need] {
        &[Need::Predicted]
    }

    fn fits(&self, output: &Output) -> Result<()> {
        output.must_be(output.columns() == 1, "yes and no in one column")
    }

    fn value(&self, rows: &Rows<'_>) -> Result<f64> {
        let matrix = rows.confusion_matrix()?;
        Ok(5.0 * matrix.count(1, 0) + matrix.count(0, 1))
    }
}

/// Any other, by what it says of itself.
pub struct Own {
    name: &'static str,
    needs: &'static [Need],
    value: fn(&Rows<'_>) -> Result<f64>,
}

impl Measure for Own {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> &[Need] {
        self.needs
    }

    fn value(&self, rows: &Rows<'_>) -> Result<f64> {
        (self.value)(rows)
    }
}

/// The weight of the rows that are rightly taken for yes.
pub const HITS: Own = Own {
    name: "hits",
    needs: &[Need::Predicted],
    value: |rows| rows.confusion_matrix().map(|matrix| matrix.count(1, 1)),
};

/// A model of one answer, and rows of which one in three is yes.
pub fn answers(device: &Device) -> (Model, Dataset) {
    let x = matrix(6, 60, 4);
    let truth: Vec<u32> = x.iter_rows().map(|row| u32::from(row[0] > 0.4)).collect();
    let net = Sequential::new(4).add(Dense::new(1).activation(axone::layers::Activation::Sigmoid));
    let model = net.compile(device.clone(), Loss::BinaryCrossEntropy, Adam::new(0.02)).unwrap();
    (model, Dataset::new(x, truth).unwrap())
}

/// What monitors a value monitors that of a user's metric, in the metric's own direction.
pub fn of_users_own(device: &Device) {
    let folder = std::env::temp_dir().join(format!("axone-own-metric-{}-{}", device.is_gpu(), std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (best, table, lines) = (folder.join("best.safetensors"), folder.join("log.csv"), folder.join("log.jsonl"));
    let (mut model, data) = answers(device);
    model.set_metrics([Metric::custom(Cost), Metric::RocAuc, Metric::custom(HITS)]).unwrap();
    let settings = Fit::new().epochs(200).batch_size(10).validation(&data).silent();
    let run = settings
        .clone()
        .callback(EarlyStopping::new("val_hits").patience(15).restore_best())
        .callback(ReduceOnPlateau::new("cost").factor(0.5).patience(5))
        .callback(CsvLog::new(&table))
        .callback(JsonLines::new(&lines))
        .checkpoint(Checkpoint::new(&best).best("val_hits"));
    let history = model.fit(&data, &run).unwrap();
    let names = ["loss", "binary_accuracy", "cost", "auc", "hits"];
    assert_eq!(history.names()[..5], names);
    assert_eq!(history.names()[5..], names.map(|name| format!("val_{name}")));
    // More hits are better, less cost is; the run stopped by the hits.
    let (epoch, most) = history.max("val_hits").unwrap();
    assert_eq!((history.best("val_hits"), history.best("val_cost")), (Some((epoch, most)), history.min("val_cost")));
    assert!(history.stopped.is_some() && history.epochs.len() == epoch + 15, "{history}");
    assert!(most > history.get("val_hits")[0], "{history}");
    // The weights of the best epoch are here again, and in the file.
    let evaluation = model.evaluate(&data).unwrap();
    assert_eq!(
        (evaluation.get("hits"), evaluation.get("cost")),
        (Some(most), Some(history.get("val_cost")[epoch - 1]))
    );
    let matrix = evaluation.confusion_matrix().unwrap();
    assert_eq!(evaluation.get("cost"), Some(5.0 * matrix.count(1, 0) + matrix.count(0, 1)));
    let mut loaded = Model::load_from(&best, device.clone()).unwrap();
    assert_eq!(loaded.evaluate(&data).unwrap().values.len(), 2);
    loaded.set_metrics([Metric::custom(Cost), Metric::custom(HITS)]).unwrap();
    assert_eq!(loaded.evaluate(&data).unwrap().get("hits"), Some(most));
    // A run goes on with the metrics that it had, by name.
    let (mut fresh, _) = answers(device);
    let resumed = run.epochs(epoch + 1).resume(&best);
    let error = fresh.fit(&data, &settings.resume(&best)).unwrap_err().to_string();
    assert!(error.contains("metrics must be") && error.contains("val_hits"), "{error}");
    fresh.set_metrics([Metric::custom(Cost), Metric::RocAuc, Metric::custom(HITS)]).unwrap();
    assert_eq!(fresh.fit(&data, &resumed).unwrap().get("hits")[..epoch], history.get("hits")[..epoch]);
    // Logs have every name.
    let head = "epoch,seconds,learning_rate,loss,binary_accuracy,cost,auc,hits,val_loss";
    assert!(std::fs::read_to_string(&table).unwrap().starts_with(head));
    assert!(std::fs::read_to_string(&lines).unwrap().contains("\"val_hits\":"));
    std::fs::remove_dir_all(folder).unwrap();
}

/// A metric that cannot be reported as it is says so before anything runs, one that asks for too little at the first
/// report; what has no value reads NaN.
pub fn what_a_users_own_may_not_be(device: &Device) {
    let (mut model, data) = answers(device);
    let refused = |result: Result<()>, wanted: &str| assert_eq!(result.unwrap_err().to_string(), wanted);
    let called = |name| Metric::custom(Own { name, ..HITS });
    for (name, shown) in [("two words", "two words"), ("val_cost", "val_cost"), ("", ""), ("a\tb", "a\\tb")] {
        let wanted = format!("metrics[0]: name must be a word that does not begin with \"val_\", got \"{shown}\"");
        refused(model.set_metrics([called(name)]), &wanted);
    }
    let twice = [called("cost"), Metric::RocAuc, Metric::custom(Cost)];
    refused(model.set_metrics(twice), "metrics[2]: metric must be there once, got cost");
    refused(model.set_metrics([called("auc"), Metric::RocAuc]), "metrics[1]: metric must be there once, got auc");
    let wanted = "set_metrics: output names must be such that every reported value has a name of its own, \
                  got \"loss\" for the loss of all outputs and for the loss of dense_1";
    refused(model.set_metrics([called("loss")]), wanted);
    let nothing = Metric::custom(Own { needs: &[], ..HITS });
    refused(model.set_metrics([nothing]), "metrics[0]: needs must be at least one for hits, got none");
    let mut classes = classifier(device, Sgd::new(0.1));
    let wanted = "must be yes and no in one column, got categorical_cross_entropy of 3 columns";
    let error = classes.set_metrics([Metric::custom(Cost)]).unwrap_err().to_string();
    assert!(error.ends_with(wanted), "{error}");
    let ranks = Metric::custom(Own { needs: &[Need::Rank], ..HITS });
    let wanted = "dense_1: hits: output must be classes, got binary_cross_entropy of 1 column";
    refused(model.set_metrics([ranks]), wanted);
    // Nothing of it was taken up.
    assert_eq!(model.evaluate(&data).unwrap().values.len(), 2);

    // Another metric may need what this one forgot.
    let forgetful = Metric::custom(Own { needs: &[Need::Columns], ..HITS });
    model.set_metrics([forgetful, Metric::F1(Average::Binary)]).unwrap();
    let wanted = "hits: needs must be with Predicted, which its value is computed from, got [Columns]";
    assert_eq!(model.evaluate(&data).unwrap_err().to_string(), wanted);
    assert_eq!(model.fit(&data, &Fit::new().silent()).unwrap_err().to_string(), wanted);

    let undefined = Own { name: "undefined", value: |_| Ok(f64::NAN), ..HITS };
    let missing = |_: &Rows<'_>| Err(Error::Data { place: "missing".to_owned(), problem: "no row".to_owned() });
    let missing = Own { name: "missing", value: missing, ..HITS };
    model.set_metrics([Metric::custom(undefined), Metric::custom(missing)]).unwrap();
    let settings = Fit::new().epochs(9).validation(&data).silent();
    let stopping = EarlyStopping::new("val_undefined").patience(3);
    let history = model.fit(&data, &settings.callback(stopping).callback(TerminateOnNonFinite::new())).unwrap();
    assert_eq!((history.epochs.len(), history.best("undefined"), history.best("missing")), (3, None, None));
    assert!(history.get("val_undefined").iter().chain(&history.get("missing")).all(|value| value.is_nan()));
}
