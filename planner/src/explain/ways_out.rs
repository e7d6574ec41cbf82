//! The smallest changes that would make a plan possible, with what that plan costs.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Instant;

use scenarios::plan::Plan;
use scenarios::scenario::{Job, Machine, Pool};
use scenarios::units::Seconds;

use super::apply::{figures, named, plan_after};
use crate::candidates::Reason;
use crate::placement::{self, Change, Limits, WaysOut};
use crate::planning::{Case, Options};

/// Most single permissions, and pairs of them, that are tried.
const MOST_SINGLE: usize = 16;
const MOST_PAIRS: usize = 24;

/// Sets of changes, each of which suffices, the cheapest plan first: the least money, time or nodes; one permission, or
/// two where one does not do; a start at once; purchases on demand. Together they take no longer than the time limit.
pub(crate) fn ways_out(case: &Case<'_>, options: &Options, limits: Limits) -> Vec<WaysOut> {
    let search = Search { case, options, limits, longest: Cell::new(0.0) };
    let mut found: Vec<WaysOut> = placement::ways_out(&case.world, &case.network, &case.candidates, limits)
        .into_iter()
        .map(|way| WaysOut { plan: search.plan(&way.changes).map(|plan| figures(&plan)), ..way })
        .collect();
    found.extend(search.permissions());
    let singles = starts(case).into_iter().chain(purchases(case));
    found.extend(singles.filter_map(|change| search.attempt(&[change])));
    found.sort_by(|a, b| match (&a.plan, &b.plan) {
        (Some(a), Some(b)) => a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)),
        (a, b) => a.is_none().cmp(&b.is_none()),
    });
    found
}

struct Search<'a, 'w> {
    case: &'a Case<'w>,
    options: &'a Options,
    limits: Limits,
    /// Longest time that one plan took, in seconds.
    longest: Cell<f64>,
}

impl Search<'_, '_> {
    /// The best plan after changes, unless another one would take longer than there is time.
    fn plan(&self, changes: &[Change]) -> Option<Plan> {
        let begun = Instant::now();
        if self.limits.clock.left() <= self.longest.get() {
            return None;
        }
        let found = plan_after(changes, &self.case.world, self.options, self.limits).ok();
        self.longest.set(self.longest.get().max(begun.elapsed().as_secs_f64()));
        found
    }

    /// The way out that changes are, if they suffice.
    fn attempt(&self, changes: &[Change]) -> Option<WaysOut> {
        let world = &self.case.world;
        let plan = self.plan(changes)?;
        let changes = named(changes, &plan, world.loaded, world.catalog);
        Some(WaysOut { changes, smallest: true, plan: Some(figures(&plan)) })
    }

    /// Single permissions that suffice; pairs, if none does.
    fn permissions(&self) -> Vec<WaysOut> {
        let denied = denied(self.case);
        let single = denied.iter().take(MOST_SINGLE).filter_map(|change| self.attempt(std::slice::from_ref(change)));
        let single: Vec<WaysOut> = single.collect();
        if !single.is_empty() {
            return single;
        }
        let pairs = denied.iter().enumerate().flat_map(|(index, first)| {
            denied[index + 1..].iter().map(move |second| vec![first.clone(), second.clone()])
        });
        pairs.take(MOST_PAIRS).filter_map(|pair| self.attempt(&pair)).collect()
    }
}

/// Every data set and site that a rule keeps apart, as permissions; those of workloads that can run nowhere first.
pub(super) fn denied(case: &Case<'_>) -> Vec<Change> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut add = |reason: &Reason| {
        if let Some((label, _, _, site, _)) = reason.denied()
            && seen.insert((label.to_owned(), site.to_owned()))
        {
            found.push(Change::Permission { label: label.to_owned(), forms: vec![], site: site.to_owned() });
        }
    };
    let workloads = &case.candidates.workloads;
    let (blocked, free): (Vec<_>, Vec<_>) = workloads.iter().partition(|workload| workload.sites().is_empty());
    for workload in blocked {
        workload.refused.iter().for_each(|refused| add(&refused.reason));
    }
    for product in case.network.products() {
        for from in workloads[product.maker].sites() {
            for to in workloads[product.reader].sites().into_iter().filter(|to| *to != from) {
                if let Err(reason) = case.network.movements(&product.cargo, from, to) {
                    add(&reason);
                }
            }
        }
    }
    for workload in free {
        workload.refused.iter().for_each(|refused| add(&refused.reason));
    }
    found
}

/// Workloads that could start at once, and services that could start when pools have other numbers of nodes.
fn starts(case: &Case<'_>) -> Vec<Change> {
    let scenario = &case.world.loaded.scenario;
    let pools = scenario.sites.values().flat_map(|site| site.pools.values());
    let mut instants: Vec<f64> = pools.flat_map(|pool| &pool.quota).map(|quota| quota.from.get()).collect();
    instants.sort_by(f64::total_cmp);
    instants.dedup();
    let mut found = Vec::new();
    for (name, workload) in &scenario.workloads {
        let given_seconds = workload.earliest_start.map_or(0.0, Seconds::get);
        let latest = case.world.latest_end(workload);
        let is_later = |at: &&f64| **at > given_seconds && **at < latest;
        let later = instants.iter().filter(is_later).take(if matches!(workload.job, Job::Serve(_)) { 3 } else { 0 });
        let at_once = (given_seconds > 0.0).then_some(0.0);
        let needs = at_once.into_iter().chain(later.copied());
        found.extend(needs.map(|needs_seconds| Change::Start { workload: name.clone(), needs_seconds, given_seconds }));
    }
    found.truncate(MOST_SINGLE);
    found
}

/// Pools whose nodes could be had on demand and are not.
fn purchases(case: &Case<'_>) -> Vec<Change> {
    let mut found = Vec::new();
    for (site, description) in &case.world.loaded.scenario.sites {
        let priced = |pool: &Pool| {
            let Machine::Instance(machine) = &pool.machine else { return false };
            let region = description.provider.as_deref().zip(description.region.as_deref());
            let instance = region.and_then(|(provider, region)| case.world.catalog.instance(provider, region, machine));
            instance.is_some_and(|instance| instance.on_demand_usd_per_hour.is_some())
        };
        let other = |pool: &Pool| {
            let purchase = &pool.purchase;
            purchase.on_demand.is_none()
                && (purchase.owned.is_some() || purchase.spot.is_some() || purchase.reserved.is_some())
        };
        let pools = description.pools.iter().filter(|(_, pool)| other(pool) && priced(pool));
        found.extend(pools.map(|(pool, _)| Change::OnDemand { site: site.clone(), pool: pool.clone() }));
    }
    found.truncate(MOST_SINGLE);
    found
}
