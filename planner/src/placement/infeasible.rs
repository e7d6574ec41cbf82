//! Why nothing satisfies a scenario, and the smallest changes that would.

use rust_decimal::Decimal;
use scenarios::scenario::Objective;

use super::change::Change;
use super::conflicts;
use super::model::Relax;
use super::problem::{Offers, Problem};
use super::schedule::{self, Schedule};
use super::search::{Limits, Solution, relaxed, solve};
use crate::candidates::{Candidates, Network, Reason, World};

/// A set of changes that makes a plan possible.
#[derive(Debug, Clone, PartialEq)]
pub struct WaysOut {
    /// All of them together are needed.
    pub changes: Vec<Change>,
    /// Whether no smaller changes of these kinds would do.
    pub smallest: bool,
    /// Cost and finish in seconds of the best plan after the changes, where that was found.
    pub plan: Option<(Decimal, f64)>,
}

/// Longest search for one set of changes, in seconds.
const SECONDS: f64 = 10.0;

/// Sets of changes, each of which suffices: budget alone, deadlines alone, nodes alone; all together
/// only if none of these suffices alone.
#[must_use]
pub fn ways_out(world: &World<'_>, network: &Network<'_>, candidates: &Candidates, limits: Limits) -> Vec<WaysOut> {
    let none = Relax::default();
    let alone = [Relax { budget: true, ..none }, Relax { deadlines: true, ..none }, Relax { quotas: true, ..none }];
    let way = |relax: Relax| {
        let limits = Limits { clock: limits.clock.at_most(SECONDS), ..limits };
        if limits.clock.is_over() { None } else { way_out(world, network, candidates, relax, limits) }
    };
    let found: Vec<_> = alone.into_iter().filter_map(way).collect();
    if found.is_empty() {
        return way(Relax { budget: true, deadlines: true, quotas: true }).into_iter().collect();
    }
    found
}

fn way_out(
    world: &World<'_>,
    network: &Network<'_>,
    candidates: &Candidates,
    relax: Relax,
    limits: Limits,
) -> Option<WaysOut> {
    let offers = Offers::with(candidates, |refused| match refused.reason {
        Reason::Deadline { .. } => relax.deadlines,
        Reason::Quota { .. } => relax.quotas,
        _ => false,
    });
    let mut problem = Problem::of(world, network, &offers);
    problem.objective = Objective::Cost;
    let solution = if relax == (Relax { budget: true, ..Relax::default() }) {
        // The least budget is the least cost.
        solve(&Problem { budget: None, ..problem.clone() }, limits).ok()?
    } else {
        relaxed(&problem, relax, limits).ok()?
    };
    let changes = changes(world, &problem, &solution);
    (!changes.is_empty()).then_some(WaysOut { changes, smallest: solution.optimal, plan: None })
}

fn changes(world: &World<'_>, problem: &Problem, solution: &Solution) -> Vec<Change> {
    let Solution { choice, staffing, starts, .. } = solution;
    let schedule = Schedule { choice, staffing, starts };
    let mut changes = Vec::new();
    let needs = problem.cost(choice, staffing);
    if let Some(given) = problem.budget.filter(|given| needs > *given) {
        changes.push(Change::Budget { needs, given });
    }
    for (job, workload) in world.loaded.scenario.workloads.keys().enumerate() {
        let (needs_seconds, given_seconds) = (schedule.end(problem, job), problem.jobs[job].latest_end);
        if needs_seconds > given_seconds + schedule::TOLERANCE_SECONDS {
            changes.push(Change::Deadline { workload: workload.clone(), needs_seconds, given_seconds });
        }
    }
    for (pool, held) in problem.pools.iter().enumerate().filter(|(_, held)| held.commitment.is_none()) {
        let (needs, given) = (conflicts::peak(problem, &schedule, pool), held.nodes);
        if needs > given {
            let (site, pool) = (world.site_name(held.place.site).to_owned(), world.pool_name(held.place).to_owned());
            changes.push(Change::Nodes { site, pool, needs, given });
        }
    }
    changes
}
