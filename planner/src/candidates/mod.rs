//! Every placement of every workload: possible with its time and price, or refused with a reason.
//!
//! [`enumerate`] is complete: each workload meets each pool, purchase option and strategy. What is
//! refused keeps its reason. [`prune`] then sets aside what can be in no better plan.

mod column;
mod dominance;
mod energy;
mod enumerate;
mod hardware;
mod inputs;
mod listing;
mod market;
mod mixed;
mod money;
mod network;
mod prediction;
mod purchase;
mod refusal;
mod residency;
mod service;
mod spot;
#[cfg(test)]
mod tests;

pub use column::{Charge, Column, Group, Movement, Place, Replica, RequestClass, ServiceCandidates};
pub use dominance::prune;
pub use enumerate::enumerate;
pub use money::{DECIMALS, compute_usd, egress_usd, round_up_to_milliseconds, storage_usd};
pub use network::{Cargo, Extent, Meter, Network, Product};
pub use purchase::usd_per_hour;
pub use refusal::Reason;
pub use residency::permitting;

use std::collections::BTreeMap;

use scenarios::catalog::Catalog;
use scenarios::scenario::{Loaded, Pool, PurchaseKind, Workload};
use scenarios::strategy::Strategy;

/// What the planner reads.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// The scenario with its machine profiles.
    pub loaded: &'a Loaded,
    /// Prices, regions, data sheets.
    pub catalog: &'a Catalog,
}

/// Workloads that the user holds to one strategy, by name.
pub type Held = BTreeMap<String, Strategy>;

/// Placements of all workloads, in the order of the scenario.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// One for each workload.
    pub workloads: Vec<WorkloadCandidates>,
    /// Copies of data sets that columns name.
    pub copies: Vec<Movement>,
}

/// Placements of one workload.
#[derive(Debug, Clone)]
pub struct WorkloadCandidates {
    /// Name.
    pub workload: String,
    /// What the solver may choose from; empty for a service.
    pub columns: Vec<Column>,
    /// What a service may be made of.
    pub service: Option<ServiceCandidates>,
    /// What cannot be.
    pub refused: Vec<Refused>,
    /// What can be, and needs not be considered.
    pub dominated: Vec<Dominated>,
    /// Strategies that were weighed up and are not listed: others on as many nodes of the same pool, or on fewer, are at
    /// least as fast.
    pub passed_over: u64,
}

/// A placement that cannot be.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Where; of several groups the first one.
    pub place: Place,
    /// How it would be paid for.
    pub purchase: PurchaseKind,
    /// How it would be spread.
    pub strategy: Strategy,
    /// Nodes, where they are known.
    pub nodes: u32,
    /// Why not.
    pub reason: Reason,
    /// The whole column, if more time or more nodes would make it possible.
    pub column: Option<Box<Column>>,
}

/// A placement that another one makes superfluous.
#[derive(Debug, Clone)]
pub struct Dominated {
    /// The placement.
    pub column: Column,
    /// Position among the columns of one that is at least as good in everything.
    pub by: usize,
    /// Places that are at least as good, when one alone might be occupied.
    pub places: usize,
}

impl WorkloadCandidates {
    /// Sites where the workload may run, sorted.
    #[must_use]
    pub fn sites(&self) -> Vec<usize> {
        let replicas = self.service.iter().flat_map(|service| &service.replicas);
        let mut sites: Vec<usize> =
            self.columns.iter().map(Column::site).chain(replicas.map(|replica| replica.group.place.site)).collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    }
}

impl Candidates {
    /// Columns of all workloads.
    #[must_use]
    pub fn count(&self) -> usize {
        self.workloads.iter().map(|workload| workload.columns.len()).sum()
    }

    /// Dominated columns of all workloads.
    #[must_use]
    pub fn pruned(&self) -> usize {
        self.workloads.iter().map(|workload| workload.dominated.len()).sum()
    }
}

impl<'a> World<'a> {
    /// Name of a site.
    #[must_use]
    pub fn site_name(&self, site: usize) -> &'a str {
        self.loaded.scenario.sites.get_index(site).map_or("", |(name, _)| name)
    }

    /// Name of a pool.
    #[must_use]
    pub fn pool_name(&self, place: Place) -> &'a str {
        let site = self.loaded.scenario.sites.get_index(place.site);
        site.and_then(|(_, site)| site.pools.get_index(place.pool)).map_or("", |(name, _)| name)
    }

    /// A pool.
    #[must_use]
    pub fn pool(&self, place: Place) -> Option<&'a Pool> {
        let (_, site) = self.loaded.scenario.sites.get_index(place.site)?;
        site.pools.get_index(place.pool).map(|(_, pool)| pool)
    }

    /// Nodes of a pool at the same time, at most over the whole period.
    #[must_use]
    pub fn most_nodes(&self, place: Place) -> u32 {
        let horizon = self.loaded.scenario.horizon.get();
        let pool = self.pool(place);
        let later = pool.into_iter().flat_map(|pool| &pool.quota).filter(|quota| quota.from.get() < horizon);
        let first = pool.filter(|pool| pool.quota.first().is_none_or(|quota| quota.from.get() > 0.0));
        later.map(|quota| quota.nodes).chain(first.map(|pool| pool.nodes)).max().unwrap_or(0)
    }

    /// Times in which a pool has fewer nodes than at most: start, end, and how many fewer.
    pub fn shortages(&self, place: Place) -> impl Iterator<Item = (f64, f64, u32)> + use<> {
        let horizon = self.loaded.scenario.horizon.get();
        let most = self.most_nodes(place);
        let mut steps: Vec<(f64, u32)> = vec![];
        if let Some(pool) = self.pool(place) {
            steps.push((0.0, pool.nodes));
            steps.extend(pool.quota.iter().map(|quota| (round_up_to_milliseconds(quota.from.get()), quota.nodes)));
        }
        let ends: Vec<f64> = steps.iter().skip(1).map(|(from, _)| *from).chain([horizon]).collect();
        let spans = steps
            .into_iter()
            .zip(ends)
            .map(move |((from, nodes), to)| (from, to.min(horizon), most.saturating_sub(nodes)));
        spans.filter(|(from, to, missing)| from < to && *missing > 0)
    }

    /// Instance type, or name of the measured or described machine of a pool.
    #[must_use]
    pub fn machine_name(&self, place: Place) -> String {
        hardware::name(self, place)
    }

    /// Latest end of a workload: its deadline or the end of the planning period.
    #[must_use]
    pub fn latest_end(&self, workload: &Workload) -> f64 {
        let horizon = self.loaded.scenario.horizon.get();
        workload.deadline.map_or(horizon, |deadline| deadline.get().min(horizon))
    }
}
