//! The placement problem in numbers.

mod build;

pub use build::Offers;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use scenarios::scenario::{Objective, Weights};
use scenarios::units::{Bytes, Tariff};

use super::staffing::Staffing;
use crate::candidates::Place;

/// A placement problem.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Workloads in the order of the scenario, then what else occupies pools at fixed times.
    pub jobs: Vec<Job>,
    /// Pools, and commitments to them.
    pub pools: Vec<Pool>,
    /// Copies of data sets.
    pub copies: Vec<Copy>,
    /// Products that move from the workload that makes them to one that reads them.
    pub flows: Vec<ProductFlow>,
    /// Prices of data that depend on its amount.
    pub meters: Vec<Tariff>,
    /// Services.
    pub services: Vec<Service>,
    /// Most that everything may cost.
    pub budget: Option<Decimal>,
    /// What is minimised.
    pub objective: Objective,
}

/// Nodes of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool {
    /// Where it is.
    pub place: Place,
    /// Nodes that can be had at the same time; the most, where that changes over time.
    pub nodes: u32,
    /// For nodes that are reserved for a term: the price of one, for the whole term. They are had as far as they are
    /// reserved.
    pub commitment: Option<Decimal>,
}

/// A workload, or a fixed occupation of a pool.
#[derive(Debug, Clone)]
pub struct Job {
    /// Placements. A service has one, of no nodes: its replicas are chosen apart.
    pub choices: Vec<Choice>,
    /// Deadline, or end of the planning period, in seconds.
    pub latest_end: f64,
    /// Workloads that must have ended before it starts.
    pub after: Vec<usize>,
    /// Whether it has a finish: services last, and occupations are none of ours.
    pub finishes: bool,
}

/// A placement in numbers; by default nothing at all.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Pools with the nodes that it occupies in each.
    pub uses: Vec<(usize, u32)>,
    /// Position of the site where what it makes lies.
    pub site: usize,
    /// Run time in seconds.
    pub seconds: f64,
    /// Earliest start in seconds.
    pub release: f64,
    /// Price of its nodes and of what they exchange, but for what is metered.
    pub usd: Decimal,
    /// What `prefer` rules count.
    pub preference: Decimal,
    /// Greenhouse gas in kg.
    pub carbon: f64,
    /// Copies that it needs.
    pub copies: Vec<usize>,
    /// Amounts of data on meters.
    pub charges: Vec<(usize, u64)>,
}

/// A copy of data to a site, or a movement of a product.
#[derive(Debug, Clone, Default)]
pub struct Copy {
    /// Price, but for what is metered.
    pub usd: Decimal,
    /// What `prefer` rules count.
    pub preference: Decimal,
    /// Amounts of data on meters.
    pub charges: Vec<(usize, u64)>,
    /// Time in seconds.
    pub seconds: f64,
}

/// A product that one workload makes and another one reads.
#[derive(Debug, Clone)]
pub struct ProductFlow {
    /// The workload that makes it.
    pub from: usize,
    /// The workload that reads it.
    pub to: usize,
    /// Ways to move it by pairs of sites; a pair that is absent is forbidden.
    pub pairs: BTreeMap<(usize, usize), Vec<Copy>>,
}

/// Requests that replicas of several kinds share.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its workload, whose one choice has the window as run time.
    pub job: usize,
    /// Requests in a second by class.
    pub rates: Vec<f64>,
    /// Share of a replica's capacity that may be used.
    pub utilization: f64,
    /// Kinds of replicas.
    pub replicas: Vec<Replica>,
}

/// A kind of replica.
#[derive(Debug, Clone)]
pub struct Replica {
    /// Pools with the nodes that one replica occupies in each.
    pub uses: Vec<(usize, u32)>,
    /// Position of its site.
    pub site: usize,
    /// Price of one for the whole window.
    pub usd: Decimal,
    /// What `prefer` rules count against one.
    pub preference: Decimal,
    /// Greenhouse gas of one in kg.
    pub carbon: f64,
    /// Most requests in a second that one answers, by class, if all are of that class.
    pub most: Vec<Option<f64>>,
    /// Copies that its site needs.
    pub copies: Vec<usize>,
}

impl Problem {
    /// What a choice costs with its staffing: nodes, commitments, copies made once each, products moved, all metered
    /// data at its tariffs. Exact, but for products: of several ways to move one the cheapest by itself counts.
    #[must_use]
    pub fn cost(&self, choice: &[usize], staffing: &Staffing) -> Decimal {
        let bill = self.bill(choice, staffing);
        bill.usd + self.metered(&bill)
    }

    /// Everything of a choice that counts in the objective's sums.
    #[must_use]
    pub fn bill(&self, choice: &[usize], staffing: &Staffing) -> Bill {
        let mut bill = Bill::default();
        for (job, column) in choice.iter().enumerate() {
            let column = &self.jobs[job].choices[*column];
            bill.add(column.usd, column.preference, &column.charges);
            bill.carbon += column.carbon;
        }
        for copy in self.made(choice, staffing) {
            let copy = &self.copies[copy];
            bill.add(copy.usd, copy.preference, &copy.charges);
        }
        for way in self.moved(choice, staffing) {
            bill.add(way.usd, way.preference, &way.charges);
        }
        for (service, replicas) in self.services.iter().zip(&staffing.replicas) {
            for (replica, count) in service.replicas.iter().zip(replicas) {
                let count_usd = Decimal::from(*count);
                bill.add(replica.usd * count_usd, replica.preference * count_usd, &[]);
                bill.carbon += replica.carbon * f64::from(*count);
            }
        }
        for (pool, nodes) in &staffing.reserved {
            let usd = self.pools[*pool].commitment.unwrap_or_default();
            bill.add(usd * Decimal::from(*nodes), Decimal::ZERO, &[]);
        }
        bill
    }

    fn metered(&self, bill: &Bill) -> Decimal {
        bill.metered.iter().map(|(meter, bytes)| self.meters[*meter].cost(Bytes(*bytes)).round_dp(6)).sum()
    }

    /// Copies that are made, each once.
    #[must_use]
    pub fn made(&self, choice: &[usize], staffing: &Staffing) -> Vec<usize> {
        let columns = choice.iter().enumerate().flat_map(|(job, column)| &self.jobs[job].choices[*column].copies);
        let replicas = self.services.iter().zip(&staffing.replicas).flat_map(|(service, counts)| {
            let staffed = service.replicas.iter().zip(counts).filter(|(_, count)| **count > 0);
            staffed.flat_map(|(replica, _)| &replica.copies)
        });
        let mut made: Vec<usize> = columns.chain(replicas).copied().collect();
        made.sort_unstable();
        made.dedup();
        made
    }

    /// Position of the service that a job is; none for other workloads.
    #[must_use]
    pub fn service_of(&self, job: usize) -> Option<usize> {
        self.services.iter().position(|service| service.job == job)
    }

    /// Sites where a job reads what it needs: its own, or those of its replicas.
    #[must_use]
    pub fn sites(&self, choice: &[usize], staffing: &Staffing, job: usize) -> Vec<usize> {
        match self.service_of(job) {
            None => vec![self.jobs[job].choices[choice[job]].site],
            Some(at) => {
                let counts = staffing.replicas.get(at).map(Vec::as_slice).unwrap_or_default();
                let replicas = self.services[at].replicas.iter().zip(counts);
                let mut sites: Vec<usize> =
                    replicas.filter(|(_, n)| **n > 0).map(|(replica, _)| replica.site).collect();
                sites.sort_unstable();
                sites.dedup();
                sites
            }
        }
    }

    /// Movements of products between sites, each by its best way.
    fn moved(&self, choice: &[usize], staffing: &Staffing) -> Vec<&Copy> {
        let mut moved = Vec::new();
        for (index, flow) in self.flows.iter().enumerate() {
            let from = self.jobs[flow.from].choices[choice[flow.from]].site;
            for to in self.sites(choice, staffing, flow.to) {
                let way = staffing.ways.get(&(index, from, to)).copied().unwrap_or(0);
                moved.extend(flow.pairs.get(&(from, to)).and_then(|ways| ways.get(way)));
            }
        }
        moved
    }

    /// Time that a product needs to where it is read; the longest, if it is read at several sites.
    #[must_use]
    pub fn transfer_seconds(&self, index: usize, choice: &[usize], staffing: &Staffing) -> f64 {
        let flow = &self.flows[index];
        let from = self.jobs[flow.from].choices[choice[flow.from]].site;
        let time = |to: &usize| {
            let way = staffing.ways.get(&(index, from, *to)).copied().unwrap_or(0);
            flow.pairs.get(&(from, *to)).and_then(|ways| ways.get(way)).map_or(0.0, |way| way.seconds)
        };
        self.sites(choice, staffing, flow.to).iter().map(time).fold(0.0, f64::max)
    }

    /// Whether every product may move to where it is read.
    #[must_use]
    pub fn is_permitted(&self, choice: &[usize], staffing: &Staffing) -> bool {
        self.flows.iter().all(|flow| {
            let from = self.jobs[flow.from].choices[choice[flow.from]].site;
            self.sites(choice, staffing, flow.to).iter().all(|to| flow.pairs.contains_key(&(from, *to)))
        })
    }

    /// The end of the last workload if everything ran one after the other: no reasonable schedule is longer.
    #[must_use]
    pub fn longest_schedule(&self) -> f64 {
        let most = |job: &Job, of: fn(&Choice) -> f64| job.choices.iter().map(of).fold(0.0, f64::max);
        let release = self.jobs.iter().map(|job| most(job, |choice| choice.release)).fold(0.0, f64::max);
        let runs: f64 = self.jobs.iter().map(|job| most(job, |choice| choice.seconds)).sum();
        let slowest = |flow: &ProductFlow| flow.pairs.values().flatten().map(|way| way.seconds).fold(0.0, f64::max);
        release + runs + self.flows.iter().map(slowest).sum::<f64>()
    }

    /// The objective's value of a plan, in its own unit.
    #[must_use]
    pub fn value(&self, choice: &[usize], staffing: &Staffing, finish: f64) -> f64 {
        self.value_by(self.objective, choice, staffing, finish)
    }

    /// Another objective's value of a plan, in its own unit.
    #[must_use]
    pub fn value_by(&self, objective: Objective, choice: &[usize], staffing: &Staffing, finish: f64) -> f64 {
        let worth = Worth::of(objective);
        let bill = self.bill(choice, staffing);
        let usd = float(bill.usd + self.metered(&bill));
        worth.usd * usd
            + worth.preference * float(bill.preference)
            + worth.seconds * finish
            + worth.carbon * bill.carbon
    }
}

/// What a unit of each part of the objective counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// A dollar.
    pub usd: f64,
    /// A second of the finish.
    pub seconds: f64,
    /// A kilogram of CO₂ equivalent.
    pub carbon: f64,
    /// A dollar of preferences.
    pub preference: f64,
}

impl Worth {
    /// What parts of an objective are worth in its own unit: dollars, seconds, kilograms.
    #[must_use]
    pub fn of(objective: Objective) -> Self {
        match objective {
            Objective::Cost => Self { usd: 1.0, seconds: 0.0, carbon: 0.0, preference: 1.0 },
            Objective::FinishTime => Self { usd: 0.0, seconds: 1.0, carbon: 0.0, preference: 0.0 },
            Objective::Carbon => Self { usd: 0.0, seconds: 0.0, carbon: 1.0, preference: 0.0 },
            Objective::Weighted(Weights { cost, finish_time, carbon }) => {
                Self { usd: cost, seconds: float(finish_time.0) / 3600.0, carbon: float(carbon.0), preference: 1.0 }
            }
        }
    }
}

impl Choice {
    /// Nodes that it occupies in a pool.
    #[must_use]
    pub fn nodes_in(&self, pool: usize) -> u32 {
        self.uses.iter().filter(|(used, _)| *used == pool).map(|(_, nodes)| *nodes).sum()
    }
}

impl Service {
    /// Nodes that numbers of replicas occupy in a pool.
    #[must_use]
    pub fn nodes_in(&self, pool: usize, counts: &[u32]) -> u32 {
        let staffed = self.replicas.iter().zip(counts);
        let nodes = staffed.flat_map(|(replica, count)| replica.uses.iter().map(move |(used, n)| (*used, n * count)));
        nodes.filter(|(used, _)| *used == pool).map(|(_, nodes)| nodes).fold(0, u32::saturating_add)
    }

    /// Most replicas of a kind that can be of use: as many as its pools hold, if that counts, or as all requests that it
    /// may answer need.
    #[must_use]
    pub fn most_replicas(&self, pools: Option<&[Pool]>, replica: &Replica) -> u32 {
        let load: f64 = self.rates.iter().zip(&replica.most).filter_map(|(rate, most)| Some(rate / (*most)?)).sum();
        let needed = (load / self.utilization - 1e-9).ceil().clamp(0.0, f64::from(u32::MAX)) as u32;
        let Some(pools) = pools else { return needed };
        let held = replica.uses.iter().filter(|(_, nodes)| *nodes > 0).map(|(pool, nodes)| pools[*pool].nodes / nodes);
        held.min().unwrap_or(u32::MAX).min(needed)
    }
}

/// Sums over a choice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bill {
    /// Dollars, but for what is metered.
    pub usd: Decimal,
    /// What `prefer` rules count.
    pub preference: Decimal,
    /// Greenhouse gas in kg.
    pub carbon: f64,
    /// Bytes by meter.
    pub metered: BTreeMap<usize, u64>,
}

impl Bill {
    fn add(&mut self, usd: Decimal, preference: Decimal, charges: &[(usize, u64)]) {
        self.usd += usd;
        self.preference += preference;
        for (meter, bytes) in charges {
            let sum = self.metered.entry(*meter).or_default();
            *sum = sum.saturating_add(*bytes);
        }
    }
}

/// An amount of money as the solver sees it.
pub(super) fn float(usd: Decimal) -> f64 {
    usd.to_f64().unwrap_or(f64::MAX)
}
