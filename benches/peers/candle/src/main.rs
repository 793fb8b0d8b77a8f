//! candle on the CPU. `candle-peer`, then lines as `protocol.rs` says. RAYON_NUM_THREADS sets the threads.
//!
//! The batch lies ready as tensors; the step is `loss::cross_entropy` and `Optimizer::backward_step`, as in candle's
//! own examples. Adam is `AdamW` without weight decay.

#[path = "../../protocol.rs"]
mod protocol;

use candle_core::{DType, Device, Module, Result, Tensor};
use candle_nn::{AdamW, Linear, Optimizer, ParamsAdamW, SGD, VarBuilder, VarMap, linear, loss};
use protocol::{Calls, Net, Work, noise, serve};

fn main() {
    let threads = candle_core::utils::get_num_threads();
    let name = protocol::name("usage: candle-peer [NAME], then NET OPTIMIZER SECONDS on each line of standard input", "candle");
    serve(&name, &format!("candle 0.11.1, CPU, {threads} threads"), |net, optimizer| {
        make(net, optimizer).expect("candle has every operation of the step")
    });
}

fn make(net: &str, optimizer: &str) -> Result<Option<Box<dyn Work>>> {
    if net == "matmul" {
        let side = protocol::SIDE;
        let operand = |seed| Tensor::from_vec(noise(side * side, seed), (side, side), &Device::Cpu);
        let (a, b) = (operand(1)?, operand(2)?);
        let step = move || {
            a.matmul(&b).expect("square");
        };
        return Ok(Some(Box::new(Calls { step, wait: || {} })));
    }
    let Some(net) = Net::named(net) else { return Ok(None) };
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let layers: Vec<Linear> = net
        .widths
        .windows(2)
        .enumerate()
        .map(|(i, pair)| linear(pair[0], pair[1], builder.pp(i)))
        .collect::<Result<_>>()?;
    let x = Tensor::from_vec(net.inputs(1), (net.batch, net.widths[0]), &Device::Cpu)?;
    let y = Tensor::from_vec(net.classes(1), net.batch, &Device::Cpu)?;
    let loss = move || -> Result<Tensor> {
        let mut h = x.clone();
        for (i, layer) in layers.iter().enumerate() {
            h = layer.forward(&h)?;
            if i + 1 < layers.len() {
                h = h.relu()?;
            }
        }
        loss::cross_entropy(&h, &y)
    };
    Ok(match optimizer {
        "sgd" => Some(training(SGD::new(variables.all_vars(), 0.01)?, loss)),
        "adam" => {
            let settings = ParamsAdamW { lr: 0.001, weight_decay: 0.0, ..ParamsAdamW::default() };
            Some(training(AdamW::new(variables.all_vars(), settings)?, loss))
        }
        _ => None,
    })
}

fn training(mut optimizer: impl Optimizer + 'static, loss: impl Fn() -> Result<Tensor> + 'static) -> Box<dyn Work> {
    let step = move || {
        let loss = loss().expect("shapes fit");
        optimizer.backward_step(&loss).expect("every variable has a gradient");
    };
    Box::new(Calls { step, wait: || {} })
}
