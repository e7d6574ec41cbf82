//! Jobs in time, around services whose time is fixed.

use scenarios::scenario::Loaded;
use scenarios::units::Seconds;

use super::{Chosen, Waits};

/// Over all orders, each workload as early as possible: one of these schedules is optimal.
pub(super) fn earliest_finish(loaded: &Loaded, chosen: &Chosen<'_>, waits: &[Waits]) -> Option<f64> {
    let fixed = Occupied::of(loaded, chosen);
    if !fixed.is_possible(loaded) {
        return None;
    }
    let mut best: Option<f64> = None;
    let mut order: Vec<usize> = (0..chosen.jobs.len()).collect();
    permutations(&mut order, 0, &mut |order| {
        if let Some(finish) = schedule(loaded, chosen, waits, &fixed, order) {
            best = Some(best.map_or(finish, |best| best.min(finish)));
        }
    });
    best
}

fn permutations(order: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        visit(order);
        return;
    }
    for index in from..order.len() {
        order.swap(from, index);
        permutations(order, from + 1, visit);
        order.swap(from, index);
    }
}

/// Nodes of a pool that are occupied for a time.
struct Run<'a> {
    pool: (&'a str, &'a str),
    nodes: u32,
    from: f64,
    to: f64,
}

/// What occupies pools.
struct Occupied<'a>(Vec<Run<'a>>);

impl<'a> Occupied<'a> {
    /// The replicas of services, each for its window.
    fn of(loaded: &Loaded, chosen: &Chosen<'a>) -> Self {
        let services = chosen.services.iter().enumerate().flat_map(|(service, staff)| {
            let (from, to) = window(loaded, chosen.jobs.len() + service);
            staff.nodes.iter().map(move |((site, pool), nodes)| Run { pool: (site, pool), nodes: *nodes, from, to })
        });
        Self(services.collect())
    }

    /// Whether the services fit beside each other.
    fn is_possible(&self, loaded: &Loaded) -> bool {
        self.0.iter().all(|run| self.fits(loaded, run.pool, 0, run.from, run.to))
    }

    /// Whether a pool has room for more nodes in a time: at its start, and whenever something in it changes.
    fn fits(&self, loaded: &Loaded, pool: (&str, &str), nodes: u32, from: f64, to: f64) -> bool {
        let starts = self.0.iter().map(|run| run.from);
        let inside = starts.chain(changes(loaded, pool)).filter(|at| *at > from && *at < to - 1e-7);
        std::iter::once(from).chain(inside).all(|at| {
            let here = self.0.iter().filter(|run| run.pool == pool && run.from <= at + 1e-7 && run.to > at + 1e-7);
            here.map(|run| run.nodes).sum::<u32>() + nodes <= quota(loaded, pool, at)
        })
    }
}

/// Times at which a pool's quota changes.
fn changes(loaded: &Loaded, (site, pool): (&str, &str)) -> impl Iterator<Item = f64> {
    loaded.scenario.sites[site].pools[pool].quota.iter().map(|quota| quota.from.get())
}

fn quota(loaded: &Loaded, (site, pool): (&str, &str), at: f64) -> u32 {
    let pool = &loaded.scenario.sites[site].pools[pool];
    pool.quota.iter().rev().find(|quota| quota.from.get() <= at + 1e-7).map_or(pool.nodes, |quota| quota.nodes)
}

/// Jobs one after another, each as early as it may be; the last end of any.
fn schedule(
    loaded: &Loaded,
    chosen: &Chosen<'_>,
    waits: &[Waits],
    fixed: &Occupied<'_>,
    order: &[usize],
) -> Option<f64> {
    let mut ends: Vec<Option<f64>> = vec![None; chosen.jobs.len()];
    let mut occupied = Occupied(fixed.0.iter().map(|run| Run { ..*run }).collect());
    for &job in order {
        let way = chosen.jobs[job];
        let mut earliest = way.release;
        for (before, delay) in &waits[job] {
            earliest = earliest.max(ends[*before]? + delay);
        }
        let pool = (way.site.as_str(), way.pool.as_str());
        let instants = occupied.0.iter().map(|run| run.to).chain(changes(loaded, pool));
        let mut instants: Vec<f64> = instants.filter(|at| *at > earliest).chain([earliest]).collect();
        instants.sort_by(f64::total_cmp);
        let from = instants.into_iter().find(|at| occupied.fits(loaded, pool, way.nodes, *at, at + way.seconds))?;
        let to = from + way.seconds;
        if to > latest_end(loaded, job) + 1e-6 {
            return None;
        }
        ends[job] = Some(to);
        occupied.0.push(Run { pool, nodes: way.nodes, from, to });
    }
    let ends = ends.into_iter().collect::<Option<Vec<_>>>()?;
    let in_time = (0..chosen.services.len()).map(|service| chosen.jobs.len() + service).all(|service| {
        waits[service].iter().all(|(before, delay)| ends[*before] + delay <= window(loaded, service).0 + 1e-6)
    });
    in_time.then(|| ends.into_iter().fold(0.0, f64::max))
}

/// Deadline of a workload, or the end of the planning period.
fn latest_end(loaded: &Loaded, workload: usize) -> f64 {
    let horizon = loaded.scenario.horizon.get();
    loaded.scenario.workloads[workload].deadline.map_or(horizon, |end| end.get().min(horizon))
}

/// When a service begins and ends.
pub(super) fn window(loaded: &Loaded, service: usize) -> (f64, f64) {
    let start = loaded.scenario.workloads[service].earliest_start.map_or(0.0, Seconds::get);
    (start, latest_end(loaded, service))
}
