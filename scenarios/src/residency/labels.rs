//! Which data sets' rules follow what a workload makes.

use std::collections::BTreeSet;

use crate::scenario::Scenario;

/// Names of the data sets whose labels all that a workload derives carries: what it reads itself, and what the makers
/// of its weights and features read.
#[must_use]
pub fn labels<'a>(scenario: &'a Scenario, workload: &'a str) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    let mut waiting = vec![workload];
    while let Some(name) = waiting.pop() {
        if !seen.insert(name) {
            continue;
        }
        if let Some((_, workload)) = scenario.workloads.get_key_value(name) {
            waiting.extend(workload.job.data());
            waiting.extend(workload.job.weights_of());
            waiting.extend(workload.job.requested());
        } else if let Some((dataset, _)) = scenario.datasets.get_key_value(name) {
            found.insert(dataset.as_str());
        }
    }
    found.into_iter().collect()
}
