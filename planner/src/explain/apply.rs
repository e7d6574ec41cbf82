//! Carrying out changes on a scenario, to see what plan they lead to.

use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::{Loaded, OnDemand};
use scenarios::units::{Seconds, Usd};

use super::permission;
use crate::candidates::World;
use crate::placement::{Change, Limits, Unsolved};
use crate::planning::{Case, Options};

/// The scenario after changes.
pub(super) fn apply(changes: &[Change], loaded: &Loaded) -> Loaded {
    changes.iter().fold(loaded.clone(), |loaded, change| one(change, loaded))
}

fn one(change: &Change, mut loaded: Loaded) -> Loaded {
    let scenario = &mut loaded.scenario;
    match change {
        Change::Budget { needs, .. } => scenario.budget = Some(Usd(*needs)),
        Change::Deadline { workload, needs_seconds, .. } => {
            let until = Seconds::new(*needs_seconds);
            scenario.horizon = Seconds::new(scenario.horizon.get().max(until.get()));
            if let Some(deadline) = scenario.workloads.get_mut(workload).and_then(|workload| workload.deadline.as_mut())
            {
                *deadline = Seconds::new(deadline.get().max(until.get()));
            }
        }
        Change::Nodes { site, pool, needs, given } => {
            let more = needs.saturating_sub(*given);
            if let Some(pool) = scenario.sites.get_mut(site).and_then(|site| site.pools.get_mut(pool)) {
                pool.nodes = pool.nodes.saturating_add(more);
                pool.quota.iter_mut().for_each(|quota| quota.nodes = quota.nodes.saturating_add(more));
            }
        }
        Change::Permission { label, site, .. } => return permission::granted(&loaded, label, site),
        Change::Start { workload, needs_seconds, .. } => {
            if let Some(workload) = scenario.workloads.get_mut(workload) {
                workload.earliest_start = (*needs_seconds > 0.0).then(|| Seconds::new(*needs_seconds));
            }
        }
        Change::OnDemand { site, pool } => {
            if let Some(pool) = scenario.sites.get_mut(site).and_then(|site| site.pools.get_mut(pool)) {
                pool.purchase.on_demand.get_or_insert_with(OnDemand::default);
            }
        }
    }
    loaded
}

/// The best plan after changes, without an explanation.
///
/// # Errors
/// There is none, or none was found in time.
pub(super) fn plan_after(
    changes: &[Change],
    world: &World<'_>,
    options: &Options,
    limits: Limits,
) -> Result<Plan, Unsolved> {
    let after = apply(changes, world.loaded);
    let case = Case::new(World { loaded: &after, catalog: world.catalog }, options, limits.clock)?;
    let solution = case.solve(limits)?;
    Ok(case.plan(&solution))
}

/// Changes with the forms of data that their permissions have to name for a plan.
pub(super) fn named(changes: &[Change], plan: &Plan, loaded: &Loaded, catalog: &Catalog) -> Vec<Change> {
    let name = |change: &Change| match change {
        Change::Permission { label, site, .. } => {
            let forms = permission::needed(plan, loaded, catalog, label, site);
            Change::Permission { label: label.clone(), forms, site: site.clone() }
        }
        other => other.clone(),
    };
    changes.iter().map(name).collect()
}

/// Cost and finish of a plan.
pub(super) fn figures(plan: &Plan) -> (Decimal, f64) {
    (plan.totals.cost_usd, plan.totals.finish_seconds)
}
