//! Constraints, one family a function. `planner/MODEL.md` has the formula of each.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::{Constraint, Expression, constraint};
use scenarios::scenario::Objective;

use super::model::Model;
use super::problem::{Choice, float};

/// All rows.
pub(super) fn all(model: &Model<'_>) -> Vec<Constraint> {
    let families = [
        exactly_one_column,
        copies_made,
        weights_moved,
        release,
        precedence,
        weights_arrival,
        deadline,
        finish,
        budget,
        pool_energy,
        compulsory_occupation,
        conflicts,
        order,
        exclusions,
    ];
    families.into_iter().flat_map(|family| family(model)).collect()
}

/// A workload runs exactly once.
fn exactly_one_column(model: &Model<'_>) -> Vec<Constraint> {
    let one = |job: usize| model.sum(job, |_| 1.0);
    (0..model.chosen.len()).map(|job| constraint!(one(job) == 1.0)).collect()
}

/// A column that reads a copy needs the copy, which is paid for once.
fn copies_made(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for job in 0..model.chosen.len() {
        for copy in used_copies(model, job) {
            let users = model.sum(job, |choice| f64::from(u8::from(choice.copy == Some(copy))));
            rows.push(constraint!(users <= model.made[copy]));
        }
    }
    rows
}

fn used_copies(model: &Model<'_>, job: usize) -> BTreeSet<usize> {
    model.problem.jobs[job].choices.iter().filter_map(|choice| choice.copy).collect()
}

/// Weights move between the sites that were chosen: the product of two choices, made linear by its
/// row and column sums.
fn weights_moved(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for (flow, moved) in model.problem.flows.iter().zip(&model.moved) {
        let mut leaving: BTreeMap<usize, Expression> = BTreeMap::new();
        let mut arriving: BTreeMap<usize, Expression> = BTreeMap::new();
        for ((from, to), variable) in moved {
            *leaving.entry(*from).or_default() += *variable;
            *arriving.entry(*to).or_default() += *variable;
        }
        for (job, mut sums) in [(flow.from, leaving), (flow.to, arriving)] {
            for site in sites(model, job) {
                let here = model.sum(job, |choice| f64::from(u8::from(choice.site == site)));
                rows.push(constraint!(sums.remove(&site).unwrap_or_default() == here));
            }
        }
    }
    rows
}

fn sites(model: &Model<'_>, job: usize) -> BTreeSet<usize> {
    model.problem.jobs[job].choices.iter().map(|choice| choice.site).collect()
}

/// No start before the workload's own earliest start and the arrival of its data.
fn release(model: &Model<'_>) -> Vec<Constraint> {
    let earliest = |job: usize| model.sum(job, |choice| choice.release / model.scale.seconds);
    (0..model.chosen.len()).map(|job| constraint!(model.start[job] >= earliest(job))).collect()
}

/// No start before the end of the workloads that it names under `after`.
fn precedence(model: &Model<'_>) -> Vec<Constraint> {
    let pairs = (0..model.chosen.len()).flat_map(|job| model.problem.jobs[job].after.iter().map(move |b| (*b, job)));
    pairs.map(|(before, job)| constraint!(model.start[job] >= model.start[before] + model.duration(before))).collect()
}

/// No evaluation before the weights have been produced and have arrived.
fn weights_arrival(model: &Model<'_>) -> Vec<Constraint> {
    let flows = model.problem.flows.iter().zip(&model.moved);
    flows
        .map(|(flow, moved)| {
            let transfer: Expression =
                moved.iter().map(|(pair, variable)| flow.pairs[pair].1 / model.scale.seconds * *variable).sum();
            constraint!(model.start[flow.to] >= model.start[flow.from] + model.duration(flow.from) + transfer)
        })
        .collect()
}

/// No end after the deadline or the end of the planning period.
fn deadline(model: &Model<'_>) -> Vec<Constraint> {
    (0..model.chosen.len())
        .map(|job| {
            let end = model.start[job] + model.duration(job);
            match model.late.get(job) {
                None => constraint!(end <= model.latest_end(job)),
                Some(late) => constraint!(end <= model.problem.jobs[job].latest_end / model.scale.seconds + *late),
            }
        })
        .collect()
}

/// The plan ends when its last workload ends.
fn finish(model: &Model<'_>) -> Vec<Constraint> {
    (0..model.chosen.len()).map(|job| constraint!(model.finish >= model.start[job] + model.duration(job))).collect()
}

/// Everything together stays within the budget.
fn budget(model: &Model<'_>) -> Vec<Constraint> {
    let Some(budget) = model.problem.budget else { return Vec::new() };
    let limit = float(budget) / model.scale.usd;
    match model.over {
        None => vec![constraint!(model.cost() <= limit)],
        Some(over) => vec![constraint!(model.cost() <= limit + over)],
    }
}

/// Node-seconds in a pool fit between its first possible start and its last possible end. Implied by
/// the conflicts; it makes the relaxation strong where a pool is full.
fn pool_energy(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for pool in contended_pools(model) {
        let jobs = || model.columns_of_pool[pool].iter().map(|(job, _)| *job);
        let node_seconds = |_: usize, choice: &Choice| f64::from(choice.nodes) * choice.seconds / model.scale.seconds;
        let work = || model.sum_of_pool(pool, node_seconds);
        let opens = jobs().map(|job| model.earliest_start(job)).fold(f64::INFINITY, f64::min);
        let closes = jobs().map(|job| model.latest_end(job)).fold(0.0, f64::max);
        let nodes = f64::from(model.problem.pools[pool]);
        if let Some(extra) = model.extra.get(pool) {
            rows.push(constraint!(work() <= (closes - opens) * nodes + (closes - opens) * *extra));
            continue;
        }
        if model.problem.objective == Objective::FinishTime && !model.relax.any() {
            rows.push(constraint!(work() <= nodes * model.finish - nodes * opens));
        }
        rows.push(constraint!(work() <= (closes - opens) * nodes));
    }
    rows
}

/// Pools that could be asked for more nodes than they have.
fn contended_pools(model: &Model<'_>) -> Vec<usize> {
    let demand = |pool: usize| {
        let mut largest: BTreeMap<usize, u32> = BTreeMap::new();
        for (job, column) in &model.columns_of_pool[pool] {
            let nodes = largest.entry(*job).or_default();
            *nodes = model.problem.jobs[*job].choices[*column].nodes.max(*nodes);
        }
        largest.into_values().map(u64::from).sum::<u64>()
    };
    (0..model.problem.pools.len()).filter(|pool| demand(*pool) > u64::from(model.problem.pools[*pool])).collect()
}

/// Columns that are certainly running at an instant, whenever they start, fit together. Implied by
/// the conflicts; it decides pools with tight deadlines without any order.
fn compulsory_occupation(model: &Model<'_>) -> Vec<Constraint> {
    if model.relax.deadlines {
        return Vec::new();
    }
    let unit = model.scale.seconds;
    let part = |job: usize, choice: &Choice| {
        let latest_start = model.latest_end(job) - choice.seconds / unit;
        let earliest_end = (choice.release + choice.seconds) / unit;
        (latest_start < earliest_end).then_some((latest_start, earliest_end))
    };
    let mut rows = Vec::new();
    for pool in contended_pools(model) {
        let columns = model.columns_of_pool[pool].iter();
        let parts = columns.filter_map(|(job, column)| part(*job, &model.problem.jobs[*job].choices[*column]));
        let mut instants: Vec<f64> = parts.map(|(from, _)| from).collect();
        instants.sort_by(f64::total_cmp);
        instants.dedup();
        for at in instants {
            let running = |job: usize, choice: &Choice| {
                let covers = part(job, choice).is_some_and(|(from, to)| from <= at && at < to);
                if covers { f64::from(choice.nodes) } else { 0.0 }
            };
            let used = model.sum_of_pool(pool, running);
            let nodes = f64::from(model.problem.pools[pool]);
            let extra = model.extra.get(pool).map_or_else(Expression::default, |extra| (*extra).into());
            rows.push(constraint!(used <= nodes + extra));
        }
    }
    rows
}

/// Of workloads that do not fit into a pool together, two do not overlap, or one is elsewhere or smaller.
fn conflicts(model: &Model<'_>) -> Vec<Constraint> {
    let row = |conflict: &super::conflicts::Conflict| {
        let together: Expression = conflict
            .members
            .iter()
            .map(|(job, nodes)| {
                let counts = |choice: &Choice| choice.pool == conflict.pool && choice.nodes >= *nodes;
                model.sum(*job, |choice| f64::from(u8::from(counts(choice))))
            })
            .sum();
        let apart: Expression = conflict.pairs().map(|pair| Expression::from(model.order[&pair])).sum();
        let overlap = 1.0 - conflict.members.len() as f64 + together - apart;
        let missing = f64::from(conflict.excess(model.problem.pools[conflict.pool]));
        let extra = model.extra.get(conflict.pool).map_or_else(Expression::default, |extra| (*extra).into());
        constraint!(missing * overlap <= extra)
    };
    model.conflicts.iter().map(row).collect()
}

/// If one workload is to end before another starts, it does. The only rows with a large constant:
/// the longest time by which the two could overlap.
fn order(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for ((first, second), ordered) in &model.order {
        let most = (model.latest_end(*first) - model.earliest_start(*second)).max(0.0);
        let end = model.start[*first] + model.duration(*first);
        rows.push(constraint!(end <= model.start[*second] + most - most * *ordered));
        if let (true, Some(reverse)) = (first < second, model.order.get(&(*second, *first))) {
            rows.push(constraint!(*ordered + *reverse <= 1.0));
        }
    }
    rows
}

/// Choices that failed the exact check (money in decimals, times in milliseconds) are not made again.
fn exclusions(model: &Model<'_>) -> Vec<Constraint> {
    let row = |choice: &Vec<usize>| {
        let same: Expression =
            choice.iter().enumerate().map(|(job, column)| Expression::from(model.chosen[job][*column])).sum();
        constraint!(same <= choice.len() as f64 - 1.0)
    };
    model.excluded.iter().map(row).collect()
}
