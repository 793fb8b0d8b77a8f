//! Runs a small graph whose inputs the test writes itself: the route of `predict`, on any executor.
//!
//! The f64 CPU executor is read in its own precision; everything else answers in f32.

use axone::Device;
use axone::cpu::CpuExecutor;
use axone::graph::{Graph, NodeId};
use axone::kernels::Step;
use axone::plan::{Buffer, Executor, Lowering, Plan, lower};

/// An executor and how to read it.
pub enum Machine {
    /// f32, on any device.
    F32(Box<dyn Executor>),
    /// The oracle.
    F64(CpuExecutor<f64>),
}

/// A plan that reads `outputs` of `graph`, whose inputs the caller writes.
pub fn plan(graph: &Graph, outputs: &[NodeId], batch: usize, fused: bool) -> Plan {
    plan_in(graph, outputs, batch, fused, false)
}

/// The same; `half`: in f16 what can be.
pub fn plan_in(graph: &Graph, outputs: &[NodeId], batch: usize, fused: bool, half: bool) -> Plan {
    let (logs, gradients) = (&[], &[]);
    let none = Lowering { name: "test", batch, gather: false, fused, half, outputs, logs, gradients, update: None };
    lower(graph, &none).unwrap()
}

/// A step without padding.
pub fn whole_batch(plan: &Plan) -> Step {
    Step { valid: plan.batch as u32, ..Step::default() }
}

impl Machine {
    /// f32 on `device`.
    pub fn on(device: &Device) -> Self {
        Machine::F32(device.executor())
    }

    /// The f64 twins.
    pub fn oracle() -> Self {
        Machine::F64(CpuExecutor::new())
    }

    /// Unit roundoff.
    pub fn roundoff(&self) -> f64 {
        match self {
            Machine::F32(_) => super::U32,
            Machine::F64(_) => super::U64,
        }
    }

    /// Writes `inputs` and `parameters` (the whole slab), runs `plan` once and reads its outputs.
    pub fn run(&mut self, plan: &Plan, inputs: &[&[f64]], parameters: &[f64]) -> Vec<Vec<f64>> {
        let places =
            plan.inputs.iter().zip(inputs).filter_map(|(range, data)| range.map(|range| (range.buffer, *data)));
        let writes: Vec<(Buffer, &[f64])> = places.chain([(Buffer::Parameters, parameters)]).collect();
        match self {
            Machine::F32(executor) => {
                let id = executor.load(plan).unwrap();
                for (buffer, data) in writes.iter().filter(|(_, data)| !data.is_empty()) {
                    let narrow: Vec<f32> = data.iter().map(|x| *x as f32).collect();
                    executor.write(id, *buffer, 0, &narrow).unwrap();
                }
                executor.run(id, &[whole_batch(plan)]).unwrap();
                let read = |range| executor.read(id, range).unwrap().into_iter().map(f64::from).collect();
                let outputs = plan.outputs.iter().copied().map(read).collect();
                executor.unload(id);
                outputs
            }
            Machine::F64(executor) => {
                let id = executor.load(plan).unwrap();
                for (buffer, data) in writes.iter().filter(|(_, data)| !data.is_empty()) {
                    executor.write_real(id, *buffer, 0, data).unwrap();
                }
                executor.run(id, &[whole_batch(plan)]).unwrap();
                let outputs = plan.outputs.iter().map(|range| executor.read_real(id, *range).unwrap()).collect();
                executor.unload(id);
                outputs
            }
        }
    }
}

/// The value of `f(x)` and its gradient `dx` for the upstream gradient `dy`, both `(rows, cols)`.
pub fn forward_and_backward(
    machine: &mut Machine,
    cols: usize,
    x: &[f64],  // (rows, cols)
    dy: &[f64], // (rows, cols)
    f: impl Fn(&mut Graph, NodeId) -> NodeId,
) -> [Vec<f64>; 2] {
    let mut graph = Graph::new();
    let input = graph.input("x", cols).unwrap();
    let upstream = graph.input("dy", cols).unwrap();
    let y = f(&mut graph, input);
    let weighted = graph.mul("weighted", y, upstream).unwrap();
    let rows = graph.sum_cols("rows", weighted);
    let ones = graph.fill("ones", 1.0, graph.shape(rows));
    let loss = graph.weighted_sum("loss", rows, ones).unwrap();
    let dx = axone::graph::differentiate(&mut graph, loss, &[input]).unwrap()[0].unwrap();
    let plan = plan(&graph, &[y, dx], x.len() / cols, false);
    let [y, dx] = machine.run(&plan, &[x, dy], &[]).try_into().unwrap();
    [y, dx]
}
