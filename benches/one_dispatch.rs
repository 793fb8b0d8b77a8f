//! Training steps of tiny classifiers: the dispatches of the plan against the one that stands for them.
//!
//! `cargo bench --bench one_dispatch [-- PART_OF_A_NET]`; AXONE_BENCH_DEVICE names the adapter.
//!
//! Both take turns of 256 steps in one process, so that a busy machine slows both. A figure is the median of the turns,
//! the ratio the median of the turns' ratios. A plan of which a value is read afterwards runs as it is.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark stops at the first surprise")]

#[path = "../examples/common/arguments.rs"]
mod arguments;
#[allow(dead_code, reason = "Criterion has no part in this one")]
mod common;

use axone::Result;
use axone::kernels::Step;
use axone::model::Purpose;
use axone::plan::{Buffer, Executor, OneDispatch, Plan, PlanId, Range};
use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use std::time::Instant;

const STEPS: usize = 256;
const TURNS: usize = 31;
const NETS: [(&[usize], usize); 7] = [
    (&[4, 16, 3], 16),
    (&[13, 32, 16, 2], 32),
    (&[64, 32, 10], 32),
    (&[64, 32, 10], 64),
    (&[64, 32, 32, 10], 32),
    (&[64, 64, 32, 10], 32),
    (&[100, 64, 10], 32),
];

const USAGE: &str = "usage: one_dispatch [PART_OF_A_NET]

Training steps of tiny classifiers, the dispatches of the plan against the one that stands for them. A net is its widths,
such as 64-32-10. AXONE_BENCH_DEVICE names the adapter.";

fn main() -> Result<()> {
    let wanted = arguments::filter(USAGE);
    for device in common::devices().into_iter().filter(Device::is_gpu) {
        println!(
            "{}\n  {:<20} {:<5} {:<5} {:>12} {:>12} {:>6}",
            device.info(),
            "net",
            "batch",
            "",
            "us apart",
            "us as one",
            "ratio"
        );
        for (widths, batch) in NETS {
            let net = widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-");
            if !net.contains(&wanted) {
                continue;
            }
            for (name, optimizer) in [("sgd", Optimizer::from(Sgd::default())), ("adam", Adam::default().into())] {
                let plan = plan(widths, batch, optimizer)?;
                assert!(OneDispatch::of(&plan).is_some(), "no one dispatch for {widths:?}");
                let mut apart = plan.clone();
                apart.outputs.push(Range::of(Buffer::Activation(0), 1));
                let mut runs = [Run::new(&device, &apart, widths)?, Run::new(&device, &plan, widths)?];
                for _ in 0..=TURNS {
                    runs.iter_mut().try_for_each(Run::turn)?;
                }
                // The first turns warm up.
                let [apart, one] = runs.map(|run| run.micros[1..].to_vec());
                let ratio = median(apart.iter().zip(&one).map(|(apart, one)| apart / one).collect());
                println!("  {net:<20} {batch:<5} {name:<5} {:>12.1} {:>12.1} {ratio:>6.2}", median(apart), median(one));
            }
        }
    }
    Ok(())
}

fn plan(widths: &[usize], batch: usize, optimizer: Optimizer) -> Result<Plan> {
    let mut net = Sequential::new(widths[0]);
    for (i, &units) in widths[1..].iter().enumerate() {
        let last = i + 2 == widths.len();
        net = net.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
    }
    let model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, optimizer)?;
    model.program().plan(Purpose::Train, batch, &[true], true)
}

struct Run {
    executor: Box<dyn Executor>,
    id: PlanId,
    /// The parameters that each turn begins with.
    start: Vec<f32>,
    moments: usize,
    steps: Vec<Step>,
    micros: Vec<f64>,
}

impl Run {
    fn new(device: &Device, plan: &Plan, widths: &[usize]) -> Result<Self> {
        let mut executor = device.executor();
        let id = executor.load(plan)?;
        let (rows, classes) = (plan.batch * STEPS, widths[widths.len() - 1]);
        let numbers = |n: usize| (0..n as u32).map(|i| uniform(threefry2x32([1, 2], [i, 0])[0])).collect::<Vec<_>>();
        executor.bind_data(id, rows, STEPS)?;
        executor.write(id, Buffer::DataInput(0), 0, &numbers(rows * widths[0]))?;
        executor.write(id, Buffer::DataTarget(0), 0, &(0..rows).map(|i| (i % classes) as f32).collect::<Vec<_>>())?;
        executor.write(id, Buffer::DataWeights, 0, &vec![1.0; rows])?;
        // Rows far from each other, as in a shuffled epoch.
        executor.write_order(id, &(0..rows).map(|i| (i * 4801 % rows) as u32).collect::<Vec<_>>())?;
        let mut start = vec![0.0; plan.slab];
        for range in plan.steps.iter().flat_map(|step| step.reads()).filter(|range| range.buffer == Buffer::Parameters)
        {
            let values = numbers(range.len).into_iter().map(|x| 0.4 * x - 0.2);
            start[range.offset..].iter_mut().zip(values).for_each(|(parameter, value)| *parameter = value);
        }
        let step = |i: usize| Step {
            learning_rate: 1e-3,
            start: (i * plan.batch) as u32,
            valid: plan.batch as u32,
            inverse_weight: 1.0 / plan.batch as f32,
            log_row: i as u32,
            correction1: 1.0,
            correction2: 1.0,
            ..Step::default()
        };
        Ok(Self {
            executor,
            id,
            start,
            moments: plan.moments,
            steps: (0..STEPS).map(step).collect(),
            micros: Vec::new(),
        })
    }

    /// From the same start each time: moments of units that died long ago would be denormal, and slow.
    fn turn(&mut self) -> Result<()> {
        self.executor.write(self.id, Buffer::Parameters, 0, &self.start)?;
        for moment in 0..self.moments {
            self.executor.write(self.id, Buffer::Moment(moment), 0, &vec![0.0; self.start.len()])?;
        }
        self.executor.wait()?;
        let begun = Instant::now();
        self.executor.run(self.id, &self.steps)?;
        self.executor.wait()?;
        self.micros.push(begun.elapsed().as_secs_f64() * 1e6 / STEPS as f64);
        Ok(())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
