//! Forward and backward propagation, printed. Builds the graph of a small classifier by hand, lets
//! `differentiate` append the backward nodes, and lowers it to plans without and with fusion.
//!
//! `cargo run --release --example inspect_plan`
//!
//! `Sequential` and `Network` do the same from layers; `model.program().plan(..)` gives the plan of any model.

#[path = "common/arguments.rs"]
mod arguments;

use axone::graph::{Graph, Role, differentiate};
use axone::kernels::{self, Activation, Formula, Kernel, UpdateParams};
use axone::plan::{Lowering, ParameterUpdate, Plan, Slab, lower};
use axone::{Error, Result};
use std::process::ExitCode;

/// Rows of a batch, inputs, hidden units, classes.
const SIZES: [usize; 4] = [5, 4, 8, 3];

const USAGE: &str = "usage: inspect_plan

Prints the graph and the plans of a small classifier.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("inspect_plan: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let [batch, inputs, hidden, classes] = SIZES;
    let mut graph = Graph::new();
    let x = graph.input("x", inputs)?;
    let w1 = graph.parameter("dense_1.w", Role::Weight, inputs, hidden)?;
    let z1 = graph.matmul("dense_1", x, w1)?;
    let b1 = graph.parameter("dense_1.b", Role::Bias, 1, hidden)?;
    let z1 = graph.bias_add("dense_1", z1, b1)?;
    let y1 = graph.activation("dense_1", Activation::Tanh, z1);
    let w2 = graph.parameter("dense_2.w", Role::Weight, hidden, classes)?;
    let z2 = graph.matmul("dense_2", y1, w2)?;
    let b2 = graph.parameter("dense_2.b", Role::Bias, 1, classes)?;
    let z2 = graph.bias_add("dense_2", z2, b2)?;
    let target = graph.target("target", 1)?;
    let row_scale = graph.row_scale();
    let row_loss = graph.softmax_cross_entropy("cross_entropy", z2, target, true, 0.0)?;
    let loss = graph.weighted_sum("loss", row_loss, row_scale)?;
    let forward = graph.nodes().len();

    let parameters = graph.parameter_nodes();
    let gradients: Option<Vec<_>> = differentiate(&mut graph, loss, &parameters)?.into_iter().collect();
    let gradients = gradients.ok_or_else(|| Error::Internal("a parameter without a gradient".to_owned()))?;

    println!("GRAPH of y = softmax(tanh(x W1 + b1) W2 + b2) with cross-entropy\n");
    println!("columns: node, operation, shape (B: rows of the batch), nodes it reads, layer (d...: gradient of)\n");
    println!("forward:");
    for (i, line) in graph.to_string().lines().enumerate() {
        if i == forward {
            println!("\nbackward, appended by differentiate:");
        }
        println!("{line}");
    }
    let named = graph.parameters().iter().zip(&gradients);
    let named: Vec<_> = named.map(|(parameter, gradient)| format!("d{} = {gradient}", parameter.name)).collect();
    println!("\ngradients: {}\n", named.join(", "));

    let slab = Slab::new(graph.parameters());
    let gradients: Vec<_> = gradients.into_iter().enumerate().collect();
    let plan = |fused: bool| {
        let params = UpdateParams::new(slab.len() as u32, 0.0, 0.0, 0.0);
        let sgd = Kernel::Update(kernels::Update { formula: Formula::Sgd, params, by_rules: false });
        let sgd = ParameterUpdate { kernel: sgd, moments: 0, max_norm: None, scaled: false };
        let (logs, update) = (&[row_loss], Some(sgd));
        let name = if fused { "fused" } else { "unfused" };
        let (outputs, gradients) = (&[], gradients.as_slice());
        let what = Lowering { name, batch, gather: true, fused, half: false, outputs, logs, gradients, update };
        lower(&graph, &what)
    };

    println!("PLANS for a batch of {batch}: what a device runs at every training step\n");
    println!("columns: number, kernel (shaders/NAME.wgsl), layer, workgroups, buffers read -> written, settings");
    println!("  data.*      the training set, of which gather copies the rows of the batch");
    println!("  tmp0, ...   intermediate values, reused as soon as nothing reads them any more");
    println!("  row_scale   weight of each row over the sum of the batch's weights: what makes the loss a mean");
    println!("  parameters[a..b], gradients[a..b]   elements a to b of the slabs that hold all weights and biases\n");
    show("one kernel for each operation:", &plan(false)?);
    show("fused, bias and activation folded into the matrix products:", &plan(true)?);
    Ok(())
}

fn show(title: &str, plan: &Plan) {
    println!("{title}\n{plan}");
    let sizes: Vec<_> =
        plan.temporaries.iter().enumerate().map(|(i, storage)| format!("tmp{i} {}", storage.len)).collect();
    println!("buffers, in elements of 4 bytes: {}; each slab {}\n", sizes.join(", "), plan.slab);
}
