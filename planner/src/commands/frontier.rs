//! `planner frontier`: plans between the cheapest and the fastest, or the cleanest.

use std::path::Path;

use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::document::{self, DocumentError};
use scenarios::plan::Assignment;
use scenarios::terminal::{Exit, Printer, Table};
use scenarios::units::Seconds;
use serde::Serialize;

use super::failure::Failure;
use super::load;
use crate::candidates::World;
use crate::cli::{Against, FrontierArguments, Global};
use crate::explain::{Efficient, Second, frontier, placement};
use crate::planning::Options;

/// A plan of the frontier as programs read it.
#[derive(Debug, Clone, Serialize)]
struct Point {
    cost_usd: Decimal,
    finish_seconds: f64,
    carbon_kg: Option<f64>,
    /// Whether no plan at most as dear is better in the other objective, within the gap.
    proven: bool,
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
fn write(plans: &mut [Efficient], folder: &Path) -> Result<Vec<String>, DocumentError> {
    let made = fs_err::create_dir_all(folder);
    made.map_err(|source| DocumentError::Write { path: folder.to_owned(), source })?;
    let one = |(index, point): (usize, &mut Efficient)| {
        let path = folder.join(format!("plan-{}.json", index + 1));
        document::write(&mut point.plan, &path)?;
        Ok(path.display().to_string())
    };
    plans.iter_mut().enumerate().map(one).collect()
}

fn point(efficient: &Efficient, file: Option<&String>) -> Point {
    let plan = &efficient.plan;
    let words = |assignment: &Assignment| format!("{}: {}", assignment.workload, placement(assignment));
    Point {
        cost_usd: plan.totals.cost_usd,
        finish_seconds: plan.totals.finish_seconds,
        carbon_kg: plan.totals.carbon_kg,
        proven: efficient.proven,
        placements: plan.assignments.iter().map(words).collect(),
        plan: file.cloned(),
    }
}

fn table(points: &[Point]) -> Table {
    let mut table = Table::new(&["USD", "done after", "seconds", "kg CO2e", "proven", "placements", "plan"]);
    for point in points {
        table.rows.push(vec![
            point.cost_usd.to_string(),
            Seconds::new(point.finish_seconds).rounded(),
            point.finish_seconds.to_string(),
            point.carbon_kg.map_or_else(String::new, |kg| format!("{kg:.3}")),
            if point.proven { "yes" } else { "no" }.to_owned(),
            point.placements.join("; "),
            point.plan.clone().unwrap_or_default(),
        ]);
    }
    table
}
