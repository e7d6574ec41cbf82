//! Every placement with what became of it.

use rust_decimal::Decimal;
use scenarios::plan::{Candidate, Verdict};
use scenarios::scenario::{Objective, PurchaseKind};
use scenarios::units::{Bytes, Seconds};

use crate::candidates::{Column, DECIMALS, Dominated, Group, Movement, Network, Refused, World, compute_usd};
use crate::placement::Problem;
use crate::planning::Decision;

/// Most placements that a plan lists for one workload; more are only counted.
pub(super) const MOST_LISTED: usize = 500;

/// Placements of all workloads: chosen, possible, dominated, refused.
pub(super) fn all(decision: &Decision<'_>) -> Vec<Candidate> {
    (0..decision.candidates.workloads.len())
        .flat_map(|job| of_workload(decision, job).into_iter().take(MOST_LISTED))
        .collect()
}

fn of_workload(decision: &Decision<'_>, job: usize) -> Vec<Candidate> {
    let workload = &decision.candidates.workloads[job];
    if workload.service.is_some() {
        return Vec::new();
    }
    let name = &workload.workload;
    let chosen = decision.solution.choice[job];
    let world = &decision.world;
    let listed = |column: &Column, verdict: Verdict, reason: String| {
        candidate(world, name, column, alone_usd(decision, job, column), verdict, reason)
    };
    let mut list = vec![listed(decision.column(job), Verdict::Chosen, chosen_reason(decision))];
    for (index, column) in workload.columns.iter().enumerate() {
        if index != chosen {
            list.push(listed(column, Verdict::Lost, lost_reason(decision, job, column)));
        }
    }
    for Dominated { column, by, places } in &workload.dominated {
        list.push(listed(column, Verdict::Dominated, dominated_reason(world, &workload.columns[*by], *places)));
    }
    // One of each reason and site first, so that a long list loses none.
    let (first, repeated): (Vec<_>, Vec<_>) = {
        let mut seen = std::collections::BTreeSet::new();
        workload.refused.iter().partition(|refused| seen.insert((refused.place.site, refused.reason.to_string())))
    };
    let refused = first.into_iter().chain(repeated).map(|refused| refusal(decision, job, refused));
    list.into_iter().chain(refused).collect()
}

/// Machines of a group in words.
#[must_use]
pub fn machines(world: &World<'_>, group: &Group) -> String {
    let (pool, site) = (world.pool_name(group.place), world.site_name(group.place.site));
    let machine = world.machine_name(group.place);
    format!("{} × {machine} (`{pool}` of `{site}`), {}", group.layout.nodes, group.purchase)
}

/// A row of the list.
#[must_use]
pub fn candidate(
    world: &World<'_>,
    workload: &str,
    column: &Column,
    cost_usd: Decimal,
    verdict: Verdict,
    reason: String,
) -> Candidate {
    let first = column.first();
    Candidate {
        workload: workload.to_owned(),
        site: world.site_name(first.place.site).to_owned(),
        pool: world.pool_name(first.place).to_owned(),
        machine: world.machine_name(first.place),
        purchase: first.purchase,
        nodes: first.layout.nodes,
        others: column.groups.iter().skip(1).map(|group| machines(world, group)).collect(),
        strategy: column.strategy,
        seconds: Some(column.seconds),
        cost_usd: Some(cost_usd.normalize()),
        verdict,
        reason,
    }
}

fn refusal(decision: &Decision<'_>, job: usize, refused: &Refused) -> Candidate {
    let world = &decision.world;
    let column = refused.column.as_deref();
    Candidate {
        workload: decision.candidates.workloads[job].workload.clone(),
        site: world.site_name(refused.place.site).to_owned(),
        pool: world.pool_name(refused.place).to_owned(),
        machine: world.machine_name(refused.place),
        purchase: refused.purchase,
        nodes: refused.nodes,
        others: column
            .iter()
            .flat_map(|column| column.groups.iter().skip(1))
            .map(|group| machines(world, group))
            .collect(),
        strategy: refused.strategy,
        seconds: column.map(|column| column.seconds),
        cost_usd: column.map(|column| (column.compute_usd + moved_usd(decision, column)).normalize()),
        verdict: Verdict::Refused,
        reason: refused.reason.to_string(),
    }
}

/// Copies and exchanges of a placement.
fn moved_usd(decision: &Decision<'_>, column: &Column) -> Decimal {
    let moved = decision.copies(column).chain(&column.exchanges);
    moved.map(|movement| movement_usd(decision.network, decision.problem, movement)).sum()
}

/// Cost of a movement if nothing else moves.
pub(super) fn movement_usd(network: &Network<'_>, problem: &Problem, movement: &Movement) -> Decimal {
    let metered = movement.charges.iter().map(|charge| {
        let known = problem.meters.get(charge.meter).cloned();
        // Movements that no placement of the problem needs may have meters of their own.
        let tariff = known.or_else(|| network.meters().into_iter().nth(charge.meter).map(|meter| meter.tariff));
        tariff.map_or(Decimal::ZERO, |tariff| tariff.cost(Bytes(charge.bytes)).round_dp(DECIMALS))
    });
    movement.usd + movement.storage_usd + metered.sum::<Decimal>()
}

/// Cost of a placement by itself: nodes, copies of its own, products from where the plan makes them.
pub(super) fn alone_usd(decision: &Decision<'_>, job: usize, column: &Column) -> Decimal {
    let products = products_in(decision, job, column);
    let products = products.iter().map(|movement| movement_usd(decision.network, decision.problem, movement));
    let own = column.compute_usd + committed_usd(&decision.world, column);
    own + moved_usd(decision, column) + products.sum::<Decimal>()
}

/// What reserving the nodes of a placement would cost if nothing else used them.
pub(super) fn committed_usd(world: &World<'_>, column: &Column) -> Decimal {
    let reserved = column.groups.iter().filter(|group| group.purchase == PurchaseKind::Reserved);
    let terms = reserved.filter_map(|group| {
        let terms = world.pool(group.place)?.purchase.reserved.as_ref()?;
        let whole = terms.upfront.0 + compute_usd(terms.price.0, 1, terms.term.get());
        Some(whole * Decimal::from(group.layout.nodes))
    });
    terms.sum()
}

/// Products that a placement would read from where the plan makes them.
fn products_in(decision: &Decision<'_>, job: usize, column: &Column) -> Vec<Movement> {
    let read = decision.network.products().iter().filter(|product| product.reader == job);
    let moved = read.filter_map(|product| {
        let from = decision.column(product.maker).site();
        if from == column.site() { None } else { decision.network.movement(&product.cargo, from, column.site()).ok() }
    });
    moved.collect()
}

fn chosen_reason(decision: &Decision<'_>) -> String {
    let best = match decision.world.loaded.scenario.objective {
        Objective::Cost => "the cheapest plan",
        Objective::FinishTime => "the plan that finishes earliest",
        Objective::Carbon => "the plan with the least greenhouse gas",
        Objective::Weighted(_) => "the plan that is best by the weights",
    };
    if decision.solution.optimal {
        format!("part of {best}")
    } else {
        format!("part of the plan, which is not proven to be {best}")
    }
}

/// How a placement differs from the chosen one, in the plan's objective first.
pub(super) fn lost_reason(decision: &Decision<'_>, job: usize, column: &Column) -> String {
    let chosen = decision.column(job);
    let usd = alone_usd(decision, job, column) - alone_usd(decision, job, chosen);
    let seconds = column.seconds + column.release_seconds - chosen.seconds - chosen.release_seconds;
    let money = match usd {
        usd if usd > Decimal::ZERO => format!("costs {} USD more", usd.normalize()),
        usd if usd < Decimal::ZERO => format!("costs {} USD less", (-usd).normalize()),
        _ => "costs the same".to_owned(),
    };
    let length = Seconds::new(seconds.abs()).rounded();
    let time = match seconds {
        seconds if seconds > 0.0 => format!("takes {length} longer"),
        seconds if seconds < 0.0 => format!("takes {length} less"),
        _ => "takes as long".to_owned(),
    };
    let (first, second, better) = match decision.world.loaded.scenario.objective {
        Objective::Cost => (money, time, usd < Decimal::ZERO),
        Objective::FinishTime => (time, money, seconds < 0.0),
        Objective::Carbon | Objective::Weighted(_) => (money, time, false),
    };
    let but = if better { ", but does not fit with the rest of the plan" } else { "" };
    format!("{}{first} and {second}{but}", copied(decision, column))
}

/// Where copies of the data would come from.
fn copied(decision: &Decision<'_>, column: &Column) -> String {
    let copies: Vec<String> = decision
        .copies(column)
        .map(|copy| format!("a copy of `{}` from `{}`", copy.what, decision.world.site_name(copy.from)))
        .collect();
    if copies.is_empty() { String::new() } else { format!("with {} it ", copies.join(" and ")) }
}

fn dominated_reason(world: &World<'_>, by: &Column, places: usize) -> String {
    let first = by.first();
    let (pool, site) = (world.pool_name(first.place), world.site_name(first.place.site));
    let other = format!("{} in `{pool}` of `{site}`, {}", by.strategy, first.purchase);
    match places {
        1 => format!("{other} costs no more and takes no longer"),
        more => format!("{other} and {} more places cost no more and take no longer", more - 1),
    }
}
