//! How far to go along a direction: the line search of Moré & Thuente, "Line search algorithms with guaranteed sufficient
//! decrease" (1994), as in MINPACK-2 and with the constants of L-BFGS-B. It ends at a step that fulfils the strong Wolfe
//! conditions `f(t) ≤ f(0) + μ t f'(0)` and `|f'(t)| ≤ η |f'(0)|`.
//!
//! Near a minimum the loss in f32 no longer tells one point from the next, but its slope does. So a step is also good by
//! the approximate conditions of Hager & Zhang (2005), in which slopes take the place of losses that differ by
//! [`ROUNDING`] at most.

/// μ: how much of the decrease that the slope promises is enough.
const DECREASE: f64 = 1e-3;
/// η: how much of the slope may be left.
const SLOPE: f64 = 0.9;
/// The shortest interval, as a share of its longer end.
const SHORTEST: f64 = 0.1;
/// The share of the loss that is taken for rounding; ε of Hager & Zhang.
const ROUNDING: f64 = 1e-6;
/// By how much a step grows that is too short, at least and at most.
const GROWTH: (f64, f64) = (1.1, 4.0);

/// What to do after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// It is good.
    Accept,
    /// Try this one.
    Try(f64),
    /// There is no good one.
    GiveUp,
}

/// A step with its loss and slope.
#[derive(Debug, Clone, Copy)]
struct Tried {
    step: f64,
    loss: f64,
    slope: f64,
}

impl Tried {
    /// Of the loss less the line of the least decrease.
    fn lowered(self, slope: f64) -> Self {
        Self { loss: self.loss - self.step * slope, slope: self.slope - slope, ..self }
    }
}

/// A search along one direction.
#[derive(Debug)]
pub(super) struct LineSearch {
    start: Tried,
    /// The best step so far, and the other end of the interval.
    best: Tried,
    end: Tried,
    bracketed: bool,
    /// A step with enough decrease and no negative slope has been seen.
    decreased: bool,
    width: f64,
    width_before: f64,
    least: f64,
    most: f64,
    /// No step may reach this one: its loss was no number.
    beyond: f64,
    step: f64,
}

impl LineSearch {
    /// From a point with this loss and this slope along the direction; `first` is the step that is tried first.
    pub fn new(loss: f64, slope: f64, first: f64) -> Self {
        let start = Tried { step: 0.0, loss, slope };
        Self {
            start,
            best: start,
            end: start,
            bracketed: false,
            decreased: false,
            width: f64::INFINITY,
            width_before: f64::INFINITY,
            least: 0.0,
            most: first + GROWTH.1 * first,
            beyond: f64::INFINITY,
            step: first,
        }
    }

    /// Judges the step that was tried last.
    pub fn judge(&mut self, loss: f64, slope: f64) -> Verdict {
        if self.start.slope >= 0.0 || self.start.slope.is_nan() {
            return Verdict::GiveUp;
        }
        if !(loss.is_finite() && slope.is_finite()) {
            self.beyond = self.step;
            self.most = self.most.min(self.step);
            return self.next(self.best.step + 0.1 * (self.step - self.best.step));
        }
        let tried = Tried { step: self.step, loss, slope };
        let line = DECREASE * self.start.slope;
        let enough = loss <= self.start.loss + tried.step * line;
        if (enough && slope.abs() <= -SLOPE * self.start.slope) || self.is_good_by_slope(tried) {
            return Verdict::Accept;
        }
        let narrow = self.bracketed && self.most - self.least <= SHORTEST * self.most;
        if self.bracketed && (tried.step <= self.least || tried.step >= self.most || narrow) {
            // What is left is rounding.
            return if loss < self.start.loss { Verdict::Accept } else { Verdict::GiveUp };
        }
        self.decreased |= enough && slope >= 0.0;
        let step = if !self.decreased && loss <= self.best.loss && !enough {
            // The least decrease is subtracted as long as nothing has brought it.
            let (best, end) = (self.best.lowered(line), self.end.lowered(line));
            self.narrow(best, end, tried.lowered(line), tried)
        } else {
            self.narrow(self.best, self.end, tried, tried)
        };
        let mut step = step;
        if self.bracketed {
            let width = (self.end.step - self.best.step).abs();
            if width >= 0.66 * self.width_before {
                step = self.best.step + 0.5 * (self.end.step - self.best.step);
            }
            (self.width_before, self.width) = (self.width, width);
            self.least = self.best.step.min(self.end.step);
            self.most = self.best.step.max(self.end.step);
        } else {
            self.least = step + GROWTH.0 * (step - self.best.step);
            self.most = step + GROWTH.1 * (step - self.best.step);
        }
        if self.bracketed && (step <= self.least || step >= self.most || self.most - self.least <= SHORTEST * self.most)
        {
            step = self.best.step;
        }
        self.next(step)
    }

    /// The approximate Wolfe conditions.
    fn is_good_by_slope(&self, tried: Tried) -> bool {
        let start = self.start;
        tried.loss <= start.loss + ROUNDING * start.loss.abs()
            && (2.0 * DECREASE - 1.0) * start.slope >= tried.slope
            && tried.slope >= SLOPE * start.slope
    }

    fn next(&mut self, step: f64) -> Verdict {
        let step = if step < self.beyond { step } else { 0.5 * (self.best.step + self.beyond) };
        // The device takes f32.
        let step = f64::from(step as f32);
        if step == self.step && step == self.best.step && self.best.loss < self.start.loss {
            return Verdict::Accept;
        }
        if step == self.step || !(step > 0.0 && step.is_finite()) {
            return Verdict::GiveUp;
        }
        self.step = step;
        Verdict::Try(step)
    }

    /// Narrows the interval down by `seen`, and returns the step to try next: `dcstep` of MINPACK-2, by cases of where the
    /// minimum of a cubic or a parabola lies. `best`, `end` and `seen` may be lowered by a line; what is kept is not.
    fn narrow(&mut self, best: Tried, end: Tried, seen: Tried, tried: Tried) -> f64 {
        let opposite = seen.slope * best.slope.signum() < 0.0;
        let (cubic, step);
        if seen.loss > best.loss {
            // A higher loss: the minimum is bracketed.
            cubic = cubic_minimum(best, seen);
            let parabola = best.step
                + (best.slope / ((best.loss - seen.loss) / (seen.step - best.step) + best.slope)) / 2.0
                    * (seen.step - best.step);
            let nearer = (cubic - best.step).abs() < (parabola - best.step).abs();
            step = if nearer { cubic } else { cubic + (parabola - cubic) / 2.0 };
            self.bracketed = true;
        } else if opposite {
            // A lower loss and slopes of opposite sign: bracketed too.
            cubic = cubic_minimum(seen, best);
            let secant = secant(seen, best);
            step = if (cubic - seen.step).abs() > (secant - seen.step).abs() { cubic } else { secant };
            self.bracketed = true;
        } else if seen.slope.abs() < best.slope.abs() {
            // The slope becomes smaller. The cubic counts if it tends to infinity that way or its minimum is beyond.
            let secant = secant(seen, best);
            let cubic = cubic_beyond(seen, best, if seen.step > best.step { self.most } else { self.least });
            let nearer = (cubic - seen.step).abs() < (secant - seen.step).abs();
            if self.bracketed {
                let farthest = seen.step + 0.66 * (end.step - seen.step);
                let chosen = if nearer { cubic } else { secant };
                step = if seen.step > best.step { chosen.min(farthest) } else { chosen.max(farthest) };
            } else {
                step = (if nearer { secant } else { cubic }).clamp(self.least.min(self.most), self.most);
            }
        } else if self.bracketed {
            step = cubic_minimum(seen, end);
        } else {
            step = if seen.step > best.step { self.most } else { self.least };
        }
        if seen.loss > best.loss {
            self.end = tried;
        } else {
            if opposite {
                self.end = self.best;
            }
            self.best = tried;
        }
        step
    }
}

/// Where the slopes of two steps would meet 0.
fn secant(from: Tried, to: Tried) -> f64 {
    from.step + from.slope / (from.slope - to.slope) * (to.step - from.step)
}

/// `γ` and `θ` of the cubic through two steps and their slopes.
fn cubic(a: Tried, b: Tried) -> (f64, f64) {
    let theta = 3.0 * (a.loss - b.loss) / (b.step - a.step) + a.slope + b.slope;
    let size = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    let root = ((theta / size).powi(2) - (a.slope / size) * (b.slope / size)).max(0.0).sqrt();
    (size * root, theta)
}

/// Where that cubic is least, from `a` on towards `b`.
fn cubic_minimum(a: Tried, b: Tried) -> f64 {
    let (gamma, theta) = cubic(a, b);
    let gamma = if b.step < a.step { -gamma } else { gamma };
    let share = (gamma - a.slope + theta) / (gamma - a.slope + gamma + b.slope);
    a.step + share * (b.step - a.step)
}

/// The same where both slopes have one sign: `limit` where the cubic has no minimum beyond `seen`.
fn cubic_beyond(seen: Tried, best: Tried, limit: f64) -> f64 {
    let (gamma, theta) = cubic(best, seen);
    let gamma = if seen.step > best.step { -gamma } else { gamma };
    let share = (gamma - seen.slope + theta) / (gamma + (best.slope - seen.slope) + gamma);
    if share < 0.0 && gamma != 0.0 { seen.step + share * (best.step - seen.step) } else { limit }
}
