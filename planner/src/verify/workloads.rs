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
        (Some(stated), Some(data)) => stated.dataset == data && is_described(stated, subject.scenario),
        _ => false,
    };
    found.expect(read, Check::Workloads, || format!("the data that `{name}` reads is not what the scenario describes"));
}

/// Whether a data set has the class, records and files of the scenario's.
fn is_described(stated: &SourceData, scenario: &Scenario) -> bool {
    scenario
        .datasets
        .get(&stated.dataset)
        .is_none_or(|data| stated.class == data.class && stated.records == data.records && stated.files == data.files)
}

/// The steps are those of the work that the scenario asks for.
fn work(scenario: &Scenario, run: &Run<'_>, found: &mut Verification) {
    let steps = run.assignment.steps;
    let ranks = u64::from(run.assignment.strategy.ranks());
    let expected = match &run.workload.job {
        Job::Train(training) | Job::FineTune(training) => training_steps(scenario, training),
        Job::Preprocess(preparation) => {
            preparation.records.or_else(|| records(scenario, &preparation.data)).map(exactly)
        }
        Job::Evaluate(evaluation) => Some(exactly(passes(evaluation.records, evaluation.batch.get(), ranks))),
        // A decoder makes more than one pass for each batch.
        Job::BatchInference(inference) => inference
            .records
            .or_else(|| records(scenario, &inference.data))
            .map(|records| (passes(records, inference.batch.get(), ranks), u64::MAX)),
        Job::Serve(_) => Some(exactly(0)),
    };
    let Some((least, most)) = expected else { return };
    found.expect((least..=most).contains(&steps), Check::Workloads, || {
        format!("`{}` takes {steps} steps, and its work is {least}", run.name)
    });
}

const fn exactly(steps: u64) -> (u64, u64) {
    (steps, steps)
}

/// Forward passes over records, each of one batch on every rank.
fn passes(records: u64, batch: usize, ranks: u64) -> u64 {
    records.div_ceil((batch as u64).saturating_mul(ranks).max(1))
}

/// Least and most optimiser steps: whole batches of each pass over what is not held back; of a number of samples or
/// tokens the last batch may be left out.
fn training_steps(scenario: &Scenario, training: &Training) -> Option<(u64, u64)> {
    let batch = training.global_batch.get() as u64;
    if let Some(samples) = training.samples {
        return Some((samples / batch, samples.div_ceil(batch)));
    }
    if let Some(tokens) = training.tokens {
        let per_step = batch.saturating_mul(sequence(&training.model)?).max(1);
        return Some((tokens / per_step, tokens.div_ceil(per_step)));
    }
    let all = records(scenario, &training.data)?;
    let share = |share: f64| (all as f64 * share).round() as u64;
    let split = training.preprocessing.split;
    let learned = all.saturating_sub(share(split.validation).saturating_add(share(split.test)));
    Some(exactly((learned / batch).saturating_mul(u64::from(training.passes().get()))))
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
        Model::Rnn(network) => Some(network.sequence.get() as u64),
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
        check("another class", |plan| fixture_data(plan).class = "public".to_owned(), &[Workloads]);
        check("a service with steps", |plan| assignment(plan, "chat").steps = 1, &[Workloads]);
    }

    fn fixture_data(plan: &mut scenarios::plan::Plan) -> &mut scenarios::plan::SourceData {
        plan.assignments[0].data.as_mut().expect("it reads data")
    }
}
