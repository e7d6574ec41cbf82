//! Every workload is in the plan once, as the scenario describes it, with all its work.

use std::collections::BTreeMap;

use scenarios::model::Model;
use scenarios::plan::SourceData;
use scenarios::scenario::{Job, Scenario, Training};
use scenarios::units::Seconds;

use super::subject::{Run, Subject};
use super::{Check, Verification};

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for assignment in &subject.plan.assignments {
        *times.entry(&assignment.workload).or_default() += 1;
        let known = subject.scenario.workloads.contains_key(&assignment.workload);
        found.expect(known, Check::Workloads, || format!("`{}` is not in the scenario", assignment.workload));
    }
    for name in subject.scenario.workloads.keys() {
        let count = times.get(name.as_str()).copied().unwrap_or(0);
        found.expect(count == 1, Check::Workloads, || format!("`{name}` is {count} times in the plan"));
    }
    for run in &subject.runs {
        unchanged(subject, run, found);
        work(subject.scenario, run, found);
    }
}

fn unchanged(subject: &Subject<'_>, run: &Run<'_>, found: &mut Verification) {
    let (assignment, workload, name) = (run.assignment, run.workload, run.name);
    let same = assignment.job == workload.job && assignment.after == workload.after;
    found.expect(same, Check::Workloads, || format!("`{name}` is not what the scenario describes"));
    let deadline = assignment.deadline_seconds == workload.deadline.map(Seconds::get);
    found.expect(deadline, Check::Workloads, || format!("`{name}` has another deadline than the scenario's"));
    let read = match (&assignment.data, workload.job.data()) {
        (None, None) => true,
        (Some(stated), Some(data)) => stated.dataset == data && is_described(stated, subject),
        _ => false,
    };
    found.expect(read, Check::Workloads, || format!("the data that `{name}` reads is not what the scenario describes"));
}

/// Whether what is read has the class, records and files of the scenario's data set; or of what a preparation makes the
/// class of something that it derives from, and its records, as far as they are stated.
fn is_described(stated: &SourceData, subject: &Subject<'_>) -> bool {
    if let Some(data) = subject.scenario.datasets.get(&stated.dataset) {
        let same = stated.class == data.class && stated.records == data.records && stated.parts == data.parts;
        return same && stated.files == data.files;
    }
    let labels = subject.labels(&stated.dataset);
    let mut classes = labels.iter().filter_map(|label| subject.scenario.datasets.get(*label)).map(|data| &data.class);
    let records = records(subject.scenario, &stated.dataset);
    (stated.class.is_empty() || classes.any(|class| *class == stated.class))
        && (stated.records == 0 || Some(stated.records) == records)
        && stated.files.is_none()
}

/// The steps are those of the work that the scenario asks for.
fn work(scenario: &Scenario, run: &Run<'_>, found: &mut Verification) {
    let steps = run.assignment.steps;
    let replicas = u64::from(run.assignment.strategy.data.get());
    let expected = match &run.workload.job {
        Job::Train(training) | Job::FineTune(training) => training_steps(scenario, training),
        Job::Preprocess(preparation) => preparation.records.or_else(|| records(scenario, &preparation.data)),
        Job::Evaluate(evaluation) => Some(passes(evaluation.records, evaluation.batch.get(), replicas)),
        Job::BatchInference(inference) => {
            let records = inference.records.or_else(|| records(scenario, &inference.data));
            records.map(|records| passes(records, inference.batch.get(), replicas))
        }
        Job::Serve(_) => Some(0),
    };
    let Some(expected) = expected else { return };
    found.expect(steps == expected, Check::Workloads, || {
        format!("`{}` takes {steps} steps, and its work is {expected}", run.name)
    });
}

/// Forward passes over records, each of one batch on every replica.
fn passes(records: u64, batch: usize, replicas: u64) -> u64 {
    records.div_ceil((batch as u64).saturating_mul(replicas).max(1))
}

/// Optimiser steps: whole batches of each pass over what is not held back, or as many as give the samples or tokens.
fn training_steps(scenario: &Scenario, training: &Training) -> Option<u64> {
    let batch = training.global_batch.get() as u64;
    if let Some(samples) = training.samples {
        return Some(samples.div_ceil(batch));
    }
    if let Some(tokens) = training.tokens {
        return Some(tokens.div_ceil(sequence(&training.model)?.max(1)).div_ceil(batch));
    }
    let all = records(scenario, &training.data)?;
    let share = |share: f64| (all as f64 * share).round() as u64;
    let split = training.preprocessing.split;
    let learned = all.saturating_sub(share(split.validation).saturating_add(share(split.test)));
    Some((learned / batch).saturating_mul(u64::from(training.passes().get())))
}

/// Records of a data set, or of what a preparation makes of one.
fn records(scenario: &Scenario, data: &str) -> Option<u64> {
    if let Some(dataset) = scenario.datasets.get(data) {
        return Some(dataset.records);
    }
    match &scenario.workloads.get(data)?.job {
        Job::Preprocess(preparation) => {
            preparation.records.or_else(|| scenario.datasets.get(&preparation.data).map(|data| data.records))
        }
        _ => None,
    }
}

/// Tokens of a record, for networks that have a sequence.
fn sequence(model: &Model) -> Option<u64> {
    match model.resolved().ok()? {
        Model::Transformer(transformer) => Some(transformer.sequence.get() as u64),
        Model::Rnn(network) => {
            let given = network.decoder.map_or(0, |decoder| decoder.sequence.get());
            Some((network.sequence.get() + given) as u64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Check::Workloads;
    use super::super::fixtures::{assignment, check, cover};

    #[test]
    fn workloads_are_those_of_the_scenario() {
        cover("a stranger", |plan| plan.assignments[0].workload = "other".to_owned(), &[Workloads]);
        check("work left out", |plan| plan.assignments[0].steps -= 1, &[Workloads]);
        check("another order", |plan| assignment(plan, "train").after.clear(), &[Workloads]);
        check("no deadline", |plan| assignment(plan, "train").deadline_seconds = None, &[Workloads]);
        check("fewer records", |plan| fixture_data(plan).records -= 1, &[Workloads]);
        let part = || scenarios::scenario::Part { at: "here".to_owned(), records: 1 };
        check("other parts", |plan| fixture_data(plan).parts.push(part()), &[Workloads]);
        check("another class", |plan| fixture_data(plan).class = "public".to_owned(), &[Workloads]);
        check("a service with steps", |plan| assignment(plan, "chat").steps = 1, &[Workloads]);
    }

    fn fixture_data(plan: &mut scenarios::plan::Plan) -> &mut scenarios::plan::SourceData {
        plan.assignments[0].data.as_mut().expect("it reads data")
    }
}
