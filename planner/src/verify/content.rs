//! What a movement has to be, derived from the scenario: why it is made, its form, its labels and its amount.

use std::collections::BTreeSet;

use scenarios::plan::{Flow, Routing};
use scenarios::residency::PUBLIC;
use scenarios::scenario::{Dataset, Form, Job};
use scenarios::strategy::Sync;

use super::subject::{Run, Subject};

/// Bytes of a parameter of a trained network.
const BYTES_PER_PARAMETER: u64 = 4;

/// Bytes of a token of a request or an answer.
const BYTES_PER_TOKEN: f64 = 4.0;

/// Why a movement is made.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// A copy of a data set for a workload that reads it; it is kept.
    Copy(&'a Dataset),
    /// What one workload made and another one reads.
    Product(Run<'a>),
    /// Parameters that the groups of a job average.
    Exchange,
    /// Requests of users and their answers.
    Requests,
}

/// Why a movement is made for a workload; `None` if the workload has no use for it.
pub(super) fn purpose<'a>(subject: &Subject<'a>, flow: &'a Flow, run: &Run<'a>) -> Option<Purpose<'a>> {
    let job = &run.workload.job;
    if flow.what == run.name {
        return (run.sites().len() > 1).then_some(Purpose::Exchange);
    }
    if let (Job::Serve(service), Form::Raw) = (job, flow.form) {
        let asked = |data: Option<&str>| data.unwrap_or(PUBLIC) == flow.what;
        return service.demand.iter().any(|demand| asked(demand.data.as_deref())).then_some(Purpose::Requests);
    }
    let is_weights = flow.form == Form::Weights;
    let read = if is_weights { job.weights_of() } else { job.data() };
    if read != Some(flow.what.as_str()) {
        return None;
    }
    match subject.scenario.datasets.get(&flow.what) {
        Some(dataset) => (is_weights || flow.form == Form::Raw).then_some(Purpose::Copy(dataset)),
        None if is_weights || flow.form == Form::Features => subject.run(&flow.what).map(Purpose::Product),
        None => None,
    }
}

/// Data sets whose rules follow a movement.
pub(super) fn labels<'a>(subject: &Subject<'a>, flow: &Flow, purpose: Purpose<'_>) -> BTreeSet<&'a str> {
    match purpose {
        Purpose::Requests if !subject.scenario.datasets.contains_key(&flow.what) => BTreeSet::new(),
        _ => subject.labels(&flow.what),
    }
}

/// Bytes of a data set that lie at a site: all of it, or the part that is there by its share of the records.
pub(super) fn held_at(dataset: &Dataset, site: &str) -> Option<u64> {
    if dataset.at.iter().any(|at| at == site) {
        return Some(dataset.size.0);
    }
    let mut parts = dataset.parts.iter().filter(|part| part.at == site).peekable();
    parts.peek()?;
    let records: u64 = parts.map(|part| part.records).fold(0, u64::saturating_add);
    let bytes = u128::from(dataset.size.0) * u128::from(records) / u128::from(dataset.records.max(1));
    Some(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// Bytes of what a workload makes in a form.
pub(super) fn product_bytes(job: &Job, form: Form) -> Option<u64> {
    match (form, job) {
        (Form::Features, Job::Preprocess(preparation)) => Some(preparation.output.0),
        (Form::Features, Job::BatchInference(inference)) => inference.output.map(|output| output.0),
        (Form::Weights, Job::Train(training) | Job::FineTune(training)) => {
            training.model.parameters().ok().map(|parameters| parameters.saturating_mul(BYTES_PER_PARAMETER))
        }
        _ => None,
    }
}

/// Bytes that one site may send to another while a job averages its parameters: all of them in every round where they
/// meet at one site, or 2 · (N − 1) ÷ N of them in a ring of N sites; the last round may be left out. Empty for a job
/// that does not average.
pub(super) fn exchanged_bytes(run: &Run<'_>) -> Vec<u64> {
    let Sync::Averaging { every_steps } = run.assignment.strategy.sync else { return Vec::new() };
    let Some(parameters) = product_bytes(&run.workload.job, Form::Weights) else { return Vec::new() };
    let (steps, every) = (run.assignment.steps, u64::from(every_steps.get()));
    let sites = run.sites().len().max(1) as u128;
    let ring = |bytes: u64| u64::try_from(u128::from(bytes) * 2 * (sites - 1) / sites).unwrap_or(u64::MAX);
    let whole = [(steps / every).max(1), steps.div_ceil(every)].map(|rounds| parameters.saturating_mul(rounds));
    whole.into_iter().flat_map(|bytes| [bytes, ring(bytes)]).collect()
}

/// Bytes of the requests on some data that users at one site send to replicas at another one, with the answers.
pub(super) fn requested_bytes(run: &Run<'_>, flow: &Flow) -> f64 {
    let travels = |routing: &&Routing| {
        let group = run.assignment.groups.get(routing.group);
        routing.from.as_ref() == Some(&flow.from)
            && group.is_some_and(|group| group.site == flow.to)
            && routing.data.as_deref().unwrap_or(PUBLIC) == flow.what
    };
    let tokens = |routing: &Routing| f64::from(routing.input) + f64::from(routing.output);
    let routed = run.assignment.routing.iter().filter(travels);
    routed.map(|routing| routing.requests_per_second * tokens(routing)).sum::<f64>() * run.seconds() * BYTES_PER_TOKEN
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn parts_have_their_share_of_the_bytes() {
        let (loaded, _) = fixtures::clinic();
        let check = |dataset: &str, site: &str, expected: Option<u64>| {
            assert_eq!(held_at(&loaded.scenario.datasets[dataset], site), expected, "{dataset} at {site}");
        };
        check("notes", "clinic", Some(200_000_000_000));
        check("notes", "lab", None);
        check("images", "clinic", Some(30_000_000_000));
        check("images", "lab", Some(20_000_000_000));
        check("images", "cloud", None);
    }
}
