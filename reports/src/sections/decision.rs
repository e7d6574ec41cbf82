//! Decision: the chosen placement of each workload beside the best one that was not chosen.

use askama::Template;
use scenarios::plan::{Assignment, Plan, RunnerUp};

use super::Section;
use crate::error::ReportError;
use crate::format::{count, duration, list, number, usd, with_unit};
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/decision.html")]
struct Body<'a> {
    decision: &'a Table,
    predictions: &'a Table,
}

/// The decision table.
pub(super) fn section(plan: &Plan) -> Result<Section, ReportError> {
    let (decision, predictions) = (decision(plan), predictions(plan));
    let body = Body { decision: &decision, predictions: &predictions };
    Section::new("decision", "Decision", &body, &[], &[&decision, &predictions])
}

fn decision(plan: &Plan) -> Table {
    let columns = [
        ("Workload", "workload"),
        ("", "kind"),
        ("Site", "site"),
        ("Machines and strategy", "machines"),
        ("", "strategy"),
        ("", "ranks"),
        ("Purchase", "purchase"),
        ("", "price"),
        ("Start to end", "start_seconds"),
        ("", "end_seconds"),
        ("", "deadline_seconds"),
        ("Step time", "step_seconds_p50"),
        ("", "step_seconds_p10"),
        ("", "step_seconds_p90"),
        ("Memory per device", "memory_bytes_per_device"),
        ("Cost", "cost_usd"),
        ("Runner-up and why it lost", "runner_up"),
        ("", "runner_up_cost_usd"),
        ("", "runner_up_seconds"),
        ("", "runner_up_reason"),
    ];
    let mut table = Table::new("tables/decision", "Chosen placement of each workload", &columns);
    for assignment in &plan.assignments {
        table.row(row(plan, assignment));
    }
    table
}

fn row(plan: &Plan, a: &Assignment) -> [Cell; 20] {
    let step = a.predicted.step_seconds;
    let deadline = a.deadline_seconds.map_or(String::new(), |seconds| format!("deadline {}", duration(seconds)));
    let period = format!("{} to {}", duration(a.start_seconds), duration(a.end_seconds));
    let runner = a.runner_up.as_ref();
    [
        Cell::name(&a.workload).with_note(a.job.kind()),
        Cell::text(a.job.kind()),
        each(a, |g| g.site.clone()).with_note(&where_is(plan, a)),
        each(a, |g| format!("{} × {}", g.nodes, g.machine)).with_note(&format!("{}: {}", a.strategy, ranks(a))),
        Cell::text(a.strategy.to_string()),
        Cell::text(ranks(a)),
        each(a, |g| g.purchase.to_string()).with_note(&price(a)),
        Cell::text(price(a).replace('\u{a0}', " ")),
        Cell::duration(a.start_seconds).shown_as(&period).with_note(&deadline).with_class("period"),
        Cell::duration(a.end_seconds),
        Cell::or_none(a.deadline_seconds, Cell::duration),
        Cell::durations(step),
        Cell::duration(step.p10),
        Cell::duration(step.p90),
        Cell::bytes(a.predicted.memory_bytes_per_device),
        Cell::usd(a.cost_usd),
        runner.map_or_else(|| Cell::text("none: no other placement was possible"), lost),
        Cell::or_none(runner, |r| Cell::usd(r.cost_usd)),
        Cell::or_none(runner, |r| Cell::duration(r.seconds)),
        Cell::or_none(runner, |r| Cell::text(&r.reason)),
    ]
}

fn each(assignment: &Assignment, show: impl Fn(&scenarios::plan::Group) -> String) -> Cell {
    let mut parts: Vec<_> = assignment.groups.iter().map(show).collect();
    parts.dedup();
    Cell::name(list(&parts))
}

fn where_is(plan: &Plan, assignment: &Assignment) -> String {
    let site = assignment.groups.first().and_then(|group| plan.sites.get(&group.site));
    site.map_or(String::new(), |site| {
        let parts = [&site.provider, &site.region, &site.country];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
    })
}

fn ranks(assignment: &Assignment) -> String {
    let ranks: u32 = assignment.groups.iter().map(|g| g.nodes * g.ranks_per_node).sum();
    let devices: u32 = assignment.groups.iter().map(|g| g.nodes * g.devices_per_node).sum();
    let of = |n: u32, word: &str| if n == 1 { format!("1 {word}") } else { format!("{} {word}s", count(n.into())) };
    format!("{} on {}", of(ranks, "rank"), of(devices, "device"))
}

fn price(assignment: &Assignment) -> String {
    let prices: Vec<_> =
        assignment.groups.iter().map(|g| format!("{} per node-hour", usd(g.usd_per_node_hour))).collect();
    list(&prices)
}

fn lost(runner_up: &RunnerUp) -> Cell {
    let note = format!("{}, {}. {}", usd(runner_up.cost_usd), duration(runner_up.seconds), runner_up.reason);
    Cell::text(&runner_up.placement).with_note(&note).with_class("wide")
}

fn predictions(plan: &Plan) -> Table {
    let columns = [
        ("Workload", "workload"),
        ("Steps", "steps"),
        ("Step p10", "step_seconds_p10"),
        ("Step p50", "step_seconds_p50"),
        ("Step p90", "step_seconds_p90"),
        ("Throughput", "throughput"),
        ("", "throughput_unit"),
        ("Memory per device", "memory_bytes_per_device"),
        ("Rests on", "basis"),
    ];
    let mut table = Table::new("tables/predictions", "What the performance model predicts", &columns);
    for a in &plan.assignments {
        let (p, step) = (&a.predicted, a.predicted.step_seconds);
        let rate = with_unit(&number(p.throughput), &p.throughput_unit);
        table.row([
            Cell::name(&a.workload),
            Cell::count(a.steps),
            Cell::duration(step.p10),
            Cell::duration(step.p50),
            Cell::duration(step.p90),
            Cell::number(p.throughput, &p.throughput_unit).shown_as(&rate),
            Cell::text(&p.throughput_unit),
            Cell::bytes(p.memory_bytes_per_device),
            Cell::text(&p.basis),
        ]);
    }
    table
}
