//! Start times for chosen columns.

use super::problem::Problem;

/// Times that differ by less are equal: all times are whole milliseconds.
pub(super) const TOLERANCE_SECONDS: f64 = 1e-6;

/// Earliest starts under releases, dependencies, movements of weights and `order` (each pair: the
/// first ends before the second starts), whatever the pools hold. `None` if they form a circle.
pub(super) fn earliest(problem: &Problem, choice: &[usize], order: &[(usize, usize)]) -> Option<Vec<f64>> {
    let mut starts: Vec<f64> = (0..choice.len()).map(|job| problem.jobs[job].choices[choice[job]].release).collect();
    for _ in 0..=choice.len() {
        let mut settled = true;
        for job in 0..choice.len() {
            let ordered = order.iter().filter(|(_, second)| *second == job).map(|(first, _)| (*first, 0.0));
            for (before, lag) in predecessors(problem, choice, job).into_iter().chain(ordered) {
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
pub(super) fn predecessors(problem: &Problem, choice: &[usize], job: usize) -> Vec<(usize, f64)> {
    let site = |job: usize| problem.jobs[job].choices[choice[job]].site;
    let weights = problem.flows.iter().filter(|flow| flow.to == job).map(|flow| {
        let moved = flow.pairs.get(&(site(flow.from), site(job)));
        (flow.from, moved.map_or(0.0, |(_, seconds)| *seconds))
    });
    problem.jobs[job].after.iter().map(|before| (*before, 0.0)).chain(weights).collect()
}

/// Starts one workload after the other, each as early as its pool has room, in the order of
/// `priority` (lowest first) among those whose predecessors are placed.
pub(super) fn list(problem: &Problem, choice: &[usize], priority: &[f64], capacities: &[u32]) -> Option<Vec<f64>> {
    let mut starts: Vec<Option<f64>> = vec![None; choice.len()];
    for _ in 0..choice.len() {
        let placed = |job: usize| starts[job].is_some();
        let eligible = (0..choice.len())
            .filter(|job| !placed(*job) && predecessors(problem, choice, *job).iter().all(|(b, _)| placed(*b)));
        let next = eligible.min_by(|a, b| priority[*a].total_cmp(&priority[*b]).then(a.cmp(b)))?;
        starts[next] = Some(first_gap(problem, choice, next, &starts, capacities)?);
    }
    starts.into_iter().collect()
}

fn first_gap(
    problem: &Problem,
    choice: &[usize],
    job: usize,
    starts: &[Option<f64>],
    capacities: &[u32],
) -> Option<f64> {
    let own = &problem.jobs[job].choices[choice[job]];
    let mut ready = own.release;
    for (before, lag) in predecessors(problem, choice, job) {
        ready = ready.max(starts[before]? + seconds(problem, choice, before) + lag);
    }
    let occupied: Vec<(f64, f64, u32)> = (0..choice.len())
        .filter_map(|other| {
            let column = &problem.jobs[other].choices[choice[other]];
            let start = starts[other].filter(|_| column.pool == own.pool)?;
            Some((start, start + column.seconds, column.nodes))
        })
        .collect();
    let free = capacities[own.pool].checked_sub(own.nodes)?;
    let fits = |start: f64| {
        let end = start + own.seconds;
        let instants = occupied.iter().map(|run| run.0).filter(|at| *at > start && *at + TOLERANCE_SECONDS < end);
        std::iter::once(start).chain(instants).all(|at| used(&occupied, at) <= free)
    };
    let mut instants: Vec<f64> = occupied.iter().map(|run| run.1).filter(|end| *end > ready).collect();
    instants.push(ready);
    instants.sort_by(f64::total_cmp);
    instants.into_iter().find(|start| fits(*start)).map(whole_milliseconds)
}

fn used(occupied: &[(f64, f64, u32)], at: f64) -> u32 {
    let running = |run: &&(f64, f64, u32)| run.0 <= at + TOLERANCE_SECONDS && run.1 > at + TOLERANCE_SECONDS;
    occupied.iter().filter(running).map(|run| run.2).sum()
}

pub(super) fn seconds(problem: &Problem, choice: &[usize], job: usize) -> f64 {
    problem.jobs[job].choices[choice[job]].seconds
}

pub(super) fn end(problem: &Problem, choice: &[usize], starts: &[f64], job: usize) -> f64 {
    whole_milliseconds(starts[job] + seconds(problem, choice, job))
}

pub(super) fn finish(problem: &Problem, choice: &[usize], starts: &[f64]) -> f64 {
    (0..choice.len()).map(|job| end(problem, choice, starts, job)).fold(0.0, f64::max)
}

/// Removes what additions are off by.
pub(super) fn whole_milliseconds(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
