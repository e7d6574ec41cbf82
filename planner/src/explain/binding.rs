//! What keeps a plan from being better, and what one more unit of it is worth: found by solving again with that unit.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use scenarios::plan::{Assignment, Binding, Plan, SolverStatus};
use scenarios::scenario::{Loaded, Objective, Pool};
use scenarios::units::Seconds;

use super::apply::{named, plan_after};
use crate::candidates::{Refused, WorkloadCandidates};
use crate::placement::{Change, Limits};
use crate::planning::{Case, Options, minimized};

/// Share of a deadline or a budget that counts as nearly all of it.
const NEARLY_ALL: f64 = 0.95;

/// Most rules of a plan that are tried.
const MOST_TRIED: usize = 10;

/// Most placements and workloads of a case whose plan is solved again without being asked to.
const SMALL_PLACEMENTS: usize = 500;
const SMALL_WORKLOADS: usize = 6;

/// One unit more of what rules permit.
pub const PERMISSION: &str = "1 permission";

/// A rule that a plan is up against.
#[derive(Debug, Clone, PartialEq)]
struct Tight {
    what: String,
    step: String,
    change: Change,
}

/// Whether solving a case again a few times takes no longer than the user expects of one plan. It is told by size, so
/// that equal input gives equal plans.
pub(super) fn is_cheap(case: &Case<'_>) -> bool {
    case.size() <= SMALL_PLACEMENTS && case.candidates.workloads.len() <= SMALL_WORKLOADS
}

/// The best value that a case reaches, and what it may be off by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base {
    objective: f64,
    tolerance: f64,
}

impl Base {
    /// From a plan that is the best of its case.
    pub(super) fn of(plan: &Plan) -> Self {
        Self::new(plan.solver.objective, plan.solver.bound)
    }

    /// From a plan that may have been made for another objective, or be one of several: the case is solved where it was.
    pub(super) fn found(case: &Case<'_>, plan: &Plan, limits: Limits) -> Option<Self> {
        let is_best = plan.solver.status == SolverStatus::Optimal
            && plan.solver.minimizes == minimized(case.world.loaded.scenario.objective);
        if is_best {
            return Some(Self::of(plan));
        }
        let solution = case.solve(limits).ok()?;
        Some(Self::new(solution.objective, solution.bound))
    }

    fn new(objective: f64, bound: f64) -> Self {
        Self { objective, tolerance: (objective - bound).max(1e-6 + 1e-9 * objective.abs()) }
    }
}

/// Rules that a plan is up against, each with its worth; worth most first. What is worth nothing is left out unless
/// `all` are asked for.
pub(super) fn binding(
    case: &Case<'_>,
    plan: &Plan,
    base: Base,
    options: &Options,
    limits: Limits,
    all: bool,
) -> Vec<Binding> {
    let mut found = Vec::new();
    for tight in tight(case, plan).into_iter().take(MOST_TRIED) {
        let changes = [tight.change];
        let Ok(better) = plan_after(&changes, &case.world, options, limits) else { continue };
        let worth = (base.objective - better.solver.objective).max(0.0);
        let is_worth = worth > base.tolerance;
        if is_worth || all {
            let worth = if is_worth { rounded(worth) } else { 0.0 };
            let named = named(&changes, &better, case.world.loaded, case.world.catalog);
            let what = match named.first() {
                Some(change @ Change::Permission { .. }) if is_worth => change.to_string(),
                _ => tight.what,
            };
            let unit = unit(case.world.loaded.scenario.objective).to_owned();
            found.push(Binding { what, step: tight.step, worth, unit });
        }
    }
    found.sort_by(|a, b| b.worth.total_cmp(&a.worth));
    found
}

/// To a millionth.
fn rounded(worth: f64) -> f64 {
    (worth * 1e6).round() / 1e6
}

/// Unit of what a plan minimises.
const fn unit(objective: Objective) -> &'static str {
    match objective {
        Objective::FinishTime => "s",
        Objective::Carbon => "kg CO2e",
        Objective::Cost | Objective::Weighted(_) => "USD",
    }
}

/// What a plan is up against: full pools, deadlines and budget that are nearly used up, and permissions that cheaper or
/// faster places lack.
fn tight(case: &Case<'_>, plan: &Plan) -> Vec<Tight> {
    let loaded = case.world.loaded;
    let mut found = full_pools(loaded, plan);
    found.extend(plan.assignments.iter().filter_map(|assignment| deadline(loaded, assignment)));
    found.extend(budget(loaded, plan));
    for workload in &case.candidates.workloads {
        if let Some(tight) = permission(case, plan, workload).filter(|tight| !found.contains(tight)) {
            found.push(tight);
        }
    }
    found
}

/// Pools all of whose nodes are in use at some instant.
fn full_pools(loaded: &Loaded, plan: &Plan) -> Vec<Tight> {
    let mut starts: BTreeMap<(&str, &str), Vec<f64>> = BTreeMap::new();
    for assignment in &plan.assignments {
        for group in &assignment.groups {
            starts.entry((&group.site, &group.pool)).or_default().push(assignment.start_seconds);
        }
    }
    let mut found = Vec::new();
    for ((site, pool), starts) in starts {
        let Some(held) = loaded.scenario.sites.get(site).and_then(|site| site.pools.get(pool)) else { continue };
        if starts.iter().any(|at| used(plan, site, pool, *at) >= available(held, *at)) {
            found.push(Tight {
                what: format!("nodes of `{pool}` at `{site}`"),
                step: "1 node".to_owned(),
                change: Change::Nodes {
                    site: site.to_owned(),
                    pool: pool.to_owned(),
                    needs: held.nodes.saturating_add(1),
                    given: held.nodes,
                },
            });
        }
    }
    found
}

/// Nodes of a pool that a plan uses at an instant.
fn used(plan: &Plan, site: &str, pool: &str, at: f64) -> u32 {
    let running = plan.assignments.iter().filter(|a| a.start_seconds <= at && at < a.end_seconds);
    let groups = running.flat_map(|a| &a.groups).filter(|group| group.site == site && group.pool == pool);
    groups.map(|group| group.nodes).fold(0, u32::saturating_add)
}

/// Nodes of a pool at an instant.
fn available(pool: &Pool, at: f64) -> u32 {
    pool.quota.iter().rev().find(|quota| quota.from.get() <= at).map_or(pool.nodes, |quota| quota.nodes)
}

/// A deadline, or the end of the period, that a workload ends close to.
fn deadline(loaded: &Loaded, assignment: &Assignment) -> Option<Tight> {
    let horizon = loaded.scenario.horizon.get();
    let given_seconds = assignment.deadline_seconds.map_or(horizon, |deadline| deadline.min(horizon));
    let lasts = matches!(assignment.job, scenarios::scenario::Job::Serve(_));
    if lasts || assignment.end_seconds < NEARLY_ALL * given_seconds {
        return None;
    }
    // One more of the largest unit of which it has a few.
    let step = [3600.0, 60.0, 1.0].into_iter().find(|unit| given_seconds >= 4.0 * unit).unwrap_or(1.0);
    let workload = assignment.workload.clone();
    Some(Tight {
        what: format!("deadline of `{workload}`"),
        step: Seconds::new(step).rounded(),
        change: Change::Deadline { workload, needs_seconds: given_seconds + step, given_seconds },
    })
}

/// A budget that is nearly spent.
fn budget(loaded: &Loaded, plan: &Plan) -> Option<Tight> {
    let given = loaded.scenario.budget?.0;
    if plan.totals.cost_usd < given * Decimal::new(95, 2) {
        return None;
    }
    let step = (given / Decimal::ONE_HUNDRED).round_dp(2).max(Decimal::new(1, 2)).normalize();
    Some(Tight {
        what: "budget".to_owned(),
        step: format!("{step} USD"),
        change: Change::Budget { needs: given + step, given },
    })
}

/// The permission that the best place of a workload lacks, if that place is better by itself than the chosen one.
fn permission(case: &Case<'_>, plan: &Plan, workload: &WorkloadCandidates) -> Option<Tight> {
    let chosen = plan.assignments.iter().find(|assignment| assignment.workload == workload.workload)?;
    let by_time = case.world.loaded.scenario.objective == Objective::FinishTime;
    let measure = |refused: &Refused| {
        let column = refused.column.as_deref()?;
        let usd = column.compute_usd.to_f64().unwrap_or(f64::MAX);
        Some(if by_time { column.release_seconds + column.seconds } else { usd })
    };
    let most =
        if by_time { chosen.end_seconds - chosen.start_seconds } else { chosen.cost_usd.to_f64().unwrap_or(f64::MAX) };
    let denied = workload.refused.iter().filter(|refused| refused.reason.denied().is_some());
    let (_, refused) = denied
        .filter_map(|refused| Some((measure(refused)?, refused)))
        .filter(|(value, _)| *value < most)
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    let (label, _, _, site, _) = refused.reason.denied()?;
    let change = Change::Permission { label: label.to_owned(), forms: vec![], site: site.to_owned() };
    Some(Tight { what: change.to_string(), step: PERMISSION.to_owned(), change })
}
