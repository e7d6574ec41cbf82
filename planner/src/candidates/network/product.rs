//! What one workload makes and another one reads.

use scenarios::residency::labels;
use scenarios::scenario::{Form, Job, Scenario};

use super::Cargo;

/// A product that a workload reads, by the positions of both workloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The workload that makes it.
    pub maker: usize,
    /// The workload that reads it.
    pub reader: usize,
    /// What moves.
    pub cargo: Cargo,
}

/// Everything that workloads make for each other: weights and features.
pub(super) fn all(scenario: &Scenario) -> Vec<Product> {
    let mut found = Vec::new();
    for (reader, (name, workload)) in scenario.workloads.iter().enumerate() {
        let weights = workload.job.weights_of().map(|of| (of, Form::Weights));
        let features = workload.job.data().map(|of| (of, Form::Features));
        for (of, form) in weights.into_iter().chain(features) {
            let Some((maker, what, made)) = scenario.workloads.get_full(of) else { continue };
            let Some(bytes) = size(&made.job, form) else { continue };
            let labels = labels(scenario, what).into_iter().map(str::to_owned).collect();
            let cargo = Cargo { what: what.clone(), used_by: name.clone(), form, labels, bytes, kept: false };
            found.push(Product { maker, reader, cargo });
        }
    }
    found
}

/// Bytes of what a job makes in a form: 4 for each parameter of weights.
fn size(job: &Job, form: Form) -> Option<u64> {
    match (form, job) {
        (Form::Features, Job::Preprocess(preparation)) => Some(preparation.output.0),
        (Form::Weights, Job::Train(training) | Job::FineTune(training)) => {
            training.model.parameters().ok().map(|parameters| parameters.saturating_mul(4))
        }
        _ => None,
    }
}
