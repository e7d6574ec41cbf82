//! The plan in a few sentences.

use std::collections::{BTreeMap, BTreeSet};

use scenarios::plan::{Assignment, Plan, SolverStatus};
use scenarios::scenario::Form;
use scenarios::units::Seconds;

use super::considered::MOST_LISTED;
use crate::candidates::{Refused, WorkloadCandidates, permitting};
use crate::planning::Decision;

/// Sentences: the verdict, then each workload with what decided.
pub(super) fn of(decision: &Decision<'_>, plan: &Plan) -> Vec<String> {
    let mut sentences = vec![verdict(plan)];
    for assignment in &plan.assignments {
        let names = &decision.world.loaded.scenario.workloads;
        let Some(job) = names.get_index_of(&assignment.workload) else { continue };
        let workload = &decision.candidates.workloads[job];
        sentences.push(placement(assignment));
        sentences.extend(permission(decision, job));
        sentences.extend(residency(decision, workload));
        sentences.extend(price_of_rules(decision, job, workload));
        sentences.extend(assignment.runner_up.as_ref().map(|other| {
            format!("The best other place for `{}`, {}, {}.", assignment.workload, other.placement, other.reason)
        }));
        sentences.extend(risk(assignment));
        sentences.extend(left_out(workload));
    }
    sentences.extend(flows(plan));
    sentences
}

/// Where everything runs, what it costs and when it ends.
fn verdict(plan: &Plan) -> String {
    let sites: BTreeSet<_> =
        plan.assignments.iter().flat_map(|assignment| &assignment.groups).map(|group| &group.site).collect();
    let sites: Vec<_> = sites.into_iter().map(|site| format!("`{site}`")).collect();
    let proof = match plan.solver.status {
        SolverStatus::Optimal if plan.solver.gap > 0.0 => {
            format!("no plan is better by more than {:.3} %", plan.solver.gap * 100.0)
        }
        SolverStatus::Optimal => "proven optimal".to_owned(),
        SolverStatus::Feasible => format!("not proven optimal, gap {:.3} %", plan.solver.gap * 100.0),
    };
    format!(
        "{} workload(s) run at {} for {} USD and end after {}; {proof}.",
        plan.assignments.len(),
        sites.join(", "),
        plan.totals.cost_usd,
        Seconds::new(plan.totals.finish_seconds).rounded()
    )
}

fn placement(assignment: &Assignment) -> String {
    let groups: Vec<_> = assignment
        .groups
        .iter()
        .map(|group| {
            format!("{} × {} in `{}` of `{}` ({})", group.nodes, group.machine, group.pool, group.site, group.purchase)
        })
        .collect();
    format!(
        "`{}` runs on {} with {}: {} for {} USD, {:.0} {} predicted by {}.",
        assignment.workload,
        groups.join(", "),
        assignment.strategy,
        Seconds::new(assignment.end_seconds - assignment.start_seconds).rounded(),
        assignment.cost_usd,
        assignment.predicted.throughput,
        assignment.predicted.throughput_unit,
        assignment.predicted.basis
    )
}

/// The rule that lets the data be processed where it is.
fn permission(decision: &Decision<'_>, job: usize) -> Option<String> {
    let (name, workload) = decision.world.loaded.scenario.workloads.get_index(job)?;
    let site = decision.sites(job).into_iter().next()?;
    let by = permitting(&decision.world, name, workload, site).into_iter().next()?;
    let reason = decision.world.loaded.scenario.policies.get(&by.rule).and_then(|rule| rule.reason.as_ref());
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    Some(format!("Rule `{}` allows `{name}` to process raw `{}` at `{}`{reason}.", by.rule, by.label, by.site))
}

/// Sites that residency rules out, by reason.
fn residency(decision: &Decision<'_>, workload: &WorkloadCandidates) -> Option<String> {
    let mut reasons: BTreeMap<usize, String> = BTreeMap::new();
    for refused in workload.refused.iter().filter(|refused| refused.reason.denied().is_some()) {
        reasons.entry(refused.place.site).or_insert_with(|| refused.reason.to_string());
    }
    if reasons.is_empty() {
        return None;
    }
    let decided = match workload.sites()[..] {
        [only] => format!("Residency leaves only `{}`", decision.world.site_name(only)),
        _ => format!("Residency rules out {} site(s)", reasons.len()),
    };
    let shown: Vec<_> = reasons.into_values().take(3).collect();
    Some(format!("{decided} for `{}`: {}.", workload.workload, shown.join("; ")))
}

/// What the cheapest and the fastest place cost that a rule refused.
fn price_of_rules(decision: &Decision<'_>, job: usize, workload: &WorkloadCandidates) -> Vec<String> {
    if decision.service(job).is_some() {
        return Vec::new();
    }
    let chosen = decision.column(job);
    let denied = || workload.refused.iter().filter(|refused| refused.reason.denied().is_some());
    let described = |refused: &Refused| {
        let column = refused.column.as_deref()?;
        let world = &decision.world;
        Some(format!(
            "{} at `{}` with {}: {} for {} USD without moving data",
            world.machine_name(refused.place),
            world.site_name(refused.place.site),
            refused.strategy,
            Seconds::new(column.seconds).rounded(),
            column.compute_usd.normalize()
        ))
    };
    let cheapest = denied()
        .filter(|refused| refused.column.as_ref().is_some_and(|column| column.compute_usd < chosen.compute_usd))
        .min_by_key(|refused| refused.column.as_ref().map(|column| column.compute_usd));
    let seconds = |refused: &Refused| refused.column.as_ref().map_or(f64::INFINITY, |column| column.seconds);
    let fastest =
        denied().filter(|refused| seconds(refused) < chosen.seconds).min_by(|a, b| seconds(a).total_cmp(&seconds(b)));
    let name = &workload.workload;
    let sentence = |kind: &str, refused: Option<&Refused>| {
        Some(format!("The {kind} place that the rules refuse for `{name}` is {}.", described(refused?)?))
    };
    [sentence("cheapest", cheapest), sentence("fastest", fastest)].into_iter().flatten().collect()
}

/// A deadline that holds at the median only.
fn risk(assignment: &Assignment) -> Option<String> {
    let deadline = assignment.deadline_seconds?;
    let step = assignment.predicted.step_seconds;
    let slow = assignment.start_seconds + step.p90 * assignment.steps as f64;
    (slow > deadline).then(|| {
        format!(
            "`{}` meets its deadline at the median; at the ninetieth percentile of its step time it would end after {} instead of {}.",
            assignment.workload,
            Seconds::new(slow).rounded(),
            Seconds::new(deadline).rounded()
        )
    })
}

fn left_out(workload: &WorkloadCandidates) -> Option<String> {
    let all = workload.columns.len() + workload.dominated.len() + workload.refused.len();
    (all > MOST_LISTED).then(|| {
        let name = &workload.workload;
        format!("{all} placements of `{name}` were considered; the plan lists {MOST_LISTED} of them.")
    })
}

fn flows(plan: &Plan) -> Vec<String> {
    let sentence = |flow: &scenarios::plan::Flow| {
        let rules: BTreeSet<_> = flow.rule.iter().map(|by| format!("`{}`", by.rule)).collect();
        let permitted = match rules.into_iter().collect::<Vec<_>>() {
            rules if rules.is_empty() => "public data".to_owned(),
            rules => format!("permitted by {}", rules.join(", ")),
        };
        format!(
            "{} `{}` moves from `{}` to `{}` for `{}` ({}, {} USD, {permitted}).",
            match flow.form {
                Form::Raw => "A copy of".to_owned(),
                Form::Weights | Form::Features => "The product of".to_owned(),
                other => format!("Of the {other} of"),
            },
            flow.what,
            flow.from,
            flow.to,
            flow.used_by,
            scenarios::units::Bytes(flow.bytes).rounded(),
            flow.cost_usd + flow.storage_usd
        )
    };
    plan.flows.iter().map(sentence).collect()
}
