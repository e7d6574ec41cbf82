//! Verdict: what was decided, at what price, and whether it held.

use std::collections::BTreeSet;

use askama::Template;
use indexmap::IndexMap;
use scenarios::plan::{Plan, SolverStatus, Verdict};
use scenarios::residency::PUBLIC;
use scenarios::run::{Run, RunStatus};

use super::Section;
use crate::error::ReportError;
use crate::evidence::{Evidence, Measurement, is_generated, median_absolute_error, status_word};
use crate::format::{self, duration, list, percent, prose, signed_percent, usd};

#[derive(Template)]
#[template(path = "sections/verdict.html")]
struct Body {
    sentences: Vec<String>,
    outcomes: Vec<String>,
    figures: Vec<KeyFigure>,
    caveats: Vec<String>,
    summary: Vec<String>,
}

struct KeyFigure {
    label: String,
    value: String,
    note: String,
    exact: String,
}

/// The verdict.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let plan = &evidence.plan;
    let sentences = [placement(plan), price(plan), proof(plan), residency(plan)];
    let outcomes = evidence.runs.iter().zip(1..).map(|(named, number)| outcome(evidence, &named.run, number));
    let body = Body {
        sentences: sentences.iter().map(|sentence| prose(sentence)).collect(),
        outcomes: outcomes.map(|outcome| prose(&outcome)).collect(),
        figures: figures(evidence),
        caveats: caveats(evidence).iter().map(|caveat| prose(caveat)).collect(),
        summary: plan.explanation.summary.iter().map(|sentence| prose(sentence)).collect(),
    };
    Section::new("verdict", "Verdict", &body, &[], &[])
}

fn placement(plan: &Plan) -> String {
    let mut by_site: IndexMap<String, Vec<String>> = IndexMap::new();
    for assignment in &plan.assignments {
        by_site.entry(sites(assignment)).or_default().push(format!("`{}`", assignment.workload));
    }
    let parts: Vec<_> = by_site
        .iter()
        .map(|(site, workloads)| match workloads.len() {
            1 => format!("{} runs at {site}", workloads[0]),
            2..=6 => format!("{} run at {site}", list(workloads)),
            n => format!("{n} workloads run at {site}"),
        })
        .collect();
    match parts.as_slice() {
        [] => "The plan has no workloads.".to_owned(),
        _ => format!("{}.", list(&parts)),
    }
}

fn sites(assignment: &scenarios::plan::Assignment) -> String {
    let mut names: Vec<_> = assignment.groups.iter().map(|group| format!("`{}`", group.site)).collect();
    names.dedup();
    list(&names)
}

fn price(plan: &Plan) -> String {
    let budget = plan.scenario.budget_usd.map_or(String::new(), |budget| format!(" of a budget of {}", usd(budget)));
    let (cost, finish) = (usd(plan.totals.cost_usd), duration(plan.totals.finish_seconds));
    format!("The plan costs {cost}{budget} and ends {finish} after its start.")
}

fn proof(plan: &Plan) -> String {
    let solver = &plan.solver;
    let better = if solver.minimizes == "finish_seconds" { "ends earlier" } else { "costs less" };
    match solver.status {
        SolverStatus::Optimal if solver.gap <= 1e-9 => {
            format!("`{}` proved that no plan within the rules {better}.", solver.name)
        }
        SolverStatus::Optimal => {
            format!(
                "`{}` proved that no plan within the rules {better} by more than {}.",
                solver.name,
                percent(solver.gap)
            )
        }
        SolverStatus::Feasible => format!(
            "Optimality is not proven: `{}` stopped with a gap of {}, so a plan that {better} by up to that much may exist.",
            solver.name,
            percent(solver.gap)
        ),
    }
}

fn residency(plan: &Plan) -> String {
    let ruled = unruled(plan).is_empty();
    let moved = match (plan.flows.len(), ruled) {
        (0, _) => "No data moves between sites.".to_owned(),
        (1, true) => "One movement of data between sites is planned, and permitted by the rules.".to_owned(),
        (n, true) => format!("{n} movements of data between sites are planned, each permitted by the rules."),
        (n, false) => format!("{n} movements of data between sites are planned, not all by a named rule."),
    };
    let refusals = plan.residency.refusals.iter();
    let refused: BTreeSet<_> = refusals.map(|refusal| (&refusal.workload, &refusal.site)).collect();
    match refused.len() {
        0 => format!("{moved} Residency rules kept no workload from any site."),
        1 => format!("{moved} Residency rules kept one workload from one site."),
        n => format!("{moved} Residency rules ruled out {n} pairs of a workload and a site."),
    }
}

/// Movements of classified data for which the plan names no rule.
fn unruled(plan: &Plan) -> Vec<String> {
    let public = |label: &String| {
        plan.assignments
            .iter()
            .filter_map(|a| a.data.as_ref())
            .any(|data| data.dataset == *label && data.class == PUBLIC)
    };
    let flows = plan.flows.iter().filter(|flow| flow.rule.is_empty() && !flow.labels.iter().all(public));
    flows.map(|flow| format!("`{}` from `{}` to `{}`", flow.what, flow.from, flow.to)).collect()
}

fn outcome(evidence: &Evidence, run: &Run, number: usize) -> String {
    let mut parts = vec![format!("was {}", status_word(run.status))];
    for workload in &run.workloads {
        if let Some(accuracy) = workload.metrics.get("test_accuracy") {
            parts.push(format!("reached a test accuracy of {} in `{}`", percent(*accuracy), workload.workload));
        }
    }
    let measurements = evidence.measurements();
    for m in measurements.iter().filter(|m| m.run_number == number && m.workload.kind == "train" && m.is_comparable()) {
        let (w, error) = (m.workload, signed_percent(m.error()));
        parts.push(format!(
            "trained `{}` ({}) at {} {} against {} predicted ({error})",
            w.workload,
            w.strategy,
            format::number(w.throughput),
            w.throughput_unit,
            format::number(w.predicted.throughput),
        ));
    }
    format!("Run {number} {}.", list(&parts))
}

fn figures(evidence: &Evidence) -> Vec<KeyFigure> {
    let plan = &evidence.plan;
    let (totals, solver) = (&plan.totals, &plan.solver);
    let mut places: Vec<_> = plan.assignments.iter().flat_map(|a| a.groups.iter().map(|g| g.site.clone())).collect();
    places.sort();
    places.dedup();
    let figure = |label: &str, value: String, note: String, exact: String| KeyFigure {
        label: label.to_owned(),
        value,
        note,
        exact,
    };
    let budget =
        plan.scenario.budget_usd.map_or("no budget set".to_owned(), |budget| format!("budget {}", usd(budget)));
    let status = match solver.status {
        SolverStatus::Optimal => "proven optimal",
        SolverStatus::Feasible => "not proven optimal",
    };
    let refused = plan.explanation.considered.iter().filter(|c| c.verdict == Verdict::Refused).count();
    let mut all = vec![
        figure("Cost", usd(totals.cost_usd), budget, format!("{} USD", totals.cost_usd.normalize())),
        figure(
            "Finish",
            duration(totals.finish_seconds),
            "after the start".to_owned(),
            format!("{} s", format::exact(totals.finish_seconds)),
        ),
        figure("Where", places.join(", "), format!("{} workloads", plan.assignments.len()), String::new()),
        figure(
            "Solver",
            status.to_owned(),
            format!("gap {}, {}", percent(solver.gap), solver.name),
            format::exact(solver.gap),
        ),
        figure(
            "Placements refused",
            format!("{refused} of {}", plan.explanation.considered.len()),
            "by rules, memory, quota or deadline".to_owned(),
            String::new(),
        ),
    ];
    all.extend(accuracy(evidence));
    all.extend(speed(evidence));
    all
}

fn accuracy(evidence: &Evidence) -> Option<KeyFigure> {
    let measurements = evidence.measurements();
    let values: Vec<f64> =
        measurements.iter().filter_map(|m| m.workload.metrics.get("test_accuracy").copied()).collect();
    let low = values.iter().copied().min_by(f64::total_cmp)?;
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    let value = if low < high { format!("{} to {}", percent(low), percent(high)) } else { percent(low) };
    let generated = measurements.iter().any(|m| is_generated(&m.workload.data));
    let note = if generated { "includes generated data" } else { "of the test records" };
    Some(KeyFigure { label: "Test accuracy".to_owned(), value, note: note.to_owned(), exact: format::exact(low) })
}

fn speed(evidence: &Evidence) -> Option<KeyFigure> {
    let measurements: Vec<_> = evidence.measurements().into_iter().filter(Measurement::is_comparable).collect();
    let error = median_absolute_error(&measurements)?;
    let inside = measurements.iter().filter(|m| m.is_inside()).count();
    Some(KeyFigure {
        label: "Throughput, median error".to_owned(),
        value: percent(error),
        note: format!("{inside} of {} within the predicted p10 to p90", measurements.len()),
        exact: format::exact(error),
    })
}

fn caveats(evidence: &Evidence) -> Vec<String> {
    let mut all = Vec::new();
    if evidence.runs.is_empty() {
        all.push("No run was given: every figure here is predicted, none measured.".to_owned());
    }
    for flow in unruled(&evidence.plan) {
        all.push(format!("The plan names no rule that permits the movement of {flow}."));
    }
    for (named, number) in evidence.runs.iter().zip(1..) {
        all.extend(run_caveats(evidence, &named.run, number));
    }
    let not_run: Vec<_> =
        evidence.plan.assignments.iter().map(|a| &a.workload).filter(|name| !was_run(evidence, name)).collect();
    if !evidence.runs.is_empty() && !not_run.is_empty() {
        let names: Vec<_> = not_run.iter().map(|name| format!("`{name}`")).collect();
        all.push(format!("Planned, but in no run: {}.", list(&names)));
    }
    all
}

fn was_run(evidence: &Evidence, workload: &str) -> bool {
    evidence.runs.iter().any(|named| named.run.workloads.iter().any(|w| w.workload == workload))
}

fn run_caveats(evidence: &Evidence, run: &Run, number: usize) -> Vec<String> {
    let mut all = Vec::new();
    if !evidence.is_of_plan(run) {
        all.push(format!(
            "Run {number} applied another plan than this one (scenario `{}`, plan `{}`). \
             It is compared with the predictions of its own plan.",
            run.scenario, run.plan_digest
        ));
    }
    match run.status {
        RunStatus::Completed => {}
        RunStatus::Interrupted => {
            all.push(format!("Run {number} was interrupted; its figures cover what was done until then."));
        }
        RunStatus::Failed => all.push(format!("Run {number} failed; its figures cover what was done until then.")),
    }
    if run.workloads.is_empty() {
        all.push(format!("Run {number} holds no workload."));
    }
    for workload in run.workloads.iter().filter(|workload| is_generated(&workload.data)) {
        all.push(format!(
            "Run {number} used generated data for `{}` ({}), not the data set itself: its accuracy says nothing about real data.",
            workload.workload, workload.data.source
        ));
    }
    all
}
