//! Random small programs, built from small whole numbers so that failures shrink well and slots are exact.

use std::collections::BTreeMap;

use planner::candidates::Place;
use planner::placement::{Choice, Copy, Job, Pool, Problem, ProductFlow, Replica, Service};
use proptest::prelude::*;
use rust_decimal::Decimal;
use scenarios::scenario::{Objective, Weights};
use scenarios::units::{Bytes, Tariff, Tier, UsdPerHour, UsdPerKg};

const GB: u64 = 1_000_000_000;

/// Pool, nodes, seconds, price, preference, copy, gigabytes on the first meter.
type ColumnDraw = (u8, u8, u8, u8, u8, Option<u8>, u8);

/// Pool, nodes, most requests, price.
type ReplicaDraw = (u8, u8, u8, u8);
/// Kinds of replicas, and requests in a second by class.
type ServiceDraw = (Vec<ReplicaDraw>, Vec<u8>);

/// Small numbers that a program is made from.
#[derive(Debug, Clone)]
pub struct Draft {
    pools: Vec<u8>,
    reserved: Option<(u8, u8)>,
    shortage: Option<(u8, u8, u8)>,
    jobs: Vec<(Vec<ColumnDraw>, u8, bool)>,
    copies: Vec<(u8, u8, u8)>,
    flow: Option<Vec<(u8, u8, u8)>>,
    service: Option<ServiceDraw>,
    tiers: Vec<(u8, u8)>,
    budget: Option<u8>,
    objective: u8,
}

pub fn draft() -> impl Strategy<Value = Draft> {
    let column = (0..4_u8, 1..3_u8, 1..5_u8, 0..9_u8, 0..3_u8, prop::option::weighted(0.4, 0..3_u8), 0..3_u8).boxed();
    let job = (prop::collection::vec(column, 1..4), 4..13_u8, any::<bool>());
    let replica = (0..3_u8, 1..3_u8, 1..9_u8, 0..5_u8);
    let service = (prop::collection::vec(replica, 1..3), prop::collection::vec(1..8_u8, 1..3));
    (
        (prop::collection::vec(1..4_u8, 2..4), prop::option::weighted(0.3, (1..3_u8, 0..6_u8))),
        prop::option::weighted(0.3, (0..6_u8, 1..5_u8, 1..3_u8)),
        prop::collection::vec(job, 1..4),
        prop::collection::vec((0..6_u8, 0..3_u8, 0..3_u8), 3),
        prop::option::weighted(0.5, prop::collection::vec((0..4_u8, 0..3_u8, 0..3_u8), 9)),
        prop::option::weighted(0.4, service),
        prop::collection::vec((1..4_u8, 0..5_u8), 0..3),
        prop::option::weighted(0.3, 1..40_u8),
        0..4_u8,
    )
        .prop_map(|((pools, reserved), shortage, jobs, copies, flow, service, tiers, budget, objective)| Draft {
            pools,
            reserved,
            shortage,
            jobs,
            copies,
            flow,
            service,
            tiers,
            budget,
            objective,
        })
}

fn usd(value: u8) -> Decimal {
    Decimal::from(value)
}

impl Draft {
    pub fn problem(&self) -> Problem {
        let count = self.pools.len();
        let pool = |index: usize, nodes: u8, commitment| Pool {
            place: Place { site: index, pool: 0 },
            nodes: u32::from(nodes),
            commitment,
        };
        let mut pools: Vec<Pool> = self.pools.iter().enumerate().map(|(at, nodes)| pool(at, *nodes, None)).collect();
        pools.extend(self.reserved.map(|(nodes, price)| pool(0, nodes, Some(usd(price)))));
        let mut jobs: Vec<Job> = self.jobs.iter().enumerate().map(|(at, draw)| self.job(at, draw)).collect();
        let mut services = Vec::new();
        if let Some(draw) = &self.service {
            jobs.push(fixed(vec![], 2.0, 8.0));
            services.push(service(jobs.len() - 1, draw, count));
        }
        let flows = self.flows(count, services.first());
        if let Some((from, length, nodes)) = self.shortage {
            jobs.push(fixed(vec![(0, u32::from(nodes.min(self.pools[0])))], f64::from(from), f64::from(length)));
        }
        Problem {
            jobs,
            pools,
            copies: self.copies.iter().map(|draw| self.copy(*draw)).collect(),
            flows,
            meters: self.meters(),
            services,
            budget: self.budget.map(usd),
            objective: self.objective(),
        }
    }

    fn objective(&self) -> Objective {
        match self.objective {
            0 => Objective::Cost,
            1 => Objective::FinishTime,
            2 => Objective::Carbon,
            _ => Objective::Weighted(Weights {
                cost: 1.0,
                finish_time: UsdPerHour(Decimal::from(3600)),
                carbon: UsdPerKg(Decimal::TWO),
            }),
        }
    }

    fn job(&self, at: usize, (columns, latest, after): &(Vec<ColumnDraw>, u8, bool)) -> Job {
        Job {
            choices: columns.iter().map(|draw| self.choice(*draw)).collect(),
            latest_end: f64::from(*latest),
            after: if *after && at > 0 { vec![at - 1] } else { vec![] },
            finishes: true,
        }
    }

    fn choice(&self, (pool, nodes, seconds, price, preference, copy, data): ColumnDraw) -> Choice {
        let count = self.pools.len();
        let nodes = u32::from(nodes);
        let site = usize::from(pool) % count;
        // A fourth pool is the first one, reserved, or two pools at once.
        let uses = match (usize::from(pool) < 3, self.reserved) {
            (true, _) => vec![(site, nodes)],
            (false, Some(_)) => vec![(0, nodes), (count, nodes)],
            (false, None) => vec![(0, 1), (1, nodes)],
        };
        let copies: Vec<usize> = copy.into_iter().map(usize::from).collect();
        let release = copies.iter().map(|copy| f64::from(self.copies[*copy].1)).fold(0.0, f64::max);
        Choice {
            uses,
            site: if usize::from(pool) < 3 { site } else { 0 },
            seconds: f64::from(seconds),
            release,
            usd: usd(price),
            preference: usd(preference),
            carbon: f64::from(9 - price.min(9)),
            copies,
            charges: self.charges(data),
        }
    }

    fn charges(&self, gigabytes: u8) -> Vec<(usize, u64)> {
        if self.tiers.is_empty() || gigabytes == 0 { vec![] } else { vec![(0, u64::from(gigabytes) * GB)] }
    }

    fn copy(&self, (price, seconds, data): (u8, u8, u8)) -> Copy {
        Copy { usd: usd(price), preference: Decimal::ZERO, charges: self.charges(data), seconds: f64::from(seconds) }
    }

    /// One meter, whose prices may fall or rise from tier to tier.
    fn meters(&self) -> Vec<Tariff> {
        if self.tiers.is_empty() {
            return vec![];
        }
        let mut end = 0;
        let mut tiers: Vec<Tier> = self
            .tiers
            .iter()
            .map(|(width, price)| {
                end += u64::from(*width) * GB;
                Tier { up_to: Some(Bytes(end)), usd_per_gb: usd(*price) }
            })
            .collect();
        if let Some(last) = tiers.last_mut() {
            last.up_to = None;
        }
        vec![Tariff::new(tiers).expect("ascending tiers")]
    }

    /// The first workload makes something for the last one, or for the service.
    fn flows(&self, sites: usize, service: Option<&Service>) -> Vec<ProductFlow> {
        let last = self.jobs.len() - 1;
        let Some(draws) = self.flow.as_ref().filter(|_| last > 0 || service.is_some()) else { return vec![] };
        let mut pairs = BTreeMap::new();
        for from in 0..sites {
            for to in 0..sites {
                let draw = draws[(from * 3 + to) % 9];
                if from == to {
                    pairs.insert((from, to), vec![Copy::default()]);
                } else if draw.0 > 0 {
                    let fast = Copy { seconds: 0.0, usd: usd(draw.0 + 2), ..Copy::default() };
                    let ways = if draw.2 > 1 { vec![self.copy(draw), fast] } else { vec![self.copy(draw)] };
                    pairs.insert((from, to), ways);
                }
            }
        }
        let to = service.map_or(last, |service| service.job);
        vec![ProductFlow { from: 0, to, pairs }]
    }
}

/// Something that runs at a fixed time.
fn fixed(uses: Vec<(usize, u32)>, from: f64, length: f64) -> Job {
    let choice = Choice { uses, seconds: length, release: from, ..Choice::default() };
    Job { choices: vec![choice], latest_end: from + length, after: vec![], finishes: false }
}

fn service(job: usize, (replicas, rates): &ServiceDraw, pools: usize) -> Service {
    let replica = |(pool, nodes, most, price): &ReplicaDraw| {
        let site = usize::from(*pool) % pools;
        // One kind is better at the first class, the other at the second; some answer one class only.
        let most = (0..rates.len()).map(|class| match (usize::from(*most) + class) % 5 {
            4 => None,
            _ => Some(f64::from(*most) + 3.0 * class as f64),
        });
        Replica {
            uses: vec![(site, u32::from(*nodes))],
            site,
            usd: usd(*price),
            preference: Decimal::ZERO,
            carbon: f64::from(5 - price.min(&5)),
            most: most.collect(),
            copies: if price % 3 == 0 { vec![usize::from(price % 2)] } else { vec![] },
        }
    };
    Service {
        job,
        rates: rates.iter().map(|rate| f64::from(*rate)).collect(),
        utilization: 1.0,
        replicas: replicas.iter().map(replica).collect(),
    }
}

/// The same problem with all prices multiplied.
pub fn with_prices_times(problem: &Problem, factor: Decimal) -> Problem {
    let mut dearer = problem.clone();
    for choice in dearer.jobs.iter_mut().flat_map(|job| &mut job.choices) {
        (choice.usd, choice.preference) = (choice.usd * factor, choice.preference * factor);
    }
    let ways = dearer.flows.iter_mut().flat_map(|flow| flow.pairs.values_mut().flatten());
    for copy in dearer.copies.iter_mut().chain(ways) {
        (copy.usd, copy.preference) = (copy.usd * factor, copy.preference * factor);
    }
    for replica in dearer.services.iter_mut().flat_map(|service| &mut service.replicas) {
        (replica.usd, replica.preference) = (replica.usd * factor, replica.preference * factor);
    }
    for pool in &mut dearer.pools {
        pool.commitment = pool.commitment.map(|usd| usd * factor);
    }
    let tier = |tier: &Tier| Tier { usd_per_gb: tier.usd_per_gb * factor, ..*tier };
    let dear = |meter: &Tariff| Tariff::new(meter.tiers().iter().map(tier).collect()).expect("a tariff");
    dearer.meters = problem.meters.iter().map(dear).collect();
    dearer.budget = problem.budget.map(|budget| budget * factor);
    dearer
}

/// The same problem with pools, jobs and columns in the opposite order.
pub fn turned_around(problem: &Problem) -> Problem {
    let (pools, jobs) = (problem.pools.len(), problem.jobs.len());
    let uses = |uses: &mut Vec<(usize, u32)>| uses.iter_mut().for_each(|(pool, _)| *pool = pools - 1 - *pool);
    let mut turned = problem.clone();
    turned.pools.reverse();
    turned.jobs.reverse();
    for job in &mut turned.jobs {
        job.choices.reverse();
        job.choices.iter_mut().for_each(|choice| uses(&mut choice.uses));
        job.after.iter_mut().for_each(|before| *before = jobs - 1 - *before);
    }
    for flow in &mut turned.flows {
        (flow.from, flow.to) = (jobs - 1 - flow.from, jobs - 1 - flow.to);
    }
    for service in &mut turned.services {
        service.job = jobs - 1 - service.job;
        service.replicas.reverse();
        service.replicas.iter_mut().for_each(|replica| uses(&mut replica.uses));
    }
    turned
}
