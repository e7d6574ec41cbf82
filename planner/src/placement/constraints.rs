//! Constraints, one family a function. `planner/MODEL.md` has the formula of each.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::{Constraint, Expression, Variable, constraint};
use scenarios::scenario::Objective;

use super::alternatives::pools;
use super::conflicts::Conflict;
use super::model::Model;
use super::problem::{Choice, float};
use super::scale::MOST_BYTES;
use super::schedule::TOLERANCE_SECONDS;
use crate::clock::{Clock, OutOfTime};

/// All rows.
///
/// # Errors
/// They are too many for the time.
pub(super) fn all(model: &Model<'_>, clock: Clock) -> Result<Vec<Constraint>, OutOfTime> {
    let families = [
        exactly_one_column,
        copies_made,
        products_moved,
        release,
        precedence,
        products_arrival,
        deadline,
        finish,
        budget,
        ceiling,
        demand_met,
        replica_load,
        replicas_staffed,
        service_capacity,
        tiers_filled,
        tiers_in_order,
        pool_energy,
        compulsory_occupation,
        conflicts,
        order,
        exclusions,
        other_places,
    ];
    let mut rows = Vec::new();
    for family in families {
        rows.extend(family(model));
        clock.check()?;
    }
    Ok(rows)
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
            let users = model.sum(job, |choice| f64::from(u8::from(choice.copies.contains(&copy))));
            rows.push(constraint!(users <= model.made[copy]));
        }
    }
    for (service, kinds) in model.problem.services.iter().zip(&model.replicas) {
        for (replica, variables) in service.replicas.iter().zip(kinds) {
            rows.extend(replica.copies.iter().map(|copy| constraint!(variables.staffed <= model.made[*copy])));
        }
    }
    rows
}

fn used_copies(model: &Model<'_>, job: usize) -> BTreeSet<usize> {
    model.problem.jobs[job].choices.iter().flat_map(|choice| choice.copies.iter().copied()).collect()
}

/// Products move from the site that makes them to those that read them: the product of two choices, made linear by its
/// row and column sums. A service reads at every site where it has replicas.
fn products_moved(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for (flow, moved) in model.problem.flows.iter().zip(&model.moved) {
        let mut leaving: BTreeMap<usize, Expression> = BTreeMap::new();
        let mut arriving: BTreeMap<usize, Expression> = BTreeMap::new();
        let mut pairs: BTreeMap<(usize, usize), Expression> = BTreeMap::new();
        for ((from, to, _), variable) in moved {
            *leaving.entry(*from).or_default() += *variable;
            *arriving.entry(*to).or_default() += *variable;
            *pairs.entry((*from, *to)).or_default() += *variable;
        }
        let here = |job: usize, site: usize| model.sum(job, move |choice| f64::from(u8::from(choice.site == site)));
        let Some(service) = model.problem.service_of(flow.to) else {
            for (job, mut sums) in [(flow.from, leaving), (flow.to, arriving)] {
                let sums = sites(model, job).into_iter().map(|site| (site, sums.remove(&site).unwrap_or_default()));
                rows.extend(sums.map(|(site, sum)| constraint!(sum == here(job, site))));
            }
            continue;
        };
        for (site, open) in &model.open[service] {
            rows.push(constraint!(arriving.remove(site).unwrap_or_default() == *open));
        }
        rows.extend(pairs.into_iter().map(|((from, _), sum)| constraint!(sum <= here(flow.from, from))));
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

/// No reader starts before its product has been made and has arrived.
fn products_arrival(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for (flow, moved) in model.problem.flows.iter().zip(&model.moved) {
        let time = |key: &(usize, usize, usize)| flow.pairs[&(key.0, key.1)][key.2].seconds / model.scale.seconds;
        let ready = || model.start[flow.from] + model.duration(flow.from);
        if model.problem.service_of(flow.to).is_some() {
            let late = moved.iter().filter(|(key, _)| time(key) > 0.0);
            rows.extend(late.map(|(key, moved)| constraint!(model.start[flow.to] >= ready() + time(key) * *moved)));
            rows.push(constraint!(model.start[flow.to] >= ready()));
        } else {
            let transfer: Expression = moved.iter().map(|(key, variable)| time(key) * *variable).sum();
            rows.push(constraint!(model.start[flow.to] >= ready() + transfer));
        }
    }
    rows
}

/// No end after the deadline or the end of the planning period.
fn deadline(model: &Model<'_>) -> Vec<Constraint> {
    (0..model.chosen.len())
        .map(|job| {
            let end = model.start[job] + model.duration(job);
            match model.late.get(job).filter(|_| model.problem.jobs[job].finishes) {
                None => constraint!(end <= model.latest_end(job)),
                Some(late) => constraint!(end <= model.problem.jobs[job].latest_end / model.scale.seconds + *late),
            }
        })
        .collect()
}

/// The plan ends when its last workload ends.
fn finish(model: &Model<'_>) -> Vec<Constraint> {
    let finishing = (0..model.chosen.len()).filter(|job| model.problem.jobs[*job].finishes);
    finishing.map(|job| constraint!(model.finish >= model.start[job] + model.duration(job))).collect()
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

/// Another objective does not get worse.
fn ceiling(model: &Model<'_>) -> Vec<Constraint> {
    let row = |(objective, most): (Objective, f64)| {
        let limit = most / model.scale.of_objective(objective);
        constraint!(model.value_of(objective) <= limit + 1e-9 * limit.abs())
    };
    model.learned.ceiling.into_iter().map(row).collect()
}

/// Every request is answered.
fn demand_met(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for (service, kinds) in model.problem.services.iter().zip(&model.replicas) {
        for (class, _) in service.rates.iter().enumerate().filter(|(_, rate)| **rate > 0.0) {
            let answered: Expression = kinds.iter().filter_map(|kind| kind.share[class]).map(Expression::from).sum();
            rows.push(constraint!(answered == 1.0));
        }
    }
    rows
}

/// Replicas of a kind have the capacity for what they answer.
fn replica_load(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for (service, kinds) in model.problem.services.iter().zip(&model.replicas) {
        for (replica, variables) in service.replicas.iter().zip(kinds) {
            let classes = service.rates.iter().zip(&replica.most).zip(&variables.share);
            let load: Expression = classes
                .filter_map(|((rate, most), share)| Some(rate / (*most)? / service.utilization * (*share)?))
                .sum();
            rows.push(constraint!(load <= variables.count));
        }
    }
    rows
}

/// A site that has replicas is open, and a kind that has any is staffed.
fn replicas_staffed(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for ((service, kinds), open) in model.problem.services.iter().zip(&model.replicas).zip(&model.open) {
        for (replica, variables) in service.replicas.iter().zip(kinds) {
            let most = f64::from(service.most_replicas(model.relax.counted(&model.problem.pools), replica));
            rows.push(constraint!(variables.count <= most * variables.staffed));
            rows.push(constraint!(variables.staffed <= open[&replica.site]));
        }
    }
    rows
}

/// Replicas of services that are answered at the same time fit into their pools.
fn service_capacity(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for pool in 0..model.problem.pools.len() {
        for first in services_of(model, pool) {
            let at = model.earliest_start(model.problem.services[first].job);
            rows.push(constraint!(staffed_at(model, pool, at) <= model.capacity(pool)));
        }
    }
    rows
}

/// Services that may occupy nodes of a pool.
fn services_of(model: &Model<'_>, pool: usize) -> Vec<usize> {
    let uses = |service: &usize| {
        let replicas = &model.problem.services[*service].replicas;
        replicas.iter().any(|replica| replica.uses.iter().any(|(used, _)| *used == pool))
    };
    (0..model.problem.services.len()).filter(uses).collect()
}

/// Nodes of a pool that services occupy at an instant.
fn staffed_at(model: &Model<'_>, pool: usize, at: f64) -> Expression {
    let runs = |service: &usize| {
        let job = model.problem.services[*service].job;
        let still = TOLERANCE_SECONDS / model.scale.seconds;
        model.earliest_start(job) <= at + still && at + still < model.latest_end(job)
    };
    services_of(model, pool).into_iter().filter(runs).map(|service| model.staffed(service, pool)).sum()
}

/// The amount on a meter is spread over its tiers.
fn tiers_filled(model: &Model<'_>) -> Vec<Constraint> {
    let filled = |meter: usize| -> Expression { model.filled[meter].iter().map(|(amount, _)| *amount).sum() };
    (0..model.filled.len()).map(|meter| constraint!(model.load(meter) == filled(meter))).collect()
}

/// A tier holds no more than its width, and nothing before the tiers below it are full.
fn tiers_in_order(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for (meter, filled) in model.filled.iter().enumerate() {
        let unit = model.scale.bytes[meter];
        let mut below = 0.0;
        let mut opened: Option<Variable> = None;
        for (tier, (amount, full)) in model.problem.meters[meter].tiers().iter().zip(filled) {
            let end = tier.up_to.map_or(f64::INFINITY, |end| end.0 as f64 / unit);
            let width = (end - below).min(MOST_BYTES);
            match opened {
                None => rows.push(constraint!(*amount <= width)),
                Some(opened) => rows.push(constraint!(*amount <= width * opened)),
            }
            rows.push(constraint!(*amount >= width * *full));
            below = end;
            opened = Some(*full);
        }
    }
    rows
}

/// Node-seconds in a pool fit between its first possible start and its last possible end. Implied by
/// the conflicts; it makes the relaxation strong where a pool is full.
fn pool_energy(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for pool in contended_pools(model) {
        let jobs = || model.columns_of_pool[pool].iter().map(|(job, _, _)| *job);
        let node_seconds =
            |_: usize, choice: &Choice, nodes: u32| f64::from(nodes) * choice.seconds / model.scale.seconds;
        let work = || model.sum_of_pool(pool, node_seconds);
        let opens = jobs().map(|job| model.earliest_start(job)).fold(f64::INFINITY, f64::min);
        let closes = jobs().map(|job| model.latest_end(job)).fold(0.0, f64::max);
        if model.problem.objective == Objective::FinishTime
            && !model.relax.any()
            && jobs().all(|job| model.problem.jobs[job].finishes)
            && !model.reserved.contains_key(&pool)
        {
            let nodes = f64::from(model.problem.pools[pool].nodes);
            rows.push(constraint!(work() <= nodes * model.finish - nodes * opens));
        }
        rows.push(constraint!(work() <= (closes - opens) * model.capacity(pool)));
    }
    rows
}

/// Pools that could be asked for more nodes than they have.
fn contended_pools(model: &Model<'_>) -> Vec<usize> {
    let demand = |pool: usize| {
        let mut largest: BTreeMap<usize, u32> = BTreeMap::new();
        for (job, _, nodes) in &model.columns_of_pool[pool] {
            let most = largest.entry(*job).or_default();
            *most = (*nodes).max(*most);
        }
        largest.into_values().map(u64::from).sum::<u64>()
    };
    let is_contended = |pool: &usize| {
        let demand = demand(*pool);
        let held = u64::from(model.problem.pools[*pool].nodes);
        demand > held || (demand > 0 && (model.reserved.contains_key(pool) || !services_of(model, *pool).is_empty()))
    };
    (0..model.problem.pools.len()).filter(is_contended).collect()
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
        // What is left of a difference by rounding is no time.
        (latest_start + TOLERANCE_SECONDS / unit < earliest_end).then_some((latest_start, earliest_end))
    };
    let mut rows = Vec::new();
    for pool in contended_pools(model) {
        let columns = model.columns_of_pool[pool].iter();
        let parts = columns.filter_map(|(job, column, _)| part(*job, &model.problem.jobs[*job].choices[*column]));
        let mut instants: Vec<f64> = parts.map(|(from, _)| from).collect();
        instants.sort_by(f64::total_cmp);
        instants.dedup();
        for at in instants {
            let running = |job: usize, choice: &Choice, nodes: u32| {
                let covers =
                    part(job, choice).is_some_and(|(from, to)| from <= at && at + TOLERANCE_SECONDS / unit < to);
                if covers { f64::from(nodes) } else { 0.0 }
            };
            let used = model.sum_of_pool(pool, running) + staffed_at(model, pool, at);
            rows.push(constraint!(used <= model.capacity(pool)));
        }
    }
    rows
}

/// Of workloads that do not fit into a pool together, two do not overlap, or one is elsewhere or smaller; beside the
/// replicas of services that run at the same time.
fn conflicts(model: &Model<'_>) -> Vec<Constraint> {
    model.learned.conflicts.iter().map(|conflict| conflict_row(model, conflict)).collect()
}

fn conflict_row(model: &Model<'_>, conflict: &Conflict) -> Constraint {
    let pool = conflict.pool;
    let member = |(job, nodes): &(usize, u32)| {
        let counts = |choice: &Choice| choice.nodes_in(pool) >= *nodes;
        model.sum(*job, |choice| f64::from(u8::from(counts(choice))))
    };
    let together: Expression = conflict.members.iter().map(member).sum();
    let apart = |pairs: Vec<(usize, usize)>| -> Expression {
        pairs.into_iter().map(|pair| Expression::from(model.order[&pair])).sum()
    };
    let overlap = 1.0 - conflict.members.len() as f64 + together - apart(conflict.pairs_of_members().collect());
    if conflict.services.is_empty() && !model.reserved.contains_key(&pool) {
        let missing = f64::from(conflict.nodes().saturating_sub(model.problem.pools[pool].nodes));
        let extra = model.extra.get(pool).map_or_else(Expression::default, |extra| (*extra).into());
        return constraint!(missing * overlap <= extra);
    }
    let staffed: Expression = conflict.services.iter().map(|service| model.staffed(*service, pool)).sum();
    let away = apart(conflict.pairs_with_services(&model.problem.services).collect());
    let nodes = f64::from(conflict.nodes());
    constraint!(nodes * overlap + staffed - nodes * away <= model.capacity(pool))
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
    model.learned.excluded.iter().map(row).collect()
}

/// Share of a class of requests that a replica elsewhere answers at least, to make a plan another one.
const LEAST_SHARE: f64 = 0.05;

/// Some workload is in other pools than in each plan that it must differ from; a service is, if a replica is elsewhere.
fn other_places(model: &Model<'_>) -> Vec<Constraint> {
    let mut rows = Vec::new();
    for other in model.learned.others {
        let mut moved = Expression::default();
        for (job, workload) in model.problem.jobs.iter().enumerate().filter(|(_, workload)| workload.finishes) {
            if workload.choices.iter().any(|choice| pools(choice) == other[job]) {
                moved += model.sum(job, |choice| f64::from(u8::from(pools(choice) != other[job])));
            } else {
                moved += 1.0;
            }
        }
        for (service, kinds) in model.problem.services.iter().zip(&model.replicas) {
            for (replica, variables) in service.replicas.iter().zip(kinds) {
                if replica.uses.iter().any(|(pool, _)| !other[service.job].contains(pool)) {
                    // A replica that answers next to nothing makes no other plan.
                    let answered: Expression = variables.share.iter().flatten().map(|s| Expression::from(*s)).sum();
                    rows.push(constraint!(variables.staffed <= variables.count));
                    rows.push(constraint!(LEAST_SHARE * variables.staffed <= answered));
                    moved += variables.staffed;
                }
            }
        }
        rows.push(constraint!(moved >= 1.0));
    }
    rows
}
