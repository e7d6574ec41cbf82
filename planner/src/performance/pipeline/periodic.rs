//! Long steps: after the warm-up the same pattern repeats, and only as much is simulated as shows it.
//!
//! Times are a recurrence of sums and maxima. Where all passes of enough consecutive groups of micro-batches end δ
//! later than those `c` groups before, every later pass does too (Baccelli et al., Synchronization and Linearity,
//! 1992, section 3.7), so that q·c groups more take q·δ more: exact but for rounding.

use scenarios::strategy::Schedule;

use super::Pipeline;
use super::closed_form::gpipe;
use super::order::Order;
use super::simulation::{self, Run};

/// Times that agree up to this share of the step are equal.
const TOLERANCE: f64 = 1e-12;
/// Passes after which the mean growth is taken instead, should no pattern have shown by then.
const MOST_PASSES: u64 = 1 << 22;

/// The step, simulated as far as needed.
pub fn run(pipeline: &Pipeline<'_>) -> Run {
    if pipeline.schedule == Schedule::Gpipe {
        let in_flight = vec![pipeline.micro_batches; pipeline.devices()];
        return Run { step_seconds: gpipe(pipeline), in_flight, forward: Vec::new(), backward: Vec::new() };
    }
    let window = Window::new(pipeline);
    let mut groups = window.depth + if window.group == 1 { 2 * window.lag + 4 } else { window.lag + 3 };
    loop {
        let Some(short) = window.shortened(pipeline, groups) else { return simulation::follow(pipeline) };
        let mut run = simulation::follow(&short);
        if let Some((period, growth)) = window.period(&short, &run) {
            return repeated(pipeline, &short, run, period * window.group, growth);
        }
        if 2 * short.micro_batches * pipeline.stages.len() as u64 > MOST_PASSES {
            let left = (pipeline.micro_batches - short.micro_batches) as f64 / window.group as f64;
            run.step_seconds += left * window.mean_growth(&short, &run);
            return run;
        }
        groups *= 2;
    }
}

/// The step from one with as many whole periods of `period` micro-batches less as `short` allows.
fn repeated(pipeline: &Pipeline<'_>, short: &Pipeline<'_>, run: Run, period: u64, growth: f64) -> Run {
    let skipped = (pipeline.micro_batches - short.micro_batches) / period;
    let micro_batches = pipeline.micro_batches - skipped * period;
    let same = micro_batches == short.micro_batches;
    let mut run = if same { run } else { simulation::follow(&Pipeline { micro_batches, ..*pipeline }) };
    run.step_seconds += skipped as f64 * growth;
    run
}

/// How far passes depend on earlier ones, in groups of micro-batches.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// Micro-batches of a group.
    group: u64,
    /// Groups by which a forward pass runs ahead of the backward pass of the same turn.
    lag: u64,
    /// Groups that passes of the next group can depend on.
    depth: u64,
}

impl Window {
    fn new(pipeline: &Pipeline<'_>) -> Self {
        let order = Order::new(pipeline.schedule, pipeline.devices() as u64, u64::MAX >> 8);
        let (group, chunks) = (order.group(), u64::from(pipeline.schedule.chunks()));
        let lag = order.warmup(0).div_ceil(group * chunks);
        Self { group, lag, depth: lag + 2 }
    }

    /// The pipeline with about `groups` groups; `None` if it has no more than that.
    fn shortened<'a>(&self, pipeline: &Pipeline<'a>, groups: u64) -> Option<Pipeline<'a>> {
        let micro_batches = groups * self.group + pipeline.micro_batches % self.group;
        (micro_batches < pipeline.micro_batches).then_some(Pipeline { micro_batches, ..*pipeline })
    }

    /// Last group that no end of the step has touched.
    const fn reference(&self, short: &Pipeline<'_>) -> u64 {
        (short.micro_batches / self.group).saturating_sub(1 + self.lag)
    }

    /// Groups of the shortest period before the end of the step, and what it takes.
    fn period(&self, short: &Pipeline<'_>, run: &Run) -> Option<(u64, f64)> {
        let reference = self.reference(short);
        let most = (reference + 1).checked_sub(self.depth)?;
        (1..=most).find_map(|groups| Some((groups, self.growth(short, run, reference, groups)?)))
    }

    /// What `groups` groups take, if all passes of the window ended that much later than those `groups` before.
    fn growth(&self, short: &Pipeline<'_>, run: &Run, reference: u64, groups: u64) -> Option<f64> {
        let length = short.stages.len() * self.group as usize;
        let (end, shift) = ((reference as usize + 1) * length, groups as usize * length);
        let from = end.checked_sub(self.depth as usize * length)?.checked_sub(shift)?;
        let tolerance = run.step_seconds * TOLERANCE;
        let growth = run.backward[end - 1] - run.backward[end - 1 - shift];
        let alike = |times: &[f64]| {
            let pairs = times[from..end - shift].iter().zip(&times[from + shift..end]);
            pairs.rev().all(|(before, after)| (after - before - growth).abs() <= tolerance)
        };
        (alike(&run.backward) && alike(&run.forward)).then_some(growth)
    }

    /// Mean growth of a group over the second half of what was simulated.
    fn mean_growth(&self, short: &Pipeline<'_>, run: &Run) -> f64 {
        let length = short.stages.len() * self.group as usize;
        let (late, early) = (self.reference(short) as usize, self.reference(short) as usize / 2);
        let between = (late - early).max(1) as f64;
        (run.backward[late * length] - run.backward[early * length]) / between
    }
}
