//! meganeura. `meganeura-peer NAME`, then lines as `protocol.rs` says. It takes the adapter that
//! MEGANEURA_DEVICE_ID names, or Vulkan's first.
//!
//! The batch is uploaded once. `Session::step` submits forward, backward and update together and, before that, waits
//! for the step before: one step at a time is all its interface has. The loss is not read. The session tunes its
//! products (`SessionConfig::tune`) before the warm-up.

#[path = "../../protocol.rs"]
mod protocol;

use meganeura::{Graph, Session, SessionConfig};
use protocol::{Net, Work, noise, serve};
use std::time::Instant;

struct Training(Session);

impl Work for Training {
    fn steps(&mut self, count: usize) -> (usize, f64) {
        let begun = Instant::now();
        for _ in 0..count {
            self.0.step();
        }
        self.0.wait();
        (count, begun.elapsed().as_secs_f64())
    }
}

fn main() {
    let name = protocol::name("usage: meganeura-peer [NAME], then NET OPTIMIZER SECONDS on each line of standard input", "meganeura");
    serve(&name, "meganeura 0.3.0, blade, Vulkan", make);
}

fn make(net: &str, optimizer: &str) -> Option<Box<dyn Work>> {
    let net = Net::named(net)?;
    let mut graph = Graph::new();
    let classes = net.widths[net.widths.len() - 1];
    let mut h = graph.input("x", &[net.batch, net.widths[0]]);
    let labels = graph.input("labels", &[net.batch, classes]);
    let layers = net.widths.len() - 1;
    for (i, pair) in net.widths.windows(2).enumerate() {
        let w = graph.parameter(&format!("w{i}"), &[pair[0], pair[1]]);
        let b = graph.parameter(&format!("b{i}"), &[pair[1]]);
        let product = graph.matmul(h, w);
        h = graph.bias_add(product, b);
        if i + 1 < layers {
            h = graph.relu(h);
        }
    }
    let loss = graph.cross_entropy_loss(h, labels);
    graph.set_outputs(vec![loss]);

    let mut session = meganeura::build(&graph, SessionConfig { tune: true, ..SessionConfig::from_env() }).0;
    for (i, pair) in net.widths.windows(2).enumerate() {
        let scale = (6.0 / (pair[0] + pair[1]) as f32).sqrt();
        let w: Vec<f32> = noise(pair[0] * pair[1], i as u64).into_iter().map(|u| scale * (2.0 * u - 1.0)).collect();
        session.set_parameter(&format!("w{i}"), &w);
        session.set_parameter(&format!("b{i}"), &vec![0.0; pair[1]]);
    }
    session.set_input("x", &net.inputs(1));
    let mut one_hot = vec![0.0; net.batch * classes];
    for (row, class) in net.classes(1).into_iter().enumerate() {
        one_hot[row * classes + class as usize] = 1.0;
    }
    session.set_input("labels", &one_hot);
    match optimizer {
        "sgd" => session.set_learning_rate(0.01),
        "adam" => session.set_adam(0.001, 0.9, 0.999, 1e-8),
        _ => return None,
    }
    Some(Box::new(Training(session)))
}
