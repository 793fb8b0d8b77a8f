//! Finds the plans that one dispatch can run: a tiny classifier's whole training step. The plan stays what it is, a
//! list of dispatches; an executor that gains by it runs [`OneDispatch`] in their place. Both compute the same bits and
//! leave the same slabs and the same log; the activation buffers of the plan are not touched.

use super::{Buffer, Plan, PlanStep, Range};
use crate::kernels::{
    Activation, EntropyKind, Epilogue, Formula, Kernel, Matmul, Part, TrainStep, TrainStepParams, Update,
};

/// Most multiply-adds of a step: beyond, several workgroups gain more than fewer dispatches do.
const MOST_WORK: u64 = 1 << 19;

/// One dispatch in place of all those of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct OneDispatch {
    /// The kernel.
    pub kernel: TrainStep,
    /// Its buffers, in binding order.
    pub operands: Vec<Range>,
}

impl OneDispatch {
    /// The dispatch that stands for `plan`, if there is one: where `plan` gathers a batch of one input, classes and
    /// weights, computes two or three dense layers of few units (hidden ones with one activation, and a multiple of 4
    /// of them), cross-entropy with accuracy, all gradients, and a step of plain gradient descent or Adam; and where no
    /// value of it is read afterwards.
    pub fn of(plan: &Plan) -> Option<Self> {
        let layers = plan.steps.iter().filter(|step| bias(step).is_some()).count();
        let (gather, rest) = plan.steps.split_first()?;
        let (forward, rest) = rest.split_at_checked(layers)?;
        let (loss, rest) = rest.split_first()?;
        let (update, backward) = rest.split_last()?;
        if !(2..=3).contains(&layers) || !plan.outputs.is_empty() || backward.len() != 2 * layers - 1 {
            return None;
        }
        let (Kernel::GatherBatch(batch), &[x_data, y_data, weights, order, x, y, row_scale]) = parts(gather) else {
            return None;
        };
        let (Kernel::SoftmaxCrossEntropy(entropy), &[logits, classes, drow, log, dlogits]) = parts(loss) else {
            return None;
        };
        let of_classes = entropy.part == Part::LossAndGrad && entropy.classes && entropy.hit;
        let smoothed = matches!(entropy.kind, EntropyKind::CrossEntropy { .. });
        if !(of_classes && smoothed && (classes, drow) == (y, row_scale) && log.buffer == Buffer::Log) {
            return None;
        }
        let chain = Chain::of(forward, x, logits)?;
        chain.check_backward(backward, dlogits)?;
        let [weight, bias] = [0, 1].map(|i| chain.parameters.iter().map(|pair| pair[i]).collect::<Vec<_>>());
        let at = |ranges: &[Range], i: usize| ranges.get(i).map_or(0, |range: &Range| range.offset as u32);
        let params = TrainStepParams {
            rows: batch.rows,
            inputs: batch.x_cols,
            hidden1: chain.widths[0],
            hidden2: if layers == 3 { chain.widths[1] } else { 0 },
            weight1: at(&weight, 0),
            bias1: at(&bias, 0),
            weight2: at(&weight, 1),
            bias2: at(&bias, 1),
            weight3: at(&weight, 2),
            bias3: at(&bias, 2),
            n: plan.slab as u32,
            alpha: chain.activation.alpha(),
            ..TrainStepParams::default()
        };
        let kernel = TrainStep { params, activation: chain.activation, adam: false };
        let kernel = kernel.with_loss(&entropy.params);
        let (kernel, moments) = match &update.kernel {
            Kernel::Update(Update { by_rules: false, formula: Formula::Sgd, .. }) => (kernel, 0),
            Kernel::Update(Update { by_rules: false, formula: Formula::Adam, params }) => (kernel.with_adam(params), 2),
            _ => return None,
        };
        // The first layer lies in front, its bias behind its weights: what is updated at once and what is not.
        let ascending = chain.parameters.as_flattened().is_sorted_by_key(|range| range.offset);
        let work = u64::from(batch.rows) * chain.multiply_adds(batch.x_cols);
        if !(ascending && kernel.takes() && work <= MOST_WORK) {
            return None;
        }
        let slabs = [Buffer::Gradients, Buffer::Parameters].into_iter().chain((0..moments).map(Buffer::Moment));
        let slabs = slabs.map(|buffer| Range::of(buffer, plan.slab));
        let operands = [x_data, y_data, weights, order].into_iter().chain(slabs).chain([log]).collect();
        Some(Self { kernel, operands })
    }
}

fn parts(step: &PlanStep) -> (&Kernel, &[Range]) {
    (&step.kernel, &step.operands)
}

/// The activation of a dense layer's forward pass.
fn bias(step: &PlanStep) -> Option<Activation> {
    match &step.kernel {
        Kernel::Matmul(Matmul { epilogue: Epilogue::Bias(activation), .. }) => Some(*activation),
        _ => None,
    }
}

/// Dense layers, each on the output of the one before.
struct Chain {
    /// Inputs of each layer.
    inputs: Vec<Range>,
    /// Columns of each layer.
    widths: Vec<u32>,
    /// Weights and bias of each.
    parameters: Vec<[Range; 2]>,
    /// Of the hidden ones.
    activation: Activation,
}

impl Chain {
    fn of(forward: &[PlanStep], x: Range, logits: Range) -> Option<Self> {
        let (mut inputs, mut widths, mut parameters, mut next) = (Vec::new(), Vec::new(), Vec::new(), x);
        for step in forward {
            let (Kernel::Matmul(product), &[input, weights, bias, output]) = parts(step) else { return None };
            if input != next
                || [weights.buffer, bias.buffer] != [Buffer::Parameters; 2]
                || product.transpose_a
                || product.transpose_b
            {
                return None;
            }
            inputs.push(input);
            widths.push(product.params.n);
            parameters.push([weights, bias]);
            next = output;
        }
        let activations: Vec<Activation> = forward.iter().filter_map(bias).collect();
        let (last, hidden) = activations.split_last()?;
        let activation = *hidden.first()?;
        let alike = hidden.iter().all(|other| *other == activation) && *last == Activation::Identity;
        (alike && next == logits).then_some(Self { inputs, widths, parameters, activation })
    }

    /// From the last layer to the first: `dW` and `db` of a layer, then the gradient of its inputs.
    fn check_backward(&self, backward: &[PlanStep], dlogits: Range) -> Option<()> {
        let mut steps = backward.iter();
        let mut dz = dlogits;
        for i in (0..self.inputs.len()).rev() {
            let (input, [weights, bias]) = (self.inputs[i], self.parameters[i]);
            let (Kernel::Matmul(product), &[a, b, dw]) = parts(steps.next()?) else { return None };
            let slab = Range {
                buffer: Buffer::Gradients,
                offset: weights.offset,
                len: bias.offset + bias.len - weights.offset,
            };
            let is_row = matches!(product.epilogue, Epilogue::BiasRow { .. }) && product.transpose_a;
            if !is_row || (a, b, dw) != (input, dz, slab) {
                return None;
            }
            if i > 0 {
                let (Kernel::Matmul(product), &[a, b, saved, dx]) = parts(steps.next()?) else { return None };
                let is_back = product.epilogue == Epilogue::Gradient(self.activation) && product.transpose_b;
                if !is_back || (a, b, saved) != (dz, weights, input) {
                    return None;
                }
                dz = dx;
            }
        }
        steps.next().is_none().then_some(())
    }

    /// Of one row, forward and backward.
    fn multiply_adds(&self, inputs: u32) -> u64 {
        let widths: Vec<u64> = std::iter::once(&inputs).chain(&self.widths).map(|&width| width.into()).collect();
        let products = widths.windows(2).enumerate().map(|(i, pair)| pair[0] * pair[1] * if i == 0 { 2 } else { 3 });
        products.sum()
    }
}
