//! Predicted beside measured throughput of a scenario's training on this machine, at 1 rank and at more.
//!
//! Calibrates, plans for each number of ranks, and only then runs, in turns. The table has the median
//! of the runs. `predicted-against-measured [--runs N] [--steps N] [--ranks 1,2] [--data DIR] [SCENARIO]`

use std::path::{Path, PathBuf};

use clap::Parser;
use scenarios::run::Run;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use serde::Serialize;
use tests::{succeed, text};

/// Measures how well trainings are predicted on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// Runs for each number of ranks.
    #[arg(long, default_value = "5")]
    runs: usize,
    /// Optimiser steps of each run.
    #[arg(long, default_value = "400")]
    steps: u32,
    /// Numbers of data-parallel ranks.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    ranks: Vec<u32>,
    /// Folder of the data sets; without it digits are drawn.
    #[arg(long, env = "CAUSEWAY_DATA")]
    data: Option<PathBuf>,
    /// Folder for plans and records; by default a temporary one.
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
    /// Workload of the scenario.
    #[arg(long, default_value = "train")]
    workload: String,
    /// Scenario whose machine profile is `machine.json`.
    #[arg(default_value = "scenarios/library/mnist-hospital.yaml")]
    scenario: PathBuf,
}

/// Figures for one number of ranks, in samples per second.
#[derive(Debug, Serialize)]
struct Row {
    ranks: u32,
    predicted: f64,
    measured: f64,
    error: f64,
    runs: Vec<f64>,
}

fn main() -> Exit {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = arguments.output.clone().unwrap_or_else(|| temporary.path().to_owned());
    fs_err::create_dir_all(&folder).expect("the folder can be made");
    let rows = measure(&arguments, &std::path::absolute(folder).expect("the folder has a path"));
    let mut table = Table::new(&["ranks", "predicted samples/s", "measured (median)", "error", "runs"]);
    table.rows = rows.iter().map(cells).collect();
    Printer::default().table(arguments.format, &table, &rows);
    Exit::Done
}

fn measure(arguments: &Arguments, folder: &Path) -> Vec<Row> {
    let printer = Printer::default();
    printer.status("calibrating");
    succeed("executor", &["calibrate", "-o", text(&folder.join("machine.json")), "--device", "cpu"]);
    let plans: Vec<_> = arguments.ranks.iter().map(|ranks| plan(arguments, folder, *ranks)).collect();
    let mut rows: Vec<Row> = Vec::new();
    for turn in 1..=arguments.runs {
        for (&ranks, plan) in arguments.ranks.iter().zip(&plans) {
            let (predicted, measured) = apply(arguments, folder, plan, &format!("run-{ranks}-{turn}"));
            printer.status(&format!("run {turn} with {ranks} rank(s): {measured:.0} samples/s"));
            match rows.iter_mut().find(|row| row.ranks == ranks) {
                Some(row) => row.runs.push(measured),
                None => rows.push(Row { ranks, predicted, measured: 0.0, error: 0.0, runs: vec![measured] }),
            }
        }
    }
    for row in &mut rows {
        let mut sorted = row.runs.clone();
        sorted.sort_by(f64::total_cmp);
        row.measured = sorted[sorted.len() / 2];
        row.error = row.predicted / row.measured - 1.0;
    }
    rows
}

fn plan(arguments: &Arguments, folder: &Path, ranks: u32) -> PathBuf {
    let plan = folder.join(format!("plan-{ranks}.json"));
    let strategy = format!("{}=data:{ranks}", arguments.workload);
    let scenario = text(&arguments.scenario);
    succeed("planner", &["--profiles", text(folder), "solve", scenario, "-o", text(&plan), "--strategy", &strategy]);
    plan
}

/// Predicted and measured samples per second of one run.
fn apply(arguments: &Arguments, folder: &Path, plan: &Path, name: &str) -> (f64, f64) {
    let (run, steps) = (folder.join(name), arguments.steps.to_string());
    let mut apply = vec!["apply", text(plan), "-o", text(&run), "--replace", "--device", "cpu"];
    apply.extend(["--workload", &arguments.workload, "--steps", &steps]);
    match &arguments.data {
        Some(data) => apply.extend(["--data", text(data)]),
        None => apply.push("--generate"),
    }
    succeed("executor", &apply);
    let record: Run = scenarios::document::read(&run.join("run.json")).expect("the record is valid");
    let done = record.workloads.first().expect("one workload ran");
    (done.predicted.throughput, done.throughput)
}

fn cells(row: &Row) -> Vec<String> {
    let runs: Vec<_> = row.runs.iter().map(|run| format!("{run:.0}")).collect();
    vec![
        row.ranks.to_string(),
        format!("{:.0}", row.predicted),
        format!("{:.0}", row.measured),
        format!("{:+.1} %", 100.0 * row.error),
        runs.join(" "),
    ]
}
