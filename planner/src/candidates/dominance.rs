//! Sets aside columns that are in no plan better than the best without them.
//!
//! A column may go if another one of the same workload can take its place in any plan, at no higher
//! cost and with no later end, whatever the other workloads do. Place for it is certain where it needs no more nodes of
//! any pool; in pools whose nodes suffice for all workloads at once; or in one of as many other pools as there are
//! workloads, since the others occupy at most one each.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use scenarios::scenario::{Objective, PurchaseKind, Scenario, Weights};

use super::money::egress_usd;
use super::{Candidates, Column, Dominated, Movement, Network, Place, Product, WorkloadCandidates, World, products};

/// Moves dominated columns out of the candidates' lists.
#[must_use]
pub fn prune(world: &World<'_>, network: &Network<'_>, candidates: Candidates) -> Candidates {
    let scenario = &world.loaded.scenario;
    let roomy = roomy_pools(world, &candidates);
    let sites: Vec<BTreeSet<usize>> =
        candidates.workloads.iter().map(|workload| workload.sites().into_iter().collect()).collect();
    let occupants = most_places(&candidates);
    let products = products(scenario);
    let green = matches!(scenario.objective, Objective::Carbon | Objective::Weighted(_));
    let timely = !matches!(scenario.objective, Objective::Weighted(Weights { cost, .. }) if cost < 0.0);
    let Candidates { workloads, copies } = candidates;
    let ranges: Vec<(Decimal, Decimal)> = copies.iter().map(|copy| range(network, copy)).collect();
    let pruned = workloads.into_iter().enumerate().map(|(index, workload)| {
        let margins = margins(network, &products, &sites, index);
        let shared = is_shared(scenario, &workload.workload);
        let pruning =
            Pruning { world, network, copies: &ranges, roomy: &roomy, margins: &margins, shared, occupants, green };
        if timely { pruning.apply(workload) } else { workload }
    });
    Candidates { workloads: pruned.collect(), copies }
}

/// Nodes of each pool that a column occupies.
fn nodes(column: &Column) -> BTreeMap<Place, u32> {
    let mut nodes = BTreeMap::new();
    for group in &column.groups {
        *nodes.entry(group.place).or_default() += group.layout.nodes;
    }
    nodes
}

/// Most pools that all workloads occupy together, services included; as many at least as there are workloads.
fn most_places(candidates: &Candidates) -> usize {
    let of = |workload: &WorkloadCandidates| match &workload.service {
        Some(service) => service.replicas.len(),
        None => workload.columns.iter().map(|column| column.groups.len()).max().unwrap_or(1),
    };
    candidates.workloads.iter().map(of).sum::<usize>().max(candidates.workloads.len())
}

/// Pools with nodes for the largest columns of all workloads at the same time, whenever that is.
fn roomy_pools(world: &World<'_>, candidates: &Candidates) -> BTreeSet<Place> {
    let mut demand: BTreeMap<Place, u64> = BTreeMap::new();
    for workload in &candidates.workloads {
        let mut largest: BTreeMap<Place, u32> = BTreeMap::new();
        for (place, count) in workload.columns.iter().flat_map(nodes) {
            let most = largest.entry(place).or_default();
            *most = count.max(*most);
        }
        for replica in workload.service.iter().flat_map(|service| &service.replicas) {
            // Of a service any number of replicas may be there.
            largest.insert(replica.group.place, u32::MAX);
        }
        for (place, nodes) in largest {
            *demand.entry(place).or_default() += u64::from(nodes);
        }
    }
    let always = |place: Place| {
        let most = world.most_nodes(place);
        most - world.shortages(place).map(|(_, _, missing)| missing).max().unwrap_or(0)
    };
    demand.into_iter().filter(|(place, nodes)| *nodes <= u64::from(always(*place))).map(|(place, _)| place).collect()
}

/// Whether another workload reads the same data, and so may pay for its copy.
fn is_shared(scenario: &Scenario, name: &str) -> bool {
    let Some(workload) = scenario.workloads.get(name) else { return true };
    let own = [workload.job.data(), workload.job.weights_of()];
    let reads = |what: Option<&str>| what.is_some() && own.contains(&what);
    let readers = scenario
        .workloads
        .values()
        .filter(|other| [other.job.data(), other.job.weights_of()].iter().copied().any(reads));
    readers.count() > 1
}

/// Least and most that a movement may cost, with what preferences count.
fn range(network: &Network<'_>, movement: &Movement) -> (Decimal, Decimal) {
    let flat = movement.usd + movement.storage_usd + movement.preference_usd;
    if movement.charges.is_empty() {
        return (flat, flat);
    }
    let meters = network.meters();
    let sum = |price: fn(&scenarios::units::Tariff) -> Decimal| {
        let charge = |charge: &super::Charge| egress_usd(price(&meters[charge.meter].tariff), charge.bytes);
        movement.charges.iter().map(charge).sum::<Decimal>()
    };
    (flat + sum(scenarios::units::Tariff::lowest), flat + sum(scenarios::units::Tariff::highest))
}

/// Price and time of products that move to or from a site: at best and at worst, over all sites
/// where the other workload may run. `None` where some movement is not possible.
#[derive(Debug, Clone, Copy, Default)]
struct Margin {
    usd: (Decimal, Decimal),
    seconds: (f64, f64),
}

type Margins = BTreeMap<usize, Option<Margin>>;

fn margins(network: &Network<'_>, products: &[Product], sites: &[BTreeSet<usize>], index: usize) -> Margins {
    let own = || products.iter().filter(|product| product.reader == index || product.maker == index);
    let of = |site: usize| {
        own().try_fold(Margin::default(), |sum, product| {
            let other = if product.reader == index { product.maker } else { product.reader };
            let moved = sites[other].iter().map(|end| {
                let (from, to) = if product.reader == index { (*end, site) } else { (site, *end) };
                if from == to {
                    return Some(Margin::default());
                }
                network.movements(&product.cargo, from, to).ok().map(|ways| extent(network, &ways))
            });
            widen(sum, &moved.collect::<Option<Vec<_>>>()?)
        })
    };
    sites[index].iter().map(|site| (*site, of(*site))).collect()
}

/// Prices and times over all ways of one movement.
fn extent(network: &Network<'_>, ways: &[Movement]) -> Margin {
    let ranges: Vec<(Decimal, Decimal)> = ways.iter().map(|way| range(network, way)).collect();
    let usd = |pick: fn(&(Decimal, Decimal)) -> Decimal| ranges.iter().map(pick);
    let seconds = ways.iter().map(|way| way.seconds);
    Margin {
        usd: (usd(|range| range.0).min().unwrap_or_default(), usd(|range| range.1).max().unwrap_or_default()),
        seconds: (seconds.clone().fold(f64::INFINITY, f64::min), seconds.fold(0.0, f64::max)),
    }
}

fn widen(sum: Margin, moved: &[Margin]) -> Option<Margin> {
    let usd = (moved.iter().map(|margin| margin.usd.0).min()?, moved.iter().map(|margin| margin.usd.1).max()?);
    let least = moved.iter().map(|margin| margin.seconds.0).fold(f64::INFINITY, f64::min);
    let most = moved.iter().map(|margin| margin.seconds.1).fold(0.0, f64::max);
    Some(Margin { usd: (sum.usd.0 + usd.0, sum.usd.1 + usd.1), seconds: (sum.seconds.0 + least, sum.seconds.1 + most) })
}

struct Pruning<'a, 'n> {
    world: &'a World<'n>,
    network: &'a Network<'n>,
    copies: &'a [(Decimal, Decimal)],
    roomy: &'a BTreeSet<Place>,
    margins: &'a Margins,
    shared: bool,
    occupants: usize,
    /// Whether greenhouse gas counts.
    green: bool,
}

impl Pruning<'_, '_> {
    fn apply(&self, mut workload: WorkloadCandidates) -> WorkloadCandidates {
        let mut ordered = std::mem::take(&mut workload.columns);
        let key = |column: &Column| (self.least_usd(column), column.nodes());
        ordered.sort_by(|a, b| {
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
        let own = nodes(column);
        let mut places: Vec<Place> = Vec::new();
        let mut first = None;
        for other in kept.iter().filter(|other| self.is_as_good(other, column)) {
            let fits = |(place, nodes): (&Place, &u32)| {
                self.roomy.contains(place) || own.get(place).is_some_and(|held| nodes <= held)
            };
            if nodes(other).iter().all(fits) {
                return Some((other.clone(), 1));
            }
            if other.groups.len() > 1 || self.world.shortages(other.first().place).next().is_some() {
                continue;
            }
            first.get_or_insert(other);
            if !places.contains(&other.first().place) {
                places.push(other.first().place);
            }
            if places.len() >= self.occupants {
                return first.map(|other| (other.clone(), places.len()));
            }
        }
        None
    }

    /// Whether `a` costs at most as much as `b` and ends no later, whatever the other workloads do.
    fn is_as_good(&self, a: &Column, b: &Column) -> bool {
        // What a commitment costs is not known before all is.
        let reserved = |column: &Column| column.groups.iter().any(|group| group.purchase == PurchaseKind::Reserved);
        if a.release_seconds > b.release_seconds || a.seconds > b.seconds || reserved(a) {
            return false;
        }
        if self.green && !at_most(a.carbon_kg, b.carbon_kg) {
            return false;
        }
        let (extra_usd, extra_seconds) = if a.site() == b.site() {
            (Decimal::ZERO, 0.0)
        } else {
            let margin = |column: &Column| self.margins.get(&column.site()).copied().flatten();
            let Some(worst) = margin(a) else { return false };
            // Where some movement from or to `b` is impossible, nothing is taken off its cost.
            let best = margin(b).unwrap_or_default();
            (worst.usd.1 - best.usd.0.min(worst.usd.1), (worst.seconds.1 - best.seconds.0).max(0.0))
        };
        let (copy_a, copy_b) = if a.copies == b.copies {
            (Decimal::ZERO, Decimal::ZERO)
        } else {
            let sum = |column: &Column, pick: fn(&(Decimal, Decimal)) -> Decimal| {
                column.copies.iter().map(|copy| pick(&self.copies[*copy])).sum::<Decimal>()
            };
            (sum(a, |range| range.1), if self.shared { Decimal::ZERO } else { sum(b, |range| range.0) })
        };
        self.own_usd(a).1 + copy_a + extra_usd <= self.own_usd(b).0 + copy_b && a.seconds + extra_seconds <= b.seconds
    }

    /// Least and most that nodes and exchanges of a column count.
    fn own_usd(&self, column: &Column) -> (Decimal, Decimal) {
        let own = column.compute_usd + column.preference_usd;
        let exchanges = column.exchanges.iter().map(|exchange| range(self.network, exchange));
        exchanges.fold((own, own), |sum, range| (sum.0 + range.0, sum.1 + range.1))
    }

    /// A lower bound on what the column adds to the cost of a plan.
    fn least_usd(&self, column: &Column) -> Decimal {
        let copies: Decimal = column.copies.iter().map(|copy| self.copies[*copy].0).sum();
        self.own_usd(column).0 + if self.shared { Decimal::ZERO } else { copies }
    }
}

/// Whether one amount is known and at most the other, where that is known.
fn at_most(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a <= b,
        (a, None) => a.is_none(),
        (None, Some(_)) => false,
    }
}
