//! Sets of workloads that cannot all run at the same time in one pool.
//!
//! Intervals that meet in pairs have an instant in common, so a schedule is possible exactly if of
//! every set whose nodes exceed its pool, two workloads do not overlap.

use super::problem::{Problem, Service};
use super::schedule::{Schedule, TOLERANCE_SECONDS};

/// Workloads that together need more nodes than a pool has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Conflict {
    /// Position of the pool.
    pub pool: usize,
    /// Workloads, each with the nodes from which on the conflict holds.
    pub members: Vec<(usize, u32)>,
    /// Services whose replicas were there at the same time.
    pub services: Vec<usize>,
}

impl Conflict {
    /// Pairs of members.
    pub(super) fn pairs_of_members(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let jobs = || self.members.iter().map(|(job, _)| *job);
        jobs().flat_map(move |a| jobs().filter(move |b| *b != a).map(move |b| (a, b)))
    }

    /// Pairs of a member and a service, in both directions.
    pub(super) fn pairs_with_services<'a>(
        &'a self,
        services: &'a [Service],
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        let lasting = move || self.services.iter().map(|service| services[*service].job);
        self.members.iter().flat_map(move |(job, _)| lasting().flat_map(move |other| [(*job, other), (other, *job)]))
    }

    /// Nodes of all members.
    pub(super) fn nodes(&self) -> u32 {
        self.members.iter().map(|(_, nodes)| *nodes).fold(0, u32::saturating_add)
    }
}

/// Who is in a pool at an instant.
struct Occupants {
    members: Vec<(usize, u32)>,
    services: Vec<(usize, u32)>,
}

impl Occupants {
    fn nodes(&self) -> u32 {
        self.members.iter().chain(&self.services).map(|(_, nodes)| *nodes).fold(0, u32::saturating_add)
    }
}

/// Nodes of a pool that are in use at the start of a workload or a service in it, at most.
pub(super) fn peak(problem: &Problem, schedule: &Schedule<'_>, pool: usize) -> u32 {
    (0..schedule.choice.len()).map(|job| occupants(problem, schedule, pool, job).nodes()).max().unwrap_or(0)
}

/// Who is in the pool when `job` starts, if that is in it.
fn occupants(problem: &Problem, schedule: &Schedule<'_>, pool: usize, job: usize) -> Occupants {
    let mut found = Occupants { members: vec![], services: vec![] };
    let is_service = problem.service_of(job).is_some();
    if !is_service && schedule.nodes(problem, job, pool) == 0 {
        return found;
    }
    let at = schedule.starts[job] + TOLERANCE_SECONDS;
    let runs = |other: usize| schedule.starts[other] <= at && schedule.end(problem, other) > at;
    let members = (0..schedule.choice.len()).map(|other| (other, schedule.nodes(problem, other, pool)));
    found.members = members.filter(|(other, nodes)| *nodes > 0 && runs(*other)).collect();
    for (index, service) in problem.services.iter().enumerate().filter(|(_, service)| runs(service.job)) {
        let nodes = service.nodes_in(pool, schedule.staffing.replicas.get(index).map_or(&[], Vec::as_slice));
        if nodes > 0 {
            found.services.push((index, nodes));
        }
    }
    found
}

/// Conflicts of a schedule, minimal ones: without any member the rest fits.
pub(super) fn find(problem: &Problem, schedule: &Schedule<'_>, capacities: &[u32]) -> Vec<Conflict> {
    let mut found = Vec::new();
    for job in 0..schedule.choice.len() {
        for pool in schedule.pools(problem, job) {
            let mut occupants = occupants(problem, schedule, pool, job);
            if occupants.nodes() > capacities[pool] {
                occupants.members.sort_by_key(|(job, nodes)| (std::cmp::Reverse(*nodes), *job));
                found.push(minimal(pool, &occupants, capacities[pool]));
                occupants.members.reverse();
                found.push(minimal(pool, &occupants, capacities[pool]));
            }
        }
    }
    found.retain(|conflict| !conflict.members.is_empty());
    found.sort();
    found.dedup();
    found
}

fn minimal(pool: usize, occupants: &Occupants, capacity: u32) -> Conflict {
    let staffed: u32 = occupants.services.iter().map(|(_, nodes)| *nodes).sum();
    let mut kept = occupants.members.clone();
    for member in occupants.members.iter().rev() {
        let rest: u32 = kept.iter().filter(|other| *other != member).map(|(_, nodes)| *nodes).sum();
        if rest.saturating_add(staffed) > capacity {
            kept.retain(|other| other != member);
        }
    }
    kept.sort_unstable();
    Conflict { pool, members: kept, services: occupants.services.iter().map(|(service, _)| *service).collect() }
}
