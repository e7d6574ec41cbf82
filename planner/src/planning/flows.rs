//! Movements of data that a decision causes.

use scenarios::plan::Flow;

use super::Decision;
use crate::candidates::{Movement, weights_cargo};

/// All movements, by start, then by what moves and who needs it.
pub(super) fn of(decision: &Decision<'_>) -> Vec<Flow> {
    let mut flows = copies(decision);
    flows.extend((0..decision.candidates.workloads.len()).filter_map(|reader| weights(decision, reader)));
    flows.sort_by(|a, b| {
        a.start_seconds.total_cmp(&b.start_seconds).then_with(|| (&a.what, &a.used_by).cmp(&(&b.what, &b.used_by)))
    });
    flows
}

/// Copies of data sets: each made once, from the start of the period, for the workload that reads it first.
fn copies(decision: &Decision<'_>) -> Vec<Flow> {
    let mut readers: Vec<usize> = (0..decision.candidates.workloads.len()).collect();
    readers.sort_by(|a, b| decision.start(*a).total_cmp(&decision.start(*b)).then(a.cmp(b)));
    let mut made = Vec::new();
    let mut flows = Vec::new();
    for job in readers {
        let Some(copy) = decision.column(job).copy.filter(|copy| !made.contains(copy)) else { continue };
        made.push(copy);
        let workload = &decision.candidates.workloads[job].workload;
        flows.push(flow(decision, &decision.candidates.copies[copy], workload, 0.0));
    }
    flows
}

/// Weights that leave the site where they were trained.
fn weights(decision: &Decision<'_>, reader: usize) -> Option<Flow> {
    let scenario = &decision.world.loaded.scenario;
    let cargo = weights_cargo(scenario, reader)?;
    let trained = scenario.workloads.get_index_of(&cargo.what)?;
    let (from, to) = (decision.column(trained).place.site, decision.column(reader).place.site);
    if from == to {
        return None;
    }
    let movement = decision.network.movement(&cargo, from, to).ok()?;
    Some(flow(decision, &movement, &decision.candidates.workloads[reader].workload, decision.end(trained)))
}

fn flow(decision: &Decision<'_>, movement: &Movement, used_by: &str, start_seconds: f64) -> Flow {
    let site = |site: usize| decision.world.site_name(site).to_owned();
    Flow {
        what: movement.what.clone(),
        used_by: used_by.to_owned(),
        form: movement.form,
        labels: movement.labels.clone(),
        from: site(movement.from),
        to: site(movement.to),
        via: movement.via.iter().map(|via| site(*via)).collect(),
        bytes: movement.bytes,
        start_seconds,
        end_seconds: ((start_seconds + movement.seconds) * 1000.0).round() / 1000.0,
        cost_usd: movement.usd.normalize(),
        rule: movement.permitted_by.clone(),
    }
}
