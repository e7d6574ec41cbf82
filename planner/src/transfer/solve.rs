//! From a request to a plan.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::diagnostics::did_you_mean;
use scenarios::units::{Bandwidth, Bytes};

use super::error::TransferError;
use super::network::Network;
use super::plan::{TransferPlan, paths, plan};
use super::program::{self, Task};
use super::shortfall;

/// A copy that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Place where the data is.
    pub from: String,
    /// Place where it goes.
    pub to: String,
    /// How much.
    pub amount: Bytes,
    /// Rate at which it is to move.
    pub rate: Bandwidth,
    /// Places that the data may not pass, with the rule that forbids it.
    pub forbidden: BTreeMap<String, String>,
}

/// A request in terms of the network.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub task: Task<'a>,
    pub amount: Bytes,
    pub gbps: f64,
    /// Rules by the position of the place that they forbid.
    pub rules: BTreeMap<usize, String>,
}

/// Rates that are planned for, in Gbit/s.
const GBPS: std::ops::RangeInclusive<f64> = 1e-6..=1e9;

/// The cheapest flows and gateways that copy the amount at the rate and pass no forbidden place.
///
/// # Errors
/// For places that the network lacks, for figures that make no copy, and where the rate cannot be reached: then with
/// what keeps it from it, and with the ways out and their prices.
pub fn cheapest(network: &Network, request: &Request) -> Result<TransferPlan, TransferError> {
    let wanted = wanted(network, request)?;
    match solve(&wanted)? {
        Some(plan) => Ok(plan),
        None => Err(TransferError::Infeasible(Box::new(shortfall::explain(&wanted)?))),
    }
}

fn wanted<'a>(network: &'a Network, request: &Request) -> Result<Wanted<'a>, TransferError> {
    let position = |name: &str| {
        let names = network.places().iter().map(|place| place.name.as_str());
        let unknown = || TransferError::UnknownPlace { name: name.to_owned(), help: did_you_mean(name, names) };
        network.position(name).ok_or_else(unknown)
    };
    let (from, to) = (position(&request.from)?, position(&request.to)?);
    let mut rules = BTreeMap::new();
    for (name, rule) in &request.forbidden {
        rules.insert(position(name)?, rule.clone());
    }
    if from == to {
        return Err(TransferError::SamePlace { place: request.from.clone() });
    }
    for (place, end) in [(from, "source"), (to, "destination")] {
        if let Some(rule) = rules.get(&place) {
            let (place, rule) = (network.places()[place].name.clone(), rule.clone());
            return Err(TransferError::ForbiddenEnd { place, end, rule });
        }
    }
    let gbps = request.rate.0 / 1e9;
    if !GBPS.contains(&gbps) {
        return Err(TransferError::Rate { gbps });
    }
    if request.amount == Bytes(0) {
        return Err(TransferError::Nothing);
    }
    let forbidden: BTreeSet<usize> = rules.keys().copied().collect();
    Ok(Wanted { task: Task { network, from, to, forbidden }, amount: request.amount, gbps, rules })
}

/// The cheapest plan; none if there is none.
pub(super) fn solve(wanted: &Wanted<'_>) -> Result<Option<TransferPlan>, TransferError> {
    let task = &wanted.task;
    let Some(rates) = program::cheapest(task, wanted.gbps, wanted.amount.gigabytes())? else { return Ok(None) };
    let paths = paths(&rates.by_link, task.from, task.to);
    let plan = plan(task.network, &paths, wanted.amount, wanted.gbps, rates.is_optimal);
    Ok(Some(plan))
}
