//! `axone convert`: a model file in another format.

use crate::arguments::{Common, Convert, Format};
use crate::models;
use crate::said::{Failure, Said};
use axone::Device;
use axone::interop::onnx;
use axone::interop::torch::StateDict;
use serde_json::json;

pub fn run(args: &Convert, common: &Common) -> Result<Said, Failure> {
    let format = match (args.format, models::extension(&args.to).as_str()) {
        (Some(format), _) => format,
        (None, "onnx") => Format::Onnx,
        (None, "safetensors") => Format::Axone,
        (None, "pt" | "pth") => {
            let instead = "PyTorch's weights are written as safetensors: `weights.safetensors --to torch`";
            return Err(Failure::usage(format!("{}: {instead}", args.to.display())));
        }
        (None, _) => return Err(models::unknown(&args.to)),
    };
    let modules: Vec<(&str, &str)> = args.modules.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let mut lines = Vec::new();
    let mut model = match (&args.like, models::weights(&args.from)) {
        (Some(like), Some(state)) => {
            let mut model = models::load(like, Device::cpu())?.model;
            lines.push(state?.load_into(&mut model, &modules)?.to_string());
            model
        }
        (None, Some(_)) => {
            let problem = "weights alone: --like MODEL names a model file that has the layers";
            return Err(Failure::usage(format!("{}: {problem}", args.from.display())));
        }
        (Some(_), None) => return Err(Failure::usage("--like is for weights alone, and this file has its layers")),
        (None, None) => models::load(&args.from, Device::cpu())?.model,
    };
    if model.schema().is_some() && format == Format::Torch {
        common.note(
            "the columns of its table, their names and scaling are not written: the file takes numbers as scaled",
        );
    }
    match format {
        Format::Axone => model.save(&args.to)?,
        Format::Onnx => onnx::save(&mut model, &args.to)?,
        Format::Torch => StateDict::of(&mut model, &modules)?.save(&args.to)?,
    }
    lines.push(format!("{} to {}\n", args.from.display(), args.to.display()));
    let json =
        json!({ "from": args.from.display().to_string(), "to": args.to.display().to_string(), "matched": lines[0] });
    Ok(Said::new(lines.join("\n"), json))
}
