//! Every combination of placements in every order, with code of its own.
//!
//! Only the meaning of residency rules is shared with the planner; times follow from measured rates.

mod route;
mod schedule;
mod service;
mod way;

use std::collections::{BTreeMap, BTreeSet};

use scenarios::scenario::{Form, Job, Loaded, Objective, Workload};

use route::routes;
use schedule::earliest_finish;
use service::Staff;

/// Gigabytes that leave sites.
type Leaving = BTreeMap<String, f64>;

/// Workloads that another one waits for, each with a delay.
type Waits = Vec<(usize, f64)>;

/// One way to run one job.
#[derive(Debug, Clone)]
struct Way {
    site: String,
    pool: String,
    nodes: u32,
    seconds: f64,
    release: f64,
    usd: f64,
    /// Data set and route of the copy.
    copy: Option<(String, Route)>,
}

/// A path of data.
#[derive(Debug, Clone, PartialEq)]
struct Route {
    sites: Vec<String>,
    gigabytes: f64,
    seconds: f64,
}

/// Everything that may be chosen for each workload; services come last.
struct Choices {
    jobs: Vec<Vec<Way>>,
    services: Vec<Vec<Staff>>,
}

/// One choice for each workload.
#[derive(Clone)]
struct Chosen<'a> {
    jobs: Vec<&'a Way>,
    services: Vec<&'a Staff>,
}

/// What a workload made that another one reads at a site.
struct Delivery {
    from: usize,
    to: usize,
    at: String,
}

/// The least cost or the earliest finish; `None` if nothing is possible.
pub fn optimum(loaded: &Loaded) -> Option<f64> {
    let workloads = &loaded.scenario.workloads;
    let (services, jobs): (Vec<_>, Vec<_>) =
        workloads.iter().partition(|(_, workload)| matches!(workload.job, Job::Serve(_)));
    let choices = Choices {
        jobs: jobs.iter().map(|(name, _)| way::ways(loaded, name)).collect(),
        services: services.iter().map(|(name, _)| service::staffs(loaded, name)).collect(),
    };
    let mut best = None;
    combine(loaded, &choices, &mut Chosen { jobs: vec![], services: vec![] }, &mut best);
    best
}

fn combine<'a>(loaded: &Loaded, choices: &'a Choices, chosen: &mut Chosen<'a>, best: &mut Option<f64>) {
    if let Some(next) = choices.jobs.get(chosen.jobs.len()) {
        for way in next {
            // Nothing that follows can make a job that is too late end earlier.
            let hopeless = best.is_some_and(|best| way.release + way.seconds >= best);
            if hopeless && loaded.scenario.objective == Objective::FinishTime {
                continue;
            }
            chosen.jobs.push(way);
            combine(loaded, choices, chosen, best);
            chosen.jobs.pop();
        }
    } else if let Some(next) = choices.services.get(chosen.services.len()) {
        for staff in next {
            chosen.services.push(staff);
            combine(loaded, choices, chosen, best);
            chosen.services.pop();
        }
    } else {
        consider(loaded, chosen, best);
    }
}

fn consider(loaded: &Loaded, chosen: &Chosen<'_>, best: &mut Option<f64>) {
    let mut leaving = Leaving::new();
    let mut copies: Vec<&(String, Route)> = Vec::new();
    let read = chosen.jobs.iter().filter_map(|way| way.copy.as_ref());
    for copy in read.chain(chosen.services.iter().flat_map(|staff| &staff.copies)) {
        if !copies.contains(&copy) {
            copies.push(copy);
            leave(&mut leaving, &copy.1);
        }
    }
    let jobs = chosen.jobs.iter().map(|way| way.usd).sum::<f64>();
    let nodes = jobs + chosen.services.iter().map(|staff| staff.usd).sum::<f64>();
    let deliveries = deliveries(loaded, chosen);
    products(loaded, chosen, &deliveries, &mut vec![], &leaving, &mut |leaving, waits| {
        let cost = nodes + egress(loaded, leaving);
        let budget: f64 = loaded.scenario.budget.map_or(f64::INFINITY, |usd| usd.0.try_into().unwrap_or(0.0));
        let by_cost = loaded.scenario.objective == Objective::Cost;
        if cost > budget + 1e-9 || by_cost && best.is_some_and(|best| cost >= best) {
            return;
        }
        if let Some(finish) = earliest_finish(loaded, chosen, waits) {
            let value = if by_cost { cost } else { finish };
            *best = Some(best.map_or(value, |best| best.min(value)));
        }
    });
}

fn leave(leaving: &mut Leaving, route: &Route) {
    for site in &route.sites[..route.sites.len() - 1] {
        *leaving.entry(site.clone()).or_default() += route.gigabytes;
    }
}

/// Price of everything that leaves each site, tier by tier.
fn egress(loaded: &Loaded, leaving: &Leaving) -> f64 {
    let number = |usd: rust_decimal::Decimal| -> f64 { usd.try_into().unwrap_or(0.0) };
    let price = |(site, gigabytes): (&String, &f64)| {
        let site = &loaded.scenario.sites[site];
        if let Some(price) = site.egress {
            return number(price.0) * gigabytes;
        }
        let mut below = 0.0;
        let mut usd = 0.0;
        for tier in &site.egress_tiers {
            let end = tier.up_to.map_or(f64::INFINITY, |end| end.0 as f64 / 1e9);
            usd += (gigabytes.min(end) - below).max(0.0) * number(tier.price.0);
            below = end;
        }
        usd
    };
    leaving.iter().map(price).sum()
}

/// Weights that workloads read of others: a job at its site, a service wherever it has replicas.
fn deliveries(loaded: &Loaded, chosen: &Chosen<'_>) -> Vec<Delivery> {
    let workloads = &loaded.scenario.workloads;
    let maker = |workload: &Workload| workloads.get_index_of(workload.job.weights_of()?);
    let read = workloads.values().enumerate().filter_map(|(index, workload)| Some((maker(workload)?, index)));
    let delivery = |(from, to): (usize, usize)| {
        let sites: BTreeSet<&String> = match to.checked_sub(chosen.jobs.len()) {
            None => BTreeSet::from([&chosen.jobs[to].site]),
            Some(service) => chosen.services[service].sites(),
        };
        sites.into_iter().map(move |site| Delivery { from, to, at: site.clone() })
    };
    read.flat_map(delivery).collect()
}

/// Every combination of routes of weights, with what waits for what.
fn products(
    loaded: &Loaded,
    chosen: &Chosen<'_>,
    deliveries: &[Delivery],
    taken: &mut Vec<f64>,
    leaving: &Leaving,
    visit: &mut dyn FnMut(&Leaving, &[Waits]),
) {
    let Some(delivery) = deliveries.get(taken.len()) else {
        visit(leaving, &waits(loaded, deliveries, taken));
        return;
    };
    let from = &chosen.jobs[delivery.from].site;
    if *from == delivery.at {
        taken.push(0.0);
        products(loaded, chosen, deliveries, taken, leaving, visit);
        taken.pop();
        return;
    }
    let Some(training) = loaded.scenario.workloads[delivery.from].job.training() else { return };
    let bytes = 4 * training.model.parameters().expect("a network");
    for route in routes(loaded, &training.data, Form::Weights, bytes, from, &delivery.at) {
        let mut leaving = leaving.clone();
        leave(&mut leaving, &route);
        taken.push(route.seconds);
        products(loaded, chosen, deliveries, taken, &leaving, visit);
        taken.pop();
    }
}

/// What each workload waits for: others by its own word, and the arrival of what they made.
fn waits(loaded: &Loaded, deliveries: &[Delivery], taken: &[f64]) -> Vec<Waits> {
    let workloads = &loaded.scenario.workloads;
    let of = |(index, workload): (usize, &Workload)| {
        let after = workload.after.iter().filter_map(|name| Some((workloads.get_index_of(name)?, 0.0)));
        let products = deliveries.iter().zip(taken).filter(|(delivery, _)| delivery.to == index);
        after.chain(products.map(|(delivery, seconds)| (delivery.from, *seconds))).collect()
    };
    workloads.values().enumerate().map(of).collect()
}
