//! `planner show`: a plan for people.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use scenarios::plan::{Assignment, Binding, Candidate, Flow, Plan, SolverStatus};
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::{Bytes, Seconds};

use super::failure::Failure;
use super::load;
use crate::cli::{Global, ShowArguments};

pub(super) fn run(arguments: &ShowArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let plan = load::plan(&arguments.plan)?;
    match global.format {
        OutputFormat::Table => printer.data(&render(&plan)),
        OutputFormat::Csv => printer.data(&considered(&plan.explanation.considered).to_csv()),
        OutputFormat::Json => printer.data(&scenarios::document::to_json(&plan)),
    }
    Ok(Exit::Done)
}

/// The plan as text: verdict first, then tables.
#[must_use]
pub fn render(plan: &Plan) -> String {
    let mut text = format!("Plan for {}\n\n", plan.scenario.name);
    for sentence in &plan.explanation.summary {
        let _ = writeln!(text, "{sentence}");
    }
    let mut section = |title: &str, table: &Table, none: &str| {
        let _ = write!(text, "\n{title}\n");
        if table.rows.is_empty() {
            let _ = writeln!(text, "{none}");
        } else {
            text.push_str(&table.to_text());
        }
    };
    section("Assignments", &assignments(&plan.assignments), "None.");
    section("Movements of data", &flows(&plan.flows), "No data moves between sites.");
    if !plan.explanation.binding.is_empty() {
        section("What the plan is up against", &binding(&plan.explanation.binding), "");
    }
    section("Placements considered", &considered(&plan.explanation.considered), "None.");
    section("Totals", &totals(plan), "None.");
    section("Solver", &solver(plan), "None.");
    section("Provenance", &provenance(plan), "None.");
    text
}

fn time(seconds: f64) -> String {
    Seconds::new(seconds).rounded()
}

fn assignments(list: &[Assignment]) -> Table {
    let header = [
        "workload",
        "site",
        "machine",
        "purchase",
        "strategy",
        "start",
        "end",
        "step p10–p50–p90",
        "samples/s",
        "memory",
        "USD",
        "runner-up",
    ];
    let mut table = Table::new(&header);
    for assignment in list {
        let joined =
            |of: fn(&scenarios::plan::Group) -> String| assignment.groups.iter().map(of).collect::<Vec<_>>().join(", ");
        let step = assignment.predicted.step_seconds;
        table.rows.push(vec![
            assignment.workload.clone(),
            joined(|group| group.site.clone()),
            joined(|group| format!("{} × {}", group.nodes, group.machine)),
            joined(|group| group.purchase.to_string()),
            assignment.strategy.to_string(),
            time(assignment.start_seconds),
            time(assignment.end_seconds),
            format!("{} – {} – {}", time(step.p10), time(step.p50), time(step.p90)),
            format!("{:.0}", assignment.predicted.throughput),
            Bytes(assignment.predicted.memory_bytes_per_device).rounded(),
            assignment.cost_usd.to_string(),
            assignment
                .runner_up
                .as_ref()
                .map_or_else(String::new, |other| format!("{}: {}", other.placement, other.reason)),
        ]);
    }
    table
}

fn flows(list: &[Flow]) -> Table {
    let mut table =
        Table::new(&["what", "form", "from", "to", "via", "for", "amount", "start", "end", "USD", "permitted by"]);
    for flow in list {
        let mut rules: Vec<&str> = flow.rule.iter().map(|by| by.rule.as_str()).collect();
        rules.dedup();
        table.rows.push(vec![
            flow.what.clone(),
            flow.form.to_string(),
            flow.from.clone(),
            flow.to.clone(),
            flow.via.join(", "),
            flow.used_by.clone(),
            Bytes(flow.bytes).rounded(),
            time(flow.start_seconds),
            time(flow.end_seconds),
            flow.cost_usd.to_string(),
            if rules.is_empty() { "public data".to_owned() } else { rules.join(", ") },
        ]);
    }
    table
}

fn binding(list: &[Binding]) -> Table {
    let mut table = Table::new(&["what", "more", "saves"]);
    let row = |rule: &Binding| vec![rule.what.clone(), rule.step.clone(), format!("{} {}", rule.worth, rule.unit)];
    table.rows = list.iter().map(row).collect();
    table
}

fn considered(list: &[Candidate]) -> Table {
    let header =
        ["workload", "site", "pool", "machine", "purchase", "nodes", "strategy", "time", "USD", "verdict", "reason"];
    let mut table = Table::new(&header);
    for candidate in list {
        table.rows.push(vec![
            candidate.workload.clone(),
            candidate.site.clone(),
            candidate.pool.clone(),
            candidate.machine.clone(),
            candidate.purchase.to_string(),
            candidate.nodes.to_string(),
            candidate.strategy.to_string(),
            candidate.seconds.map(time).unwrap_or_default(),
            candidate.cost_usd.map(|usd| usd.to_string()).unwrap_or_default(),
            candidate.verdict.to_string(),
            candidate.reason.clone(),
        ]);
    }
    table
}

fn totals(plan: &Plan) -> Table {
    let totals = &plan.totals;
    let usd = |amount: Decimal| format!("{amount} USD");
    let budget = plan.scenario.budget_usd.map_or_else(|| "none".to_owned(), usd);
    let thousandths = |amount: Option<f64>, large: &str, small: &str| match amount {
        None => "not known".to_owned(),
        Some(amount) if amount < 1.0 => format!("{:.3} {small}", amount * 1000.0),
        Some(amount) => format!("{amount:.3} {large}"),
    };
    let energy = thousandths(totals.energy_kwh, "kWh", "Wh");
    let carbon = thousandths(totals.carbon_kg, "kg CO₂e", "g CO₂e");
    pairs(&[
        ("cost", usd(totals.cost_usd)),
        ("machines", usd(totals.compute_usd)),
        ("egress", usd(totals.egress_usd)),
        ("storage", usd(totals.storage_usd)),
        ("budget", budget),
        ("finish", time(totals.finish_seconds)),
        ("energy", energy),
        ("greenhouse gas", carbon),
    ])
}

fn solver(plan: &Plan) -> Table {
    let solver = &plan.solver;
    let status = match solver.status {
        SolverStatus::Optimal => "optimal",
        SolverStatus::Feasible => "feasible, not proven optimal",
    };
    pairs(&[
        ("solver", solver.name.clone()),
        ("status", status.to_owned()),
        ("minimises", solver.minimizes.clone()),
        ("objective", solver.objective.to_string()),
        ("bound", solver.bound.to_string()),
        ("gap", format!("{:.4} %", solver.gap * 100.0)),
        ("nodes", solver.nodes.to_string()),
        ("simplex iterations", solver.iterations.to_string()),
        ("placements solved over", solver.columns_considered.to_string()),
        ("placements dominated", solver.columns_pruned.to_string()),
    ])
}

fn provenance(plan: &Plan) -> Table {
    let mut rows = vec![
        ("plan", plan.digest.clone()),
        ("scenario", plan.scenario.digest.clone()),
        ("catalogue", format!("{} of {}", plan.catalog.digest, plan.catalog.as_of)),
    ];
    rows.extend(plan.scenario.profiles.iter().map(|(path, digest)| (path.as_str(), digest.clone())));
    pairs(&rows)
}

fn pairs(rows: &[(&str, String)]) -> Table {
    let mut table = Table::new(&["", ""]);
    table.rows = rows.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect();
    table
}
