//! The plans of steps by hand: what `fit` runs as one plan, in pieces, and what it does not need.

use super::network::BuiltNetwork;
use super::program::{Built, or_zeros};
use super::{Precision, Program, Purpose};
use crate::Result;
use crate::graph::{Graph, NodeId, differentiate, vector_jacobian};
use crate::kernels::{Blend, Elementwise, ElementwiseOp, Kernel};
use crate::plan::{Buffer, BufferRange, Lowering, Plan, PlanStep, Slab, lower};

/// What a plan of a step by hand does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Forward, loss, backward, update: the plan of `fit`.
    Step,
    /// Forward, loss, backward.
    Gradients,
    /// The same, and the gradients join those that are there.
    Accumulate,
    /// The optimizer alone.
    Update,
    /// Forward as in training.
    Forward,
    /// Forward and backward as in training, from given gradients of the outputs to those of the parameters.
    Backward {
        /// The gradients are added to those that are there.
        adds: bool,
        /// Those of the inputs are wanted, too.
        to_inputs: bool,
    },
    /// The same without what only training does, to those of the inputs.
    InputGradients,
    /// Forward and loss without what only training does, and backward to the inputs.
    LossInputGradients,
    /// The parameters move towards those of another model.
    Blend,
}

/// All in f32, whatever the precision of `fit`.
impl Program {
    /// The plan for `piece` at batch size `batch`; `classes` as in [`Program::plan`], for tasks with a loss.
    pub(crate) fn piece_plan(&self, piece: Piece, batch: usize, classes: &[bool]) -> Result<Plan> {
        match piece {
            Piece::Step => self.lowered(Purpose::Train, batch, classes, true, true, Precision::F32),
            Piece::Gradients => self.gradient_plan(batch, classes),
            Piece::Accumulate => self.accumulate_plan(batch, classes),
            Piece::Update => self.update_plan(),
            Piece::Blend => self.blend_plan(),
            Piece::LossInputGradients => self.loss_input_plan(batch, classes),
            Piece::Forward | Piece::Backward { .. } | Piece::InputGradients => self.given_plan(piece, batch),
        }
    }

    /// The gradients go to a slab of their own, and from there into the mean.
    fn accumulate_plan(&self, batch: usize, classes: &[bool]) -> Result<Plan> {
        let mut plan = self.gradient_plan(batch, classes)?;
        set_gradients_apart(&mut plan);
        plan.steps.push(blend("accumulate", Buffer::BatchGradients, Buffer::Gradients, plan.slab));
        plan.name = "accumulate".to_owned();
        Ok(plan)
    }

    fn update_plan(&self) -> Result<Plan> {
        let mut graph = Graph::new();
        self.network.build(&mut graph, false, &[])?;
        let update = Some(self.update(Slab::new(graph.parameters()).len(), Precision::F32));
        lower(&graph, &Lowering { update, ..bare("update", 1) })
    }

    fn blend_plan(&self) -> Result<Plan> {
        let mut graph = Graph::new();
        self.network.build(&mut graph, false, &[])?;
        let mut plan = lower(&graph, &bare("blend", 1))?;
        plan.steps.push(blend("blend", Buffer::OtherParameters, Buffer::Parameters, plan.slab));
        Ok(plan)
    }

    /// Inputs and, behind them, the gradients of the outputs are the inputs of the batch.
    fn given_plan(&self, piece: Piece, batch: usize) -> Result<Plan> {
        let mut graph = Graph::new();
        let BuiltNetwork { outputs, .. } =
            self.network.build(&mut graph, piece != Piece::InputGradients, &self.frozen)?;
        let values: Vec<NodeId> = outputs.iter().map(|output| output.value).collect();
        let inputs = graph.input_nodes();
        if piece == Piece::Forward {
            let mut plan = lower(&graph, &Lowering { gather: true, outputs: &values, ..bare("forward", batch) })?;
            // The backward pass on these rows brings the running statistics up to date; once is enough.
            plan.steps.retain(|step| !matches!(step.kernel, Kernel::RunningStatistics(_)));
            return Ok(plan);
        }
        let seeds: Result<Vec<(NodeId, NodeId)>> = values
            .iter()
            .zip(self.network.outputs())
            .map(|(&y, output)| Ok((y, graph.input(&format!("d{}", output.name), graph.shape(y).cols)?)))
            .collect();
        let seeds = seeds?;
        if let Piece::Backward { adds, to_inputs } = piece {
            let (indices, parameters) = self.trained(&graph);
            let mut all = parameters.clone();
            all.extend(inputs.into_iter().filter(|_| to_inputs));
            let found = vector_jacobian(&mut graph, &seeds, &all)?;
            let found = or_zeros(&mut graph, &all, found);
            let (of_parameters, of_inputs) = found.split_at(parameters.len());
            let gradients: Vec<_> = indices.into_iter().zip(of_parameters.iter().copied()).collect();
            let what = Lowering { gather: true, gradients: &gradients, outputs: of_inputs, ..bare("backward", batch) };
            let mut plan = lower(&graph, &what)?;
            if adds {
                set_gradients_apart(&mut plan);
                add_gradients(&mut plan);
            }
            return Ok(plan);
        }
        let found = vector_jacobian(&mut graph, &seeds, &inputs)?;
        let found = or_zeros(&mut graph, &inputs, found);
        lower(&graph, &Lowering { gather: true, outputs: &found, ..bare("input_gradients", batch) })
    }

    fn loss_input_plan(&self, batch: usize, classes: &[bool]) -> Result<Plan> {
        let Built { mut graph, logs, loss, .. } = self.build(Purpose::Evaluate, classes)?;
        let inputs = graph.input_nodes();
        let found = match loss {
            Some(loss) => differentiate(&mut graph, loss, &inputs)?,
            None => vec![None; inputs.len()],
        };
        let found = or_zeros(&mut graph, &inputs, found);
        let what = Lowering { gather: true, outputs: &found, logs: &logs, ..bare("loss_input_gradients", batch) };
        lower(&graph, &what)
    }
}

/// The gradients go to a slab of their own.
fn set_gradients_apart(plan: &mut Plan) {
    for range in plan.steps.iter_mut().flat_map(|step| &mut step.operands) {
        if range.buffer == Buffer::Gradients {
            range.buffer = Buffer::BatchGradients;
        }
    }
}

/// The gradients that were set apart join those that are there. No dispatch may read and write one buffer, so the sum is
/// copied.
fn add_gradients(plan: &mut Plan) {
    let (slab, sum) = (plan.slab, Buffer::Temporary(plan.temporaries.len()));
    plan.temporaries.push(slab.into());
    let row = (1, slab as u32);
    let kernel = Kernel::Elementwise(Elementwise::new(ElementwiseOp::Add, row, row));
    let operands = [Buffer::Gradients, Buffer::BatchGradients, sum].map(|buffer| BufferRange::of(buffer, slab));
    plan.steps.push(PlanStep { kernel, operands: operands.to_vec(), name: "add_gradients".to_owned() });
    plan.steps.push(blend("add_gradients", sum, Buffer::Gradients, slab));
}

/// A plan that does nothing yet.
fn bare(name: &str, batch: usize) -> Lowering<'_> {
    let (outputs, logs, gradients) = (&[], &[], &[]);
    Lowering { name, batch, gather: false, fused: true, half: false, outputs, logs, gradients, update: None }
}

fn blend(name: &str, from: Buffer, to: Buffer, slab: usize) -> PlanStep {
    let all = |buffer| BufferRange::of(buffer, slab);
    let kernel = Kernel::Blend(Blend { n: slab as u32 });
    PlanStep { kernel, operands: vec![all(from), all(to)], name: name.to_owned() }
}
