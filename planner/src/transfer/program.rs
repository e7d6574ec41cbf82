//! The mixed-integer program: rates by link and gateways by place.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use good_lp::{Constraint, Expression, ProblemVariables, Variable, constraint, variable};

use super::error::TransferError;
use super::network::{Link, Network};
use crate::clock::Clock;
use crate::placement::solver::{Answer, Options, Program as Rows, run};

/// Longest search, in seconds.
const SECONDS: f64 = 60.0;

/// Links that are slower by this factor than what is to be carried add nothing to it.
const SLOWEST: f64 = 1e12;

/// Limits that are higher by this factor than what is to be carried limit nothing.
const WIDEST: f64 = 1e6;

/// Rates in Gbit/s by link, and whether nothing better exists.
#[derive(Debug)]
pub(super) struct Rates {
    pub by_link: BTreeMap<(usize, usize), f64>,
    pub is_optimal: bool,
}

/// What is to be carried, and where it may pass.
#[derive(Debug, Clone)]
pub(super) struct Task<'a> {
    pub network: &'a Network,
    pub from: usize,
    pub to: usize,
    pub forbidden: BTreeSet<usize>,
}

/// What the best is.
#[derive(Debug, Clone, Copy)]
enum Goal {
    /// Least cost at a rate in Gbit/s for a number of gigabytes.
    Cheapest { gbps: f64, gigabytes: f64 },
    /// Highest rate.
    Fastest,
}

/// The cheapest rates that together carry `gbps`; none if there are none.
pub(super) fn cheapest(task: &Task<'_>, gbps: f64, gigabytes: f64) -> Result<Option<Rates>, TransferError> {
    Program::new(task, Goal::Cheapest { gbps, gigabytes }, gbps).solve()
}

/// Rates that together carry the most that is possible; empty if nothing is.
pub(super) fn fastest(task: &Task<'_>) -> Result<Rates, TransferError> {
    let unit = task.network.links().values().map(|link| link.gbps).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let rates = Program::new(task, Goal::Fastest, unit).solve()?;
    Ok(rates.unwrap_or(Rates { by_link: BTreeMap::new(), is_optimal: true }))
}

struct Program<'a> {
    task: &'a Task<'a>,
    goal: Goal,
    /// Gbit/s of one unit of a flow.
    unit: f64,
    variables: ProblemVariables,
    flows: BTreeMap<(usize, usize), Variable>,
    gateways: BTreeMap<usize, Variable>,
}

impl<'a> Program<'a> {
    fn new(task: &'a Task<'a>, goal: Goal, unit: f64) -> Self {
        let mut variables = ProblemVariables::new();
        let may = |place: &usize| !task.forbidden.contains(place);
        let fast = |gbps: f64| unit / gbps <= SLOWEST;
        let useful = |((from, to), link): &(&(usize, usize), &Link)| {
            may(from) && may(to) && *to != task.from && *from != task.to && fast(link.gbps)
        };
        let links = task.network.links().iter().filter(useful);
        let flows: BTreeMap<_, _> = links.map(|(ends, _)| (*ends, variables.add(variable().min(0.0)))).collect();
        let touched: BTreeSet<usize> = flows.keys().flat_map(|(from, to)| [*from, *to]).collect();
        let gateways = touched.into_iter().map(|place| {
            let most = f64::from(task.network.places()[place].most_gateways);
            let count = variable().min(0.0).max(most);
            let count = if matches!(goal, Goal::Fastest) { count } else { count.integer() };
            (place, variables.add(count))
        });
        let gateways = gateways.collect();
        Self { task, goal, unit, variables, flows, gateways }
    }

    fn solve(mut self) -> Result<Option<Rates>, TransferError> {
        if self.flows.is_empty() {
            return Ok(None);
        }
        let mut rows = self.conservation();
        rows.extend(self.connections());
        rows.extend(self.gateway_limits());
        rows.extend(self.required_rate());
        let objective = self.objective();
        let variables = std::mem::take(&mut self.variables);
        let program = Rows { variables, objective, rows, start: Vec::new() };
        let options = Options { clock: Clock::new(SECONDS), gap: 0.0, seed: 0, most_nodes: None };
        match run(program, options)? {
            Answer::Infeasible => Ok(None),
            Answer::OutOfTime | Answer::StartReturned => Err(TransferError::OutOfTime { seconds: SECONDS }),
            Answer::Solved { values, optimal, .. } => Ok(Some(self.read(&values, optimal))),
        }
    }

    fn read(&self, values: &HashMap<Variable, f64>, is_optimal: bool) -> Rates {
        let rate = |flow: &Variable| values.get(flow).map_or(0.0, |units| units * self.unit);
        Rates { by_link: self.flows.iter().map(|(link, flow)| (*link, rate(flow))).collect(), is_optimal }
    }

    /// Σ over links that leave a place, or enter it, of a coefficient times the flow.
    fn sum(&self, place: usize, leaving: bool, coefficient: impl Fn((usize, usize)) -> f64) -> Expression {
        let touches = |(from, to): (usize, usize)| if leaving { from == place } else { to == place };
        let here = self.flows.iter().filter(|(link, _)| touches(**link));
        here.map(|(link, flow)| coefficient(*link) * *flow).sum()
    }

    /// What enters a relay leaves it.
    fn conservation(&self) -> Vec<Constraint> {
        let relays = self.gateways.keys().filter(|place| **place != self.task.from && **place != self.task.to);
        relays.map(|place| constraint!(self.sum(*place, true, |_| 1.0) == self.sum(*place, false, |_| 1.0))).collect()
    }

    /// The connections that the flows need are those of the gateways, on either side.
    fn connections(&self) -> Vec<Constraint> {
        let share = |link: (usize, usize)| self.unit / self.task.network.links()[&link].gbps;
        let mut rows = Vec::new();
        for (place, gateways) in &self.gateways {
            for leaving in [true, false] {
                rows.push(constraint!(self.sum(*place, leaving, share) <= *gateways));
            }
        }
        rows
    }

    /// No gateway sends or receives more than it can.
    fn gateway_limits(&self) -> Vec<Constraint> {
        let mut rows = Vec::new();
        for (place, gateways) in &self.gateways {
            let limits = &self.task.network.places()[*place];
            for (leaving, limit) in [(true, limits.egress_gbps), (false, limits.ingress_gbps)] {
                rows.push(constraint!(
                    self.sum(*place, leaving, |_| 1.0) <= (limit / self.unit).min(WIDEST) * *gateways
                ));
            }
        }
        rows
    }

    /// The source sends what is asked for.
    fn required_rate(&self) -> Option<Constraint> {
        let Goal::Cheapest { gbps, .. } = self.goal else { return None };
        let sent = self.sum(self.task.from, true, |_| 1.0);
        Some(constraint!(sent == gbps / self.unit))
    }

    /// Cost in units in which the dearest unit of anything is 100, or the rate, negated.
    fn objective(&self) -> Expression {
        let Goal::Cheapest { gbps, gigabytes } = self.goal else {
            return -self.sum(self.task.from, true, |_| 1.0);
        };
        let network = self.task.network;
        let hours = gigabytes * 8.0 / gbps / 3600.0;
        let egress = |link: &(usize, usize)| float(network.links()[link].usd_per_gb) * gigabytes * self.unit / gbps;
        let gateway = |place: &usize| float(network.places()[*place].gateway_usd_per_hour) * hours;
        let dearest = self.flows.keys().map(egress).chain(self.gateways.keys().map(gateway)).fold(0.0, f64::max);
        let scale = if dearest > 0.0 { 100.0 / dearest } else { 1.0 };
        let flows: Expression = self.flows.iter().map(|(link, flow)| scale * egress(link) * *flow).sum();
        let gateways: Expression = self.gateways.iter().map(|(place, count)| scale * gateway(place) * *count).sum();
        flows + gateways
    }
}

fn float(usd: rust_decimal::Decimal) -> f64 {
    f64::try_from(usd).unwrap_or(f64::MAX)
}
