//! `axone inspect`: what is in a model file.

use crate::arguments::Inspect;
use crate::models;
use crate::said::{Failure, Said};
use axone::Device;
use serde_json::json;

pub fn run(args: &Inspect) -> Result<Said, Failure> {
    let file = args.model.display().to_string();
    if let Some(state) = models::weights(&args.model) {
        let state = state?;
        let shapes = state.shapes();
        let lines: Vec<String> = shapes.iter().map(|(name, shape)| format!("{name}  {shape:?}")).collect();
        let text = format!("{file}: weights of PyTorch, {} tensors, no layers\n\n{}\n", shapes.len(), lines.join("\n"));
        let tensors = shapes.iter().map(|(name, shape)| json!({ "name": name, "shape": shape })).collect::<Vec<_>>();
        return Ok(Said::new(text, json!({ "file": file, "format": "torch", "tensors": tensors })));
    }
    let loaded = models::load(&args.model, Device::cpu())?;
    let (model, format) = (&loaded.model, loaded.format);
    let (program, summary) = (model.program(), model.summary());
    let (network, schema) = (program.network(), model.schema());
    let losses: Vec<&str> = program.losses().iter().map(|loss| loss.name()).collect();
    let optimizer = program.optimizer();
    let mut text = format!("{file}: {format}\n\n{summary}\n");
    if format == "axone" {
        let losses = if losses.is_empty() { "no loss".to_owned() } else { losses.join(", ") };
        text += &format!("trained on {losses} by {}\n", optimizer.name());
    }
    let shapes = |shapes: Vec<(&str, &[usize])>| {
        shapes.iter().map(|(name, shape)| json!({ "name": name, "shape": shape })).collect::<Vec<_>>()
    };
    for (what, ends) in [("inputs", network.input_shapes()), ("outputs", network.output_shapes())] {
        let ends: Vec<String> = ends.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
        text += &format!("{what}: {}\n", ends.join(", "));
    }
    for output in &loaded.named {
        if let Some(classes) = &output.classes {
            text += &format!("{}: the class of {}\n", output.name, classes.join(", "));
        }
    }
    if let Some(schema) = schema {
        text += &format!("\n{schema}\n");
    }
    if let Some(threshold) = model.threshold() {
        text += &format!("yes above {threshold}\n");
    }
    let named = loaded.named.iter().map(|output| json!({ "name": output.name, "classes": output.classes }));
    let json = json!({
        "file": file,
        "format": format,
        "inputs": shapes(network.input_shapes()),
        "outputs": shapes(network.output_shapes()),
        "named_outputs": named.collect::<Vec<_>>(),
        "parameters": summary.parameters(),
        "non_trainable": summary.non_trainable(),
        "frozen": model.frozen(),
        "layers": summary.to_string().lines().collect::<Vec<_>>(),
        "losses": losses,
        "optimizer": optimizer.name(),
        "threshold": model.threshold(),
        "schema": schema,
    });
    Ok(Said::new(text, json))
}
