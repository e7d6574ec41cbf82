//! `planner frontier`: plans between the cheapest and the fastest, or the cleanest.

use std::path::Path;

use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::document::{self, DocumentError};
use scenarios::plan::Plan;
use scenarios::terminal::{Exit, Printer, Table};
use scenarios::units::Seconds;
use serde::Serialize;

use super::failure::Failure;
use super::load;
use crate::candidates::World;
use crate::cli::{Against, FrontierArguments, Global};
use crate::explain::{Second, frontier, placement};
use crate::planning::Options;

/// A plan of the frontier as programs read it.
#[derive(Debug, Clone, Serialize)]
struct Point {
    cost_usd: Decimal,
    finish_seconds: f64,
    carbon_kg: Option<f64>,
    /// Whether no better plan exists for the budget, within the gap.
    status: scenarios::plan::SolverStatus,
    placements: Vec<String>,
    plan: Option<String>,
}

pub(super) fn run(arguments: &FrontierArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let loaded = load::scenario(&arguments.file, global)?;
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    let options = Options { time_limit_seconds: arguments.time_limit.map(Seconds::get), ..Options::default() };
    let second = match arguments.against {
        Against::FinishTime => Second::FinishTime,
        Against::Carbon => Second::Carbon,
    };
    let mut plans = frontier(world, second, arguments.points as usize, &options)?;
    let folder = arguments.output.as_deref();
    let files = folder.map_or_else(|| Ok(vec![]), |folder| write(&mut plans, folder))?;
    let points: Vec<Point> = plans.iter().enumerate().map(|(index, plan)| point(plan, files.get(index))).collect();
    printer.table(global.format, &table(&points), &points);
    printer.status(&format!("{} plans, none of which is beaten by another in both.", points.len()));
    Ok(Exit::Done)
}

/// Writes the plans as `plan-1.json`, `plan-2.json`, …, cheapest first.
fn write(plans: &mut [Plan], folder: &Path) -> Result<Vec<String>, DocumentError> {
    let made = fs_err::create_dir_all(folder);
    made.map_err(|source| DocumentError::Write { path: folder.to_owned(), source })?;
    let one = |(index, plan): (usize, &mut Plan)| {
        let path = folder.join(format!("plan-{}.json", index + 1));
        document::write(plan, &path)?;
        Ok(path.display().to_string())
    };
    plans.iter_mut().enumerate().map(one).collect()
}

fn point(plan: &Plan, file: Option<&String>) -> Point {
    let words =
        |assignment: &scenarios::plan::Assignment| format!("{}: {}", assignment.workload, placement(assignment));
    Point {
        cost_usd: plan.totals.cost_usd,
        finish_seconds: plan.totals.finish_seconds,
        carbon_kg: plan.totals.carbon_kg,
        status: plan.solver.status,
        placements: plan.assignments.iter().map(words).collect(),
        plan: file.cloned(),
    }
}

fn table(points: &[Point]) -> Table {
    let mut table = Table::new(&["USD", "done after", "seconds", "kg CO2e", "status", "placements", "plan"]);
    for point in points {
        table.rows.push(vec![
            point.cost_usd.to_string(),
            Seconds::new(point.finish_seconds).rounded(),
            point.finish_seconds.to_string(),
            point.carbon_kg.map_or_else(String::new, |kg| format!("{kg:.3}")),
            match point.status {
                scenarios::plan::SolverStatus::Optimal => "optimal".to_owned(),
                scenarios::plan::SolverStatus::Feasible => "feasible".to_owned(),
            },
            point.placements.join("; "),
            point.plan.clone().unwrap_or_default(),
        ]);
    }
    table
}
