//! A plan beside its scenario, with what the checks look up.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::catalog::Catalog;
use scenarios::plan::{Assignment, Flow, Group, Plan};
use scenarios::scenario::{Job, Link, Loaded, Machine, Pool, Scenario, Site, Workload};

use super::{TOLERANCE_SECONDS, labels};

/// What is verified against what.
pub(super) struct Subject<'a> {
    pub plan: &'a Plan,
    pub loaded: &'a Loaded,
    pub scenario: &'a Scenario,
    pub catalog: &'a Catalog,
    /// Assignments of workloads that the scenario has, in the order of the plan.
    pub runs: Vec<Run<'a>>,
    by_name: BTreeMap<&'a str, Run<'a>>,
    labels: BTreeMap<&'a str, BTreeSet<&'a str>>,
    /// Movements by what moves and where to.
    arrivals: BTreeMap<&'a str, BTreeMap<&'a str, Vec<&'a Flow>>>,
    /// Links by the sites that they lead from and to.
    links: BTreeMap<&'a str, BTreeMap<&'a str, &'a Link>>,
}

/// A workload of the scenario with its assignment.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub name: &'a str,
    pub workload: &'a Workload,
    pub assignment: &'a Assignment,
}

impl<'a> Run<'a> {
    /// Names of the sites of its groups, each once.
    pub fn sites(&self) -> BTreeSet<&'a str> {
        self.assignment.groups.iter().map(|group| group.site.as_str()).collect()
    }

    /// Site where what it makes lies: that of its first group.
    pub fn home(&self) -> Option<&'a str> {
        self.assignment.groups.first().map(|group| group.site.as_str())
    }

    pub fn is_service(&self) -> bool {
        matches!(self.workload.job, Job::Serve(_))
    }

    /// Run time in seconds; never negative.
    pub fn seconds(&self) -> f64 {
        (self.assignment.end_seconds - self.assignment.start_seconds).max(0.0)
    }

    /// Whether something at an instant is early enough for its start.
    pub fn starts_after(&self, seconds: f64) -> bool {
        seconds <= self.assignment.start_seconds + TOLERANCE_SECONDS
    }
}

impl<'a> Subject<'a> {
    pub fn new(plan: &'a Plan, loaded: &'a Loaded, catalog: &'a Catalog) -> Self {
        let scenario = &loaded.scenario;
        let run = |assignment: &'a Assignment| {
            let (name, workload) = scenario.workloads.get_key_value(&assignment.workload)?;
            Some(Run { name, workload, assignment })
        };
        let runs: Vec<Run<'a>> = plan.assignments.iter().filter_map(run).collect();
        let mut arrivals: BTreeMap<&str, BTreeMap<&str, Vec<&Flow>>> = BTreeMap::new();
        for flow in &plan.flows {
            arrivals.entry(&flow.what).or_default().entry(&flow.to).or_default().push(flow);
        }
        Self {
            plan,
            loaded,
            scenario,
            catalog,
            by_name: runs.iter().rev().map(|run| (run.name, *run)).collect(),
            runs,
            labels: labels::of_workloads(scenario),
            arrivals,
            links: directed(&scenario.links),
        }
    }

    /// A workload's first assignment.
    pub fn run(&self, name: &str) -> Option<Run<'a>> {
        self.by_name.get(name).copied()
    }

    /// Data sets whose rules follow a data set, or what a workload makes; sorted.
    pub fn labels(&self, what: &str) -> BTreeSet<&'a str> {
        match self.scenario.datasets.get_key_value(what) {
            Some((name, _)) => BTreeSet::from([name.as_str()]),
            None => self.labels.get(what).cloned().unwrap_or_default(),
        }
    }

    /// Movements that bring something to a site.
    pub fn arrivals(&self, what: &str, site: &str) -> &[&'a Flow] {
        self.arrivals.get(what).and_then(|arrivals| arrivals.get(site)).map_or(&[], Vec::as_slice)
    }

    /// The scenario's link that leads from one site to another.
    pub fn link(&self, from: &str, to: &str) -> Option<&'a Link> {
        self.links.get(from)?.get(to).copied()
    }

    pub fn pool(&self, site: &str, pool: &str) -> Option<(&'a Site, &'a Pool)> {
        let site = self.scenario.sites.get(site)?;
        Some((site, site.pools.get(pool)?))
    }

    /// Latest end of a workload in seconds: its deadline, or the end of the planning period.
    pub fn latest_end(&self, workload: &Workload) -> f64 {
        let horizon = self.scenario.horizon.get();
        workload.deadline.map_or(horizon, |deadline| deadline.get().min(horizon))
    }

    /// Instance type, name of the measured machine, or the pool's own name.
    pub fn machine_name(&self, group: &'a str, pool: &'a Pool) -> &'a str {
        match &pool.machine {
            Machine::Instance(name) => name,
            Machine::Profile(path) => self.loaded.profiles.get(path).map_or(path, |loaded| &loaded.profile.name),
            Machine::Inline(_) => group,
        }
    }

    /// Groups with their pool and site, as far as the scenario has them.
    pub fn placed(&self, run: &Run<'a>) -> impl Iterator<Item = (&'a Group, &'a Site, &'a Pool)> {
        run.assignment.groups.iter().filter_map(|group| {
            let (site, pool) = self.pool(&group.site, &group.pool)?;
            Some((group, site, pool))
        })
    }
}

/// Provider and region of a public site.
pub(super) fn region(site: &Site) -> Option<(&str, &str)> {
    site.provider.as_deref().zip(site.region.as_deref())
}

/// Links by direction; of several for one direction the last one counts.
fn directed(links: &[Link]) -> BTreeMap<&str, BTreeMap<&str, &Link>> {
    let mut directed: BTreeMap<&str, BTreeMap<&str, &Link>> = BTreeMap::new();
    for link in links {
        let [a, b] = &link.between;
        directed.entry(a).or_default().insert(b, link);
        if !link.one_way {
            directed.entry(b).or_default().insert(a, link);
        }
    }
    directed
}
