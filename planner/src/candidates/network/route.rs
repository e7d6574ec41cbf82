//! Routes over hops: found from one site to all others, kept where none is better in both price and time.

use std::rc::Rc;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use scenarios::plan::PermittedBy;
use scenarios::residency::Denied;
use scenarios::scenario::Action;

use super::hop::{Hop, Price};
use super::{Cargo, MOST_RELAYS, Network};
use crate::candidates::money::{egress_usd, round_up_to_milliseconds};
use crate::candidates::residency::{permitted, preference_per_gb};
use crate::candidates::{Charge, Movement, Reason};

/// A path from the source of a cargo.
#[derive(Debug, Clone)]
struct Path {
    sites: Vec<usize>,
    hops: Vec<Hop>,
    /// Price of hops whose price does not depend on the amount, in nanodollars a gigabyte.
    flat: i64,
    /// Meters of the others, each with the least and most that a gigabyte may cost.
    meters: Vec<(usize, i64, i64)>,
    bytes_per_second: f64,
    round_trip_seconds: f64,
}

impl Path {
    fn at(source: usize) -> Self {
        Self {
            sites: vec![source],
            hops: Vec::new(),
            flat: 0,
            meters: Vec::new(),
            bytes_per_second: f64::INFINITY,
            round_trip_seconds: 0.0,
        }
    }

    /// The path with one more hop; `None` if its price is not known or it comes back.
    fn with(&self, hop: Hop, to: usize) -> Option<Self> {
        if self.sites.contains(&to) || hop.price == Price::Unknown {
            return None;
        }
        let mut path = self.clone();
        path.sites.push(to);
        path.hops.push(hop);
        match hop.price {
            Price::Unknown => return None,
            Price::Flat(price) => path.flat = path.flat.saturating_add(nanodollars(price)),
            Price::Metered { meter, lowest, highest } => {
                path.meters.push((meter, nanodollars(lowest), nanodollars(highest)));
            }
        }
        path.bytes_per_second = path.bytes_per_second.min(hop.bytes_per_second);
        path.round_trip_seconds += hop.round_trip_seconds;
        Some(path)
    }

    /// Whether it is at least as cheap and as fast, whatever follows.
    fn is_as_good(&self, other: &Self) -> bool {
        self.costs_at_most(other)
            && self.bytes_per_second >= other.bytes_per_second
            && self.round_trip_seconds <= other.round_trip_seconds
    }

    /// Whether it is at least as cheap, whatever else is counted on its meters: common meters count for both.
    fn costs_at_most(&self, other: &Self) -> bool {
        let beyond = |these: &Self, those: &Self, price: fn(&(usize, i64, i64)) -> i64| {
            let own = these.meters.iter().filter(|meter| !those.meters.iter().any(|common| common.0 == meter.0));
            own.map(price).fold(these.flat, i64::saturating_add)
        };
        beyond(self, other, |meter| meter.2) <= beyond(other, self, |meter| meter.1)
    }

    fn seconds(&self, bytes: u64) -> f64 {
        round_up_to_milliseconds(bytes as f64 / self.bytes_per_second + self.round_trip_seconds)
    }
}

/// Prices as whole numbers are compared quickly; no price list has more than nine decimals.
fn nanodollars(usd: Decimal) -> i64 {
    (usd * Decimal::from(1_000_000_000)).to_i64().unwrap_or(i64::MAX)
}

/// Sites up to which paths pass through [`MOST_RELAYS`] others. Among more they pass through one, and only where there
/// is no direct connection.
const MANY_SITES: usize = 40;

/// Paths from one site to every site.
#[derive(Debug)]
pub(super) struct Paths(Vec<Vec<Path>>);

/// Ways to move a cargo, cheapest first.
///
/// # Errors
/// No path, no price, or a rule that denies the transit.
pub(super) fn all(network: &Network<'_>, cargo: &Cargo, from: usize, to: usize) -> Result<Vec<Movement>, Reason> {
    let paths = network.paths(cargo, from);
    let mut movements = Vec::new();
    let mut refused = None;
    for path in &paths.0[to] {
        match movement(network, cargo, path) {
            Ok(movement) => movements.push(movement),
            Err(reason) => refused = refused.or(Some(reason)),
        }
    }
    if movements.is_empty() {
        return Err(refused.unwrap_or_else(|| unreachable(network, cargo, from, to)));
    }
    let most = |movement: &Movement| movement.usd + metered(network, movement);
    movements.sort_by(|a, b| most(a).cmp(&most(b)).then(a.seconds.total_cmp(&b.seconds)));
    Ok(movements)
}

/// Least and most that any way costs, preferences included, and that it takes.
pub(super) fn extent(network: &Network<'_>, cargo: &Cargo, from: usize, to: usize) -> Option<Extent> {
    let paths = network.paths(cargo, from);
    let mut extent: Option<Extent> = None;
    for path in paths.0[to].iter().filter(|path| permits(network, cargo, path).is_ok()) {
        let fixed =
            network.storage_usd(cargo, to) + egress_usd(preference_per_gb(&network.world, cargo, to), cargo.bytes);
        let priced = |pick: fn(&(usize, i64, i64)) -> i64| {
            let nano = path.meters.iter().map(pick).fold(path.flat, i64::saturating_add);
            fixed + egress_usd(Decimal::new(nano, 9), cargo.bytes)
        };
        let (least, most, seconds) = (priced(|meter| meter.1), priced(|meter| meter.2), path.seconds(cargo.bytes));
        let known = extent.get_or_insert(Extent { usd: (least, most), seconds: (seconds, seconds) });
        known.usd = (known.usd.0.min(least), known.usd.1.max(most));
        known.seconds = (known.seconds.0.min(seconds), known.seconds.1.max(seconds));
    }
    extent
}

/// Prices and times over all ways of one movement, from least to most. A cent's millionth may be off by rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Extent {
    /// US dollars.
    pub usd: (Decimal, Decimal),
    /// Seconds.
    pub seconds: (f64, f64),
}

/// Rules that permit a cargo to take a path: to pass through each relay, and to be at the end.
fn permits(network: &Network<'_>, cargo: &Cargo, path: &Path) -> Result<Vec<PermittedBy>, Denied> {
    let end = path.sites.len() - 1;
    let mut rules = Vec::new();
    for stop in 1..=end {
        let arrival = [Action::Store, Action::Process, Action::Access];
        let actions: &[Action] = if stop < end { &[Action::Transit] } else { &arrival };
        rules.extend(permitted(&network.world, cargo, actions, path.sites[stop], link(path, stop))?);
    }
    Ok(rules)
}

/// What the charges of a movement cost at most.
fn metered(network: &Network<'_>, movement: &Movement) -> Decimal {
    let charge = |charge: &Charge| {
        network.meters.tariff(charge.meter).map_or(Decimal::ZERO, |tariff| egress_usd(tariff.highest(), charge.bytes))
    };
    movement.charges.iter().map(charge).sum()
}

/// Finds paths hop by hop, through sites where the cargo may pass.
pub(super) fn find(network: &Network<'_>, cargo: &Cargo, from: usize) -> Rc<Paths> {
    let count = network.world.loaded.scenario.sites.len();
    let mut found: Vec<Vec<Path>> = vec![Vec::new(); count];
    let mut ends = vec![Path::at(from)];
    let is_small = count <= MANY_SITES;
    let relays = if is_small { MOST_RELAYS } else { 1 };
    for _ in 0..=relays {
        let direct: Vec<bool> = found.iter().map(|paths| !is_small && !paths.is_empty()).collect();
        let mut next = Vec::new();
        for path in &ends {
            let Some(&last) = path.sites.last() else { continue };
            for (to, known_to) in found.iter_mut().enumerate().filter(|(to, _)| !direct[*to]) {
                let longer = network.hop(last, to).and_then(|hop| path.with(hop, to));
                let Some(longer) = longer.filter(|longer| longer.seconds(cargo.bytes).is_finite()) else { continue };
                if !known_to.iter().any(|known| known.is_as_good(&longer)) {
                    known_to.retain(|known| !longer.is_as_good(known));
                    known_to.push(longer.clone());
                    next.push(longer);
                }
            }
        }
        next.retain(|path| path.sites.last().is_some_and(|last| may_pass(network, cargo, path, *last).is_ok()));
        ends = next;
    }
    for paths in &mut found {
        keep_best(paths, cargo.bytes);
    }
    Rc::new(Paths(found))
}

/// Drops paths that another one beats in price and in the time that this cargo takes.
fn keep_best(paths: &mut Vec<Path>, bytes: u64) {
    let beats = |a: &Path, b: &Path| {
        let (time_a, time_b) = (a.seconds(bytes), b.seconds(bytes));
        a.costs_at_most(b) && time_a <= time_b && (time_a < time_b || !b.costs_at_most(a))
    };
    let best = paths.iter().filter(|path| !paths.iter().any(|other| beats(other, path))).cloned().collect();
    *paths = best;
}

/// Rules that permit a cargo to pass through the site that a path has reached.
fn may_pass(network: &Network<'_>, cargo: &Cargo, path: &Path, site: usize) -> Result<Vec<PermittedBy>, Denied> {
    permitted(&network.world, cargo, &[Action::Transit], site, link(path, path.sites.len() - 1))
}

/// The scenario's link that leads to a stop of a path.
fn link(path: &Path, stop: usize) -> Option<usize> {
    stop.checked_sub(1).and_then(|hop| path.hops.get(hop)).and_then(|hop| hop.link)
}

fn movement(network: &Network<'_>, cargo: &Cargo, path: &Path) -> Result<Movement, Reason> {
    let end = path.sites.len() - 1;
    let permitted_by = permits(network, cargo, path)?;
    let mut usd = Decimal::ZERO;
    let mut charges = Vec::new();
    for hop in &path.hops {
        match hop.price {
            Price::Flat(price) => usd = usd.saturating_add(egress_usd(price, cargo.bytes)),
            Price::Metered { meter, .. } => charges.push(Charge { meter, bytes: cargo.bytes }),
            Price::Unknown => {}
        }
    }
    Ok(Movement {
        what: cargo.what.clone(),
        form: cargo.form,
        labels: cargo.labels.clone(),
        from: path.sites[0],
        to: path.sites[end],
        via: path.sites[1..end].to_vec(),
        bytes: cargo.bytes,
        seconds: path.seconds(cargo.bytes),
        usd,
        charges,
        storage_usd: network.storage_usd(cargo, path.sites[end]),
        preference_usd: egress_usd(preference_per_gb(&network.world, cargo, path.sites[end]), cargo.bytes),
        permitted_by,
    })
}

/// Why no permitted path leads there: the rule in the way of a path, a price that is missing, or no network.
fn unreachable(network: &Network<'_>, cargo: &Cargo, from: usize, to: usize) -> Reason {
    let unpriced = |hop: Hop| hop.price == Price::Unknown;
    if network.hop(from, to).is_some_and(unpriced) {
        return Reason::NoEgressPrice { from: network.world.site_name(from).to_owned() };
    }
    let relays = 0..network.world.loaded.scenario.sites.len();
    let denied = relays.filter(|relay| network.hop(from, *relay).is_some() && network.hop(*relay, to).is_some());
    let denied = denied.filter_map(|relay| permitted(&network.world, cargo, &[Action::Transit], relay, None).err());
    denied.map(Reason::from).next().unwrap_or_else(|| network.no_route(from, to))
}
