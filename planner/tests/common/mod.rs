//! Random small scenarios, built from small numbers so that failures shrink well.

#![allow(dead_code, reason = "every test program uses a part of it")]

pub mod service;

use indexmap::IndexMap;
use proptest::prelude::*;
use scenarios::model::{Activation, Mlp, Model};
use scenarios::plan::PlacedSite;
use scenarios::scenario::{
    Action, Dataset, Effect, Evaluation, FORMAT, Form, InlineMachine, Job, Link, Loaded, Machine, MeasuredRate,
    Momentum, Objective, OnDemand, Optimizer, Owned, Pool, Precision, Preprocessing, Purchase, Quota, Rate, Rule,
    Scenario, Site, SiteKind, Strategies, Tier, Training, Workload,
};
use scenarios::units::{Bandwidth, Bytes, FlopRate, Frequency, Seconds, Usd, UsdPerGb, UsdPerHour};

const COUNTRIES: [&str; 3] = ["DE", "FR", "CN"];

/// Nodes, speed, price, and whether nodes can also be had on demand.
type PoolDraw = (u8, u8, u8, bool);
/// Country, price of egress, pools.
type SiteDraw = (u8, u8, Vec<PoolDraw>);

/// Small numbers that a scenario is made from.
#[derive(Debug, Clone)]
pub struct Draft {
    pub sites: Vec<SiteDraw>,
    pub links: Vec<u8>,
    pub datasets: Vec<(bool, u8, u8, bool)>,
    pub rules: Vec<(bool, bool, u8, u8)>,
    pub workloads: Vec<Draw>,
    pub services: Vec<service::Draw>,
    pub budget: Option<u8>,
    pub finish: bool,
}

/// Small numbers that a workload is made from.
#[derive(Debug, Clone)]
pub struct Draw {
    pub evaluates: bool,
    pub data: u8,
    pub epochs: u8,
    pub width: u8,
    pub ranks: u8,
    pub after: Option<u8>,
    pub earliest: Option<u8>,
    pub deadline: Option<u8>,
}

pub fn draft() -> impl Strategy<Value = Draft> {
    let pool = (1..4_u8, 1..4_u8, 1..6_u8, any::<bool>());
    let site = (0..3_u8, 0..4_u8, prop::collection::vec(pool, 1..3));
    let workload = (
        any::<bool>(),
        0..2_u8,
        1..20_u8,
        0..3_u8,
        0..3_u8,
        prop::option::weighted(0.3, 0..4_u8),
        prop::option::weighted(0.2, 1..20_u8),
        prop::option::weighted(0.4, 5..60_u8),
    );
    let workload = workload.prop_map(|(evaluates, data, epochs, width, ranks, after, earliest, deadline)| Draw {
        evaluates,
        data,
        epochs,
        width,
        ranks,
        after,
        earliest,
        deadline,
    });
    (
        prop::collection::vec(site, 2..4),
        prop::collection::vec(0..5_u8, 3),
        prop::collection::vec((any::<bool>(), 0..3_u8, 1..10_u8, any::<bool>()), 1..3),
        prop::collection::vec((any::<bool>(), any::<bool>(), 0..4_u8, 0..3_u8), 0..4),
        prop::collection::vec(workload, 2..5),
        service::draws(),
        prop::option::weighted(0.3, 1..40_u8),
        any::<bool>(),
    )
        .prop_map(|(sites, links, datasets, rules, mut workloads, services, budget, finish)| {
            // Every number of replicas is tried with every placement of the jobs beside them.
            if !services.is_empty() {
                workloads.truncate(2);
            }
            Draft { sites, links, datasets, rules, workloads, services, budget, finish }
        })
}

/// A scenario with what reading it from a file would find out about its sites.
pub fn loaded(scenario: Scenario) -> Loaded {
    let sites = scenario.sites.iter().map(|(name, site)| {
        let operator = site.operator.clone().or_else(|| site.country.clone());
        let mut places = vec![name.clone(), "private".to_owned()];
        places.extend(site.country.clone());
        places.extend(site.safeguards.iter().cloned());
        let site = PlacedSite {
            kind: site.kind,
            provider: None,
            region: None,
            operator_places: operator.clone().into_iter().collect(),
            operator,
            safeguards: site.safeguards.clone(),
            country: site.country.clone(),
            places,
        };
        (name.clone(), site)
    });
    let sites = sites.collect();
    let digest = scenarios::document::digest_of(&scenario);
    Loaded { scenario, digest, path: None, profiles: IndexMap::new(), sites }
}

impl Draft {
    pub fn loaded(&self) -> Loaded {
        loaded(self.scenario())
    }

    pub fn scenario(&self) -> Scenario {
        let sites: IndexMap<String, Site> =
            self.sites.iter().enumerate().map(|(index, draw)| (format!("s{index}"), site(index, draw))).collect();
        // A replica costs about as much as all jobs.
        let times = rust_decimal::Decimal::from(1 + 3 * self.services.len());
        Scenario {
            format: FORMAT.to_owned(),
            name: "random".to_owned(),
            purpose: None,
            seed: 1,
            starts: None,
            groups: IndexMap::new(),
            objective: if self.finish { Objective::FinishTime } else { Objective::Cost },
            budget: self.budget.map(|cents| Usd(rust_decimal::Decimal::new(i64::from(cents) * 10, 2) * times)),
            horizon: Seconds::new(400.0),
            time_limit: Seconds::new(60.0),
            gap: 0.0,
            links: self.network(),
            datasets: self.data(sites.len()),
            policies: self.policies(),
            workloads: self.jobs(),
            sites,
        }
    }

    /// Links between all pairs but those drawn as 0.
    fn network(&self) -> Vec<Link> {
        let pairs = [(0, 1), (0, 2), (1, 2)].into_iter().filter(|(_, b)| *b < self.sites.len());
        pairs
            .zip(&self.links)
            .filter(|(_, speed)| **speed > 0)
            .map(|((a, b), speed)| Link {
                between: [format!("s{a}"), format!("s{b}")],
                one_way: false,
                price: vec![],
                safeguards: vec![],
                bandwidth: Bandwidth(f64::from(*speed) * 2e8),
                latency: Seconds::new(0.01),
            })
            .collect()
    }

    fn data(&self, sites: usize) -> IndexMap<String, Dataset> {
        let dataset = |(public, at, size, twice): &(bool, u8, u8, bool)| {
            let at = usize::from(*at) % sites;
            let mut holders = vec![format!("s{at}")];
            if *twice {
                holders.push(format!("s{}", (at + 1) % sites));
            }
            Dataset {
                description: None,
                class: if *public { "public" } else { "health" }.to_owned(),
                origin: None,
                at: holders,
                parts: vec![],
                size: Bytes(u64::from(*size) * 100_000_000),
                records: 2000,
                files: None,
            }
        };
        let read = self.datasets.iter().enumerate().map(|(index, draw)| (format!("d{index}"), dataset(draw)));
        let held = self.services.iter().enumerate().filter_map(|(index, draw)| {
            let weights = draw.weights.as_data_set()?;
            Some((format!("m{index}"), Dataset { records: 1, ..dataset(&weights) }))
        });
        read.chain(held).collect()
    }

    /// A rule that lets most things happen at first, then the drawn ones.
    fn policies(&self) -> IndexMap<String, Rule> {
        let rule = |effect, forms: Vec<Form>, places: Vec<String>| Rule {
            effect,
            data: vec![],
            classes: vec!["health".to_owned()],
            forms,
            actions: vec![Action::Store, Action::Process, Action::Transit],
            places,
            requires: vec![],
            expires: None,
            per_gb: None,
            per_hour: None,
            reason: None,
        };
        let first = rule(Effect::Allow, vec![Form::Raw], vec!["DE".to_owned(), "FR".to_owned()]);
        let drawn = self.rules.iter().map(|(deny, weights, place, _)| {
            let effect = if *deny { Effect::Deny } else { Effect::Allow };
            let forms = vec![if *weights { Form::Weights } else { Form::Raw }];
            let place = COUNTRIES.get(usize::from(*place)).copied().unwrap_or("anywhere");
            rule(effect, forms, vec![place.to_owned()])
        });
        let rules = std::iter::once(first).chain(drawn).enumerate();
        rules.map(|(index, rule)| (format!("r{index}"), rule)).collect()
    }

    /// A rate for each pool and number of nodes, so that times rest on no model.
    fn rates(&self, draw: &Draw) -> Vec<MeasuredRate> {
        let mut rates = Vec::new();
        for (site, (_, _, pools)) in self.sites.iter().enumerate() {
            for (pool, (_, speed, _, _)) in pools.iter().enumerate() {
                for nodes in 1..3_u32 {
                    let records = 40_000.0 * f64::from(*speed) * f64::from(nodes) / f64::from(1 << draw.width);
                    rates.push(MeasuredRate {
                        machine: format!("s{site}p{pool}"),
                        nodes: std::num::NonZeroU32::new(nodes).expect("not zero"),
                        strategy: None,
                        throughput: Some(Frequency(records)),
                        requests: vec![],
                    });
                }
            }
        }
        rates
    }

    fn jobs(&self) -> IndexMap<String, Workload> {
        let mut jobs: IndexMap<String, Workload> = IndexMap::new();
        for (index, draw) in self.workloads.iter().enumerate() {
            let data = format!("d{}", usize::from(draw.data) % self.datasets.len());
            let trained =
                jobs.iter().rev().find(|(_, other)| matches!(other.job, Job::Train(_))).map(|(name, _)| name.clone());
            let job = match trained.filter(|_| draw.evaluates) {
                Some(weights_of) => {
                    Job::Evaluate(Evaluation { weights_of, data, records: 50_000, batch: nonzero(500) })
                }
                None => Job::Train(training(draw, data)),
            };
            let after = draw.after.filter(|after| usize::from(*after) < index).map(|after| format!("w{after}"));
            let ranks: &[u32] = [&[1][..], &[2], &[1, 2]][usize::from(draw.ranks) % 3];
            let workload = Workload {
                job,
                after: after.into_iter().collect(),
                earliest_start: draw.earliest.map(|start| Seconds::new(f64::from(start))),
                deadline: draw.deadline.map(|end| Seconds::new(f64::from(end) * 2.0)),
                sites: vec![],
                strategies: Strategies {
                    data: Some(ranks.iter().copied().filter_map(std::num::NonZeroU32::new).collect()),
                    ..Strategies::default()
                },
                measured: self.rates(draw),
            };
            jobs.insert(format!("w{index}"), workload);
        }
        for (index, draw) in self.services.iter().enumerate() {
            let service = draw.workload(index, self, &jobs);
            jobs.insert(format!("q{index}"), service);
        }
        jobs
    }
}

/// Half a gigabyte is free, and more than one is cheap.
fn tiers() -> Vec<Tier> {
    let tier = |up_to: Option<u64>, cents: i64| Tier {
        up_to: up_to.map(Bytes),
        price: UsdPerGb(rust_decimal::Decimal::new(cents, 2)),
    };
    vec![tier(Some(500_000_000), 0), tier(Some(1_000_000_000), 60), tier(None, 10)]
}

fn nonzero(value: usize) -> std::num::NonZeroUsize {
    std::num::NonZeroUsize::new(value).expect("not zero")
}

fn training(draw: &Draw, data: String) -> Training {
    let width = 512 << draw.width;
    Training {
        model: Model::Mlp(Mlp {
            inputs: nonzero(256),
            hidden: vec![nonzero(width), nonzero(width)],
            outputs: nonzero(10),
            activation: Activation::Relu,
        }),
        data,
        weights_of: None,
        new_head: false,
        adapters: false,
        samples: None,
        tokens: None,
        validate_every: None,
        preprocessing: Preprocessing::default(),
        epochs: std::num::NonZeroU32::new(u32::from(draw.epochs) * 10),
        global_batch: nonzero(100),
        optimizer: Optimizer::Momentum(Momentum { learning_rate: 0.01, momentum: 0.9 }),
        rate: Rate::default(),
        clip_norm: None,
        outer: None,
        precision: Precision::Fp32,
    }
}

fn site(site: usize, (country, egress, pools): &SiteDraw) -> Site {
    let pools = pools.iter().enumerate().map(|(index, (nodes, speed, price, both))| {
        let hourly = |factor: i64| UsdPerHour(rust_decimal::Decimal::from(i64::from(*price) * factor));
        let machine = InlineMachine {
            accelerator: None,
            count: 1,
            cores: 512,
            memory: Bytes(64_000_000_000),
            peak: Some(FlopRate(f64::from(*speed) * 5e11)),
            network: None,
            link: None,
        };
        let purchase = Purchase {
            owned: Some(Owned { price: Some(hourly(100)), capital: None }),
            on_demand: both.then(|| OnDemand { price: Some(hourly(90)) }),
            spot: None,
            reserved: None,
        };
        // Some pools shrink or grow after a while.
        let quota = match price % 3 {
            0 => vec![Quota { from: Seconds::new(20.0), nodes: u32::from(*nodes) + 1 }],
            1 if *nodes > 1 => vec![Quota { from: Seconds::new(30.0), nodes: u32::from(*nodes) - 1 }],
            _ => vec![],
        };
        let pool = Pool { machine: Machine::Inline(machine), nodes: u32::from(*nodes), quota, power: None, purchase };
        (format!("s{site}p{index}"), pool)
    });
    Site {
        kind: SiteKind::Private,
        provider: None,
        region: None,
        country: Some(COUNTRIES[usize::from(*country) % 3].to_owned()),
        operator: None,
        safeguards: vec![],
        egress: (*egress < 3).then(|| UsdPerGb(rust_decimal::Decimal::new(i64::from(*egress) * 20, 2))),
        egress_tiers: if *egress < 3 { vec![] } else { tiers() },
        storage: None,
        carbon: None,
        pue: None,
        pools: pools.collect(),
    }
}
