//! Every pool, number of nodes, price and copy of the data with which a job may run.

use scenarios::scenario::{Action, Form, Job, Loaded, Workload};
use scenarios::units::Seconds;

use super::Way;
use super::route::{may, routes};

/// Every way to run a job.
pub(super) fn ways(loaded: &Loaded, name: &str) -> Vec<Way> {
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
