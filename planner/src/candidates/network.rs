//! Movements between sites: hops, routes, time, price and permission.
//!
//! A hop is a link of the scenario or a path of the catalogue. A route passes through at most
//! [`MOST_RELAYS`] other sites, each of which is a `transit`. Of the permitted routes those are kept
//! that no other one beats in both price and time.

mod hop;
mod meter;
mod product;
mod route;

pub use meter::Meter;
pub use product::Product;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use rust_decimal::Decimal;
use scenarios::residency::PUBLIC;
use scenarios::scenario::Form;
use scenarios::units::Date;

use super::money::storage_usd;
use super::{Movement, Reason, World};
use hop::{Hop, Link};
use meter::Meters;
pub use route::Extent;
use route::Paths;

/// What is to be moved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cargo {
    /// Data set, or workload whose product it is.
    pub what: String,
    /// Workload that needs it.
    pub used_by: String,
    /// Form of the data.
    pub form: Form,
    /// Data sets whose rules apply.
    pub labels: Vec<String>,
    /// Amount.
    pub bytes: u64,
    /// Whether it is kept to the end of the period.
    pub kept: bool,
}

/// Most sites that a route passes through.
pub const MOST_RELAYS: usize = 3;

/// The network between the sites of a scenario.
#[derive(Debug)]
pub struct Network<'a> {
    world: World<'a>,
    links: HashMap<(usize, usize), Link>,
    meters: Meters,
    products: Vec<Product>,
    hops: RefCell<HashMap<(usize, usize), Option<Hop>>>,
    paths: RefCell<HashMap<Errand, Rc<Paths>>>,
}

/// All that the paths of a cargo from a site depend on: without data whose rules apply, neither its form nor the days.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Errand {
    from: usize,
    bytes: u64,
    ruled: Option<(Form, Vec<String>, Date, Date)>,
}

impl<'a> Network<'a> {
    /// The network of a scenario.
    #[must_use]
    pub fn new(world: World<'a>) -> Self {
        let links = hop::links(world);
        let products = product::all(&world.loaded.scenario);
        Self { world, links, products, meters: Meters::default(), hops: RefCell::default(), paths: RefCell::default() }
    }

    /// Meters whose price depends on the amount, by position; all that movements named so far.
    #[must_use]
    pub fn meters(&self) -> Vec<Meter> {
        self.meters.all()
    }

    /// Everything that workloads make for each other: weights and features.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// Ways to move cargo from one site to another, the cheapest first; none is beaten in both price and time.
    ///
    /// # Errors
    /// No route, no price, or a rule that denies it at the destination or on the way.
    pub fn movements(&self, cargo: &Cargo, from: usize, to: usize) -> Result<Vec<Movement>, Reason> {
        route::all(self, cargo, from, to)
    }

    /// The cheapest way.
    ///
    /// # Errors
    /// As [`Network::movements`].
    pub fn movement(&self, cargo: &Cargo, from: usize, to: usize) -> Result<Movement, Reason> {
        let all = self.movements(cargo, from, to)?;
        all.into_iter().next().ok_or_else(|| self.no_route(from, to))
    }

    /// Least and most that a movement costs and takes, over all ways; `None` where there is none.
    #[must_use]
    pub fn extent(&self, cargo: &Cargo, from: usize, to: usize) -> Option<Extent> {
        route::extent(self, cargo, from, to)
    }

    /// Keeping a cargo at a site to the end of the period, for cargo that is kept.
    fn storage_usd(&self, cargo: &Cargo, site: usize) -> Decimal {
        let scenario = &self.world.loaded.scenario;
        let price = scenario.sites.get_index(site).and_then(|(_, site)| site.storage).filter(|_| cargo.kept);
        price.map_or(Decimal::ZERO, |price| storage_usd(price.0, cargo.bytes, scenario.horizon.get()))
    }

    fn paths(&self, cargo: &Cargo, from: usize) -> Rc<Paths> {
        let key = self.errand(cargo, from);
        if let Some(known) = self.paths.borrow().get(&key) {
            return Rc::clone(known);
        }
        let found = route::find(self, cargo, from);
        self.paths.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    /// What the paths of a cargo from a site depend on.
    pub(super) fn errand(&self, cargo: &Cargo, from: usize) -> Errand {
        let (loaded, catalog) = (self.world.loaded, self.world.catalog);
        let is_ruled = |label: &&String| loaded.scenario.datasets.get(*label).is_some_and(|data| data.class != PUBLIC);
        let labels: Vec<String> = cargo.labels.iter().filter(is_ruled).cloned().collect();
        let period = loaded.scenario.workloads.get(&cargo.used_by).map(|workload| loaded.period(workload, catalog));
        let ruled = period.filter(|_| !labels.is_empty()).map(|days| (cargo.form, labels, days.from, days.until));
        Errand { from, bytes: cargo.bytes, ruled }
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
        let found = hop::find(self, from, to);
        self.hops.borrow_mut().insert((from, to), found);
        found
    }
}
