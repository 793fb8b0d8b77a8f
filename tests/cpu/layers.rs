//! Layers on the CPU backend: in models (`tests/common/layers.rs`), and against PyTorch's float64 results.
//!
//! The f64 twins are held against PyTorch; f32 twins and GPUs are held against the f64 twins, kernel by kernel, in
//! `axone::check`. Both sides round in f64, u = 1.1e-16: a result is a sum of at most 27 terms, each a few products,
//! quotients and roots, 64 roundings of the size of its terms in all. A column whose numbers are κ times as large as
//! their deviation loses that factor when the mean is taken away.

use crate::common::fixtures::Tensors;
use crate::common::machine::{Machine, plan};
use crate::common::{U64, assert_none, differences, layers};
use axone::cpu::CpuExecutor;
use axone::graph::{Graph, NodeId, Role, differentiate};
use axone::kernels::{AlphaDropout, Step};
use axone::model::Purpose;
use axone::plan::{Buffer, BufferRange, Executor, Lowering, PlanId, Slab, lower};
use axone::prelude::*;

const ROUNDINGS: f64 = 64.0 * U64;

#[test]
fn in_models() {
    for device in [Device::cpu(), Device::cpu_f64()] {
        layers::a_model_of_every_layer_learns(&device);
        layers::padding_is_not_measured(&device);
        layers::a_single_row_has_no_variance(&device);
        layers::a_single_row_at_the_end_of_an_epoch(&device);
        layers::an_activity_penalty_is_part_of_the_loss(&device);
        layers::inference_uses_the_running_statistics(&device);
        layers::a_frozen_batch_norm_stays_as_it_is(&device);
        layers::statistics_move_once_a_step_by_hand(&device);
    }
    layers::every_dispatch_agrees_with_f64(&Device::cpu());
}

#[cfg(feature = "save")]
#[test]
fn statistics_are_saved() {
    layers::statistics_are_saved(&Device::cpu(), "cpu");
}

#[test]
fn gradients_of_a_model_of_every_layer() {
    let report = axone::check::gradient_check(&mut layers::everything(&Device::cpu()), &layers::table(9)).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
    // Three tables, a weight, scale and shift twice, three dense layers with bias; no running statistics.
    assert_eq!(report.rows.len(), 3 + 1 + 4 + 6, "{report}");
}

/// Tables 40 and 21, the dense layers 228, 156, 156 and 39, scale and shift of two normalisations 24 each.
#[test]
fn the_summary_tells_what_is_trained() {
    let model = layers::everything(&Device::cpu());
    let printed = model.summary().to_string();
    assert_eq!(printed.lines().last(), Some("688 trainable parameters, 24 non-trainable"), "{printed}");
    assert_eq!((model.parameters(), model.summary().non_trainable()), (688, 24));
    for line in ["batch_norm_1 batch_norm (B, 12) 48", "residual_1 <- activity_regularization_1, dense_3 add (B, 12) 0"]
    {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(printed.lines().any(|printed| words(printed) == words(line)), "no `{line}` in\n{printed}");
    }
}

/// A layer between an input x and the sum of y dy, on the f64 twins.
struct Bench {
    executor: CpuExecutor<f64>,
    id: PlanId,
    inputs: Vec<BufferRange>,
    outputs: Vec<BufferRange>,
    slab: Slab,
}

impl Bench {
    /// `build` returns y; x is the first input, dy the second, and dx is wanted if `with_dx`.
    fn new(batch: usize, x: usize, dy: usize, with_dx: bool, build: impl Fn(&mut Graph, NodeId) -> NodeId) -> Self {
        let mut graph = Graph::new();
        let (x, dy) = (graph.input("x", x).unwrap(), graph.input("dy", dy).unwrap());
        let y = build(&mut graph, x);
        let product = graph.mul("weighted", y, dy).unwrap();
        let sums = graph.sum_cols("sums", product);
        let ones = graph.fill("ones", 1.0, graph.shape(sums));
        let loss = graph.weighted_sum("loss", sums, ones).unwrap();
        let wrt: Vec<NodeId> = graph.parameter_nodes().into_iter().chain([x]).collect();
        let mut found = differentiate(&mut graph, loss, &wrt).unwrap();
        let dx = found.pop().flatten();
        let gradients: Vec<_> = found.into_iter().enumerate().filter_map(|(i, node)| Some((i, node?))).collect();
        let outputs: Vec<NodeId> = [Some(y), dx.filter(|_| with_dx)].into_iter().flatten().collect();
        let what = Lowering {
            name: "bench",
            batch,
            gather: false,
            fused: true,
            half: false,
            outputs: &outputs,
            logs: &[],
            gradients: &gradients,
            update: None,
        };
        let plan = lower(&graph, &what).unwrap();
        let mut executor = CpuExecutor::new();
        let id = executor.load(&plan).unwrap();
        let inputs = plan.inputs.iter().flatten().copied().collect();
        Self { executor, id, inputs, outputs: plan.outputs, slab: Slab::new(graph.parameters()) }
    }

    fn set(&mut self, parameter: usize, values: &[f64]) {
        let at = self.slab.range(Buffer::Parameters, parameter).offset;
        self.executor.write_real(self.id, Buffer::Parameters, at, values).unwrap();
    }

    fn run(&mut self, x: &[f64], dy: &[f64], valid: usize) -> Vec<Vec<f64>> {
        for (range, values) in self.inputs.iter().zip([x, dy]) {
            self.executor.write_real(self.id, range.buffer, 0, values).unwrap();
        }
        self.executor.run(self.id, &[Step { valid: valid as u32, ..Step::default() }]).unwrap();
        self.outputs.iter().map(|range| self.executor.read_real(self.id, *range).unwrap()).collect()
    }

    fn slab(&mut self, buffer: Buffer, parameter: usize) -> Vec<f64> {
        self.executor.read_real(self.id, self.slab.range(buffer, parameter)).unwrap()
    }
}

/// Five steps, the last with 5 of 16 rows, and the running statistics after each; then inference.
#[test]
fn batch_norm_is_pytorchs() {
    const BATCH: usize = 16;
    const COLS: usize = 6;
    let file = Tensors::read("layers.safetensors");
    let get = |name: &str| file.get(&format!("batch_norm.{name}"));
    let (x, dy, scale, shift) = (get("x"), get("dy"), get("scale"), get("shift"));
    let declare = |g: &mut Graph| {
        let named = [("scale", Role::Norm), ("shift", Role::Norm), ("mean", Role::Statistic), ("var", Role::Statistic)];
        named.map(|(name, role)| g.parameter(name, role, 1, COLS).unwrap())
    };
    let mut bench = Bench::new(BATCH, COLS, COLS, true, |g, x| {
        let parameters = declare(g);
        g.batch_norm("batch_norm", x, parameters, 1e-5, 0.1).unwrap()
    });
    for (i, values) in [scale, shift, &[0.0; COLS], &[1.0; COLS]].into_iter().enumerate() {
        bench.set(i, values);
    }
    let mut found = Vec::new();
    let mut check = |what: &str, got: &[f64], want: &[f64], size: &dyn Fn(usize) -> f64| {
        found.extend(differences(what, got, want, |i| ROUNDINGS * size(i)));
    };
    for (step, first) in (0..x.len() / COLS).step_by(BATCH).enumerate() {
        let rows = (x.len() / COLS - first).min(BATCH);
        let part = |values: &[f64], padding: f64| {
            [&values[first * COLS..(first + rows) * COLS], &vec![padding; (BATCH - rows) * COLS]].concat()
        };
        // Padding would throw every mean off, if it were counted.
        let (x, dy) = (part(x, 1e3), part(dy, 0.0));
        let [y, dx] = bench.run(&x, &dy, rows).try_into().unwrap();
        let column = |col: usize| (0..rows).map(move |row| row * COLS + col);
        let mean = |col: usize| column(col).map(|i| x[i]).sum::<f64>() / rows as f64;
        let deviation = |col: usize| {
            let variance = column(col).map(|i| (x[i] - mean(col)).powi(2)).sum::<f64>() / rows as f64;
            (variance + 1e-5).sqrt()
        };
        let largest = |col: usize| column(col).map(|i| x[i].abs()).fold(0.0, f64::max);
        let loss = |col: usize| 1.0 + largest(col) / deviation(col);
        let slopes = |col: usize| column(col).map(|i| dy[i].abs()).sum::<f64>();
        // A normalised value of n rows is at most √n.
        let most = (rows as f64).sqrt();
        let size_y = |i: usize| loss(i % COLS) * (scale[i % COLS].abs() * most + shift[i % COLS].abs());
        let size_dx = |i: usize| {
            let col = i % COLS;
            loss(col) * scale[col].abs() / deviation(col) * slopes(col) * (1.0 + most * most)
        };
        let range = first * COLS..(first + rows) * COLS;
        check("y", &y[..rows * COLS], &get("y")[range.clone()], &size_y);
        check("dx", &dx[..rows * COLS], &get("dx")[range], &size_dx);
        assert!(dx[rows * COLS..].iter().all(|dx| *dx == 0.0), "padding has a gradient");
        let stacked = |name: &str| get(name)[step * COLS..(step + 1) * COLS].to_vec();
        let dscale = bench.slab(Buffer::Gradients, 0);
        check("dscale", &dscale, &stacked("dscale"), &|col| loss(col) * slopes(col) * most);
        check("dshift", &bench.slab(Buffer::Gradients, 1), &stacked("dshift"), &|col| slopes(col));
        check("mean", &bench.slab(Buffer::Parameters, 2), &stacked("mean"), &|col| largest(col));
        let variance = bench.slab(Buffer::Parameters, 3);
        check("variance", &variance, &stacked("variance"), &|col| (1.0 + deviation(col).powi(2)) * loss(col));
    }
    let mut graph = Graph::new();
    let input = graph.input("x", COLS).unwrap();
    let parameters = declare(&mut graph);
    let y = graph.batch_norm_inference("batch_norm", input, parameters, 1e-5).unwrap();
    let running = [get("mean"), get("variance")].map(|all| &all[all.len() - COLS..]);
    let slab = Slab::new(graph.parameters());
    let mut values = vec![0.0; slab.len()];
    for (i, parameter) in [scale, shift, running[0], running[1]].into_iter().enumerate() {
        values[slab.range(Buffer::Parameters, i).offset..][..COLS].copy_from_slice(parameter);
    }
    let y = Machine::oracle().run(&plan(&graph, &[y], x.len() / COLS, true), &[x], &values).remove(0);
    let size = |i: usize| {
        let col = i % COLS;
        scale[col].abs() * (x[i].abs() + running[0][col].abs()) / (running[1][col] + 1e-5).sqrt() + shift[col].abs()
    };
    check("inference", &y, get("inference"), &size);
    assert_none(&found);
}

#[test]
fn layer_norm_is_pytorchs() {
    const ROWS: usize = 12;
    const COLS: usize = 9;
    let file = Tensors::read("layers.safetensors");
    let get = |name: &str| file.get(&format!("layer_norm.{name}"));
    let (x, dy, scale) = (get("x"), get("dy"), get("scale"));
    let mut bench = Bench::new(ROWS, COLS, COLS, true, |g, x| {
        let [scale, shift] = ["scale", "shift"].map(|name| g.parameter(name, Role::Norm, 1, COLS).unwrap());
        g.layer_norm("layer_norm", x, scale, shift, 1e-5).unwrap()
    });
    bench.set(0, scale);
    bench.set(1, get("shift"));
    let [y, dx] = bench.run(x, dy, 0).try_into().unwrap();
    let row = |i: usize| &x[i / COLS * COLS..][..COLS];
    let deviation = |i: usize| {
        let mean = row(i).iter().sum::<f64>() / COLS as f64;
        (row(i).iter().map(|x| (x - mean).powi(2)).sum::<f64>() / COLS as f64 + 1e-5).sqrt()
    };
    let loss = |i: usize| 1.0 + row(i).iter().fold(0.0, |most: f64, x| most.max(x.abs())) / deviation(i);
    // A normalised value of n columns is at most √n.
    let most = (COLS as f64).sqrt();
    let slopes = |i: usize| (0..COLS).map(|col| (dy[i / COLS * COLS + col] * scale[col]).abs()).sum::<f64>();
    let size_y = |i: usize| loss(i) * (scale[i % COLS].abs() * most + get("shift")[i % COLS].abs());
    let size_dx = |i: usize| loss(i) / deviation(i) * slopes(i) * (1.0 + most * most);
    let column = |col: usize| (0..ROWS).map(move |row| row * COLS + col);
    let size_dscale = |col: usize| column(col).map(|i| loss(i) * dy[i].abs() * most).sum::<f64>();
    let size_dshift = |col: usize| column(col).map(|i| dy[i].abs()).sum::<f64>();
    let mut found = differences("y", &y, get("y"), |i| ROUNDINGS * size_y(i));
    found.extend(differences("dx", &dx, get("dx"), |i| ROUNDINGS * size_dx(i)));
    let (dscale, dshift) = (bench.slab(Buffer::Gradients, 0), bench.slab(Buffer::Gradients, 1));
    found.extend(differences("dscale", &dscale, get("dscale"), |i| ROUNDINGS * size_dscale(i)));
    found.extend(differences("dshift", &dshift, get("dshift"), |i| ROUNDINGS * size_dshift(i)));
    assert_none(&found);
}

/// Values are moved, not computed; a gradient is a sum of at most 42 numbers of size 4.
#[test]
fn embeddings_are_pytorchs() {
    const ROWS: usize = 14;
    const WIDTH: usize = 4;
    let file = Tensors::read("layers.safetensors");
    let get = |name: &str| file.get(&format!("embedding.{name}"));
    let mut found = Vec::new();
    for (kind, tables) in
        [("shared", vec![(5, String::new())]), ("own", vec![(3, "0".into()), (7, "1".into()), (2, "2".into())])]
    {
        let mut bench = Bench::new(ROWS, 3, 3 * WIDTH, false, |g, x| {
            let declare = |(rows, name): &(usize, String)| g.parameter(&format!("w{name}"), Role::Weight, *rows, WIDTH);
            let tables: Vec<NodeId> = tables.iter().map(declare).map(Result::unwrap).collect();
            g.embedding("embedding", x, &tables).unwrap()
        });
        for (i, (_, name)) in tables.iter().enumerate() {
            bench.set(i, get(&format!("w{name}")));
        }
        let y = bench.run(get(kind), get("dy"), 0).remove(0);
        assert_eq!(y, get(&format!("{kind}.y")), "{kind}");
        for (i, (_, name)) in tables.iter().enumerate() {
            let (got, want) = (bench.slab(Buffer::Gradients, i), get(&format!("dw{name}")));
            found.extend(differences(&format!("{kind} dw{name}"), &got, want, |_| ROUNDINGS * 42.0 * 4.0));
        }
    }
    assert_none(&found);
}

/// PyTorch's three numbers: what a kept 0, a dropped element and a kept 1 become. Held in f32 here: half an ulp each.
#[test]
fn alpha_dropout_is_pytorchs() {
    let file = Tensors::read("layers.safetensors");
    for rate in [0.25, 0.5] {
        let layer = AlphaDropout::new(1, rate, 0);
        let got = [layer.shift, layer.dropped, layer.scale + layer.shift].map(f64::from);
        let want = file.get(&format!("alpha_dropout.{rate}"));
        assert_none(&differences("alpha_dropout", &got, want, |i| f64::from(f32::EPSILON) * want[i].abs() * 2.0));
    }
}

/// A layer costs the dispatches that it is said to cost.
#[test]
fn normalisation_is_fused() {
    let dispatches = |net: Sequential, fused: bool| {
        let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
        let plan = model.program().plan(Purpose::Train, 8, &[false], fused).unwrap();
        plan.steps.iter().map(axone::plan::PlanStep::kernel_name).collect::<Vec<_>>()
    };
    let plain = || Sequential::new(3).add(Dense::new(4));
    let without = dispatches(plain().add(Dense::new(1)), true).len();
    let batch = dispatches(plain().add(BatchNorm::new()).add(Dense::new(1)), true);
    assert_eq!(batch.len(), without + 3, "{batch:?}");
    let layer = dispatches(plain().add(LayerNorm::new()).add(Dense::new(1)), true);
    assert_eq!(layer.len(), without + 3, "{layer:?}");
    // Nothing in front wants a gradient with respect to the input: the parts run alone.
    let first = dispatches(Sequential::new(3).add(BatchNorm::new()).add(Dense::new(1)), true);
    assert!(first.contains(&"batch_norm_grad.scale_alone".to_owned()), "{first:?}");
    let unfused = dispatches(plain().add(BatchNorm::new()).add(Dense::new(1)), false);
    assert!(unfused.contains(&"batch_norm.normalize".to_owned()), "{unfused:?}");
}
