//! An upper bound on the throughput of every placement.
//!
//! All of a flow F passes each layer, so the machines that hold a layer carry at least F together. A set of machines with
//! that rate, each with the number of layers it holds, is a *cover*. A machine of class i that holds k layers gives one
//! k-th of itself to each, so the number of layers with a cover of F is at most
//!
//! V(F) = max Σ y(c) over covers c, with Σ y(c)·Σ (1/k over the machines of class i in c) ≤ N(i) for every class i,
//!
//! and F is impossible if V(F) is less than the number of layers. Its dual has a price for each class,
//! min Σ N(i)·π(i) with Σ π(i)/k ≥ 1 over the machines of every cover. Covers are generated: the cheapest at given prices
//! is a covering knapsack. Any prices give a bound, V(F) ≤ Σ N(i)·π(i) / (price of the cheapest cover).

use good_lp::{Expression, ProblemVariables, Variable, constraint, variable};

use super::fleet::Fleet;
use crate::clock::Clock;
use crate::placement::SolverError;
use crate::placement::solver::{Answer, Options, Program, run};

/// Most programs that are solved; the bound is looser where they do not suffice.
const MOST_PROGRAMS: usize = 150;

/// Halvings of the interval that holds the bound.
const HALVINGS: usize = 16;

/// Steps of the search for the cheapest cover.
const MOST_STEPS: usize = 5_000;

/// Relative accuracy of a rate.
const TOLERANCE: f64 = 1e-9;

/// Share by which the layers with a cover must fall short; far above the rounding of prices.
const MARGIN: f64 = 1e-7;

/// Slowest machine of a cover, as a share of its rate.
const SLOWEST: f64 = 1e-6;

/// Relative rounding of sums of rates.
const ROUNDING: f64 = 1e-12;

/// A rate in tokens a second that no placement exceeds, given the rate of one; equal to it if it is optimal.
pub(super) fn above(fleet: &Fleet, found: f64) -> Result<f64, SolverError> {
    let highest = fractional(fleet);
    let mut programs = MOST_PROGRAMS;
    let next = (found * (1.0 + TOLERANCE)).max(highest * TOLERANCE);
    if highest <= found || !is_possible(fleet, next, &mut programs)? {
        return Ok(found);
    }
    let (mut low, mut high) = (found, highest);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if is_possible(fleet, middle, &mut programs)? { low = middle } else { high = middle }
    }
    Ok(high)
}

/// What all machines could do if layers were divisible: Σ N(i)·max k·c(i, k), over the layers.
fn fractional(fleet: &Fleet) -> f64 {
    let best = fleet.classes().iter().map(|class| {
        let work = class.tokens_per_second.iter().zip(1_u32..).map(|(rate, layers)| rate * f64::from(layers));
        class.count as f64 * work.fold(0.0, f64::max)
    });
    best.sum::<f64>() / fleet.layers() as f64
}

/// A machine that holds some layers: its class, what it gives to each of them, and its rate.
#[derive(Debug, Clone, Copy)]
struct Item {
    class: usize,
    share: f64,
    rate: f64,
}

/// A part of each class that one layer takes.
type Cover = Vec<f64>;

/// Whether `V(F)` allows for the rate; false is proven, true is not.
fn is_possible(fleet: &Fleet, rate: f64, programs: &mut usize) -> Result<bool, SolverError> {
    let layers = fleet.layers() as f64;
    let items = items(fleet, rate);
    let mut covers: Vec<Cover> = Vec::new();
    for item in &items {
        covers.push(cover(fleet, &[(*item, (rate / item.rate).ceil())]));
    }
    while *programs > 0 {
        *programs -= 1;
        let Some(prices) = prices(fleet, &covers)? else { return Ok(true) };
        let value: f64 = fleet.classes().iter().zip(&prices).map(|(class, price)| class.count as f64 * price).sum();
        if value >= layers * (1.0 - TOLERANCE) {
            // Even with too few covers the layers have one.
            return Ok(true);
        }
        let (least, cheapest) = cheapest(&items, &prices, rate);
        if value < layers * least * (1.0 - MARGIN) {
            return Ok(false);
        }
        match cheapest {
            Some(machines) if least < 1.0 - TOLERANCE => covers.push(cover(fleet, &machines)),
            _ => return Ok(true),
        }
    }
    Ok(true)
}

/// What machines of a fleet can be in a cover. A rate beyond the cover's counts for nothing, and the slowest are taken for
/// faster than they are, which keeps the bound valid and the program's figures within the solver's reach.
fn items(fleet: &Fleet, rate: f64) -> Vec<Item> {
    let mut items = Vec::new();
    for (class, machines) in fleet.classes().iter().enumerate().filter(|(_, class)| class.count > 0) {
        let held = machines.tokens_per_second.iter().zip(1_u32..).filter(|(rate, _)| **rate > 0.0);
        let item = |(own, layers): (&f64, u32)| {
            let rate = own.clamp(rate * SLOWEST, rate);
            Item { class, share: 1.0 / f64::from(layers), rate }
        };
        items.extend(held.map(item));
    }
    items
}

fn cover(fleet: &Fleet, machines: &[(Item, f64)]) -> Cover {
    let mut parts = vec![0.0; fleet.classes().len()];
    for (item, count) in machines {
        parts[item.class] += item.share * count;
    }
    parts
}

/// Prices of the classes that make every cover cost at least 1, with the least sum over the machines.
fn prices(fleet: &Fleet, covers: &[Cover]) -> Result<Option<Vec<f64>>, SolverError> {
    let mut variables = ProblemVariables::new();
    let prices: Vec<Variable> = variables.add_vector(variable().min(0.0), fleet.classes().len());
    let sum =
        |weights: &[f64]| -> Expression { prices.iter().zip(weights).map(|(price, weight)| *weight * *price).sum() };
    let counts: Vec<f64> = fleet.counts().into_iter().map(|count| count as f64).collect();
    let rows = covers.iter().map(|cover| constraint!(sum(cover) >= 1.0)).collect();
    let program = Program { objective: sum(&counts), rows, variables, start: Vec::new() };
    match run(program, Options { clock: Clock::new(10.0), gap: 0.0, seed: 0, most_nodes: None })? {
        Answer::Solved { values, .. } => {
            let price = |price: &Variable| values.get(price).copied().unwrap_or(0.0).max(0.0);
            Ok(Some(prices.iter().map(price).collect()))
        }
        Answer::Infeasible | Answer::OutOfTime | Answer::StartReturned => Ok(None),
    }
}

/// A lower bound on the price of every cover, and the cheapest cover that was found.
fn cheapest(items: &[Item], prices: &[f64], rate: f64) -> (f64, Option<Vec<(Item, f64)>>) {
    let mut sorted: Vec<(Item, f64)> = items.iter().map(|item| (*item, prices[item.class] * item.share)).collect();
    sorted.sort_by(|(a, cost_a), (b, cost_b)| (cost_a / a.rate).total_cmp(&(cost_b / b.rate)));
    let rounding = rate * ROUNDING;
    let mut search =
        Search { items: &sorted, rounding, steps: 0, least: f64::INFINITY, best: Vec::new(), chosen: Vec::new() };
    search.visit(0, rate, 0.0);
    let best = search.best.iter().map(|(at, count)| (sorted[*at].0, *count)).collect();
    let least = if search.steps < MOST_STEPS {
        search.least
    } else {
        sorted.first().map_or(f64::INFINITY, |(item, cost)| cost / item.rate * rate)
    };
    (least, search.least.is_finite().then_some(best))
}

/// Branch and bound over how many of each item a cover has, the cheapest a token first.
struct Search<'a> {
    items: &'a [(Item, f64)],
    /// Need that counts as none.
    rounding: f64,
    steps: usize,
    least: f64,
    best: Vec<(usize, f64)>,
    chosen: Vec<(usize, f64)>,
}

impl Search<'_> {
    fn visit(&mut self, at: usize, need: f64, cost: f64) {
        if need <= self.rounding {
            if cost < self.least {
                self.least = cost;
                self.best.clone_from(&self.chosen);
            }
            return;
        }
        self.steps += 1;
        let Some((item, price)) = self.items.get(at).filter(|_| self.steps < MOST_STEPS) else { return };
        if cost + need / item.rate * price >= self.least - TOLERANCE * self.least.min(1.0) {
            return;
        }
        let mut count = ((need - self.rounding) / item.rate).ceil();
        while count > 0.0 {
            self.chosen.push((at, count));
            self.visit(at + 1, need - count * item.rate, cost + count * price);
            self.chosen.pop();
            count -= 1.0;
        }
        self.visit(at + 1, need, cost);
    }
}
