//! Every workload on every pool, under every purchase option and strategy.

use std::collections::HashMap;
use std::rc::Rc;

use rust_decimal::Decimal;
use scenarios::scenario::{Form, Job, Loaded, Machine, Pool, PurchaseKind, Site, Workload};
use scenarios::strategy::Strategy;

use super::hardware::{self, Hardware, Key};
use super::money::{compute_usd, round_up_to_milliseconds};
use super::network::Cargo;
use super::residency::{may_exchange_gradients, may_run};
use super::{Candidates, Column, Held, Movement, Network, Place, Reason, Refused, WorkloadCandidates, World};
use crate::performance::{Layout, Prediction, Task, Unpredictable, predict};

type Predictions<'a> = HashMap<(Key<'a>, Strategy), Result<Rc<Prediction>, Unpredictable>>;

/// All placements of all workloads.
#[must_use]
pub fn enumerate(world: &World<'_>, network: &Network<'_>, held: &Held) -> Candidates {
    let mut machines = HashMap::new();
    let mut copies = Copies::default();
    let workloads = world.loaded.scenario.workloads.iter().map(|(name, workload)| {
        let strategies = strategies(name, workload, held);
        let mut listing = Listing { world, name, workload, machines: &mut machines, predictions: HashMap::new() };
        listing.all(network, &mut copies, &strategies)
    });
    let workloads = workloads.collect();
    Candidates { workloads, copies: copies.list }
}

/// Strategies to consider: what the user holds the workload to, else the scenario's list. An
/// evaluation runs on one device.
fn strategies(name: &str, workload: &Workload, held: &Held) -> Vec<Strategy> {
    if let Some(strategy) = held.get(name) {
        return vec![*strategy];
    }
    if matches!(workload.job, Job::Evaluate(_)) {
        return vec![Strategy::SINGLE];
    }
    let mut list: Vec<_> =
        workload.strategies.data.iter().map(|data| Strategy { data: *data, ..Strategy::SINGLE }).collect();
    list.sort();
    list.dedup();
    list
}

/// Copies of data sets, each listed once.
#[derive(Debug, Default)]
struct Copies {
    list: Vec<Movement>,
    known: HashMap<(String, usize, usize), Result<usize, Reason>>,
}

impl Copies {
    fn find(
        &mut self,
        network: &Network<'_>,
        loaded: &Loaded,
        data: &str,
        from: usize,
        to: usize,
    ) -> Result<usize, Reason> {
        let key = (data.to_owned(), from, to);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let bytes = loaded.scenario.datasets.get(data).map_or(0, |data| data.size.0);
        let cargo = Cargo { what: data.to_owned(), form: Form::Raw, labels: vec![data.to_owned()], bytes };
        let found = network.movement(&cargo, from, to).map(|movement| {
            self.list.push(movement);
            self.list.len() - 1
        });
        self.known.insert(key, found.clone());
        found
    }
}

struct Listing<'a, 'b> {
    world: &'b World<'a>,
    name: &'a str,
    workload: &'a Workload,
    machines: &'b mut HashMap<Key<'a>, Result<Rc<Hardware<'a>>, Reason>>,
    predictions: Predictions<'a>,
}

impl<'a> Listing<'a, '_> {
    fn all(&mut self, network: &Network<'_>, copies: &mut Copies, strategies: &[Strategy]) -> WorkloadCandidates {
        let mut found =
            WorkloadCandidates { workload: self.name.to_owned(), columns: vec![], refused: vec![], dominated: vec![] };
        for (site, (_, description)) in self.world.loaded.scenario.sites.iter().enumerate() {
            let sources = self.sources(network, copies, site);
            for (pool, (_, machines)) in description.pools.iter().enumerate() {
                let place = Place { site, pool };
                for (purchase, price) in self.prices(description, machines) {
                    for strategy in strategies {
                        let offer = Offer { place, purchase, price, strategy: *strategy, nodes: machines.nodes };
                        self.one(offer, &sources, &copies.list, &mut found);
                    }
                }
            }
        }
        found
    }

    /// Ways to have the data at a site: it lies there (`None`), or a copy from each site that holds it.
    fn sources(&self, network: &Network<'_>, copies: &mut Copies, site: usize) -> Result<Vec<Option<usize>>, Reason> {
        let world = self.world;
        let name = world.site_name(site);
        if !self.workload.sites.is_empty() && !self.workload.sites.iter().any(|allowed| allowed == name) {
            return Err(Reason::SiteNotListed { allowed: self.workload.sites.clone() });
        }
        may_run(world, self.workload, site)?;
        let data = self.workload.job.data();
        let Some(dataset) = world.loaded.scenario.datasets.get(data) else { return Ok(vec![None]) };
        if dataset.at.iter().any(|holder| holder == name) {
            return Ok(vec![None]);
        }
        let holders = dataset.at.iter().filter_map(|holder| world.loaded.scenario.sites.get_index_of(holder));
        let found: Vec<_> = holders.map(|holder| copies.find(network, world.loaded, data, holder, site)).collect();
        let possible: Vec<_> = found.iter().flatten().map(|copy| Some(*copy)).collect();
        match found.into_iter().find_map(Result::err) {
            Some(reason) if possible.is_empty() => Err(reason),
            _ => Ok(possible),
        }
    }

    /// Purchase options with the price of a node; none of them means on demand.
    fn prices(&self, site: &Site, pool: &Pool) -> Vec<(PurchaseKind, Option<Decimal>)> {
        let mut prices = Vec::new();
        if let Some(owned) = &pool.purchase.owned {
            prices.push((PurchaseKind::Owned, Some(owned.price.0)));
        }
        if pool.purchase.on_demand.is_some() || pool.purchase.owned.is_none() {
            let stated = pool.purchase.on_demand.as_ref().and_then(|offer| offer.price).map(|price| price.0);
            prices.push((PurchaseKind::OnDemand, stated.or_else(|| self.list_price(site, pool))));
        }
        prices
    }

    fn list_price(&self, site: &Site, pool: &Pool) -> Option<Decimal> {
        let Machine::Instance(name) = &pool.machine else { return None };
        let (provider, region) = site.provider.as_deref().zip(site.region.as_deref())?;
        self.world.catalog.instance(provider, region, name)?.on_demand_usd_per_hour
    }

    fn one(
        &mut self,
        offer: Offer,
        sources: &Result<Vec<Option<usize>>, Reason>,
        copies: &[Movement],
        found: &mut WorkloadCandidates,
    ) {
        let Offer { place, purchase, strategy, .. } = offer;
        let refuse = |nodes: u32, reason: Reason, column: Option<Box<Column>>| Refused {
            place,
            purchase,
            strategy,
            nodes,
            reason,
            column,
        };
        let priced = self.priced(offer);
        let sources = sources.clone().and_then(|sources| {
            if strategy.ranks() > 1 {
                may_exchange_gradients(self.world, self.workload, place.site)?;
            }
            Ok(sources)
        });
        match (priced, sources) {
            (Ok(column), Ok(sources)) => {
                for copy in sources {
                    let column = self.with_copy(&column, copy, copies);
                    match self.limits(&column, offer.nodes) {
                        None => found.columns.push(column),
                        Some(reason) => {
                            found.refused.push(refuse(column.layout.nodes, reason, Some(Box::new(column))));
                        }
                    }
                }
            }
            // What is refused keeps its time and price, so that a plan can say what a rule costs.
            (Ok(column), Err(reason)) => {
                found.refused.push(refuse(column.layout.nodes, reason, Some(Box::new(column))));
            }
            (Err((nodes, _)), Err(reason)) | (Err((nodes, reason)), Ok(_)) => {
                found.refused.push(refuse(nodes, reason, None));
            }
        }
    }

    /// The column but for its copy of the data.
    fn priced(&mut self, offer: Offer) -> Result<Column, (u32, Reason)> {
        let Offer { place, purchase, strategy, .. } = offer;
        let hardware = self.machine(place).map_err(|reason| (1, reason))?;
        let layout = hardware.layout(strategy.ranks()).map_err(|reason| (1, reason))?;
        let fail = |reason: Reason| (layout.nodes, reason);
        let no_price = || fail(Reason::NoPrice { machine: hardware.name.clone() });
        let usd_per_node_hour = offer.price.ok_or_else(no_price)?;
        let prediction = self.prediction(place, &hardware, strategy, layout).map_err(|error| fail(error.into()))?;
        if let Some(reason) = too_little_memory(&prediction, &hardware) {
            return Err(fail(reason));
        }
        let seconds = round_up_to_milliseconds(prediction.seconds).max(0.001);
        Ok(Column {
            place,
            purchase,
            strategy,
            layout,
            usd_per_node_hour,
            prediction,
            seconds,
            release_seconds: 0.0,
            compute_usd: compute_usd(usd_per_node_hour, layout.nodes, seconds),
            copy: None,
        })
    }

    fn machine(&mut self, place: Place) -> Result<Rc<Hardware<'a>>, Reason> {
        let key = hardware::key(self.world, place);
        if let Some(known) = self.machines.get(&key) {
            return known.clone();
        }
        let found = hardware::of(self.world, place).map(Rc::new);
        self.machines.insert(key, found.clone());
        found
    }

    fn prediction(
        &mut self,
        place: Place,
        hardware: &Hardware<'_>,
        strategy: Strategy,
        layout: Layout,
    ) -> Result<Rc<Prediction>, Unpredictable> {
        let key = (hardware::key(self.world, place), strategy);
        if let Some(known) = self.predictions.get(&key) {
            return known.clone();
        }
        let task = Task::of(&self.world.loaded.scenario, self.name).ok_or(Unpredictable::NoTask)?;
        let found = predict(&task, &hardware.rates, strategy, layout).map(Rc::new);
        self.predictions.insert(key, found.clone());
        found
    }

    fn with_copy(&self, column: &Column, copy: Option<usize>, copies: &[Movement]) -> Column {
        let own = self.workload.earliest_start.map_or(0.0, |start| round_up_to_milliseconds(start.get()));
        let arrival = copy.map_or(0.0, |copy| copies[copy].seconds);
        Column { release_seconds: own.max(arrival), copy, ..column.clone() }
    }

    fn limits(&self, column: &Column, available: u32) -> Option<Reason> {
        if column.layout.nodes > available {
            return Some(Reason::Quota { needed: column.layout.nodes, available });
        }
        let (ends, latest) = (column.release_seconds + column.seconds, self.world.latest_end(self.workload));
        (ends > latest).then_some(Reason::Deadline { ends, latest })
    }
}

/// A pool at a price, and a strategy.
#[derive(Debug, Clone, Copy)]
struct Offer {
    place: Place,
    purchase: PurchaseKind,
    price: Option<Decimal>,
    strategy: Strategy,
    nodes: u32,
}

fn too_little_memory(prediction: &Prediction, hardware: &Hardware<'_>) -> Option<Reason> {
    let (needed, available) = (prediction.memory.total(), hardware.memory_bytes_per_device);
    let shown = |(name, bytes): (&str, u64)| format!("{name} {}", scenarios::units::Bytes(bytes).rounded());
    (needed > available).then(|| Reason::Memory {
        needed,
        available,
        parts: prediction.memory.parts().map(shown).join(", "),
    })
}
