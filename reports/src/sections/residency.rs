//! Residency: the rules, what moves under them, what they refused, and what moved in the runs.

use askama::Template;
use scenarios::plan::{Flow, Plan};
use scenarios::scenario::{Effect, Rule};

use super::Section;
use crate::error::ReportError;
use crate::evidence::Evidence;
use crate::format::list;
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/residency.html")]
struct Body<'a> {
    rules: &'a Table,
    flows: &'a Table,
    refusals: &'a Table,
    traffic: &'a Table,
    runs: usize,
    across: usize,
}

/// The rules and the movements.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let plan = &evidence.plan;
    let (rules, flows, refusals, traffic) = (rules(plan), flows(plan), refusals(plan), traffic(evidence));
    let workloads = evidence.runs.iter().flat_map(|named| &named.run.workloads);
    let across = workloads.flat_map(|w| &w.traffic).filter(|t| t.from != t.to && t.bytes > 0).count();
    let body = Body {
        rules: &rules,
        flows: &flows,
        refusals: &refusals,
        traffic: &traffic,
        runs: evidence.runs.len(),
        across,
    };
    Section::new("residency", "Residency and movements of data", &body, &[], &[&rules, &flows, &refusals, &traffic])
}

fn words<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn rules(plan: &Plan) -> Table {
    let columns = [
        ("Rule", "rule"),
        ("Effect", "effect"),
        ("About", "about"),
        ("Forms", "forms"),
        ("Actions", "actions"),
        ("Places", "places"),
        ("Reason", "reason"),
    ];
    let mut table = Table::new("tables/rules", "Residency rules of the scenario", &columns);
    for (name, rule) in &plan.residency.rules {
        let effect = if rule.effect == Effect::Allow { "allow" } else { "deny" };
        table.row([
            Cell::name(name),
            Cell::text(effect).with_class(if effect == "allow" { "good" } else { "bad" }),
            Cell::text(about(rule)),
            Cell::text(words(&rule.forms)),
            Cell::text(words(&rule.actions)),
            Cell::text(rule.places.join(", ")),
            rule.reason.as_ref().map_or_else(|| Cell::text("no reason given"), Cell::text).with_class("wide"),
        ]);
    }
    table
}

fn about(rule: &Rule) -> String {
    let classes = rule.classes.iter().map(|class| format!("class {class}"));
    list(&rule.data.iter().map(|data| format!("data set {data}")).chain(classes).collect::<Vec<_>>())
}

fn flows(plan: &Plan) -> Table {
    let columns = [
        ("What", "what"),
        ("Form", "form"),
        ("", "labels"),
        ("Route", "route"),
        ("For", "used_by"),
        ("Amount", "bytes"),
        ("Start", "start_seconds"),
        ("End", "end_seconds"),
        ("Cost", "cost_usd"),
        ("Permitted by", "permitted_by"),
    ];
    let mut table =
        Table::new("tables/flows", "Planned movements of data, each with the rule that permits it", &columns);
    for flow in &plan.flows {
        let route: Vec<_> = [&flow.from].into_iter().chain(&flow.via).chain([&flow.to]).map(String::as_str).collect();
        let labels = format!("label {}", flow.labels.join(", "));
        table.row([
            Cell::name(&flow.what),
            Cell::text(flow.form.to_string()).with_note(if flow.labels.is_empty() { "" } else { &labels }),
            Cell::name(flow.labels.join(", ")),
            Cell::name(route.join(" → ")),
            Cell::name(&flow.used_by),
            Cell::bytes(flow.bytes),
            Cell::duration(flow.start_seconds),
            Cell::duration(flow.end_seconds),
            Cell::usd(flow.cost_usd),
            permitted(flow).with_class("wide"),
        ]);
    }
    table
}

fn permitted(flow: &Flow) -> Cell {
    if flow.rule.is_empty() {
        return Cell::text("no rule named: free for public data only");
    }
    let parts = flow.rule.iter().map(|by| format!("`{}` ({} of {} at {})", by.rule, by.action, by.label, by.site));
    Cell::text(list(&parts.collect::<Vec<_>>()))
}

fn refusals(plan: &Plan) -> Table {
    let columns = [
        ("Workload", "workload"),
        ("Site", "site"),
        ("Action", "action"),
        ("Form", "form"),
        ("Label", "label"),
        ("Rule", "rule"),
        ("Reason", "reason"),
    ];
    let mut table = Table::new("tables/refusals", "What the rules refused", &columns);
    for refusal in &plan.residency.refusals {
        table.row([
            Cell::name(&refusal.workload),
            Cell::name(&refusal.site),
            Cell::text(refusal.action.to_string()),
            Cell::text(refusal.form.to_string()),
            Cell::name(&refusal.label),
            refusal.rule.as_ref().map_or_else(|| Cell::text("no rule allows it"), Cell::name),
            Cell::text(&refusal.reason).with_class("wide"),
        ]);
    }
    table
}

fn traffic(evidence: &Evidence) -> Table {
    let columns = [
        ("Run", "run"),
        ("Workload", "workload"),
        ("Form", "form"),
        ("From", "from"),
        ("To", "to"),
        ("Amount", "bytes"),
        ("Crosses sites", "crosses_sites"),
    ];
    let mut table = Table::new("tables/traffic", "Traffic between ranks, measured in the runs", &columns);
    for m in evidence.measurements() {
        for traffic in &m.workload.traffic {
            table.row([
                Cell::count(m.run_number as u64),
                Cell::name(&m.workload.workload),
                Cell::text(traffic.form.to_string()),
                Cell::name(&traffic.from),
                Cell::name(&traffic.to),
                Cell::bytes(traffic.bytes),
                Cell::text(if traffic.from == traffic.to { "no" } else { "yes" }),
            ]);
        }
    }
    table
}
