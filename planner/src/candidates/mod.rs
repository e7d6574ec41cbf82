//! Every placement of every workload: possible with its time and price, or refused with a reason.
//!
//! [`enumerate`] is complete: each workload meets each pool, purchase option and strategy. What is
//! refused keeps its reason. [`prune`] then sets aside what can be in no better plan.

mod column;
mod dominance;
mod enumerate;
mod hardware;
mod money;
mod network;
mod refusal;
mod residency;

pub use column::{Column, Movement, Place};
pub use dominance::prune;
pub use enumerate::enumerate;
pub use money::{compute_usd, egress_usd, round_up_to_milliseconds};
pub use network::{Cargo, Network, weights_cargo};
pub use refusal::Reason;
pub use residency::permitting;

use std::collections::BTreeMap;

use scenarios::catalog::Catalog;
use scenarios::scenario::{Loaded, PurchaseKind, Workload};
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
    /// What the solver may choose from.
    pub columns: Vec<Column>,
    /// What cannot be.
    pub refused: Vec<Refused>,
    /// What can be, and needs not be considered.
    pub dominated: Vec<Dominated>,
}

/// A placement that cannot be.
#[derive(Debug, Clone)]
pub struct Refused {
    /// Where.
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
    /// One that is at least as good in everything.
    pub by: Column,
    /// Places that are at least as good, when one alone might be occupied.
    pub places: usize,
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

    /// Nodes of a pool.
    #[must_use]
    pub fn pool_nodes(&self, place: Place) -> u32 {
        let site = self.loaded.scenario.sites.get_index(place.site);
        site.and_then(|(_, site)| site.pools.get_index(place.pool)).map_or(0, |(_, pool)| pool.nodes)
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
