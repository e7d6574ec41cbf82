//! Jobs, their data and their place in time.

use super::{Check, demand, inference, measured, strategies, training};
use crate::scenario::{Job, Workload};
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>) {
    let (scenario, workloads) = (check.scenario, check.root.key("workloads"));
    let machines = measured::machines(scenario);
    for (name, workload) in &scenario.workloads {
        let at = workloads.key(name);
        for (index, site) in workload.sites.iter().enumerate() {
            check.expect_key("site", site, &at.key("sites").item(index), &scenario.sites);
        }
        times(check, workload, &at);
        let job = at.key("job").key(workload.job.kind());
        // A job of an unknown kind was told, and stands here as another one.
        if !job.is_stated() {
            continue;
        }
        if let Some(data) = workload.job.data() {
            expect_data(check, data, &job.key("data"));
        }
        match &workload.job {
            Job::Train(it) | Job::FineTune(it) => training::check(check, workload, it, &job),
            Job::Preprocess(it) => inference::prepare(check, it, &job),
            Job::Evaluate(it) => inference::evaluate(check, it, &job),
            Job::BatchInference(it) => inference::apply(check, it, &job),
            Job::Serve(it) => demand::check(check, it, &job),
        }
        strategies::check(check, workload, &at.key("strategies"));
        measured::check(check, workload, &machines, &at.key("measured"));
    }
}

/// Checks the name of a data set, or of a preparation that makes one.
fn expect_data(check: &mut Check<'_>, data: &str, at: &Located<'_>) {
    let scenario = check.scenario;
    match scenario.workloads.get(data).map(|workload| &workload.job) {
        Some(Job::Preprocess(_)) => {}
        Some(job) if !scenario.datasets.contains_key(data) => {
            let message = format!("`{data}` makes no data: its job is `{}`", job.kind());
            check.wrong(at, message, "not a data set", "name a data set, or a workload whose job is `preprocess`");
        }
        _ => {
            if !scenario.datasets.contains_key(data) {
                let prepared = scenario.workloads.iter().filter(|(_, other)| matches!(other.job, Job::Preprocess(_)));
                let known = scenario.datasets.keys().chain(prepared.map(|(name, _)| name));
                check.expect_known("dataset", data, at, known.map(String::as_str));
            }
        }
    }
}

/// Records of a data set, or of what a preparation makes; `None` where that is not known.
pub(super) fn records_of(check: &Check<'_>, data: &str) -> Option<u64> {
    let scenario = check.scenario;
    let mut name = data;
    // Preparations that read each other in a circle are told elsewhere.
    for _ in 0..=scenario.workloads.len() {
        if let Some(dataset) = scenario.datasets.get(name) {
            return Some(dataset.records).filter(|records| *records > 0);
        }
        let Job::Preprocess(preparation) = &scenario.workloads.get(name)?.job else { return None };
        if let Some(records) = preparation.records {
            return Some(records).filter(|records| *records > 0);
        }
        name = &preparation.data;
    }
    None
}

fn times(check: &mut Check<'_>, workload: &Workload, at: &Located<'_>) {
    let horizon = check.scenario.horizon;
    let until = if check.is_sound(&check.root.key("horizon")) { horizon.get() } else { f64::INFINITY };
    let start = workload.earliest_start.unwrap_or_default();
    if start.get() >= until {
        let message = format!("it starts after the end of the period ({})", horizon.rounded());
        check.wrong(&at.key("earliest_start"), message, "too late", "start earlier, or widen `horizon`");
    }
    let Some(deadline) = workload.deadline else { return };
    if deadline.get() > until {
        let message = format!("the deadline is after the end of the period ({})", horizon.rounded());
        check.wrong(&at.key("deadline"), message, "too late", "set it earlier, or widen `horizon`");
    }
    if deadline <= start {
        let message = "the deadline is not after the earliest start";
        check.wrong(&at.key("deadline"), message, "no time is left", format!("set it after {}", start.rounded()));
    }
}
