//! What residency rules refused.

use scenarios::plan::Refusal;

use crate::candidates::{Reason, weights_cargo};
use crate::planning::Decision;

/// Refusals of placements and movements, sorted, each once.
pub(super) fn of(decision: &Decision<'_>) -> Vec<Refusal> {
    let mut list = Vec::new();
    for workload in &decision.candidates.workloads {
        list.extend(workload.refused.iter().filter_map(|refused| refusal(&workload.workload, &refused.reason)));
    }
    for reader in 0..decision.candidates.workloads.len() {
        list.extend(movements(decision, reader));
    }
    list.sort();
    list.dedup();
    list
}

fn refusal(workload: &str, reason: &Reason) -> Option<Refusal> {
    let (label, form, action, site, rule) = reason.denied()?;
    Some(Refusal {
        workload: workload.to_owned(),
        label: label.to_owned(),
        form,
        action,
        site: site.to_owned(),
        rule: rule.map(str::to_owned),
        reason: reason.to_string(),
    })
}

/// Weights that may not move from where they are trained to where the evaluation could run.
fn movements(decision: &Decision<'_>, reader: usize) -> Vec<Refusal> {
    let scenario = &decision.world.loaded.scenario;
    let Some(cargo) = weights_cargo(scenario, reader) else { return Vec::new() };
    let Some(trained) = scenario.workloads.get_index_of(&cargo.what) else { return Vec::new() };
    let workload = &decision.candidates.workloads[reader];
    let from = decision.column(trained).place.site;
    let mut sites: Vec<usize> = workload.columns.iter().map(|column| column.place.site).collect();
    sites.sort_unstable();
    sites.dedup();
    let refused = sites.into_iter().filter(|site| *site != from).filter_map(|site| {
        let reason = decision.network.movement(&cargo, from, site).err()?;
        refusal(&workload.workload, &reason)
    });
    refused.collect()
}
