//! burn, on the backend this was built for (`--features wgpu`, `vulkan` or `flex`). `burn-peer NAME`, then lines as
//! `protocol.rs` says.
//!
//! The batch lies on the device; a step reads nothing back, and the device is waited for once a chunk of steps.
//! wgpu and vulkan run with fusion and autotune, whose choices are made in the warm-up and kept in memory.
//! BURN_ADAPTER: `cpu` takes the software adapter; otherwise burn takes its default device.

#[path = "../../protocol.rs"]
mod protocol;

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{Calls, Net, SIDE, Work, noise, serve};

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    fn forward(&self, mut h: Tensor<2>) -> Tensor<2> {
        for (i, layer) in self.layers.iter().enumerate() {
            h = layer.forward(h);
            if i + 1 < self.layers.len() {
                h = relu(h);
            }
        }
        h
    }
}

#[cfg(any(feature = "wgpu", feature = "vulkan"))]
fn device() -> (Device, String) {
    use burn::tensor::DeviceKind;
    let software = std::env::var("BURN_ADAPTER").is_ok_and(|adapter| adapter == "cpu");
    let kind = if software { DeviceKind::Cpu } else { DeviceKind::DefaultDevice };
    let compiler = if cfg!(feature = "vulkan") { "SPIR-V" } else { "WGSL" };
    (Device::wgpu(kind), format!("wgpu, {compiler}, fusion, autotune"))
}

#[cfg(feature = "flex")]
fn device() -> (Device, String) {
    let threads = std::env::var("RAYON_NUM_THREADS").unwrap_or_else(|_| "all".to_owned());
    (Device::flex(), format!("flex, simd, rayon, x86-v4, {threads} threads"))
}

fn main() {
    let name = protocol::name("usage: burn-peer [NAME], then NET OPTIMIZER SECONDS on each line of standard input", "burn");
    let (device, about) = device();
    serve(&name, &format!("burn 0.22.1, {about}"), |net, optimizer| make(&device, net, optimizer));
}

fn make(device: &Device, net: &str, optimizer: &str) -> Option<Box<dyn Work>> {
    if net == "matmul" {
        return Some(product(device.clone()));
    }
    let net = Net::named(net)?;
    let (mut optimizer, rate) = match optimizer {
        "sgd" => (SgdConfig::new().init(), 0.01),
        "adam" => (AdamConfig::new().init(), 0.001),
        _ => return None,
    };
    let training = device.clone().autodiff();
    let layers = net.widths.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(&training)).collect();
    let mut model = Some(Mlp { layers });
    let loss = CrossEntropyLossConfig::new().init(&training);
    let x = Tensor::<2>::from_data(TensorData::new(net.inputs(1), [net.batch, net.widths[0]]), &training);
    let classes: Vec<i32> = net.classes(1).into_iter().map(|class| class as i32).collect();
    let y = Tensor::<1, Int>::from_data(TensorData::new(classes, [net.batch]), &training);
    let step = move || {
        let current = model.take().expect("the last step put it back");
        let gradients = loss.forward(current.forward(x.clone()), y.clone()).backward();
        let gradients = GradientsParams::from_grads(gradients, &current);
        model = Some(optimizer.step(rate, current, gradients));
    };
    Some(Box::new(Calls { step, wait: waiting(device.clone()) }))
}

fn product(device: Device) -> Box<dyn Work> {
    let operand = |seed| Tensor::<2>::from_data(TensorData::new(noise(SIDE * SIDE, seed), [SIDE, SIDE]), &device);
    let (a, b) = (operand(1), operand(2));
    let step = move || drop(a.clone().matmul(b.clone()));
    Box::new(Calls { step, wait: waiting(device) })
}

fn waiting(device: Device) -> impl FnMut() {
    move || device.sync().expect("the device is there")
}
