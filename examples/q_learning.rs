//! Q-learning (Watkins 1989) with a network in place of the table: a walker learns the way along a cliff, from steps it
//! remembers and against a copy of itself that lags behind (Mnih et al. 2015).
//!
//! `cargo run --release --example q_learning`
//!
//! The cliff is example 6.6 of Sutton & Barto, "Reinforcement Learning": 4 x 12 fields, every step costs 1, a fall costs
//! 100 and leads back to the start. The shortest way has 13 steps. Writes the returns as `q_learning.svg`.

#[path = "common/arguments.rs"]
mod arguments;

use axone::plot::Chart;
use axone::prelude::*;
use axone::random::Stream;
use rand::RngExt;

const ROWS: usize = 4;
const COLUMNS: usize = 12;
const FIELDS: usize = ROWS * COLUMNS;
const START: usize = 3 * COLUMNS;
const GOAL: usize = FIELDS - 1;
/// Up, right, down, left.
const MOVES: [(isize, isize); 4] = [(-1, 0), (0, 1), (1, 0), (0, -1)];

const EPISODES: usize = 600;
const MOST_STEPS: usize = 200;
const BATCH: usize = 64;
/// Share of steps taken at random, to find out.
const EXPLORE: f32 = 0.1;
const USAGE: &str = "usage: q_learning

A walker learns the way along a cliff by Q-learning. Writes q_learning.svg. AXONE_DEVICE names a device.";

/// A step that is remembered.
#[derive(Clone, Copy)]
struct Seen {
    field: usize,
    action: usize,
    reward: f32,
    next: usize,
}

fn main() -> Result<()> {
    arguments::none(USAGE);
    let net = Sequential::new(FIELDS).add(Dense::new(64).activation(Activation::Relu)).add(Dense::new(4));
    let compile = || net.compile(Device::auto()?, Loss::Huber(1.0), Adam::new(0.002));
    let (mut online, mut target, mut random) = (compile()?, compile()?, Stream::new(1, 0, 0));
    target.copy_weights_from(&mut online)?;

    let (mut memory, mut returns): (Vec<Seen>, Vec<(f64, f64)>) = (Vec::new(), Vec::new());
    for episode in 0..EPISODES {
        let (mut field, mut sum) = (START, 0.0);
        for _ in 0..MOST_STEPS {
            let action = match random.random::<f32>() < EXPLORE {
                true => (random.random::<f32>() * 4.0) as usize,
                false => best(online.predict(&states(&[field]))?.data()),
            };
            let (next, reward) = walked(field, action);
            memory.push(Seen { field, action, reward, next });
            sum += reward;
            field = next;
            if memory.len() >= BATCH {
                let batch: Vec<Seen> =
                    (0..BATCH).map(|_| memory[(random.random::<f32>() * memory.len() as f32) as usize]).collect();
                learn(&mut online, &mut target, &batch)?;
            }
            if field == GOAL {
                break;
            }
        }
        returns.push((episode as f64 + 1.0, f64::from(sum)));
    }

    let values = online.predict(&states(&(0..FIELDS).collect::<Vec<_>>()))?;
    println!("the best move from each field (S start, G goal, # cliff):\n");
    for row in 0..ROWS {
        let sign = |field: usize| match field {
            START => 'S',
            GOAL => 'G',
            _ if is_cliff(field) => '#',
            _ => ['^', '>', 'v', '<'][best(values.row(field).unwrap_or_default())],
        };
        println!("  {}", (0..COLUMNS).map(|column| sign(row * COLUMNS + column)).collect::<String>());
    }
    let (mut field, mut steps) = (START, 0);
    while field != GOAL && steps < MOST_STEPS {
        field = walked(field, best(values.row(field).unwrap_or_default())).0;
        steps += 1;
    }
    let smooth =
        returns.chunks(10).map(|part| (part[0].0 + 4.5, part.iter().map(|at| at.1).sum::<f64>() / part.len() as f64));
    let chart = Chart::new("walking along a cliff").x_label("episode").y_label("return").whole_x();
    chart.line("mean of 10 episodes", smooth).write_svg("q_learning.svg")?;
    println!("\npicture: q_learning.svg");
    println!("steps to the goal without exploring: {steps}");
    println!(
        "mean return of the last 50 episodes: {:.1}",
        returns.iter().rev().take(50).map(|at| at.1).sum::<f64>() / 50.0
    );
    Ok(())
}

/// One step towards `reward + max Q(next)`, the latter by the copy that lags behind; the other actions stay as they are.
fn learn(online: &mut Model, target: &mut Model, batch: &[Seen]) -> Result<()> {
    let fields = states(&batch.iter().map(|seen| seen.field).collect::<Vec<_>>());
    let later = target.predict(&states(&batch.iter().map(|seen| seen.next).collect::<Vec<_>>()))?;
    let mut wanted = online.predict(&fields)?.into_data();
    for (i, seen) in batch.iter().enumerate() {
        let then = later.row(i).unwrap_or_default().iter().copied().fold(f32::NEG_INFINITY, f32::max);
        wanted[4 * i + seen.action] = seen.reward + if seen.next == GOAL { 0.0 } else { then };
    }
    online.queue_step(&Dataset::new(fields, Matrix::new(batch.len(), 4, wanted)?)?)?;
    target.blend_weights_from(online, 0.02)
}

/// Where a move leads, and what it costs.
fn walked(field: usize, action: usize) -> (usize, f32) {
    let (down, right) = MOVES[action];
    let within = |at: usize, by: isize, end: usize| at.saturating_add_signed(by).min(end - 1);
    let next = within(field / COLUMNS, down, ROWS) * COLUMNS + within(field % COLUMNS, right, COLUMNS);
    if is_cliff(next) { (START, -100.0) } else { (next, -1.0) }
}

fn is_cliff(field: usize) -> bool {
    (START + 1..GOAL).contains(&field)
}

fn best(values: &[f32]) -> usize {
    (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap_or(0)
}

/// A row for each field: 1 in its place, 0 elsewhere.
fn states(fields: &[usize]) -> Matrix {
    let row = |field: usize| (0..FIELDS).map(move |place| f32::from(u8::from(place == field)));
    Matrix::new(fields.len(), FIELDS, fields.iter().flat_map(|field| row(*field)).collect()).unwrap_or_default()
}
