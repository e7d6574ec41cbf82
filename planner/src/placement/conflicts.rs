//! Sets of workloads that cannot all run at the same time in one pool.
//!
//! Intervals that meet in pairs have an instant in common, so a schedule is possible exactly if of
//! every set whose nodes exceed its pool, two workloads do not overlap.

use super::problem::Problem;
use super::schedule::{TOLERANCE_SECONDS, end};

/// Workloads that together need more nodes than a pool has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Conflict {
    /// Position of the pool.
    pub pool: usize,
    /// Workloads, each with the nodes from which on the conflict holds.
    pub members: Vec<(usize, u32)>,
}

impl Conflict {
    /// Pairs of members, of which one must not overlap.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let jobs = || self.members.iter().map(|(job, _)| *job);
        jobs().flat_map(move |a| jobs().filter(move |b| *b != a).map(move |b| (a, b)))
    }

    /// Nodes that are missing if all members run at the same time.
    pub(super) fn excess(&self, capacity: u32) -> u32 {
        self.members.iter().map(|(_, nodes)| *nodes).sum::<u32>().saturating_sub(capacity)
    }
}

/// Nodes of a pool that are in use at the start of a workload in it, at most.
pub(super) fn peak(problem: &Problem, choice: &[usize], starts: &[f64], pool: usize) -> u32 {
    (0..choice.len())
        .map(|job| running(problem, choice, starts, pool, job).iter().map(|(_, n)| *n).sum())
        .max()
        .unwrap_or(0)
}

/// Workloads in the pool that run when `job` starts in it.
fn running(problem: &Problem, choice: &[usize], starts: &[f64], pool: usize, job: usize) -> Vec<(usize, u32)> {
    if problem.jobs[job].choices[choice[job]].pool != pool {
        return Vec::new();
    }
    let at = starts[job] + TOLERANCE_SECONDS;
    (0..choice.len())
        .filter_map(|other| {
            let column = &problem.jobs[other].choices[choice[other]];
            let runs = column.pool == pool && starts[other] <= at && end(problem, choice, starts, other) > at;
            runs.then_some((other, column.nodes))
        })
        .collect()
}

/// Conflicts of a schedule, minimal ones: without any member the rest fits.
pub(super) fn find(problem: &Problem, choice: &[usize], starts: &[f64], capacities: &[u32]) -> Vec<Conflict> {
    let mut found = Vec::new();
    for job in 0..choice.len() {
        let pool = problem.jobs[job].choices[choice[job]].pool;
        let mut members = running(problem, choice, starts, pool, job);
        if members.iter().map(|(_, nodes)| *nodes).sum::<u32>() > capacities[pool] {
            members.sort_by_key(|(job, nodes)| (std::cmp::Reverse(*nodes), *job));
            found.push(minimal(pool, &members, capacities[pool]));
            members.reverse();
            found.push(minimal(pool, &members, capacities[pool]));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn minimal(pool: usize, members: &[(usize, u32)], capacity: u32) -> Conflict {
    let mut kept = members.to_vec();
    for member in members.iter().rev() {
        let rest: u32 = kept.iter().filter(|other| *other != member).map(|(_, nodes)| *nodes).sum();
        if rest > capacity {
            kept.retain(|other| other != member);
        }
    }
    kept.sort_unstable();
    Conflict { pool, members: kept }
}
