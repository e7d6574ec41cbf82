//! Movements of data that a decision causes.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use scenarios::plan::Flow;
use scenarios::residency::PUBLIC;
use scenarios::scenario::Form;
use scenarios::units::{Bytes, Tariff};

use super::Decision;
use crate::candidates::{Cargo, Charge, DECIMALS, Movement, Product};

/// Requests in a second below which a share is what the solver's rounding left.
pub(super) const LEAST_RATE: f64 = 1e-9;

/// A flow with what it puts on meters.
struct Metered {
    flow: Flow,
    charges: Vec<Charge>,
}

/// All movements, by start, then by what moves and who needs it.
pub(super) fn of(decision: &Decision<'_>) -> Vec<Flow> {
    let mut flows = copies(decision);
    flows.extend(
        decision.network.products().iter().enumerate().flat_map(|(index, product)| moved(decision, index, product)),
    );
    flows.extend((0..decision.candidates.workloads.len()).flat_map(|job| exchanges(decision, job)));
    flows.extend((0..decision.candidates.workloads.len()).flat_map(|job| requests(decision, job)));
    flows.sort_by(|a, b| {
        let (a, b) = (&a.flow, &b.flow);
        let names = |flow: &Flow| (flow.what.clone(), flow.used_by.clone(), flow.from.clone(), flow.to.clone());
        a.start_seconds.total_cmp(&b.start_seconds).then_with(|| names(a).cmp(&names(b)))
    });
    priced(decision, flows)
}

/// Adds the price of metered data: earlier flows fill the first tiers.
fn priced(decision: &Decision<'_>, flows: Vec<Metered>) -> Vec<Flow> {
    let meters: Vec<Tariff> = decision.network.meters().into_iter().map(|meter| meter.tariff).collect();
    let mut used: BTreeMap<usize, u64> = BTreeMap::new();
    let price = |Metered { mut flow, charges }| {
        for Charge { meter, bytes } in charges {
            let before = used.entry(meter).or_default();
            let after = before.saturating_add(bytes);
            let at = |bytes: u64| meters[meter].cost(Bytes(bytes)).round_dp(DECIMALS);
            flow.cost_usd += at(after) - at(*before);
            *before = after;
        }
        flow.cost_usd = flow.cost_usd.normalize();
        flow
    };
    flows.into_iter().map(price).collect()
}

/// Copies of data sets: each made once, from the start of the period, for the workload that reads it first, and its way is
/// the only one, since whoever reads it later finds it there.
fn copies(decision: &Decision<'_>) -> Vec<Metered> {
    let mut readers: Vec<usize> = (0..decision.candidates.workloads.len()).collect();
    readers.sort_by(|a, b| decision.start(*a).total_cmp(&decision.start(*b)).then(a.cmp(b)));
    let mut made = BTreeSet::new();
    let mut flows = Vec::new();
    for job in readers {
        let read: Vec<usize> = match decision.service(job) {
            Some(_) => decision.replicas(job).iter().flat_map(|(_, replica, _)| replica.copies.clone()).collect(),
            None => decision.column(job).copies.clone(),
        };
        for copy in read.into_iter().map(|copy| &decision.candidates.copies[copy]) {
            if made.insert((&copy.what, copy.form, copy.from, copy.to)) {
                flows.push(flow(decision, copy, &decision.candidates.workloads[job].workload, 0.0, None));
            }
        }
    }
    flows
}

/// A product that leaves the site where it was made, to every site where it is read.
fn moved(decision: &Decision<'_>, index: usize, product: &Product) -> Vec<Metered> {
    let from = decision.column(product.maker).site();
    let ways = &decision.solution.staffing.ways;
    let to = decision.sites(product.reader).into_iter().filter(|to| *to != from);
    to.filter_map(|to| {
        let way = ways.get(&(index, from, to)).copied().unwrap_or(0);
        let movement = decision.network.movements(&product.cargo, from, to).ok()?.into_iter().nth(way)?;
        Some(flow(decision, &movement, &product.cargo.used_by, decision.end(product.maker), None))
    })
    .collect()
}

/// What the groups of a job exchange while it runs.
fn exchanges(decision: &Decision<'_>, job: usize) -> Vec<Metered> {
    if decision.service(job).is_some() {
        return Vec::new();
    }
    let (start, end) = (decision.start(job), decision.end(job));
    let workload = &decision.candidates.workloads[job].workload;
    let exchanges = &decision.column(job).exchanges;
    exchanges.iter().map(|exchange| flow(decision, exchange, workload, start, Some(end))).collect()
}

/// Requests that users at a site send to replicas at another one, with their answers: four bytes a token.
fn requests(decision: &Decision<'_>, job: usize) -> Vec<Metered> {
    let Some((service, index)) = decision.service(job) else { return Vec::new() };
    let name = &decision.candidates.workloads[job].workload;
    let (start, end) = (decision.start(job), decision.end(job));
    let mut tokens: BTreeMap<(usize, usize, Option<&str>), f64> = BTreeMap::new();
    for (kind, replica, _) in decision.replicas(job) {
        let routed = &decision.solution.staffing.routed[index][kind];
        for (class, rate) in service.classes.iter().zip(routed).filter(|(_, rate)| **rate > LEAST_RATE) {
            let Some(from) = class.from.filter(|from| *from != replica.group.place.site) else { continue };
            let key = (from, replica.group.place.site, class.data.as_deref());
            *tokens.entry(key).or_default() += rate * (end - start) * f64::from(class.input + class.output);
        }
    }
    let flows = tokens.into_iter().filter(|(_, tokens)| *tokens > 0.0).filter_map(|((from, to, data), tokens)| {
        let cargo = Cargo {
            what: data.unwrap_or(PUBLIC).to_owned(),
            used_by: name.clone(),
            form: Form::Raw,
            labels: data.map(str::to_owned).into_iter().collect(),
            bytes: (tokens * 4.0).round() as u64,
            kept: false,
        };
        let movement = decision.network.movement(&cargo, from, to).ok()?;
        // What a user types is counted as permitted and unpriced: a few bytes a token.
        let free = Movement { usd: Decimal::ZERO, charges: vec![], preference_usd: Decimal::ZERO, ..movement };
        Some(flow(decision, &free, name, start, Some(end)))
    });
    flows.collect()
}

fn flow(
    decision: &Decision<'_>,
    movement: &Movement,
    used_by: &str,
    start_seconds: f64,
    end_seconds: Option<f64>,
) -> Metered {
    let site = |site: usize| decision.world.site_name(site).to_owned();
    let arrival = ((start_seconds + movement.seconds) * 1000.0).round() / 1000.0;
    let flow = Flow {
        what: movement.what.clone(),
        used_by: used_by.to_owned(),
        form: movement.form,
        labels: movement.labels.clone(),
        from: site(movement.from),
        to: site(movement.to),
        via: movement.via.iter().map(|via| site(*via)).collect(),
        bytes: movement.bytes,
        start_seconds,
        end_seconds: end_seconds.unwrap_or(arrival),
        cost_usd: movement.usd,
        storage_usd: movement.storage_usd.normalize(),
        rule: movement.permitted_by.clone(),
    };
    Metered { flow, charges: movement.charges.clone() }
}
