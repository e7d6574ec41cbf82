//! Every workload on every pool, under every purchase option and strategy.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use rust_decimal::Decimal;
use scenarios::scenario::{Form, Job, Machine, Pool, PurchaseKind, Site, Workload};
use scenarios::strategy::Strategy;

use super::hardware::{self, Hardware, Key};
use super::inputs::{self, Copies};
use super::money::{compute_usd, round_up_to_milliseconds};
use super::residency::{may_exchange, may_run};
use super::{Candidates, Column, Group, Held, Movement, Network, Place, Reason, Refused, WorkloadCandidates, World};
use crate::performance::{Layout, Prediction, Task, Unpredictable, predict};

type Predictions<'a> = HashMap<(Key<'a>, Strategy), Result<Arc<Prediction>, Unpredictable>>;

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
    let data = workload
        .strategies
        .data
        .clone()
        .unwrap_or_else(|| [1, 2, 4, 8].into_iter().filter_map(NonZeroU32::new).collect());
    let mut list: Vec<_> = data.into_iter().map(|data| Strategy { data, ..Strategy::SINGLE }).collect();
    list.sort();
    list.dedup();
    list
}

struct Listing<'a, 'b> {
    world: &'b World<'a>,
    name: &'a str,
    workload: &'a Workload,
    machines: &'b mut HashMap<Key<'a>, Result<Arc<Hardware<'a>>, Reason>>,
    predictions: Predictions<'a>,
}

impl<'a> Listing<'a, '_> {
    fn all(&mut self, network: &Network<'_>, copies: &mut Copies, strategies: &[Strategy]) -> WorkloadCandidates {
        let mut found = WorkloadCandidates {
            workload: self.name.to_owned(),
            columns: vec![],
            service: None,
            refused: vec![],
            dominated: vec![],
        };
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

    /// Ways to have the data at a site, where the workload may run there.
    fn sources(&self, network: &Network<'_>, copies: &mut Copies, site: usize) -> Result<Vec<Vec<usize>>, Reason> {
        let world = self.world;
        let name = world.site_name(site);
        if !self.workload.sites.is_empty() && !self.workload.sites.iter().any(|allowed| allowed == name) {
            return Err(Reason::SiteNotListed { allowed: self.workload.sites.clone() });
        }
        may_run(world, self.name, self.workload, site)?;
        inputs::sources(world, network, copies, self.name, self.workload, site)
    }

    fn prices(&self, site: &Site, pool: &Pool) -> Vec<(PurchaseKind, Option<Decimal>)> {
        let mut prices = Vec::new();
        if let Some(owned) = &pool.purchase.owned {
            prices.push((PurchaseKind::Owned, owned.price.map(|price| price.0)));
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
        sources: &Result<Vec<Vec<usize>>, Reason>,
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
                may_exchange(self.world, self.name, Form::Gradients, place.site)?;
            }
            Ok(sources)
        });
        match (priced, sources) {
            (Ok(column), Ok(sources)) => {
                for set in sources {
                    let column = self.with_copies(&column, set, copies);
                    match self.limits(&column, offer.nodes) {
                        None => found.columns.push(column),
                        Some(reason) => {
                            found.refused.push(refuse(column.nodes(), reason, Some(Box::new(column))));
                        }
                    }
                }
            }
            // What is refused keeps its time and price, so that a plan can say what a rule costs.
            (Ok(column), Err(reason)) => {
                found.refused.push(refuse(column.nodes(), reason, Some(Box::new(column))));
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
            groups: vec![Group { place, purchase, layout, usd_per_node_hour, batch: None }],
            strategy,
            prediction,
            seconds,
            release_seconds: 0.0,
            compute_usd: compute_usd(usd_per_node_hour, layout.nodes, seconds),
            preference_usd: Decimal::ZERO,
            energy_kwh: None,
            carbon_kg: None,
            copies: vec![],
            exchanges: vec![],
        })
    }

    fn machine(&mut self, place: Place) -> Result<Arc<Hardware<'a>>, Reason> {
        let key = hardware::key(self.world, place);
        if let Some(known) = self.machines.get(&key) {
            return known.clone();
        }
        let found = hardware::of(self.world, place).map(Arc::new);
        self.machines.insert(key, found.clone());
        found
    }

    fn prediction(
        &mut self,
        place: Place,
        hardware: &Hardware<'_>,
        strategy: Strategy,
        layout: Layout,
    ) -> Result<Arc<Prediction>, Unpredictable> {
        let key = (hardware::key(self.world, place), strategy);
        if let Some(known) = self.predictions.get(&key) {
            return known.clone();
        }
        let task = Task::of(&self.world.loaded.scenario, self.name).ok_or(Unpredictable::NoTask)?;
        let found = predict(&task, &hardware.rates, strategy, layout).map(Arc::new);
        self.predictions.insert(key, found.clone());
        found
    }

    fn with_copies(&self, column: &Column, set: Vec<usize>, copies: &[Movement]) -> Column {
        let own = self.workload.earliest_start.map_or(0.0, |start| round_up_to_milliseconds(start.get()));
        let arrival = set.iter().map(|copy| copies[*copy].seconds).fold(0.0, f64::max);
        Column { release_seconds: own.max(arrival), copies: set, ..column.clone() }
    }

    fn limits(&self, column: &Column, available: u32) -> Option<Reason> {
        if column.nodes() > available {
            return Some(Reason::Quota { needed: column.nodes(), available });
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
