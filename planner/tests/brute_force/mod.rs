//! Every combination of placements in every order, with code of its own.
//!
//! Only the meaning of residency rules is shared with the planner; times follow from measured rates.

use std::collections::BTreeMap;

use scenarios::residency::{Deed, Label, Period, Place, permit};
use scenarios::scenario::{Action, Form, Job, Loaded, Objective, Workload};
use scenarios::units::Seconds;

/// Gigabytes that leave sites.
type Leaving = BTreeMap<String, f64>;

/// Workloads that another one waits for, each with a delay.
type Waits = Vec<(usize, f64)>;

/// One way to run one workload.
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

/// The least cost or the earliest finish; `None` if nothing is possible.
pub fn optimum(loaded: &Loaded) -> Option<f64> {
    let ways: Vec<Vec<Way>> = loaded.scenario.workloads.keys().map(|name| ways(loaded, name)).collect();
    let mut best = None;
    let mut chosen = Vec::new();
    combine(loaded, &ways, &mut chosen, &mut best);
    best
}

fn combine<'a>(loaded: &Loaded, ways: &'a [Vec<Way>], chosen: &mut Vec<&'a Way>, best: &mut Option<f64>) {
    let Some(next) = ways.get(chosen.len()) else {
        consider(loaded, chosen, best);
        return;
    };
    for way in next {
        chosen.push(way);
        combine(loaded, ways, chosen, best);
        chosen.pop();
    }
}

fn consider(loaded: &Loaded, chosen: &[&Way], best: &mut Option<f64>) {
    let mut leaving = Leaving::new();
    let mut copies: Vec<&(String, Route)> = Vec::new();
    for copy in chosen.iter().filter_map(|way| way.copy.as_ref()) {
        if !copies.contains(&copy) {
            copies.push(copy);
            leave(&mut leaving, &copy.1);
        }
    }
    let nodes = chosen.iter().map(|way| way.usd).sum::<f64>();
    let edges = edges(loaded);
    products(loaded, chosen, &edges, &mut vec![], &leaving, &mut |leaving, waits| {
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

/// Pairs of a training and an evaluation of its weights.
fn edges(loaded: &Loaded) -> Vec<(usize, usize)> {
    let workloads = &loaded.scenario.workloads;
    let of = |workload: &Workload| workload.job.weights_of().and_then(|name| workloads.get_index_of(name));
    workloads.values().enumerate().filter_map(|(index, workload)| Some((of(workload)?, index))).collect()
}

/// Every combination of routes of weights, with what waits for what.
fn products(
    loaded: &Loaded,
    chosen: &[&Way],
    edges: &[(usize, usize)],
    taken: &mut Vec<f64>,
    leaving: &Leaving,
    visit: &mut dyn FnMut(&Leaving, &[Waits]),
) {
    let workloads = &loaded.scenario.workloads;
    let Some((from, to)) = edges.get(taken.len()) else {
        let waits = workloads.values().enumerate().map(|(index, workload)| {
            let after = workload.after.iter().filter_map(|name| Some((workloads.get_index_of(name)?, 0.0)));
            let products = edges.iter().zip(taken.iter()).filter(|((_, to), _)| *to == index);
            after.chain(products.map(|((from, _), seconds)| (*from, *seconds))).collect()
        });
        visit(leaving, &waits.collect::<Vec<_>>());
        return;
    };
    if chosen[*from].site == chosen[*to].site {
        taken.push(0.0);
        products(loaded, chosen, edges, taken, leaving, visit);
        taken.pop();
        return;
    }
    let Some(training) = workloads[*from].job.training() else { return };
    let bytes = 4 * training.model.parameters().expect("a network");
    for route in routes(loaded, &training.data, Form::Weights, bytes, &chosen[*from].site, &chosen[*to].site) {
        let mut leaving = leaving.clone();
        leave(&mut leaving, &route);
        taken.push(route.seconds);
        products(loaded, chosen, edges, taken, &leaving, visit);
        taken.pop();
    }
}

/// Over all orders, each workload as early as possible: one of these schedules is optimal.
fn earliest_finish(loaded: &Loaded, chosen: &[&Way], waits: &[Vec<(usize, f64)>]) -> Option<f64> {
    let mut best: Option<f64> = None;
    let mut order: Vec<usize> = (0..chosen.len()).collect();
    permutations(&mut order, 0, &mut |order| {
        if let Some(finish) = schedule(loaded, chosen, waits, order) {
            best = Some(best.map_or(finish, |best| best.min(finish)));
        }
    });
    best
}

fn permutations(order: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        visit(order);
        return;
    }
    for index in from..order.len() {
        order.swap(from, index);
        permutations(order, from + 1, visit);
        order.swap(from, index);
    }
}

fn schedule(loaded: &Loaded, chosen: &[&Way], waits: &[Vec<(usize, f64)>], order: &[usize]) -> Option<f64> {
    let mut ends: Vec<Option<f64>> = vec![None; chosen.len()];
    let mut runs: Vec<(usize, f64, f64)> = Vec::new();
    for &job in order {
        let way = chosen[job];
        let mut start = way.release;
        for (before, delay) in &waits[job] {
            start = start.max(ends[*before]? + delay);
        }
        let pool = &loaded.scenario.sites[&way.site].pools[&way.pool];
        let free = |at: f64| {
            let here = runs.iter().filter(|(other, from, to)| {
                chosen[*other].site == way.site && chosen[*other].pool == way.pool && *from <= at && *to > at + 1e-7
            });
            let quota =
                pool.quota.iter().rev().find(|quota| quota.from.get() <= at + 1e-7).map_or(pool.nodes, |q| q.nodes);
            here.map(|(other, _, _)| chosen[*other].nodes).sum::<u32>() + way.nodes <= quota
        };
        let changes = || pool.quota.iter().map(|quota| quota.from.get());
        let mut instants: Vec<f64> = runs.iter().map(|run| run.2).chain(changes()).filter(|at| *at > start).collect();
        instants.push(start);
        instants.sort_by(f64::total_cmp);
        let fits = |start: f64| {
            let changes = runs.iter().map(|run| run.1).chain(changes());
            let inside = changes.filter(|at| *at > start && *at < start + way.seconds - 1e-7);
            std::iter::once(start).chain(inside).all(free)
        };
        let start = instants.into_iter().find(|start| fits(*start))?;
        let end = start + way.seconds;
        let workload = &loaded.scenario.workloads[job];
        let latest = workload.deadline.map_or(f64::INFINITY, Seconds::get).min(loaded.scenario.horizon.get());
        if end > latest + 1e-6 {
            return None;
        }
        ends[job] = Some(end);
        runs.push((job, start, end));
    }
    ends.into_iter().collect::<Option<Vec<_>>>().map(|ends| ends.into_iter().fold(0.0, f64::max))
}

fn ways(loaded: &Loaded, name: &str) -> Vec<Way> {
    let scenario = &loaded.scenario;
    let workload = &scenario.workloads[name];
    let data = workload.job.data().expect("drafts read data");
    let dataset = &scenario.datasets[data];
    let makes = workload.job.training().is_some();
    let labels = scenarios::residency::labels(scenario, name);
    let read = workload.job.weights_of().map_or(vec![], |of| scenarios::residency::labels(scenario, of));
    let mut found = Vec::new();
    for (site, description) in &scenario.sites {
        let may_all = |labels: &[&str], form, actions: &[Action]| {
            labels.iter().all(|label| actions.iter().all(|action| may(loaded, label, form, *action, site)))
        };
        let made: &[Form] = if makes { &[Form::Weights, Form::Checkpoints, Form::Metrics] } else { &[Form::Metrics] };
        let permitted = may(loaded, data, Form::Raw, Action::Process, site)
            && made.iter().all(|form| may_all(&labels, *form, &[Action::Store]))
            && may_all(&read, Form::Weights, &[Action::Store, Action::Process]);
        if !permitted {
            continue;
        }
        for (pool, machines) in &description.pools {
            let stated = workload.strategies.data.as_ref().expect("drafts state ranks");
            let ranks: Vec<u32> = if makes { stated.iter().map(|data| data.get()).collect() } else { vec![1] };
            for nodes in ranks {
                let most = machines.quota.iter().map(|quota| quota.nodes).chain([machines.nodes]).max().unwrap_or(0);
                if nodes > most || (nodes > 1 && !may_all(&labels, Form::Gradients, &[Action::Process])) {
                    continue;
                }
                let seconds = seconds(workload, dataset.records, pool, nodes);
                let own = machines.purchase.owned.as_ref().and_then(|owned| owned.price).map(|price| price.0);
                let rented = machines.purchase.on_demand.as_ref().and_then(|offer| offer.price).map(|price| price.0);
                for price in own.into_iter().chain(rented) {
                    let price: f64 = price.try_into().unwrap_or(0.0);
                    let usd = price * f64::from(nodes) * seconds / 3600.0;
                    let earliest = workload.earliest_start.map_or(0.0, Seconds::get);
                    let (site, pool) = (site.clone(), pool.clone());
                    let way = Way { site, pool, nodes, seconds, release: earliest, usd, copy: None };
                    if dataset.at.contains(&way.site) {
                        found.push(way);
                        continue;
                    }
                    for holder in &dataset.at {
                        for route in routes(loaded, data, Form::Raw, dataset.size.0, holder, &way.site) {
                            let release = earliest.max(route.seconds);
                            found.push(Way { release, copy: Some((data.to_owned(), route)), ..way.clone() });
                        }
                    }
                }
            }
        }
    }
    found
}

/// Records over the rate that was measured, in whole milliseconds.
fn seconds(workload: &Workload, records: u64, pool: &str, nodes: u32) -> f64 {
    let measured = workload.measured.iter().find(|rate| rate.machine == pool && rate.nodes.get() == nodes);
    let rate = measured.and_then(|rate| rate.throughput).expect("drafts measure all pools").0;
    let work = match &workload.job {
        Job::Train(training) => {
            let batch = training.global_batch.get() as u64;
            records / batch * u64::from(training.passes().get()) * batch
        }
        Job::Evaluate(evaluation) => {
            let batch = evaluation.batch.get() as u64;
            evaluation.records.div_ceil(batch) * batch
        }
        _ => unreachable!("drafts train and evaluate"),
    };
    (work as f64 / rate * 1000.0 - 1e-6).ceil() / 1000.0
}

fn may(loaded: &Loaded, dataset: &str, form: Form, action: Action, site: &str) -> bool {
    let label = Label { dataset, class: &loaded.scenario.datasets[dataset].class };
    let place = Place::of(site, &loaded.sites[site]);
    let today = "2026-11-24".parse().expect("a day");
    let period = Period { from: today, until: today };
    permit(&loaded.scenario.policies, &Deed { label, form, action, place, period }).is_ok()
}

/// Every path without a circle whose relays may pass the data on.
fn routes(loaded: &Loaded, label: &str, form: Form, bytes: u64, from: &str, to: &str) -> Vec<Route> {
    let mut found = Vec::new();
    if [Action::Store, Action::Process].into_iter().all(|action| may(loaded, label, form, action, to)) {
        let start = Route { sites: vec![from.to_owned()], gigabytes: bytes as f64 / 1e9, seconds: 0.0 };
        extend(loaded, (label, form, bytes), start, (f64::INFINITY, 0.0), to, &mut found);
    }
    found
}

fn extend(
    loaded: &Loaded,
    (label, form, bytes): (&str, Form, u64),
    route: Route,
    (rate, delay): (f64, f64),
    to: &str,
    found: &mut Vec<Route>,
) {
    let last = route.sites.last().expect("a start").clone();
    if last == to {
        let seconds = ((bytes as f64 * 8.0 / rate + delay) * 1000.0 - 1e-6).ceil() / 1000.0;
        found.push(Route { seconds, ..route });
        return;
    }
    if route.sites.len() > 1 && !may(loaded, label, form, Action::Transit, &last) {
        return;
    }
    for link in &loaded.scenario.links {
        let [a, b] = &link.between;
        let Some(next) = [(a, b), (b, a)].into_iter().find(|(here, _)| **here == last).map(|(_, next)| next) else {
            continue;
        };
        if !route.sites.contains(next) {
            let mut longer = route.clone();
            longer.sites.push(next.clone());
            let pace = (rate.min(link.bandwidth.0), delay + 2.0 * link.latency.get());
            extend(loaded, (label, form, bytes), longer, pace, to, found);
        }
    }
}
