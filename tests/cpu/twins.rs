//! The f32 twin of every kernel against its f64 twin, over the shapes where indexing goes wrong and under the
//! tolerances that GPUs are held to.

use axone::check::{FRAME, Outcome, Row, cases, kernels, run_case};
use axone::cpu::run;
use axone::kernels::{Kernel, Scale, Step};
use axone::plan::{Buffer, BufferRange, Executor, Fetch, Plan, PlanId, Timings};
use axone::{Device, Result};

#[test]
fn f32_twins_agree_with_f64_twins() {
    let report = kernels(&Device::cpu()).unwrap();
    assert_eq!((report.failed(), report.skipped(), report.not_offered()), (0, 0, 0), "{report}");
}

#[test]
fn buffers_that_do_not_fit_are_an_error() {
    let kernel = Kernel::Scale(Scale { n: 1, factor: 1.0 });
    assert!(run::<f32>(&kernel, &[], &mut [&mut [0.0]], &[], &Step::default()).is_err());
}

/// An executor that also writes one element beside what it was told to: what the sentinels are for.
struct Careless(Box<dyn Executor>, usize);

impl Executor for Careless {
    fn load(&mut self, plan: &Plan) -> Result<PlanId> {
        self.0.load(plan)
    }
    fn unload(&mut self, id: PlanId) {
        self.0.unload(id);
    }
    fn bind_data(&mut self, id: PlanId, rows: usize, steps: usize) -> Result<()> {
        self.0.bind_data(id, rows, steps)
    }
    fn release_data(&mut self, id: PlanId) -> Result<()> {
        self.0.release_data(id)
    }
    fn held_bytes(&self) -> u64 {
        self.0.held_bytes()
    }
    fn write(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        self.0.write(id, buffer, offset, data)
    }
    fn write_slab(&mut self, slab: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        self.0.write_slab(slab, offset, data)
    }
    fn read_slab(&mut self, range: BufferRange) -> Result<Vec<f32>> {
        self.0.read_slab(range)
    }
    fn write_order(&mut self, id: PlanId, order: &[u32]) -> Result<()> {
        self.0.write_order(id, order)
    }
    fn read(&mut self, id: PlanId, range: BufferRange) -> Result<Vec<f32>> {
        self.0.read(id, range)
    }
    fn fetch(&mut self, id: PlanId, range: BufferRange) -> Result<Fetch> {
        self.0.fetch(id, range)
    }
    fn collect(&mut self, fetch: Fetch) -> Result<Vec<f32>> {
        self.0.collect(fetch)
    }
    fn run(&mut self, id: PlanId, steps: &[Step]) -> Result<()> {
        self.0.run(id, steps)?;
        self.0.write(id, Buffer::Temporary(0), self.1, &[0.5])
    }
    fn run_one(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()> {
        self.0.run_one(id, index, step)
    }
    fn wait(&mut self) -> Result<()> {
        self.0.wait()
    }
    fn plan(&self, id: PlanId) -> Result<&Plan> {
        self.0.plan(id)
    }
    fn profile(&mut self, id: PlanId, step: &Step) -> Result<Timings> {
        self.0.profile(id, step)
    }
}

#[test]
fn canary_a_write_beside_the_output() {
    let case = cases(3, 33).into_iter().find(|case| matches!(case.kernel, Kernel::Fill(_))).unwrap();
    for (place, at) in [(FRAME - 1, "-1"), (FRAME + 99, "99")] {
        let trap = run_case(&mut Careless(Device::cpu().executor(), place), &case).unwrap().unwrap_err();
        assert_eq!(trap, format!("wrote 5e-1 out of range, at element {at} of 99"));
    }
}

#[test]
fn canary_an_element_that_nobody_judges() {
    let row = |allowed: Vec<Vec<f64>>| {
        Row::judge("kernel".to_owned(), "case".to_owned(), &[vec![1.0, 2.0]], &[vec![1.0, 2.0]], &allowed).outcome
    };
    assert_eq!(row(vec![vec![0.0, 0.0]]), Outcome::Passed);
    assert!(matches!(row(vec![vec![0.0]]), Outcome::Failed(_)));
    assert!(matches!(row(vec![]), Outcome::Failed(_)));
}
