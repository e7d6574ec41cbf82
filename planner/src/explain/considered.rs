//! Every placement with what became of it.

use rust_decimal::Decimal;
use scenarios::plan::{Candidate, Verdict};
use scenarios::scenario::Objective;
use scenarios::units::Seconds;

use crate::candidates::{Column, Dominated, Movement, Refused, World, weights_cargo};
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
        list.push(listed(column, Verdict::Dominated, dominated_reason(world, by, *places)));
    }
    // One of each reason and site first, so that a long list loses none.
    let (first, repeated): (Vec<_>, Vec<_>) = {
        let mut seen = std::collections::BTreeSet::new();
        workload.refused.iter().partition(|refused| seen.insert((refused.place.site, refused.reason.to_string())))
    };
    let refused = first.into_iter().chain(repeated).map(|refused| refusal(decision, job, refused));
    list.into_iter().chain(refused).collect()
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
    Candidate {
        workload: workload.to_owned(),
        site: world.site_name(column.place.site).to_owned(),
        pool: world.pool_name(column.place).to_owned(),
        machine: world.machine_name(column.place),
        purchase: column.purchase,
        nodes: column.layout.nodes,
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
        strategy: refused.strategy,
        seconds: column.map(|column| column.seconds),
        cost_usd: column.map(|column| (column.compute_usd + copy_usd(decision, column)).normalize()),
        verdict: Verdict::Refused,
        reason: refused.reason.to_string(),
    }
}

fn copy_usd(decision: &Decision<'_>, column: &Column) -> Decimal {
    decision.copy(column).map_or(Decimal::ZERO, |copy| copy.usd)
}

/// Cost of a placement by itself: nodes, a copy of its own, weights from where the plan trains them.
pub(super) fn alone_usd(decision: &Decision<'_>, job: usize, column: &Column) -> Decimal {
    column.compute_usd
        + copy_usd(decision, column)
        + weights_in(decision, job, column).map_or(Decimal::ZERO, |movement| movement.usd)
}

fn weights_in(decision: &Decision<'_>, job: usize, column: &Column) -> Option<Movement> {
    let scenario = &decision.world.loaded.scenario;
    let cargo = weights_cargo(scenario, job)?;
    let trained = scenario.workloads.get_index_of(&cargo.what)?;
    let from = decision.column(trained).place.site;
    (from != column.place.site).then(|| decision.network.movement(&cargo, from, column.place.site).ok()).flatten()
}

fn chosen_reason(decision: &Decision<'_>) -> String {
    let best = match decision.world.loaded.scenario.objective {
        Objective::Cost => "part of the cheapest plan",
        Objective::FinishTime => "part of the plan that finishes earliest",
    };
    let found = if decision.solution.optimal { "" } else { " that was found in time" };
    format!("{best}{found}")
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
    };
    let but = if better { ", but does not fit with the rest of the plan" } else { "" };
    format!("{}{first} and {second}{but}", copied(decision, column))
}

/// Where a copy of the data would come from.
fn copied(decision: &Decision<'_>, column: &Column) -> String {
    decision.copy(column).map_or_else(String::new, |copy| {
        format!("with a copy of `{}` from `{}` it ", copy.what, decision.world.site_name(copy.from))
    })
}

fn dominated_reason(world: &World<'_>, by: &Column, places: usize) -> String {
    let (pool, site) = (world.pool_name(by.place), world.site_name(by.place.site));
    let other = format!("{} in `{pool}` of `{site}`, {}", by.strategy, by.purchase);
    match places {
        1 => format!("{other} costs no more and takes no longer"),
        more => format!("{other} and {} more places cost no more and take no longer", more - 1),
    }
}
