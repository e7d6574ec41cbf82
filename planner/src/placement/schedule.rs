//! Start times for chosen columns.

use super::problem::Problem;
use super::search::Solution;
use super::staffing::Staffing;

/// Times that differ by less are equal: all times are whole milliseconds.
pub(super) const TOLERANCE_SECONDS: f64 = 1e-6;

/// Chosen columns and replicas with start times.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule<'a> {
    pub choice: &'a [usize],
    pub staffing: &'a Staffing,
    pub starts: &'a [f64],
}

impl<'a> Schedule<'a> {
    /// That of a solution.
    pub(super) fn of(solution: &'a Solution) -> Self {
        Self { choice: &solution.choice, staffing: &solution.staffing, starts: &solution.starts }
    }
}

impl Schedule<'_> {
    pub(super) fn nodes(&self, problem: &Problem, job: usize, pool: usize) -> u32 {
        problem.jobs[job].choices[self.choice[job]].nodes_in(pool)
    }

    pub(super) fn end(&self, problem: &Problem, job: usize) -> f64 {
        whole_milliseconds(self.starts[job] + seconds(problem, self.choice, job))
    }

    /// Pools that a workload, or the replicas of a service, may occupy.
    pub(super) fn pools(&self, problem: &Problem, job: usize) -> Vec<usize> {
        let own = problem.jobs[job].choices[self.choice[job]].uses.iter();
        let services = problem.services.iter().filter(|service| service.job == job);
        let replicas = services.flat_map(|service| &service.replicas).flat_map(|replica| &replica.uses);
        let mut pools: Vec<usize> = own.chain(replicas).map(|(pool, _)| *pool).collect();
        pools.sort_unstable();
        pools.dedup();
        pools
    }

    /// End of the last workload that finishes.
    pub(super) fn finish(&self, problem: &Problem) -> f64 {
        let finishing = (0..self.choice.len()).filter(|job| problem.jobs[*job].finishes);
        finishing.map(|job| self.end(problem, job)).fold(0.0, f64::max)
    }

    /// Whether every job ends in time.
    pub(super) fn is_in_time(&self, problem: &Problem) -> bool {
        (0..self.choice.len()).all(|job| self.end(problem, job) <= problem.jobs[job].latest_end + TOLERANCE_SECONDS)
    }
}

/// Earliest starts under releases, dependencies, movements of products and `order` (each pair: the
/// first ends before the second starts), whatever the pools hold. `None` if they form a circle.
pub(super) fn earliest(
    problem: &Problem,
    choice: &[usize],
    staffing: &Staffing,
    order: &[(usize, usize)],
) -> Option<Vec<f64>> {
    let mut starts: Vec<f64> = (0..choice.len()).map(|job| problem.jobs[job].choices[choice[job]].release).collect();
    for _ in 0..=choice.len() {
        let mut settled = true;
        for job in 0..choice.len() {
            let ordered = order.iter().filter(|(_, second)| *second == job).map(|(first, _)| (*first, 0.0));
            for (before, lag) in predecessors(problem, choice, staffing, job).into_iter().chain(ordered) {
                let ready = starts[before] + seconds(problem, choice, before) + lag;
                if ready > starts[job] + TOLERANCE_SECONDS {
                    starts[job] = whole_milliseconds(ready);
                    settled = false;
                }
            }
        }
        if settled {
            return Some(starts);
        }
    }
    None
}

/// Workloads that must have ended, each with the time that its product then needs to arrive.
fn predecessors(problem: &Problem, choice: &[usize], staffing: &Staffing, job: usize) -> Vec<(usize, f64)> {
    let products = problem.flows.iter().enumerate().filter(|(_, flow)| flow.to == job);
    let products = products.map(|(index, flow)| (flow.from, problem.transfer_seconds(index, choice, staffing)));
    problem.jobs[job].after.iter().map(|before| (*before, 0.0)).chain(products).collect()
}

/// Starts one workload after the other, each as early as its pools have room, in the order of
/// `priority` (lowest first) among those whose predecessors are placed. What is fixed in time comes first.
pub(super) fn list(
    problem: &Problem,
    choice: &[usize],
    staffing: &Staffing,
    priority: &[f64],
    capacities: &[u32],
) -> Option<Vec<f64>> {
    let mut starts: Vec<Option<f64>> = vec![None; choice.len()];
    let before: Vec<Vec<(usize, f64)>> =
        (0..choice.len()).map(|job| predecessors(problem, choice, staffing, job)).collect();
    for _ in 0..choice.len() {
        let placed = |job: usize| starts[job].is_some();
        let eligible = (0..choice.len()).filter(|job| !placed(*job) && before[*job].iter().all(|(b, _)| placed(*b)));
        let next = eligible.min_by(|a, b| {
            let fixed = problem.jobs[*a].finishes.cmp(&problem.jobs[*b].finishes);
            fixed.then(priority[*a].total_cmp(&priority[*b])).then(a.cmp(b))
        })?;
        starts[next] = Some(first_gap(problem, choice, staffing, (next, &before[next]), &starts, capacities)?);
    }
    starts.into_iter().collect()
}

fn first_gap(
    problem: &Problem,
    choice: &[usize],
    staffing: &Staffing,
    (job, before): (usize, &[(usize, f64)]),
    starts: &[Option<f64>],
    capacities: &[u32],
) -> Option<f64> {
    let own = &problem.jobs[job].choices[choice[job]];
    let mut ready = own.release;
    for (before, lag) in before {
        ready = ready.max(starts[*before]? + seconds(problem, choice, *before) + lag);
    }
    let mut pools = Vec::new();
    for (pool, nodes) in &own.uses {
        let free = capacities[*pool].checked_sub(*nodes)?;
        pools.push((occupied(problem, choice, staffing, *pool, starts), free));
    }
    let fits = |start: f64| {
        let end = start + own.seconds;
        pools.iter().all(|(occupied, free)| {
            let instants = occupied.iter().map(|run| run.0).filter(|at| *at > start && *at + TOLERANCE_SECONDS < end);
            std::iter::once(start).chain(instants).all(|at| used(occupied, at) <= *free)
        })
    };
    let ends = pools.iter().flat_map(|(occupied, _)| occupied.iter().map(|run| run.1));
    let mut instants: Vec<f64> = ends.filter(|end| *end > ready).collect();
    instants.push(ready);
    instants.sort_by(f64::total_cmp);
    instants.into_iter().find(|start| fits(*start)).map(whole_milliseconds)
}

/// Start, end and nodes of everything that is placed in a pool, services included.
fn occupied(
    problem: &Problem,
    choice: &[usize],
    staffing: &Staffing,
    pool: usize,
    starts: &[Option<f64>],
) -> Vec<(f64, f64, u32)> {
    let jobs = (0..choice.len()).filter_map(|other| {
        let column = &problem.jobs[other].choices[choice[other]];
        let nodes = column.nodes_in(pool);
        let start = starts[other].filter(|_| nodes > 0)?;
        Some((start, start + column.seconds, nodes))
    });
    let services = problem.services.iter().zip(&staffing.replicas).filter_map(|(service, counts)| {
        let nodes = service.nodes_in(pool, counts);
        let window = problem.jobs[service.job].choices.first()?;
        (nodes > 0).then_some((window.release, window.release + window.seconds, nodes))
    });
    jobs.chain(services).collect()
}

fn used(occupied: &[(f64, f64, u32)], at: f64) -> u32 {
    let running = |run: &&(f64, f64, u32)| run.0 <= at + TOLERANCE_SECONDS && run.1 > at + TOLERANCE_SECONDS;
    occupied.iter().filter(running).map(|run| run.2).fold(0, u32::saturating_add)
}

pub(super) fn seconds(problem: &Problem, choice: &[usize], job: usize) -> f64 {
    problem.jobs[job].choices[choice[job]].seconds
}

/// Removes what additions are off by.
pub(super) fn whole_milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
