//! Every number of replicas with which a service answers all requests, and of which it needs every one.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::scenario::{Action, Demand, Form, Job, Loaded, MeasuredRate, Service};

use super::Route;
use super::route::{may, routes};
use super::schedule::window;

/// Replicas of a service in pools.
#[derive(Debug, Clone)]
pub(super) struct Staff {
    /// Nodes by site and pool.
    pub nodes: BTreeMap<(String, String), u32>,
    pub usd: f64,
    /// Copies of a data set that holds the weights.
    pub copies: Vec<(String, Route)>,
}

impl Staff {
    /// Sites that have replicas.
    pub fn sites(&self) -> BTreeSet<&String> {
        self.nodes.keys().map(|(site, _)| site).collect()
    }
}

/// A kind of replica.
struct Kind {
    site: String,
    pool: String,
    nodes: u32,
    /// Nodes of the pool, at most at any time.
    most: u32,
    usd: f64,
    /// Requests of each class in a second, if all are of it; none where the class may not be answered.
    rates: Vec<f64>,
}

/// Every staffing of a service. One that answers all requests with a replica less is better in every respect.
pub(super) fn staffs(loaded: &Loaded, name: &str) -> Vec<Staff> {
    let Job::Serve(service) = &loaded.scenario.workloads[name].job else { return vec![] };
    let kinds = kinds(loaded, name, service);
    let asked: Vec<f64> = service.demand.iter().flat_map(|demand| &demand.requests).map(|size| size.rate.0).collect();
    let enough = |counts: &[u32]| answers(&kinds, counts, &asked, service.utilization);
    let mut found = Vec::new();
    extend(&kinds, &mut vec![0; kinds.len()], 0, &enough, &mut found);
    found.iter().flat_map(|counts| supplied(loaded, name, &kinds, counts)).collect()
}

/// Adds replicas, never of a kind before the last one, until there are enough.
fn extend(
    kinds: &[Kind],
    counts: &mut Vec<u32>,
    from: usize,
    enough: &dyn Fn(&[u32]) -> bool,
    found: &mut Vec<Vec<u32>>,
) {
    if enough(counts) {
        if without_one(counts).all(|fewer| !enough(&fewer)) {
            found.push(counts.clone());
        }
        return;
    }
    for kind in from..kinds.len() {
        counts[kind] += 1;
        if has_room(kinds, counts, kind) {
            extend(kinds, counts, kind, enough, found);
        }
        counts[kind] -= 1;
    }
}

fn without_one(counts: &[u32]) -> impl Iterator<Item = Vec<u32>> + '_ {
    (0..counts.len()).filter(|kind| counts[*kind] > 0).map(|kind| {
        let mut fewer = counts.to_vec();
        fewer[kind] -= 1;
        fewer
    })
}

fn has_room(kinds: &[Kind], counts: &[u32], kind: usize) -> bool {
    let same = |other: &Kind| other.site == kinds[kind].site && other.pool == kinds[kind].pool;
    let used = kinds.iter().zip(counts).filter(|(other, _)| same(other)).map(|(other, count)| other.nodes * count);
    used.sum::<u32>() <= kinds[kind].most
}

/// Whether replicas answer requests of one or two classes, shared among them in any way: there are no prices of a
/// request of each class at which all requests are worth more than what the replicas can earn (Farkas). What they earn
/// is convex in the prices and linear where none changes its mind, so that the prices at which one does are enough.
fn answers(kinds: &[Kind], counts: &[u32], asked: &[f64], utilization: f64) -> bool {
    let rate = |kind: &Kind, class: usize| kind.rates.get(class).copied().unwrap_or(0.0);
    let indifferent = kinds.iter().map(|kind| [rate(kind, 1), rate(kind, 0)]);
    let mut prices = indifferent.chain([[1.0, 0.0], [0.0, 1.0]]).filter(|price| price[0] + price[1] > 0.0);
    prices.all(|price| {
        let worth: f64 = asked.iter().zip(price).map(|(asked, price)| asked * price).sum();
        let earned = kinds.iter().zip(counts).map(|(kind, count)| {
            let best = f64::max(price[0] * rate(kind, 0), price[1] * rate(kind, 1));
            f64::from(*count) * utilization * best
        });
        worth <= earned.sum::<f64>() + 1e-9
    })
}

/// A staffing with every combination of copies of the weights, where they are a data set, that arrive in time.
fn supplied(loaded: &Loaded, name: &str, kinds: &[Kind], counts: &[u32]) -> Vec<Staff> {
    let mut staff = Staff { nodes: BTreeMap::new(), usd: 0.0, copies: vec![] };
    for (kind, count) in kinds.iter().zip(counts).filter(|(_, count)| **count > 0) {
        *staff.nodes.entry((kind.site.clone(), kind.pool.clone())).or_default() += kind.nodes * count;
        staff.usd += kind.usd * f64::from(*count);
    }
    let (index, _, workload) = loaded.scenario.workloads.get_full(name).expect("a workload");
    let held = workload.job.weights_of().and_then(|weights| loaded.scenario.datasets.get_key_value(weights));
    let Some((weights, dataset)) = held else { return vec![staff] };
    let mut all = vec![staff.clone()];
    for site in staff.sites().into_iter().filter(|site| !dataset.at.contains(site)) {
        let from = |holder: &String| routes(loaded, weights, Form::Weights, dataset.size.0, holder, site);
        let copies = dataset.at.iter().flat_map(from).filter(|route| route.seconds <= window(loaded, index).0 + 1e-9);
        let copies: Vec<Route> = copies.collect();
        let with = |staff: &Staff, copy: &Route| {
            let mut staff = staff.clone();
            staff.copies.push((weights.clone(), copy.clone()));
            staff
        };
        all = all.iter().flat_map(|staff| copies.iter().map(|copy| with(staff, copy)).collect::<Vec<_>>()).collect();
    }
    all
}

/// Replicas of every pool where the weights may be, at the pool's lowest price.
fn kinds(loaded: &Loaded, name: &str, service: &Service) -> Vec<Kind> {
    let scenario = &loaded.scenario;
    let (index, _, workload) = scenario.workloads.get_full(name).expect("a workload");
    let (from, to) = window(loaded, index);
    let weights = service.weights_of.as_deref().map_or(vec![], |of| {
        let is_data = scenario.datasets.contains_key(of);
        if is_data { vec![of] } else { scenarios::residency::labels(scenario, of) }
    });
    let holds = |site: &str| {
        let both = [Action::Store, Action::Process];
        weights.iter().all(|label| both.into_iter().all(|action| may(loaded, label, Form::Weights, action, site)))
    };
    let mut kinds = Vec::new();
    for (site, description) in scenario.sites.iter().filter(|(site, _)| holds(site)) {
        for (pool, machines) in &description.pools {
            let own = machines.purchase.owned.as_ref().and_then(|owned| owned.price).map(|price| price.0);
            let rented = machines.purchase.on_demand.as_ref().and_then(|offer| offer.price).map(|price| price.0);
            let price: f64 = own.into_iter().chain(rented).min().and_then(|usd| usd.try_into().ok()).unwrap_or(0.0);
            let most = machines.quota.iter().map(|quota| quota.nodes).chain([machines.nodes]).max().unwrap_or(0);
            for measured in workload.measured.iter().filter(|rate| rate.machine == *pool) {
                let rates = service.demand.iter().map(|demand| rate(loaded, demand, measured, site)).collect();
                let (site, pool, nodes) = (site.clone(), pool.clone(), measured.nodes.get());
                let usd = price * f64::from(nodes) * (to - from) / 3600.0;
                kinds.push(Kind { site, pool, nodes, most, usd, rates });
            }
        }
    }
    kinds
}

/// Requests of a class that a replica at a site answers; none that may not or cannot come there.
fn rate(loaded: &Loaded, demand: &Demand, measured: &MeasuredRate, site: &str) -> f64 {
    let asked = demand.requests[0];
    let known = measured.requests.iter().find(|rate| (rate.input, rate.output) == (asked.input, asked.output));
    let data = demand.data.as_deref();
    let may_be = data.is_none_or(|data| may(loaded, data, Form::Raw, Action::Process, site));
    let comes = || match (&demand.from, data) {
        (Some(from), _) if from == site => true,
        (Some(from), Some(data)) => !routes(loaded, data, Form::Raw, 1, from, site).is_empty(),
        (Some(from), None) => is_joined(loaded, from, site),
        (None, _) => true,
    };
    known.filter(|_| may_be && comes()).map_or(0.0, |known| known.rate.0)
}

/// Whether any path leads from one site to another.
fn is_joined(loaded: &Loaded, from: &str, to: &str) -> bool {
    let mut reached = BTreeSet::from([from]);
    for _ in 0..loaded.scenario.sites.len() {
        for link in &loaded.scenario.links {
            let [a, b] = &link.between;
            if reached.contains(a.as_str()) || reached.contains(b.as_str()) {
                reached.extend([a.as_str(), b.as_str()]);
            }
        }
    }
    reached.contains(to)
}
