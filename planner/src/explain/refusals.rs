//! What residency rules refused.

use scenarios::plan::Refusal;

use crate::candidates::{Product, Reason};
use crate::planning::Decision;

/// Refusals of placements and movements, sorted, each once.
pub(super) fn of(decision: &Decision<'_>) -> Vec<Refusal> {
    let mut list = Vec::new();
    for workload in &decision.candidates.workloads {
        list.extend(workload.refused.iter().filter_map(|refused| refusal(&workload.workload, &refused.reason)));
    }
    for product in decision.network.products() {
        list.extend(movements(decision, product));
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

/// Products that may not move from where they are made to where they could be read.
fn movements(decision: &Decision<'_>, product: &Product) -> Vec<Refusal> {
    let from = decision.column(product.maker).site();
    let reader = &decision.candidates.workloads[product.reader];
    let sites = reader.sites().into_iter().filter(|site| *site != from);
    let refused = sites.filter_map(|site| {
        let reason = decision.network.movements(&product.cargo, from, site).err()?;
        refusal(&reader.workload, &reason)
    });
    refused.collect()
}
