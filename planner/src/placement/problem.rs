//! The placement problem in numbers.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use scenarios::scenario::{Objective, Scenario};

use crate::candidates::{Column, Movement, Network, Place, World, weights_cargo};

/// A placement problem.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Workloads.
    pub jobs: Vec<Job>,
    /// Nodes of each pool.
    pub pools: Vec<u32>,
    /// Price of each copy of a data set.
    pub copies: Vec<Decimal>,
    /// Weights that move from a training to an evaluation.
    pub flows: Vec<WeightsFlow>,
    /// Most that everything may cost.
    pub budget: Option<Decimal>,
    /// What is minimised.
    pub objective: Objective,
}

/// A workload.
#[derive(Debug, Clone)]
pub struct Job {
    /// Placements.
    pub choices: Vec<Choice>,
    /// Deadline, or end of the planning period, in seconds.
    pub latest_end: f64,
    /// Workloads that must have ended before it starts.
    pub after: Vec<usize>,
}

/// A placement in numbers.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Position of its pool.
    pub pool: usize,
    /// Position of its site.
    pub site: usize,
    /// Nodes that it occupies.
    pub nodes: u32,
    /// Run time in seconds.
    pub seconds: f64,
    /// Earliest start in seconds.
    pub release: f64,
    /// Price of its nodes.
    pub usd: Decimal,
    /// Copy that it needs.
    pub copy: Option<usize>,
}

/// Weights that one workload produces and another one reads.
#[derive(Debug, Clone)]
pub struct WeightsFlow {
    /// The training.
    pub from: usize,
    /// The evaluation.
    pub to: usize,
    /// Possible pairs of sites with price and time; a pair that is absent is forbidden.
    pub pairs: BTreeMap<(usize, usize), (Decimal, f64)>,
}

impl Problem {
    /// The problem of choosing among `columns`, workload by workload.
    #[must_use]
    pub fn of(world: &World<'_>, network: &Network<'_>, columns: &[Vec<Column>], copies: &[Movement]) -> Self {
        let scenario = &world.loaded.scenario;
        let mut pools: BTreeMap<Place, usize> = BTreeMap::new();
        for column in columns.iter().flatten() {
            let next = pools.len();
            pools.entry(column.place).or_insert(next);
        }
        let mut capacities = vec![0; pools.len()];
        for (place, index) in &pools {
            capacities[*index] = world.pool_nodes(*place);
        }
        let jobs = scenario.workloads.values().zip(columns).map(|(workload, columns)| Job {
            choices: columns.iter().map(|column| choice(column, pools[&column.place])).collect(),
            latest_end: world.latest_end(workload),
            after: workload.after.iter().filter_map(|name| scenario.workloads.get_index_of(name)).collect(),
        });
        Self {
            jobs: jobs.collect(),
            pools: capacities,
            copies: copies.iter().map(|copy| copy.usd).collect(),
            flows: flows(scenario, network, columns),
            budget: scenario.budget.map(|budget| budget.0),
            objective: scenario.objective,
        }
    }

    /// Exact cost of choosing `choice`: nodes, copies made once each, weights moved.
    #[must_use]
    pub fn cost(&self, choice: &[usize]) -> Decimal {
        let chosen = |job: usize| &self.jobs[job].choices[choice[job]];
        let nodes: Decimal = (0..self.jobs.len()).map(|job| chosen(job).usd).sum();
        let mut made: Vec<usize> = (0..self.jobs.len()).filter_map(|job| chosen(job).copy).collect();
        made.sort_unstable();
        made.dedup();
        let copies: Decimal = made.into_iter().map(|copy| self.copies[copy]).sum();
        let pair = |flow: &WeightsFlow| (chosen(flow.from).site, chosen(flow.to).site);
        let moved: Decimal =
            self.flows.iter().filter_map(|flow| flow.pairs.get(&pair(flow))).map(|(usd, _)| *usd).sum();
        nodes + copies + moved
    }

    /// The end of the last workload if everything ran one after the other: no reasonable schedule is longer.
    #[must_use]
    pub fn longest_schedule(&self) -> f64 {
        let most = |job: &Job, of: fn(&Choice) -> f64| job.choices.iter().map(of).fold(0.0, f64::max);
        let release = self.jobs.iter().map(|job| most(job, |choice| choice.release)).fold(0.0, f64::max);
        let runs: f64 = self.jobs.iter().map(|job| most(job, |choice| choice.seconds)).sum();
        let moves = self.flows.iter().map(|flow| flow.pairs.values().map(|(_, seconds)| *seconds).fold(0.0, f64::max));
        release + runs + moves.sum::<f64>()
    }
}

fn choice(column: &Column, pool: usize) -> Choice {
    Choice {
        pool,
        site: column.place.site,
        nodes: column.layout.nodes,
        seconds: column.seconds,
        release: column.release_seconds,
        usd: column.compute_usd,
        copy: column.copy,
    }
}

fn flows(scenario: &Scenario, network: &Network<'_>, columns: &[Vec<Column>]) -> Vec<WeightsFlow> {
    let sites = |job: usize| {
        let mut sites: Vec<usize> = columns[job].iter().map(|column| column.place.site).collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    };
    let mut flows = Vec::new();
    for to in 0..columns.len() {
        let Some(cargo) = weights_cargo(scenario, to) else { continue };
        let Some(from) = scenario.workloads.get_index_of(&cargo.what) else { continue };
        let mut pairs = BTreeMap::new();
        for source in sites(from) {
            for target in sites(to) {
                if source == target {
                    pairs.insert((source, target), (Decimal::ZERO, 0.0));
                } else if let Ok(movement) = network.movement(&cargo, source, target) {
                    pairs.insert((source, target), (movement.usd, movement.seconds));
                }
            }
        }
        flows.push(WeightsFlow { from, to, pairs });
    }
    flows
}

/// An amount of money as the solver sees it.
pub(super) fn float(usd: Decimal) -> f64 {
    usd.to_f64().unwrap_or(f64::MAX)
}
