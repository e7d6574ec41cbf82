//! Plans that are nearly as good as the best one, and as different from it as that allows.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;
use scenarios::scenario::{Objective, Weights};
use scenarios::units::{UsdPerHour, UsdPerKg};

use super::problem::{Choice, Problem, Replica, float};
use super::schedule::Schedule;
use super::search::{Limits, Solution, Unsolved, apart};

/// Pools by workload: two plans are different if some workload is in other pools.
pub(super) type Pattern = Vec<BTreeSet<usize>>;

/// Pools that each workload of a plan is in.
pub(super) fn pattern(problem: &Problem, plan: &Schedule<'_>) -> Pattern {
    let mut pattern: Pattern = Vec::new();
    for (job, column) in plan.choice.iter().enumerate() {
        pattern.push(problem.jobs[job].choices.get(*column).map(pools).unwrap_or_default());
    }
    for (service, counts) in problem.services.iter().zip(&plan.staffing.replicas) {
        let staffed = service.replicas.iter().zip(counts).filter(|(_, count)| **count > 0);
        pattern[service.job].extend(staffed.flat_map(|(replica, _)| replica.uses.iter().map(|(pool, _)| *pool)));
    }
    pattern
}

/// Pools that a column is in.
pub(super) fn pools(choice: &Choice) -> BTreeSet<usize> {
    choice.uses.iter().map(|(pool, _)| *pool).collect()
}

/// Plans whose objective is worse than that of `best` by at most the share `within`, each as different as possible from
/// all before it, and of those the best. Fewer than `count`, if there are no more.
///
/// # Errors
/// The solver failed.
pub fn alternatives(
    problem: &Problem,
    best: &Solution,
    count: usize,
    within: f64,
    limits: Limits,
) -> Result<Vec<Solution>, Unsolved> {
    let mut earlier = vec![best.clone()];
    while earlier.len() <= count {
        match next(problem, &earlier, within, limits.anew()) {
            Ok(found) => earlier.push(found),
            Err(Unsolved::Infeasible | Unsolved::OutOfTime(_)) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(earlier.split_off(1))
}

fn next(problem: &Problem, earlier: &[Solution], within: f64, limits: Limits) -> Result<Solution, Unsolved> {
    let schedule = |plan: &Solution| pattern(problem, &Schedule::of(plan));
    let patterns: Vec<Pattern> = earlier.iter().map(schedule).collect();
    let Aside { problem: aside, own, likeness } = Aside::of(problem, earlier, &patterns);
    let valued = |problem: &Problem, objective: Objective, plan: &Solution| {
        let finish = Schedule::of(plan).finish(problem);
        problem.value_by(objective, &plan.choice, &plan.staffing, finish)
    };
    let best = earlier.first().map_or(0.0, |best| valued(&aside, own, best));
    let most = best + within * best.abs();
    let different = Problem { objective: likeness, ..aside.clone() };
    let different = apart(&different, (own, most), &patterns, limits)?;
    let alike = valued(&aside, likeness, &different);
    let cheap = Problem { objective: own, ..aside.clone() };
    // The different plan stands, if no better one as different is found in time.
    let found = apart(&cheap, (likeness, alike), &patterns, limits.anew()).unwrap_or(different);
    let is_within = valued(&aside, own, &found) <= most + 1e-9 * most.abs();
    let bound = earlier.first().map_or(0.0, |best| best.bound);
    let objective = valued(problem, problem.objective, &found);
    if is_within { Ok(Solution { objective, bound, optimal: false, ..found }) } else { Err(Unsolved::Infeasible) }
}

/// A problem beside the one that is solved, whose second measure counts how like earlier plans a plan is.
struct Aside {
    problem: Problem,
    /// The problem's own objective, in terms of this one.
    own: Objective,
    /// What counts likeness.
    likeness: Objective,
}

impl Aside {
    /// Likeness takes the place of greenhouse gas, where the objective has none of it, or of preferences. Workloads
    /// count 1 for each earlier plan in whose pools they are; a service counts the share of its replicas that are.
    fn of(problem: &Problem, earlier: &[Solution], patterns: &[Pattern]) -> Self {
        let mut aside = problem.clone();
        let in_preference = problem.objective == Objective::Carbon;
        let own = if let Objective::Weighted(weights) = problem.objective {
            Objective::Weighted(fold(&mut aside, weights))
        } else {
            problem.objective
        };
        if in_preference {
            aside.copies.iter_mut().for_each(|copy| copy.preference = Decimal::ZERO);
            let ways = aside.flows.iter_mut().flat_map(|flow| flow.pairs.values_mut().flatten());
            ways.for_each(|way| way.preference = Decimal::ZERO);
        }
        for (job, workload) in aside.jobs.iter_mut().enumerate().filter(|(_, workload)| workload.finishes) {
            for choice in &mut workload.choices {
                let own = pools(choice);
                let alike = patterns.iter().filter(|pattern| pattern[job] == own).count() as f64;
                count(alike, in_preference, &mut choice.preference, &mut choice.carbon);
            }
        }
        for (index, service) in aside.services.iter_mut().enumerate() {
            let job = service.job;
            for replica in &mut service.replicas {
                let alike = alike(replica, job, index, earlier, patterns);
                count(alike, in_preference, &mut replica.preference, &mut replica.carbon);
            }
        }
        let nothing = Weights { cost: 0.0, finish_time: UsdPerHour::default(), carbon: UsdPerKg::default() };
        let likeness = if in_preference { Objective::Weighted(nothing) } else { Objective::Carbon };
        Self { problem: aside, own, likeness }
    }
}

fn count(alike: f64, in_preference: bool, preference: &mut Decimal, carbon: &mut f64) {
    if in_preference {
        *preference = Decimal::from_f64(alike).unwrap_or_default();
    } else {
        *carbon = alike;
    }
}

/// Share of a service's replicas in earlier plans that one more in the same pools makes up.
fn alike(replica: &Replica, job: usize, service: usize, earlier: &[Solution], patterns: &[Pattern]) -> f64 {
    let shares = earlier.iter().zip(patterns).map(|(plan, pattern)| {
        let is_there = replica.uses.iter().all(|(pool, _)| pattern[job].contains(pool));
        let all: u32 = plan.staffing.replicas.get(service).map_or(0, |counts| counts.iter().sum());
        if is_there { 1.0 / f64::from(all.max(1)) } else { 0.0 }
    });
    shares.sum()
}

/// Counts greenhouse gas with the preferences, so that a plan's value stays the same but for a factor.
fn fold(problem: &mut Problem, weights: Weights) -> Weights {
    let unit = if weights.cost > 0.0 { weights.cost } else { 1.0 };
    let kilogram = float(weights.carbon.0);
    let folded = |preference: Decimal, carbon: f64| {
        let sum = (float(preference) + kilogram * carbon) / unit;
        Decimal::from_f64(sum).unwrap_or(Decimal::MAX).round_dp(9)
    };
    for choice in problem.jobs.iter_mut().flat_map(|job| &mut job.choices) {
        choice.preference = folded(choice.preference, choice.carbon);
    }
    for replica in problem.services.iter_mut().flat_map(|service| &mut service.replicas) {
        replica.preference = folded(replica.preference, replica.carbon);
    }
    let ways = problem.flows.iter_mut().flat_map(|flow| flow.pairs.values_mut().flatten());
    for movement in problem.copies.iter_mut().chain(ways) {
        movement.preference = folded(movement.preference, 0.0);
    }
    let hour = Decimal::from_f64(float(weights.finish_time.0) / unit).unwrap_or_default();
    Weights { cost: weights.cost / unit, finish_time: UsdPerHour(hour), carbon: UsdPerKg::default() }
}
