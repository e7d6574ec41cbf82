//! A plan for a copy: paths, links, gateways and money.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use scenarios::units::Bytes;
use serde::Serialize;

use super::network::Network;

/// Share of the rate below which a flow is the solver's rounding.
const NEGLIGIBLE: f64 = 1e-7;

/// Decimals of money.
const USD_DECIMALS: u32 = 6;

/// A path of the copy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathUse {
    /// Places from the source to the destination.
    pub places: Vec<String>,
    /// Rate in Gbit/s.
    pub gbps: f64,
    /// What takes this path.
    pub bytes: u64,
}

/// A link of the copy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinkUse {
    /// Where it begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Rate in Gbit/s.
    pub gbps: f64,
    /// Connections that carry it.
    pub connections: f64,
    /// What passes it.
    pub bytes: u64,
    /// Its egress in US dollars.
    pub egress_usd: Decimal,
}

/// Gateways at a place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GatewayUse {
    /// Where.
    pub place: String,
    /// How many.
    pub gateways: u32,
    /// Their price for the time of the copy, in US dollars.
    pub usd: Decimal,
}

/// How a copy is made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TransferPlan {
    /// Rate in Gbit/s.
    pub gbps: f64,
    /// Time in seconds.
    pub seconds: f64,
    /// Egress of all links in US dollars.
    pub egress_usd: Decimal,
    /// Price of all gateways in US dollars.
    pub gateway_usd: Decimal,
    /// Both together.
    pub total_usd: Decimal,
    /// Whether it is proven that nothing is cheaper.
    pub is_optimal: bool,
    /// Paths, the fastest first.
    pub paths: Vec<PathUse>,
    /// Links, by the order of the places.
    pub links: Vec<LinkUse>,
    /// Gateways, by the order of the places.
    pub gateways: Vec<GatewayUse>,
}

/// A path by positions with its rate in Gbit/s.
pub(super) type Path = (Vec<usize>, f64);

/// Rates by link as paths from the source to the destination, the fastest first; circles are left out.
pub(super) fn paths(rates: &BTreeMap<(usize, usize), f64>, from: usize, to: usize) -> Vec<Path> {
    let mut left = rates.clone();
    let total: f64 = rates.iter().filter(|((source, _), _)| *source == from).map(|(_, rate)| rate).sum();
    let least = total * NEGLIGIBLE;
    let mut found: Vec<Path> = Vec::new();
    while let Some(path) = any_path(&left, from, to, least) {
        let links: Vec<(usize, usize)> = path.windows(2).map(|ends| (ends[0], ends[1])).collect();
        let rate = links.iter().filter_map(|link| left.get(link)).copied().fold(f64::INFINITY, f64::min);
        for link in &links {
            left.entry(*link).and_modify(|left| *left -= rate);
        }
        found.push((path, rate));
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found
}

/// A path with the fewest links over those that carry more than `least`.
fn any_path(rates: &BTreeMap<(usize, usize), f64>, from: usize, to: usize, least: f64) -> Option<Vec<usize>> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut reached = vec![from];
    let mut next = 0;
    while let Some(&place) = reached.get(next) {
        next += 1;
        let leaving = rates.range((place, 0)..=(place, usize::MAX)).filter(|(_, rate)| **rate > least);
        for (&(_, target), _) in leaving {
            if target != from && !came_from.contains_key(&target) {
                came_from.insert(target, place);
                reached.push(target);
            }
        }
    }
    let mut path = vec![to];
    while let Some(before) = path.last().filter(|place| **place != from) {
        path.push(*came_from.get(before)?);
    }
    path.reverse();
    Some(path)
}

/// Sums over the links of paths.
pub(super) fn by_link(paths: &[Path]) -> BTreeMap<(usize, usize), f64> {
    let mut links = BTreeMap::new();
    for (path, rate) in paths {
        for ends in path.windows(2) {
            *links.entry((ends[0], ends[1])).or_insert(0.0) += rate;
        }
    }
    links
}

/// Gateways that rates by link need at each place, as a fraction.
pub(super) fn gateways(network: &Network, rates: &BTreeMap<(usize, usize), f64>) -> BTreeMap<usize, f64> {
    // Sets of connections and Gbit/s that leave, then those that enter.
    let mut used: BTreeMap<usize, [f64; 4]> = BTreeMap::new();
    for (&(from, to), rate) in rates {
        let sets = network.links().get(&(from, to)).map_or(0.0, |link| rate / link.gbps);
        let (leave, enter) = ([sets, *rate, 0.0, 0.0], [0.0, 0.0, sets, *rate]);
        for (place, more) in [(from, leave), (to, enter)] {
            let sums = used.entry(place).or_default();
            sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
    }
    let share = |rate: f64, limit: f64| if rate > 0.0 { rate / limit } else { 0.0 };
    let need = |(place, [sets_out, out, sets_in, into]): (usize, [f64; 4])| {
        let limits = &network.places()[place];
        let rates = share(out, limits.egress_gbps).max(share(into, limits.ingress_gbps));
        (place, sets_out.max(sets_in).max(rates))
    };
    used.into_iter().map(need).collect()
}

/// Whole gateways, with the solver's rounding taken off.
pub(super) fn whole(gateways: f64) -> u32 {
    (gateways - 1e-6).ceil().max(0.0) as u32
}

/// The plan that a set of paths is.
pub(super) fn plan(network: &Network, paths: &[Path], amount: Bytes, gbps: f64, is_optimal: bool) -> TransferPlan {
    let seconds = amount.0 as f64 * 8.0 / 1e9 / gbps;
    let bytes = bytes_of(paths, amount);
    let links = link_uses(network, paths, &bytes);
    let hours = Decimal::try_from(seconds / 3600.0).unwrap_or(Decimal::MAX);
    let gateways = gateway_uses(network, paths, hours);
    let egress_usd: Decimal = links.iter().map(|link| link.egress_usd).sum();
    let gateway_usd: Decimal = gateways.iter().map(|gateway| gateway.usd).sum();
    let name = |place: &usize| network.places()[*place].name.clone();
    let path_use = |((path, rate), bytes): (&Path, &u64)| PathUse {
        places: path.iter().map(name).collect(),
        gbps: *rate,
        bytes: *bytes,
    };
    TransferPlan {
        gbps,
        seconds,
        egress_usd: egress_usd.normalize(),
        gateway_usd: gateway_usd.normalize(),
        total_usd: (egress_usd + gateway_usd).normalize(),
        is_optimal,
        paths: paths.iter().zip(&bytes).map(path_use).collect(),
        links,
        gateways,
    }
}

/// Whole bytes of each path, in proportion to its rate; the first takes what rounding leaves.
fn bytes_of(paths: &[Path], amount: Bytes) -> Vec<u64> {
    let total: f64 = paths.iter().map(|(_, rate)| rate).sum();
    let mut left = amount.0;
    let mut bytes = vec![0; paths.len()];
    for (index, (_, rate)) in paths.iter().enumerate().skip(1) {
        bytes[index] = ((amount.0 as f64 * (rate / total)) as u64).min(left);
        left -= bytes[index];
    }
    if let Some(first) = bytes.first_mut() {
        *first = left;
    }
    bytes
}

fn link_uses(network: &Network, paths: &[Path], bytes: &[u64]) -> Vec<LinkUse> {
    let mut sums: BTreeMap<(usize, usize), (f64, u64)> = BTreeMap::new();
    for ((path, rate), bytes) in paths.iter().zip(bytes) {
        for ends in path.windows(2) {
            let sum = sums.entry((ends[0], ends[1])).or_default();
            *sum = (sum.0 + rate, sum.1.saturating_add(*bytes));
        }
    }
    let connections = f64::from(network.connections_per_gateway());
    let link_use = |((from, to), (gbps, bytes)): ((usize, usize), (f64, u64))| {
        let link = network.links().get(&(from, to))?;
        let egress = link.usd_per_gb * Decimal::from(bytes) / Decimal::from(1_000_000_000);
        Some(LinkUse {
            from: network.places()[from].name.clone(),
            to: network.places()[to].name.clone(),
            gbps,
            connections: connections * gbps / link.gbps,
            bytes,
            egress_usd: egress.round_dp(USD_DECIMALS).normalize(),
        })
    };
    sums.into_iter().filter_map(link_use).collect()
}

fn gateway_uses(network: &Network, paths: &[Path], hours: Decimal) -> Vec<GatewayUse> {
    let needed = gateways(network, &by_link(paths));
    let gateway_use = |(place, needed): (usize, f64)| {
        let (place, gateways) = (&network.places()[place], whole(needed));
        let hourly = place.gateway_usd_per_hour * Decimal::from(gateways);
        let usd = hourly.checked_mul(hours).unwrap_or(Decimal::MAX);
        GatewayUse { place: place.name.clone(), gateways, usd: usd.round_dp(USD_DECIMALS).normalize() }
    };
    needed.into_iter().map(gateway_use).collect()
}
