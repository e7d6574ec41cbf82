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
use super::{Candidates, Column, Dominated, Extent, Movement, Network, Place, WorkloadCandidates, World};
use crate::clock::{Clock, OutOfTime};

/// Moves dominated columns out of the candidates' lists.
///
/// # Errors
/// They are too many for the time.
pub fn prune(
    world: &World<'_>,
    network: &Network<'_>,
    candidates: Candidates,
    clock: Clock,
) -> Result<Candidates, OutOfTime> {
    let scenario = &world.loaded.scenario;
    let roomy = roomy_pools(world, &candidates);
    let sites: Vec<BTreeSet<usize>> =
        candidates.workloads.iter().map(|workload| workload.sites().into_iter().collect()).collect();
    let occupants = most_places(&candidates);
    let green = matches!(scenario.objective, Objective::Carbon | Objective::Weighted(_));
    let timely = !matches!(scenario.objective, Objective::Weighted(Weights { cost, .. }) if cost < 0.0);
    let Candidates { workloads, copies } = candidates;
    let ranges: Vec<(Decimal, Decimal)> = copies.iter().map(|copy| range(network, copy)).collect();
    let pruned = workloads.into_iter().enumerate().map(|(index, workload)| {
        let margins = margins(network, &sites, index);
        let shared = is_shared(scenario, &workload.workload);
        let pruning =
            Pruning { world, network, copies: &ranges, roomy: &roomy, margins: &margins, shared, occupants, green };
        if timely { pruning.apply(workload, clock) } else { Ok(workload) }
    });
    Ok(Candidates { workloads: pruned.collect::<Result<_, OutOfTime>>()?, copies })
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

/// Prices and times of products that move to or from a site, over all sites where the other workload may run. `None`
/// where some movement is not possible.
type Margins = BTreeMap<usize, Option<Extent>>;

fn margins(network: &Network<'_>, sites: &[BTreeSet<usize>], index: usize) -> Margins {
    let own = || network.products().iter().filter(|product| product.reader == index || product.maker == index);
    let of = |site: usize| {
        own().try_fold(Extent::default(), |sum, product| {
            let other = if product.reader == index { product.maker } else { product.reader };
            let moved = sites[other].iter().map(|end| {
                let (from, to) = if product.reader == index { (*end, site) } else { (site, *end) };
                if from == to { Some(Extent::default()) } else { network.extent(&product.cargo, from, to) }
            });
            widen(sum, &moved.collect::<Option<Vec<_>>>()?)
        })
    };
    sites[index].iter().map(|site| (*site, of(*site))).collect()
}

fn widen(sum: Extent, moved: &[Extent]) -> Option<Extent> {
    let usd = (moved.iter().map(|extent| extent.usd.0).min()?, moved.iter().map(|extent| extent.usd.1).max()?);
    let least = moved.iter().map(|extent| extent.seconds.0).fold(f64::INFINITY, f64::min);
    let most = moved.iter().map(|extent| extent.seconds.1).fold(0.0, f64::max);
    Some(Extent { usd: (sum.usd.0 + usd.0, sum.usd.1 + usd.1), seconds: (sum.seconds.0 + least, sum.seconds.1 + most) })
}

struct Pruning<'a, 'n> {
    world: &'a World<'n>,
    network: &'a Network<'n>,
    /// Least and most that each copy costs.
    copies: &'a [(Decimal, Decimal)],
    roomy: &'a BTreeSet<Place>,
    margins: &'a Margins,
    shared: bool,
    occupants: usize,
    /// Whether greenhouse gas counts.
    green: bool,
}

/// What is compared of a column.
struct Facts {
    /// Position in the list.
    at: usize,
    site: usize,
    release_seconds: f64,
    seconds: f64,
    /// Least and most that nodes and exchanges count.
    own: (Decimal, Decimal),
    /// Least and most that its copies cost.
    copied: (Decimal, Decimal),
    nodes: Vec<(Place, u32)>,
    /// Its only pool, where it has one that never has fewer nodes.
    only: Option<Place>,
    /// Whether it uses reserved nodes, whose price is not known before all is.
    reserved: bool,
}

impl Pruning<'_, '_> {
    fn apply(&self, mut workload: WorkloadCandidates, clock: Clock) -> Result<WorkloadCandidates, OutOfTime> {
        let columns = std::mem::take(&mut workload.columns);
        let mut facts: Vec<Facts> = columns.iter().enumerate().map(|(at, column)| self.facts(at, column)).collect();
        let least = |facts: &Facts| facts.own.0 + if self.shared { Decimal::ZERO } else { facts.copied.0 };
        facts.sort_by_cached_key(|facts| {
            let nodes: u32 = facts.nodes.iter().map(|(_, nodes)| *nodes).sum();
            (least(facts), facts.seconds.to_bits(), facts.release_seconds.to_bits(), nodes, facts.at)
        });
        let mut kept: Vec<&Facts> = Vec::new();
        let mut fates: Vec<Option<(usize, usize)>> = vec![None; columns.len()];
        for column in &facts {
            clock.check()?;
            match self.dominator(&columns, &kept, column) {
                Some(fate) => fates[column.at] = Some(fate),
                None => kept.push(column),
            }
        }
        let mut positions = vec![0; columns.len()];
        for (position, column) in kept.iter().enumerate() {
            positions[column.at] = position;
        }
        let order: Vec<usize> = facts.iter().map(|facts| facts.at).collect();
        let mut columns: Vec<Option<Column>> = columns.into_iter().map(Some).collect();
        for at in order {
            let Some(column) = columns[at].take() else { continue };
            match fates[at] {
                Some((by, places)) => workload.dominated.push(Dominated { column, by: positions[by], places }),
                None => workload.columns.push(column),
            }
        }
        Ok(workload)
    }

    fn facts(&self, at: usize, column: &Column) -> Facts {
        let nodes: Vec<(Place, u32)> = nodes(column).into_iter().collect();
        let steady = |place: &Place| self.world.shortages(*place).next().is_none();
        Facts {
            at,
            site: column.site(),
            release_seconds: column.release_seconds,
            seconds: column.seconds,
            own: self.own_usd(column),
            copied: column.copies.iter().fold(Default::default(), |sum: (Decimal, Decimal), copy| {
                (sum.0 + self.copies[*copy].0, sum.1 + self.copies[*copy].1)
            }),
            only: Some(column.first().place).filter(|place| column.groups.len() == 1 && steady(place)),
            nodes,
            reserved: column.groups.iter().any(|group| group.purchase == PurchaseKind::Reserved),
        }
    }

    /// Position of a kept column that is at least as good, with the number of places that are.
    fn dominator(&self, columns: &[Column], kept: &[&Facts], column: &Facts) -> Option<(usize, usize)> {
        let mut places: Vec<Place> = Vec::new();
        let mut first = None;
        for other in kept.iter().filter(|other| self.is_as_good(columns, other, column)) {
            let held = |place: &Place| column.nodes.iter().find(|(own, _)| own == place).map_or(0, |(_, nodes)| *nodes);
            if other.nodes.iter().all(|(place, nodes)| self.roomy.contains(place) || *nodes <= held(place)) {
                return Some((other.at, 1));
            }
            let Some(only) = other.only else { continue };
            first.get_or_insert(other.at);
            if !places.contains(&only) {
                places.push(only);
            }
            if places.len() >= self.occupants {
                return first.map(|other| (other, places.len()));
            }
        }
        None
    }

    /// Whether `a` costs at most as much as `b` and ends no later, whatever the other workloads do.
    fn is_as_good(&self, columns: &[Column], a: &Facts, b: &Facts) -> bool {
        if a.release_seconds > b.release_seconds || a.seconds > b.seconds || a.reserved {
            return false;
        }
        let (column_a, column_b) = (&columns[a.at], &columns[b.at]);
        if self.green && !at_most(column_a.carbon_kg, column_b.carbon_kg) {
            return false;
        }
        let (extra_usd, extra_seconds) = if a.site == b.site {
            (Decimal::ZERO, 0.0)
        } else {
            let margin = |site: usize| self.margins.get(&site).copied().flatten();
            let Some(worst) = margin(a.site) else { return false };
            // Where some movement from or to `b` is impossible, nothing is taken off its cost.
            let best = margin(b.site).unwrap_or_default();
            (worst.usd.1 - best.usd.0.min(worst.usd.1), (worst.seconds.1 - best.seconds.0).max(0.0))
        };
        let (copy_a, copy_b) = if column_a.copies == column_b.copies {
            (Decimal::ZERO, Decimal::ZERO)
        } else {
            (a.copied.1, if self.shared { Decimal::ZERO } else { b.copied.0 })
        };
        a.own.1 + copy_a + extra_usd <= b.own.0 + copy_b && a.seconds + extra_seconds <= b.seconds
    }

    /// Least and most that nodes and exchanges of a column count.
    fn own_usd(&self, column: &Column) -> (Decimal, Decimal) {
        let own = column.compute_usd + column.preference_usd;
        let exchanges = column.exchanges.iter().map(|exchange| range(self.network, exchange));
        exchanges.fold((own, own), |sum, range| (sum.0 + range.0, sum.1 + range.1))
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
