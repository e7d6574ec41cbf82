//! Every combination of placements in every order, with code of its own.
//!
//! Only the performance model and the meaning of residency rules are shared with the planner.

use planner::performance::{DataSheetMachine, Layout, Rates, Task, predict};
use scenarios::residency::{Label, Place, permit};
use scenarios::scenario::{Action, Form, Job, Loaded, Machine, Objective};
use scenarios::strategy::Strategy;
use scenarios::units::Seconds;

/// One way to run one workload.
#[derive(Debug, Clone)]
struct Way {
    site: String,
    pool: String,
    nodes: u32,
    seconds: f64,
    release: f64,
    usd: f64,
    /// Data set and source of the copy, its price.
    copy: Option<(String, String, f64)>,
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
    let Some((moved_usd, arrivals)) = weights(loaded, chosen) else { return };
    let mut copies: Vec<_> = chosen.iter().filter_map(|way| way.copy.as_ref().map(|copy| (copy, &way.site))).collect();
    copies.sort_by(|a, b| (&a.0.0, &a.0.1, a.1).cmp(&(&b.0.0, &b.0.1, b.1)));
    copies.dedup_by(|a, b| (&a.0.0, &a.0.1, a.1) == (&b.0.0, &b.0.1, b.1));
    let cost =
        chosen.iter().map(|way| way.usd).sum::<f64>() + copies.iter().map(|(copy, _)| copy.2).sum::<f64>() + moved_usd;
    let budget: f64 = loaded.scenario.budget.map_or(f64::INFINITY, |usd| usd.0.try_into().unwrap_or(0.0));
    if cost > budget + 1e-9 {
        return;
    }
    let by_cost = loaded.scenario.objective == Objective::Cost;
    if by_cost && best.is_some_and(|best| cost >= best) {
        return;
    }
    if let Some(finish) = earliest_finish(loaded, chosen, &arrivals) {
        let value = if by_cost { cost } else { finish };
        *best = Some(best.map_or(value, |best| best.min(value)));
    }
}

/// Price of all movements of weights, and for each workload what it waits for with the delay.
#[allow(clippy::type_complexity, reason = "a list of waits for each workload")]
fn weights(loaded: &Loaded, chosen: &[&Way]) -> Option<(f64, Vec<Vec<(usize, f64)>>)> {
    let workloads = &loaded.scenario.workloads;
    let mut usd = 0.0;
    let mut waits = Vec::new();
    for (index, workload) in workloads.values().enumerate() {
        let mut waited: Vec<(usize, f64)> =
            workload.after.iter().filter_map(|name| workloads.get_index_of(name)).map(|before| (before, 0.0)).collect();
        if let Job::Evaluate(evaluation) = &workload.job {
            let trained = workloads.get_index_of(&evaluation.weights_of)?;
            let (from, to) = (&chosen[trained].site, &chosen[index].site);
            let Job::Train(training) = &workloads[trained].job else { return None };
            if from == to {
                waited.push((trained, 0.0));
            } else {
                let bytes = 4 * training.model.parameters().ok()?;
                let (price, seconds) = route(loaded, &training.data, Form::Weights, bytes, from, to)?;
                usd += price;
                waited.push((trained, seconds));
            }
        }
        waits.push(waited);
    }
    Some((usd, waits))
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
            here.map(|(other, _, _)| chosen[*other].nodes).sum::<u32>() + way.nodes <= pool.nodes
        };
        let mut instants: Vec<f64> = runs.iter().map(|run| run.2).filter(|end| *end > start).collect();
        instants.push(start);
        instants.sort_by(f64::total_cmp);
        let fits = |start: f64| {
            let inside = runs.iter().map(|run| run.1).filter(|at| *at > start && *at < start + way.seconds - 1e-7);
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
    let task = Task::of(scenario, name).expect("drafts are complete");
    let data = workload.job.data();
    let dataset = &scenario.datasets[data];
    let (label, training) = match &workload.job {
        Job::Train(_) => (data.to_owned(), true),
        Job::Evaluate(evaluation) => (scenario.workloads[&evaluation.weights_of].job.data().to_owned(), false),
    };
    let mut found = Vec::new();
    for (site, description) in &scenario.sites {
        let weights_ok = may(loaded, &label, Form::Weights, Action::Store, site)
            && (training || may(loaded, &label, Form::Weights, Action::Process, site));
        if !may(loaded, data, Form::Raw, Action::Process, site) || !weights_ok {
            continue;
        }
        for (pool, machines) in &description.pools {
            let Machine::Inline(machine) = &machines.machine else { continue };
            let rates = Rates::DataSheet(DataSheetMachine::inline(machine, None).expect("the peak is given"));
            let strategies: Vec<u32> =
                if training { workload.strategies.data.iter().map(|data| data.get()).collect() } else { vec![1] };
            for ranks in strategies {
                let gradients = may(loaded, &label, Form::Gradients, Action::Process, site);
                if ranks > machines.nodes || (ranks > 1 && !gradients) {
                    continue;
                }
                let strategy = Strategy::data_parallel(ranks).expect("not zero");
                let layout = Layout { nodes: ranks, devices_per_node: 1, ranks_per_node: 1 };
                let predicted = predict(&task, &rates, strategy, layout).expect("batches are divisible");
                let seconds = (predicted.seconds * 1000.0 - 1e-6).ceil() / 1000.0;
                let own = machines.purchase.owned.as_ref().map(|owned| owned.price.0);
                let rented = machines.purchase.on_demand.as_ref().and_then(|offer| offer.price).map(|price| price.0);
                for price in own.into_iter().chain(rented) {
                    let price: f64 = price.try_into().unwrap_or(0.0);
                    let usd = price * f64::from(ranks) * seconds / 3600.0;
                    let earliest = workload.earliest_start.map_or(0.0, Seconds::get);
                    let way = |release: f64, copy| Way {
                        site: site.clone(),
                        pool: pool.clone(),
                        nodes: ranks,
                        seconds,
                        release,
                        usd,
                        copy,
                    };
                    if dataset.at.contains(site) {
                        found.push(way(earliest, None));
                        continue;
                    }
                    for holder in &dataset.at {
                        if let Some((price, time)) = route(loaded, data, Form::Raw, dataset.size.0, holder, site) {
                            found.push(way(earliest.max(time), Some((data.to_owned(), holder.clone(), price))));
                        }
                    }
                }
            }
        }
    }
    found
}

fn may(loaded: &Loaded, dataset: &str, form: Form, action: Action, site: &str) -> bool {
    let label = Label { dataset, class: &loaded.scenario.datasets[dataset].class };
    let place = Place { site, names: &loaded.sites[site].places };
    permit(&loaded.scenario.policies, label, form, action, place).is_ok()
}

/// Direct, or else through the cheapest third site that may pass the data on.
fn route(loaded: &Loaded, label: &str, form: Form, bytes: u64, from: &str, to: &str) -> Option<(f64, f64)> {
    if ![Action::Store, Action::Process].into_iter().all(|action| may(loaded, label, form, action, to)) {
        return None;
    }
    let link =
        |a: &str, b: &str| loaded.scenario.links.iter().find(|link| link.between == [a, b] || link.between == [b, a]);
    let price = |site: &str| {
        let per_gb: f64 = loaded.scenario.sites[site].egress.map_or(0.0, |price| price.0.try_into().unwrap_or(0.0));
        per_gb * bytes as f64 / 1e9
    };
    let time = |rate: f64, delay: f64| ((bytes as f64 * 8.0 / rate + delay) * 1000.0 - 1e-6).ceil() / 1000.0;
    if let Some(direct) = link(from, to) {
        return Some((price(from), time(direct.bandwidth.0, 2.0 * direct.latency.get())));
    }
    let relays = loaded.scenario.sites.keys().filter_map(|relay| {
        let (first, second) = (link(from, relay)?, link(relay, to)?);
        may(loaded, label, form, Action::Transit, relay).then(|| {
            let delay = 2.0 * (first.latency.get() + second.latency.get());
            (price(from) + price(relay), time(first.bandwidth.0.min(second.bandwidth.0), delay))
        })
    });
    relays.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
}
