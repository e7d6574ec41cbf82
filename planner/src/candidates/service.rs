//! Replicas of a service in every pool.
//!
//! A replica is cut into tensor-parallel parts and stages on whole nodes; equal ones share a node that has devices for
//! several. Spot nodes are left out: a service has to last.

mod demand;
mod rates;

use std::sync::Arc;

use rust_decimal::Decimal;
use scenarios::model::{Model, Transformer};
use scenarios::precision::Precision;
use scenarios::scenario::{PurchaseKind, Service};
use scenarios::strategy::Strategy;

use super::listing::{Listing, Permits, Sources};
use super::market::Stall;
use super::money::{compute_usd, round_up_to_milliseconds};
use super::prediction::network;
use super::purchase::Offer;
use super::{Group, Reason, Replica, RequestClass, ServiceCandidates};
use crate::performance::{Layout, Prediction};

use demand::Reach;
use rates::{Configuration, Rates};

/// A kind of replica without its price.
#[derive(Debug, Clone)]
struct Kind {
    layout: Layout,
    strategy: Strategy,
    prediction: Arc<Prediction>,
    most: Vec<Option<f64>>,
}

/// What a service is made of, apart from where.
struct Plan {
    model: Option<Transformer>,
    window: (f64, f64),
    classes: Vec<RequestClass>,
}

impl Listing<'_, '_, '_> {
    /// Finds all replicas of a service.
    pub(super) fn serve(&mut self, service: &Service) {
        let world = self.common.world;
        let model = network(&world.loaded.scenario, service.model.as_ref(), service.weights_of.as_deref());
        let start = self.workload.earliest_start.map_or(0.0, |start| round_up_to_milliseconds(start.get()));
        let plan = Plan {
            model: if let Some(Model::Transformer(model)) = model { Some(model) } else { None },
            window: (start, world.latest_end(self.workload).max(start)),
            classes: demand::classes(world, service),
        };
        let mut rates = Rates::new(service);
        let mut replicas = Vec::new();
        for site in 0..self.common.market.sites.len() {
            let mut permits = self.permits(site);
            permits.sources = permits.sources.and_then(|sources| self.in_time(sources, plan.window.0));
            let reach = Reach::of(world, self.common.network, self.name, service, &plan.classes, site);
            let stalls = std::mem::take(&mut self.common.market.sites[site]);
            for stall in &stalls {
                replicas.extend(self.replicas_of(stall, &permits, &reach, &plan, &mut rates));
            }
            self.common.market.sites[site] = stalls;
        }
        self.found.service = Some(ServiceCandidates { window: plan.window, classes: plan.classes, replicas });
    }

    /// Ways to have the weights at a site before the service starts.
    fn in_time(&self, mut sources: Vec<Vec<usize>>, starts: f64) -> Sources {
        let list = &self.common.copies.list;
        let arrival = |set: &Vec<usize>| set.iter().map(|copy| list[*copy].seconds).fold(0.0, f64::max);
        let arrives = sources.iter().map(arrival).fold(f64::INFINITY, f64::min);
        sources.retain(|set| arrival(set) <= starts);
        if sources.is_empty() { Err(Reason::TooLate { arrives, starts }) } else { Ok(sources) }
    }

    /// Replicas in one pool, under every purchase option, with every way to have the weights.
    fn replicas_of(
        &mut self,
        stall: &Stall<'_>,
        permits: &Permits,
        reach: &Reach,
        plan: &Plan,
        rates: &mut Rates,
    ) -> Vec<Replica> {
        let kinds = match &permits.sources {
            Ok(_) => self.kinds(stall, reach, plan, rates),
            Err(reason) => Err(reason.clone()),
        };
        let mut replicas = Vec::new();
        for offer in &stall.offers {
            let priced = kinds.as_ref().map_err(Clone::clone).and_then(|kinds| Ok((kinds, self.price(stall, offer)?)));
            match priced {
                Ok((kinds, price)) => {
                    for kind in kinds {
                        replicas.extend(self.replicas(stall, offer, kind, price, permits, plan));
                    }
                }
                Err(reason) => self.refuse(stall.place, offer.purchase, (1, Strategy::SINGLE), reason, None),
            }
        }
        replicas
    }

    fn price(&self, stall: &Stall<'_>, offer: &Offer) -> Result<Decimal, Reason> {
        if offer.purchase == PurchaseKind::Spot {
            return Err(Reason::SpotService);
        }
        if self.common.needs_carbon && stall.consumption.kg_per_hour.is_none() {
            return Err(Reason::NoCarbon { machine: self.common.world.machine_name(stall.place) });
        }
        offer.price(self.common.world.latest_end(self.workload))
    }

    /// A kind of replica, once for each way to have the weights.
    fn replicas(
        &mut self,
        stall: &Stall<'_>,
        offer: &Offer,
        kind: &Kind,
        price: Decimal,
        permits: &Permits,
        plan: &Plan,
    ) -> Vec<Replica> {
        let (nodes, seconds) = (kind.layout.nodes, plan.window.1 - plan.window.0);
        if nodes > offer.most_nodes {
            let reason = Reason::Quota { needed: nodes, available: offer.most_nodes };
            self.refuse(stall.place, offer.purchase, (nodes, kind.strategy), reason, None);
            return Vec::new();
        }
        let (place, purchase, layout) = (stall.place, offer.purchase, kind.layout);
        let replica = |copies: &Vec<usize>| Replica {
            group: Group { place, purchase, layout, usd_per_node_hour: price, batch: None },
            strategy: kind.strategy,
            prediction: Arc::clone(&kind.prediction),
            usd: compute_usd(price, nodes, seconds),
            preference_usd: compute_usd(permits.preference, nodes, seconds),
            energy_kwh: stall.consumption.energy_kwh(nodes, seconds),
            carbon_kg: stall.consumption.carbon_kg(nodes, seconds),
            most: kind.most.clone(),
            copies: copies.clone(),
        };
        permits.sources.iter().flatten().map(replica).collect()
    }

    /// Kinds of replicas that machines allow: measured ones, and on other numbers of nodes predicted ones, none of which
    /// another on as many nodes is as good as in every class.
    fn kinds(&mut self, stall: &Stall<'_>, reach: &Reach, plan: &Plan, rates: &mut Rates) -> Result<Vec<Kind>, Reason> {
        if let Some(reason) = reach.refused(false) {
            return Err(reason.clone());
        }
        let mut kinds = self.measured_kinds(stall, reach, plan);
        let measured: Vec<u32> = kinds.iter().map(|kind| kind.layout.nodes).collect();
        let mut obstacle = reach.refused(true).cloned();
        if let (Ok(hardware), Some(model)) = (&stall.hardware, &plan.model) {
            for configuration in rates::configurations(hardware, stall.most_nodes) {
                if measured.contains(&configuration.nodes) {
                    continue;
                }
                match rates.kind(hardware, model, &configuration, &plan.classes, reach) {
                    Ok(kind) => add(&mut kinds, kind),
                    // What a rule forbids is more than what this or that cut cannot.
                    Err(reason) if obstacle.is_none() || reason.denied().is_some() => obstacle = Some(reason),
                    Err(_) => {}
                }
            }
        }
        let unknown = || match (&stall.hardware, &plan.model) {
            (Err(reason), _) => reason.clone(),
            (_, None) => Reason::Impossible("a service needs a decoder".to_owned()),
            _ => Reason::Targets,
        };
        if kinds.is_empty() { Err(obstacle.unwrap_or_else(unknown)) } else { Ok(kinds) }
    }

    /// Replicas whose rates were measured: they keep the targets by the user's word.
    fn measured_kinds(&self, stall: &Stall<'_>, reach: &Reach, plan: &Plan) -> Vec<Kind> {
        let devices = stall.hardware.as_ref().map_or(1, |hardware| hardware.devices);
        let mut kinds = Vec::new();
        for measured in self.measured(stall) {
            let is_shared = rates::is_shared(measured, devices);
            let rate = |class: &RequestClass| {
                let same =
                    measured.requests.iter().find(|size| (size.input, size.output) == (class.input, class.output));
                same.map(|size| size.rate.0).filter(|rate| rate.is_finite() && *rate > 0.0)
            };
            let most: Vec<Option<f64>> = plan
                .classes
                .iter()
                .enumerate()
                .map(|(at, class)| rate(class).filter(|_| reach.round_trip(at, is_shared).is_some()))
                .collect();
            if most.iter().any(Option::is_some) {
                add(&mut kinds, rates::measured(measured, devices, most));
            }
        }
        kinds
    }
}

/// Adds a kind unless as many of another as its nodes hold answer as much, and drops those that it makes superfluous so.
fn add(kinds: &mut Vec<Kind>, kind: Kind) {
    let as_good = |a: &Kind, b: &Kind| {
        let count = f64::from(b.layout.nodes / a.layout.nodes.max(1));
        a.most.iter().zip(&b.most).all(|(a, b)| count * a.unwrap_or(0.0) >= b.unwrap_or(0.0)) && count > 0.0
    };
    if !kinds.iter().any(|other| as_good(other, &kind)) {
        kinds.retain(|other| !as_good(&kind, other));
        kinds.push(kind);
    }
}

/// Format of the cache of keys and values: the weights', eight bits at least.
const fn cache_format(weights: Precision) -> Precision {
    match weights {
        Precision::Fp4 => Precision::Fp8,
        other => other,
    }
}

/// Configuration of a replica with as many equal ones as share its nodes.
const fn packed(configuration: &Configuration, devices: u32) -> u32 {
    if configuration.nodes > 1 { 1 } else { devices / configuration.devices() }
}
