//! Sets aside columns that are in no plan better than the best without them.
//!
//! A column may go if another one of the same workload can take its place in any plan, at no higher
//! cost and with no later end, whatever the other workloads do. Place for it is certain in the same
//! pool with no more nodes; in a pool whose nodes suffice for all workloads at once; or in one of
//! as many other pools as there are workloads, since the others occupy at most one each.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use scenarios::scenario::{Job, Scenario};

use super::{Candidates, Column, Dominated, Movement, Network, Place, WorkloadCandidates, World, weights_cargo};

/// Moves dominated columns out of the candidates' lists.
#[must_use]
pub fn prune(world: &World<'_>, network: &Network<'_>, candidates: Candidates) -> Candidates {
    let scenario = &world.loaded.scenario;
    let roomy = roomy_pools(world, &candidates);
    let sites: Vec<BTreeSet<usize>> = candidates.workloads.iter().map(sites_of).collect();
    let count = candidates.workloads.len();
    let Candidates { workloads, copies } = candidates;
    let pruned = workloads.into_iter().enumerate().map(|(index, workload)| {
        let margins = margins(world, network, &sites, index);
        let shared = is_shared(scenario, &workload.workload);
        let pruning = Pruning { copies: &copies, roomy: &roomy, margins: &margins, shared, workloads: count };
        pruning.apply(workload)
    });
    Candidates { workloads: pruned.collect(), copies: copies.clone() }
}

fn sites_of(workload: &WorkloadCandidates) -> BTreeSet<usize> {
    workload.columns.iter().map(|column| column.place.site).collect()
}

/// Pools with nodes for the largest columns of all workloads at the same time.
fn roomy_pools(world: &World<'_>, candidates: &Candidates) -> BTreeSet<Place> {
    let mut demand: BTreeMap<Place, u64> = BTreeMap::new();
    for workload in &candidates.workloads {
        let mut largest: BTreeMap<Place, u32> = BTreeMap::new();
        for column in &workload.columns {
            let nodes = largest.entry(column.place).or_default();
            *nodes = column.layout.nodes.max(*nodes);
        }
        for (place, nodes) in largest {
            *demand.entry(place).or_default() += u64::from(nodes);
        }
    }
    demand.into_iter().filter(|(place, nodes)| *nodes <= u64::from(world.pool_nodes(*place))).map(|(p, _)| p).collect()
}

/// Whether another workload reads the same data set, and so may pay for its copy.
fn is_shared(scenario: &Scenario, name: &str) -> bool {
    let Some(workload) = scenario.workloads.get(name) else { return true };
    scenario.workloads.values().filter(|other| other.job.data() == workload.job.data()).count() > 1
}

/// Price and time of weights that move to or from a site: at best and at worst, over all sites
/// where the other workload may run. `None` where some movement is not possible.
#[derive(Debug, Clone, Copy, Default)]
struct Margin {
    usd: (Decimal, Decimal),
    seconds: (f64, f64),
}

type Margins = BTreeMap<usize, Option<Margin>>;

fn margins(world: &World<'_>, network: &Network<'_>, sites: &[BTreeSet<usize>], index: usize) -> Margins {
    let workloads = &world.loaded.scenario.workloads;
    let mut pairs = Vec::new();
    for (reader, (_, workload)) in workloads.iter().enumerate() {
        let Job::Evaluate(evaluation) = &workload.job else { continue };
        let Some(trained) = workloads.get_index_of(&evaluation.weights_of) else { continue };
        if reader == index || trained == index {
            pairs.push((trained, reader));
        }
    }
    let of = |site: usize| {
        pairs.iter().try_fold(Margin::default(), |sum, (trained, reader)| {
            let cargo = weights_cargo(&world.loaded.scenario, *reader)?;
            let other = if *reader == index { *trained } else { *reader };
            let moved = sites[other].iter().map(|end| {
                let (from, to) = if *reader == index { (*end, site) } else { (site, *end) };
                if from == to {
                    return Some((Decimal::ZERO, 0.0));
                }
                network.movement(&cargo, from, to).ok().map(|movement| (movement.usd, movement.seconds))
            });
            widen(sum, &moved.collect::<Option<Vec<_>>>()?)
        })
    };
    sites[index].iter().map(|site| (*site, of(*site))).collect()
}

fn widen(sum: Margin, moved: &[(Decimal, f64)]) -> Option<Margin> {
    let usd = moved.iter().map(|(usd, _)| *usd);
    let seconds = |start: f64, pick: fn(f64, f64) -> f64| moved.iter().map(|(_, seconds)| *seconds).fold(start, pick);
    Some(Margin {
        usd: (sum.usd.0 + usd.clone().min()?, sum.usd.1 + usd.max()?),
        seconds: (sum.seconds.0 + seconds(f64::INFINITY, f64::min), sum.seconds.1 + seconds(0.0, f64::max)),
    })
}

struct Pruning<'a> {
    copies: &'a [Movement],
    roomy: &'a BTreeSet<Place>,
    margins: &'a Margins,
    shared: bool,
    workloads: usize,
}

impl Pruning<'_> {
    fn apply(&self, mut workload: WorkloadCandidates) -> WorkloadCandidates {
        let mut ordered = std::mem::take(&mut workload.columns);
        ordered.sort_by(|a, b| {
            let key = |column: &Column| (self.cheapest(column), column.layout.nodes);
            let times = a.seconds.total_cmp(&b.seconds).then(a.release_seconds.total_cmp(&b.release_seconds));
            key(a).0.cmp(&key(b).0).then(times).then(key(a).1.cmp(&key(b).1))
        });
        let mut kept: Vec<Column> = Vec::new();
        for column in ordered {
            match self.dominator(&kept, &column) {
                Some((by, places)) => workload.dominated.push(Dominated { column, by, places }),
                None => kept.push(column),
            }
        }
        workload.columns = kept;
        workload
    }

    fn dominator(&self, kept: &[Column], column: &Column) -> Option<(Column, usize)> {
        let mut places: Vec<Place> = Vec::new();
        let mut first = None;
        for other in kept.iter().filter(|other| self.is_as_good(other, column)) {
            let same = other.place == column.place && other.layout.nodes <= column.layout.nodes;
            if same || self.roomy.contains(&other.place) {
                return Some((other.clone(), 1));
            }
            first.get_or_insert(other);
            if !places.contains(&other.place) {
                places.push(other.place);
            }
            if places.len() >= self.workloads {
                return first.map(|other| (other.clone(), places.len()));
            }
        }
        None
    }

    /// Whether `a` costs at most as much as `b` and ends no later, whatever the other workloads do.
    fn is_as_good(&self, a: &Column, b: &Column) -> bool {
        if a.release_seconds > b.release_seconds {
            return false;
        }
        let (extra_usd, extra_seconds) = if a.place.site == b.place.site {
            (Decimal::ZERO, 0.0)
        } else {
            let margin = |column: &Column| self.margins.get(&column.place.site).copied().flatten();
            let Some(worst) = margin(a) else { return false };
            // Where some movement from or to `b` is impossible, nothing is taken off its cost.
            let best = margin(b).unwrap_or_default();
            (worst.usd.1 - best.usd.0.min(worst.usd.1), (worst.seconds.1 - best.seconds.0).max(0.0))
        };
        let (copy_a, copy_b) = if a.copy == b.copy {
            (Decimal::ZERO, Decimal::ZERO)
        } else {
            (self.copy_usd(a), if self.shared { Decimal::ZERO } else { self.copy_usd(b) })
        };
        a.compute_usd + copy_a + extra_usd <= b.compute_usd + copy_b && a.seconds + extra_seconds <= b.seconds
    }

    fn copy_usd(&self, column: &Column) -> Decimal {
        column.copy.map_or(Decimal::ZERO, |copy| self.copies[copy].usd)
    }

    /// A lower bound on what the column adds to the cost of a plan.
    fn cheapest(&self, column: &Column) -> Decimal {
        column.compute_usd + if self.shared { Decimal::ZERO } else { self.copy_usd(column) }
    }
}
