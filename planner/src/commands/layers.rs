//! `planner layers`: layers of a served network over unequal machines.

use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use serde::Serialize;

use super::failure::Failure;
use super::load;
use crate::cli::{Global, LayersArguments};
use crate::layers::{Entry, Placement, parse, place};

/// A placement as programs read it.
#[derive(Debug, Serialize)]
struct Report {
    name: String,
    layers: usize,
    tokens_per_second: f64,
    bound: f64,
    gap: f64,
    is_optimal: bool,
    best_known: Option<f64>,
    placement: Vec<Row>,
}

/// A machine as programs read it; machines and layers count from 0.
#[derive(Debug, Serialize)]
struct Row {
    class: String,
    machine: usize,
    first_layer: usize,
    layers: usize,
    tokens_per_second: f64,
    flow: f64,
}

pub(super) fn run(arguments: &LayersArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let entries = parse(&load::bytes(&arguments.file, "fleet")?)?;
    let mut reports = Vec::new();
    for entry in &entries {
        reports.push(report(entry, &place(&entry.fleet)?));
    }
    match global.format {
        OutputFormat::Table => reports.iter().for_each(|report| {
            printer.data(&format!("{}\n\n{}\n", summary(report), table(std::slice::from_ref(report)).to_text()));
        }),
        format => printer.table(format, &table(&reports), &reports),
    }
    let impossible: Vec<&str> =
        reports.iter().filter(|report| report.placement.is_empty()).map(|report| report.name.as_str()).collect();
    for name in &impossible {
        printer.warning(&format!("`{name}`: its machines cannot hold all layers; add machines, or larger ones"));
    }
    Ok(if impossible.is_empty() { Exit::Done } else { Exit::Infeasible })
}

fn report(entry: &Entry, placement: &Placement) -> Report {
    let row = |held: &crate::layers::Held| Row {
        class: entry.classes[held.class].clone(),
        machine: held.machine,
        first_layer: held.first_layer,
        layers: held.layers,
        tokens_per_second: held.tokens_per_second,
        flow: held.flow,
    };
    Report {
        name: entry.name.clone(),
        layers: entry.fleet.layers(),
        tokens_per_second: placement.tokens_per_second,
        bound: placement.bound,
        gap: placement.gap(),
        is_optimal: placement.is_optimal(),
        best_known: entry.best_known,
        placement: placement.held.iter().map(row).collect(),
    }
}

fn summary(report: &Report) -> String {
    let proof =
        if report.is_optimal { "proven optimal".to_owned() } else { format!("gap {:.2} %", 100.0 * report.gap) };
    let known = report.best_known.map_or_else(String::new, |known| format!("; best known {known:.3}"));
    let Report { name, layers, tokens_per_second, bound, .. } = report;
    format!(
        "{name}: {layers} layers, {tokens_per_second:.3} tokens/s; no placement exceeds {bound:.3} ({proof}){known}"
    )
}

fn table(reports: &[Report]) -> Table {
    let mut table = Table::new(&["name", "class", "machine", "first layer", "layers", "tokens/s", "flow"]);
    for report in reports {
        for row in &report.placement {
            table.rows.push(vec![
                report.name.clone(),
                row.class.clone(),
                row.machine.to_string(),
                row.first_layer.to_string(),
                row.layers.to_string(),
                format!("{:.3}", row.tokens_per_second),
                format!("{:.3}", row.flow),
            ]);
        }
    }
    table
}
