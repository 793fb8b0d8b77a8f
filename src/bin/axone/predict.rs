//! `axone predict`: the outputs of a model for the rows of a file.

use crate::arguments::{Common, Predict};
use crate::said::{Failure, Said};
use crate::{inputs, models, outputs};
use serde_json::json;

pub fn run(args: &Predict, common: &Common) -> Result<Said, Failure> {
    args.output.as_deref().map(outputs::check).transpose()?;
    let mut loaded = models::load(&args.model, common.device()?)?;
    let inputs = inputs::read(&args.input, &loaded, &args.reading)?;
    let rows = inputs.first().map_or(0, |input| input.rows());
    let outputs = outputs::of(&mut loaded, &inputs)?;
    let names: Vec<String> = outputs.iter().map(|output| output.name.clone()).collect();
    match &args.output {
        Some(path) => {
            outputs::write(path, outputs)?;
            let text = format!("{rows} rows, {} to {}\n", names.join(", "), path.display());
            let text = if common.quiet { String::new() } else { text };
            Ok(Said::new(text, json!({ "rows": rows, "outputs": names, "file": path.display().to_string() })))
        }
        None => {
            let values: serde_json::Map<_, _> = outputs
                .iter()
                .map(|output| {
                    let values = match &output.values {
                        outputs::Values::Numbers(values) => json!(values.iter_rows().collect::<Vec<_>>()),
                        outputs::Values::Names(names) => json!(names),
                    };
                    (output.name.clone(), values)
                })
                .collect();
            Ok(Said::new(outputs::table(&outputs)?.to_csv(','), json!({ "rows": rows, "outputs": values })))
        }
    }
}
