//! Plans beside the best one: written beside it, and listed with what differs.

use std::path::{Path, PathBuf};

use rust_decimal::Decimal;
use scenarios::document;
use scenarios::plan::Plan;
use scenarios::terminal::{Printer, Table};
use scenarios::units::Seconds;
use serde::Serialize;

use super::failure::Failure;
use crate::cli::{Global, SolveArguments};
use crate::explain::{Difference, Run};

/// An alternative as programs read it.
#[derive(Debug, Clone, Serialize)]
struct Row {
    plan: String,
    cost_usd: Decimal,
    finish_seconds: f64,
    carbon_kg: Option<f64>,
    /// How much worse than the best plan's objective.
    worse: f64,
    /// Workloads that run elsewhere, each with its placement.
    elsewhere: Vec<String>,
}

/// Writes the alternatives beside the best plan and prints what differs.
pub(super) fn write(
    best: &Plan,
    others: Vec<Plan>,
    arguments: &SolveArguments,
    global: &Global,
    printer: Printer,
) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let found = others.len();
    for (index, mut plan) in others.into_iter().enumerate() {
        let path = beside(&arguments.output, index + 2);
        document::write(&mut plan, &path)?;
        rows.push(row(best, &plan, &path));
    }
    printer.table(global.format, &table(&rows), &rows);
    if found < arguments.alternatives as usize {
        let within = arguments.within * 100.0;
        printer.status(&format!("{found} other plan(s) within {within} % of the best one were found, and no more."));
    }
    Ok(())
}

/// `plan-2.json` beside `plan.json`.
fn beside(path: &Path, number: usize) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}

fn row(best: &Plan, plan: &Plan, path: &Path) -> Row {
    let changed = Difference::between(best, plan).workloads;
    let placements = |run: &Option<Run>| run.as_ref().map(|run| run.placement.clone());
    let moved = changed.iter().filter(|changed| placements(&changed.before) != placements(&changed.after));
    let elsewhere = moved.filter_map(|changed| Some(format!("{}: {}", changed.what, placements(&changed.after)?)));
    let least = best.solver.objective;
    let worse = (plan.solver.objective - least) / least.abs().max(f64::MIN_POSITIVE);
    Row {
        plan: path.display().to_string(),
        cost_usd: plan.totals.cost_usd,
        finish_seconds: plan.totals.finish_seconds,
        carbon_kg: plan.totals.carbon_kg,
        worse: worse.clamp(0.0, f64::MAX),
        elsewhere: elsewhere.collect(),
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&["plan", "USD", "done after", "kg CO2e", "worse by", "elsewhere"]);
    for row in rows {
        table.rows.push(vec![
            row.plan.clone(),
            row.cost_usd.to_string(),
            Seconds::new(row.finish_seconds).rounded(),
            row.carbon_kg.map_or_else(String::new, |kg| format!("{kg:.3}")),
            format!("{:.3} %", row.worse * 100.0),
            row.elsewhere.join("; "),
        ]);
    }
    table
}
