//! Movements between sites: hops, routes, time, price and permission.
//!
//! A hop is a link of the scenario or a path of the catalogue. Where two sites have no hop between
//! them, data goes through the cheapest permitted third site; every site passed is a `transit`.

use std::cell::RefCell;
use std::collections::HashMap;

use rust_decimal::Decimal;
use scenarios::scenario::{Action, Form, Job, Scenario, Site};

use super::money::{egress_usd, round_up_to_milliseconds};
use super::residency::permitted;
use super::{Movement, Reason, World};

/// What is to be moved.
#[derive(Debug, Clone)]
pub struct Cargo {
    /// Data set, or workload whose product it is.
    pub what: String,
    /// Form of the data.
    pub form: Form,
    /// Data sets whose rules apply.
    pub labels: Vec<String>,
    /// Amount.
    pub bytes: u64,
}

/// The weights that the workload at position `reader` reads.
#[must_use]
pub fn weights_cargo(scenario: &Scenario, reader: usize) -> Option<Cargo> {
    let (_, workload) = scenario.workloads.get_index(reader)?;
    let Job::Evaluate(evaluation) = &workload.job else { return None };
    let (what, trained) = scenario.workloads.get_key_value(&evaluation.weights_of)?;
    let Job::Train(training) = &trained.job else { return None };
    let labels = vec![training.data.clone()];
    let bytes = 4 * training.model.parameters().ok()?;
    Some(Cargo { what: what.clone(), form: Form::Weights, labels, bytes })
}

/// One direct connection in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Hop {
    bytes_per_second: f64,
    round_trip_seconds: f64,
    usd_per_gb: Option<Decimal>,
}

/// The network between the sites of a scenario.
#[derive(Debug)]
pub struct Network<'a> {
    world: World<'a>,
    links: HashMap<(usize, usize), (f64, f64)>,
    hops: RefCell<HashMap<(usize, usize), Option<Hop>>>,
}

impl<'a> Network<'a> {
    /// The network of a scenario.
    #[must_use]
    pub fn new(world: World<'a>) -> Self {
        let sites = &world.loaded.scenario.sites;
        let mut links = HashMap::new();
        for link in &world.loaded.scenario.links {
            let [a, b] = link.between.each_ref().map(|name| sites.get_index_of(name));
            if let (Some(a), Some(b)) = (a, b) {
                let figures = (link.bandwidth.bytes_per_second(), 2.0 * link.latency.get());
                links.insert((a, b), figures);
                links.insert((b, a), figures);
            }
        }
        Self { world, links, hops: RefCell::default() }
    }

    /// Moves cargo from one site to another.
    ///
    /// # Errors
    /// No route, no price, or a rule that denies it at the destination or on the way.
    pub fn movement(&self, cargo: &Cargo, from: usize, to: usize) -> Result<Movement, Reason> {
        let actions = [Action::Store, Action::Process];
        let arrival = permitted(&self.world, &cargo.labels, cargo.form, &actions, to)?;
        if let Some(hop) = self.hop(from, to) {
            return self.over(cargo, &[from, to], &[hop], arrival);
        }
        let mut best: Result<Movement, Reason> = Err(self.no_route(from, to));
        for relay in 0..self.world.loaded.scenario.sites.len() {
            let (Some(first), Some(second)) = (self.hop(from, relay), self.hop(relay, to)) else { continue };
            let found = self.relayed(cargo, [from, relay, to], [first, second], &arrival);
            let better = match (&found, &best) {
                (Ok(a), Ok(b)) => (a.usd, a.seconds) < (b.usd, b.seconds),
                (Ok(_), Err(_)) | (Err(_), Err(Reason::NoRoute { .. })) => true,
                (Err(_), _) => false,
            };
            if better {
                best = found;
            }
        }
        best
    }

    fn relayed(
        &self,
        cargo: &Cargo,
        sites: [usize; 3],
        hops: [Hop; 2],
        arrival: &[scenarios::plan::PermittedBy],
    ) -> Result<Movement, Reason> {
        let mut rules = permitted(&self.world, &cargo.labels, cargo.form, &[Action::Transit], sites[1])?;
        rules.extend_from_slice(arrival);
        self.over(cargo, &sites, &hops, rules)
    }

    fn over(
        &self,
        cargo: &Cargo,
        sites: &[usize],
        hops: &[Hop],
        permitted_by: Vec<scenarios::plan::PermittedBy>,
    ) -> Result<Movement, Reason> {
        let mut usd = Decimal::ZERO;
        for (hop, site) in hops.iter().zip(sites) {
            let missing = || Reason::NoEgressPrice { from: self.world.site_name(*site).to_owned() };
            usd = usd.saturating_add(egress_usd(hop.usd_per_gb.ok_or_else(missing)?, cargo.bytes));
        }
        let rate = hops.iter().map(|hop| hop.bytes_per_second).fold(f64::INFINITY, f64::min);
        let round_trips: f64 = hops.iter().map(|hop| hop.round_trip_seconds).sum();
        let (Some(&from), Some(&to)) = (sites.first(), sites.last()) else {
            return Err(self.no_route(0, 0));
        };
        Ok(Movement {
            what: cargo.what.clone(),
            form: cargo.form,
            labels: cargo.labels.clone(),
            from,
            to,
            via: sites[1..sites.len() - 1].to_vec(),
            bytes: cargo.bytes,
            seconds: round_up_to_milliseconds(cargo.bytes as f64 / rate + round_trips),
            usd,
            permitted_by,
        })
    }

    fn no_route(&self, from: usize, to: usize) -> Reason {
        let name = |site| self.world.site_name(site).to_owned();
        Reason::NoRoute { from: name(from), to: name(to) }
    }

    fn hop(&self, from: usize, to: usize) -> Option<Hop> {
        if from == to {
            return None;
        }
        if let Some(known) = self.hops.borrow().get(&(from, to)) {
            return *known;
        }
        let found = self.find_hop(from, to);
        self.hops.borrow_mut().insert((from, to), found);
        found
    }

    fn find_hop(&self, from: usize, to: usize) -> Option<Hop> {
        let sites = &self.world.loaded.scenario.sites;
        let (source, target) = (&sites[from], &sites[to]);
        let (bytes_per_second, round_trip_seconds) = if let Some(link) = self.links.get(&(from, to)) {
            *link
        } else {
            let path = self.world.catalog.path(region(source)?, region(target)?)?;
            (path.gbps * 1e9 / 8.0, path.round_trip_seconds)
        };
        let usable = bytes_per_second > 0.0;
        usable.then(|| Hop { bytes_per_second, round_trip_seconds, usd_per_gb: self.egress(source, target) })
    }

    /// The site's own price, else the catalogue's; what leaves a private site is free.
    fn egress(&self, from: &Site, to: &Site) -> Option<Decimal> {
        if let Some(price) = from.egress {
            return Some(price.0);
        }
        match region(from) {
            None => Some(Decimal::ZERO),
            Some(source) => self.world.catalog.egress(source, region(to)).map(|price| price.usd_per_gb),
        }
    }
}

fn region(site: &Site) -> Option<(&str, &str)> {
    site.provider.as_deref().zip(site.region.as_deref())
}
