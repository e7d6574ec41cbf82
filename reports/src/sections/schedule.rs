//! Plan over time.

use askama::Template;
use scenarios::plan::Plan;

use super::Section;
use crate::charts::{Bar, BarKind, Caption, Chart, schedule};
use crate::error::ReportError;
use crate::format::{count, duration};
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/charts.html")]
struct Body<'a> {
    intro: &'static str,
    charts: &'a [Chart],
    empty: &'static str,
}

/// The plan over time.
pub(super) fn section(plan: &Plan) -> Result<Section, ReportError> {
    let bars = bars(plan);
    let caption = Caption { name: "schedule", title: "Plan over time", finding: &finding(plan, &bars) };
    let charts = if bars.is_empty() { vec![] } else { vec![schedule(caption, table(&bars), &bars)?] };
    let body = Body {
        intro: "Durations are predicted medians. A thick black line across a row is the deadline of its workload.",
        charts: &charts,
        empty: "The plan has no workloads.",
    };
    Section::new("schedule", "Plan over time", &body, &charts, &[])
}

fn bars(plan: &Plan) -> Vec<Bar> {
    let workloads = plan.assignments.iter().map(|a| Bar {
        kind: BarKind::Workload,
        name: a.workload.clone(),
        place: a.groups.iter().map(|group| group.site.as_str()).collect::<Vec<_>>().join(" and "),
        start: a.start_seconds,
        end: a.end_seconds,
        deadline: a.deadline_seconds,
    });
    let flows = plan.flows.iter().map(|flow| Bar {
        kind: BarKind::Flow,
        name: format!("{} of {}", flow.form, flow.what),
        place: format!("{} → {}", flow.from, flow.to),
        start: flow.start_seconds,
        end: flow.end_seconds,
        deadline: None,
    });
    let mut bars: Vec<_> = workloads.chain(flows).collect();
    bars.sort_by(|a, b| a.start.total_cmp(&b.start).then(a.end.total_cmp(&b.end)));
    bars
}

fn finding(plan: &Plan, bars: &[Bar]) -> String {
    let longest = bars.iter().max_by(|a, b| (a.end - a.start).total_cmp(&(b.end - b.start)));
    let slack = plan
        .assignments
        .iter()
        .filter_map(|a| a.deadline_seconds.map(|deadline| (deadline - a.end_seconds, &a.workload)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let most = longest
        .map_or(String::new(), |bar| format!("; {} takes longest with {}", bar.name, duration(bar.end - bar.start)));
    let slack = match slack {
        Some((slack, workload)) if slack < 0.0 => format!(" {workload} misses its deadline by {}.", duration(-slack)),
        Some((slack, workload)) => {
            format!(" The tightest deadline is that of {workload}, with {} to spare.", duration(slack))
        }
        None => " No workload has a deadline.".to_owned(),
    };
    let (n, end) = (count(plan.assignments.len() as u64), duration(plan.totals.finish_seconds));
    format!("{n} workloads end after {end}{most}.{slack}")
}

fn table(bars: &[Bar]) -> Table {
    let columns = [
        ("What", "what"),
        ("Kind", "kind"),
        ("Where", "place"),
        ("Start", "start_seconds"),
        ("End", "end_seconds"),
        ("Duration", "duration_seconds"),
        ("Deadline", "deadline_seconds"),
    ];
    let mut table = Table::new("charts/schedule", "Plan over time", &columns);
    for bar in bars {
        table.row([
            Cell::name(&bar.name),
            Cell::text(if bar.kind == BarKind::Workload { "workload" } else { "movement of data" }),
            Cell::name(&bar.place),
            Cell::duration(bar.start),
            Cell::duration(bar.end),
            Cell::duration(bar.end - bar.start),
            Cell::or_none(bar.deadline, Cell::duration),
        ]);
    }
    table
}
