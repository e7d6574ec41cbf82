//! Cost by component and workload, and whether the sums agree.

use askama::Template;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use scenarios::plan::{Assignment, Plan};

use super::Section;
use crate::charts::{Caption, Chart, CostBar, cost};
use crate::error::ReportError;
use crate::format::{list, number, percent, usd, with_unit};
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/cost.html")]
struct Body<'a> {
    charts: &'a [Chart],
    checks: &'a Table,
    energy: Option<String>,
}

/// A plan states each cost to a millionth of a dollar; sums of several may differ by this much for each workload.
const TOLERANCE_USD: Decimal = Decimal::from_parts(2, 0, 0, false, 6);

/// Costs of one workload: machines and movements of data.
struct Parts<'a> {
    workload: &'a str,
    compute: Decimal,
    egress: Decimal,
}

/// The cost of the plan.
pub(super) fn section(plan: &Plan) -> Result<Section, ReportError> {
    let parts: Vec<_> = plan.assignments.iter().map(|assignment| split(plan, assignment)).collect();
    let mut bars: Vec<_> = parts.iter().map(|p| bar(p.workload, p.compute, p.egress, Decimal::ZERO)).collect();
    if !plan.totals.storage_usd.is_zero() {
        bars.push(bar("data at rest", Decimal::ZERO, Decimal::ZERO, plan.totals.storage_usd));
    }
    let finding = finding(plan, &parts);
    let caption = Caption { name: "cost", title: "Cost by workload and component", finding: &finding };
    let charts = [cost(caption, table(plan, &parts), &bars)?];
    let checks = checks(plan);
    let body = Body { charts: &charts, checks: &checks, energy: energy(plan) };
    Section::new("cost", "Cost", &body, &charts, &[&checks])
}

fn split<'a>(plan: &Plan, assignment: &'a Assignment) -> Parts<'a> {
    let flows = plan.flows.iter().filter(|flow| flow.used_by == assignment.workload);
    let egress = flows.map(|flow| flow.cost_usd).fold(Decimal::ZERO, Decimal::saturating_add);
    Parts { workload: &assignment.workload, compute: assignment.cost_usd.saturating_sub(egress), egress }
}

fn bar(name: &str, compute: Decimal, egress: Decimal, storage: Decimal) -> CostBar {
    let parts = [compute, egress, storage].map(|part| part.to_f64().unwrap_or_default().max(0.0));
    CostBar { name: name.to_owned(), parts, label: usd(compute.saturating_add(egress).saturating_add(storage)) }
}

fn finding(plan: &Plan, parts: &[Parts<'_>]) -> String {
    let totals = &plan.totals;
    let share = |part: Decimal| {
        let share = part.checked_div(totals.cost_usd).and_then(|share| share.to_f64());
        share.map_or(String::new(), |share| format!(" ({})", percent(share)))
    };
    let dearest = parts.iter().max_by_key(|p| p.compute.saturating_add(p.egress)).map_or(String::new(), |p| {
        let cost = p.compute.saturating_add(p.egress);
        format!(" {} costs most with {}{}.", p.workload, usd(cost), share(cost))
    });
    format!(
        "Of {} in all, machines take {}{}, data that leaves a site {}, and data at rest {}.{dearest}",
        usd(totals.cost_usd),
        usd(totals.compute_usd),
        share(totals.compute_usd),
        usd(totals.egress_usd),
        usd(totals.storage_usd),
    )
}

fn table(plan: &Plan, parts: &[Parts<'_>]) -> Table {
    let columns = [
        ("Workload", "workload"),
        ("Compute", "compute_usd"),
        ("Egress", "egress_usd"),
        ("Storage", "storage_usd"),
        ("Sum", "cost_usd"),
    ];
    let mut table = Table::new("charts/cost", "Cost by workload and component, US dollars", &columns);
    for p in parts {
        let sum = Cell::usd(p.compute.saturating_add(p.egress));
        table.row([Cell::name(p.workload), Cell::usd(p.compute), Cell::usd(p.egress), Cell::usd(Decimal::ZERO), sum]);
    }
    let totals = &plan.totals;
    table.row([
        Cell::text("total"),
        Cell::usd(totals.compute_usd),
        Cell::usd(totals.egress_usd),
        Cell::usd(totals.storage_usd),
        Cell::usd(totals.cost_usd),
    ]);
    table
}

/// Sums that a reader can do again, with their result.
fn checks(plan: &Plan) -> Table {
    let totals = &plan.totals;
    let columns = [("Check", "check"), ("Left", "left_usd"), ("Right", "right_usd"), ("Result", "result")];
    let mut table = Table::new("tables/cost-checks", "Sums done again from the plan", &columns);
    let sum = |values: &mut dyn Iterator<Item = Decimal>| values.fold(Decimal::ZERO, Decimal::saturating_add);
    let workloads = sum(&mut plan.assignments.iter().map(|a| a.cost_usd));
    let components = sum(&mut [totals.compute_usd, totals.egress_usd, totals.storage_usd].into_iter());
    let egress = sum(&mut plan.flows.iter().map(|flow| flow.cost_usd));
    let tolerance = TOLERANCE_USD.saturating_mul(Decimal::from(plan.assignments.len().max(1)));
    let mut check = |words: &str, left: Decimal, right: Decimal| {
        let agrees = left.saturating_sub(right).abs() <= tolerance;
        let result = Cell::judged(agrees, "agrees", "differs");
        table.row([Cell::text(words).with_class("wide"), Cell::usd(left), Cell::usd(right), result]);
    };
    check("compute + egress + storage = total", components, totals.cost_usd);
    check("costs of the workloads + storage = total", workloads.saturating_add(totals.storage_usd), totals.cost_usd);
    check("costs of the movements = egress", egress, totals.egress_usd);
    check(
        "nodes × price × hours of each workload = compute",
        sum(&mut plan.assignments.iter().map(rent)),
        totals.compute_usd,
    );
    if let Some(budget) = plan.scenario.budget_usd {
        let result = Cell::judged(totals.cost_usd <= budget, "within", "exceeded");
        table.row([
            Cell::text("total ≤ budget").with_class("wide"),
            Cell::usd(totals.cost_usd),
            Cell::usd(budget),
            result,
        ]);
    }
    table
}

/// Price of the machines of a workload from its start to its end.
fn rent(assignment: &Assignment) -> Decimal {
    let seconds = Decimal::from_f64_retain(assignment.end_seconds - assignment.start_seconds).unwrap_or_default();
    let hours = seconds / Decimal::from(3600);
    let groups = assignment.groups.iter();
    let prices = groups.map(|group| group.usd_per_node_hour.saturating_mul(Decimal::from(group.nodes)));
    prices.fold(Decimal::ZERO, Decimal::saturating_add).saturating_mul(hours)
}

fn energy(plan: &Plan) -> Option<String> {
    let energy = plan.totals.energy_kwh.map(|kwh| format!("{} of electric energy", scaled(kwh, "kWh", "Wh")));
    let carbon = plan.totals.carbon_kg.map(|kg| format!("{} of CO₂ equivalent", scaled(kg, "kg", "g")));
    let parts: Vec<_> = energy.into_iter().chain(carbon).collect();
    (!parts.is_empty()).then(|| list(&parts))
}

/// An amount in its unit, or in the unit a thousand times smaller.
fn scaled(amount: f64, unit: &str, smaller: &str) -> String {
    if amount.abs() < 1.0 { with_unit(&number(amount * 1e3), smaller) } else { with_unit(&number(amount), unit) }
}
