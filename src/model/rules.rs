//! The rules by which a model's parameters are updated, where the optimizer's plain kernel does not do.

use super::layout::Layout;
use super::{Model, Precision, Program};
use crate::Result;
use crate::kernels::{self, Kernel};
use crate::optimizers::{clip, needs_rules, rules};
use crate::plan::{Buffer, Executor, ParameterUpdate};

impl Program {
    /// Whether the update of a training plan in `precision` binds [`Buffer::Rules`].
    pub(crate) fn by_rules(&self, precision: Precision) -> bool {
        matches!(self.update(0, precision).kernel, Kernel::Update(kernels::Update { by_rules: true, .. }))
    }

    /// The update of a slab of `elements` in a training plan in `precision`.
    pub(crate) fn update(&self, elements: usize, precision: Precision) -> ParameterUpdate {
        let needed = needs_rules(&self.optimizer, &self.network.layer_rules(), &self.frozen);
        self.optimizer.update(elements, needed, precision == Precision::F16)
    }

    /// Writes rules and clipping to `executor`, which has loaded the training plan `id`. Does nothing without rules.
    pub(crate) fn write_rules(&self, executor: &mut dyn Executor, layout: &Layout) -> Result<()> {
        if !self.by_rules(self.precision) {
            return Ok(());
        }
        let layers = self.network.layer_rules();
        let rules = rules(&layout.parameters, &layout.slab, &self.optimizer, &layers, &self.frozen);
        executor.write_slab(Buffer::Rules, 0, &rules)?;
        let clip = clip(&self.optimizer);
        executor.write_slab(Buffer::Clip, 0, &clip)?;
        match self.precision {
            Precision::F32 => Ok(()),
            Precision::F16 => executor.write_slab(Buffer::LossScale, 0, &clip),
        }
    }
}

impl Model {
    /// Writes the rules to the model's own executor.
    pub(super) fn write_rules(&mut self) -> Result<()> {
        self.program.write_rules(&mut *self.executor, &self.layout)
    }

    /// Freezes the parameters `i` with `frozen[i]` and trains the rest: from now on no gradients are computed for the
    /// frozen ones, and a step leaves them and their moments as they are, bit for bit. The plans of training are made
    /// anew; where that fails, everything stays as it was.
    pub(super) fn set_frozen(&mut self, frozen: Vec<bool>) -> Result<()> {
        let before = std::mem::replace(&mut self.program.frozen, frozen);
        if let Err(error) = self.reload_training().and_then(|()| self.write_rules()) {
            self.program.frozen = before;
            return Err(error);
        }
        self.release_plans_by_hand();
        // What lies there of the frozen ones would count in the norm of all gradients.
        self.drop_gradients()
    }

    /// Nothing is left to be applied by hand, and the slab holds zeros.
    pub(crate) fn drop_gradients(&mut self) -> Result<()> {
        self.by_hand.forget_gradients();
        self.executor.write_slab(Buffer::Gradients, 0, &vec![0.0; self.layout.slab.len()])
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::Buffer;
    use crate::prelude::*;

    fn model(device: &Device, optimizer: Optimizer) -> Model {
        let net = Sequential::new(3).add(Dense::new(70).activation(Activation::Tanh)).add(Dense::new(2));
        net.compile(device.clone(), Loss::MeanSquaredError, optimizer).unwrap()
    }

    /// Frozen parameters keep their bits, the rest moves; thawed, they move again.
    fn freezes(device: &Device, optimizer: Optimizer) {
        let data = Dataset::new([[0.5, -1.0, 2.0], [1.0, 0.0, -0.5]], [[1.0, -1.0], [0.5, 2.0]]).unwrap();
        let mut model = model(device, optimizer);
        let settings = Fit::new().epochs(3).batch_size(2).silent();
        // Of each parameter, its own bits and those of its moments.
        let bits = |model: &mut Model| -> Vec<Vec<u32>> {
            let moments = model.moments();
            let slabs: Vec<_> = [Buffer::Parameters].into_iter().chain((0..moments).map(Buffer::Moment)).collect();
            let mut read = |buffer, i| {
                let range = model.layout.slab.range(buffer, i);
                model.executor.read_slab(range).unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>()
            };
            (0..4).map(|i| slabs.iter().flat_map(|slab| read(*slab, i)).collect()).collect()
        };
        model.fit(&data, &settings).unwrap();
        let changed = |model: &mut Model| -> Vec<bool> {
            let before = bits(model);
            model.fit(&data, &settings).unwrap();
            before.iter().zip(bits(model)).map(|(before, after)| *before != after).collect()
        };
        model.set_frozen(vec![true, false, false, true]).unwrap();
        assert_eq!(changed(&mut model), [false, true, true, false], "{}", optimizer.name());
        model.set_frozen(vec![]).unwrap();
        assert_eq!(changed(&mut model), [true; 4], "{}", optimizer.name());
    }

    #[test]
    fn frozen_parameters_keep_their_bits() {
        let optimizers: [Optimizer; 6] = [
            Sgd::new(0.1).into(),
            Adam::new(0.1).into(),
            Sgd::new(0.1).momentum(0.9).into(),
            Adam::new(0.1).amsgrad().into(),
            Adam::new(0.1).weight_decay(0.1).l1(0.1).clip_norm(0.5),
            RmsProp::new(0.1).into(),
        ];
        for optimizer in optimizers {
            freezes(&Device::cpu(), optimizer);
            freezes(&Device::cpu_f64(), optimizer);
        }
    }
}
