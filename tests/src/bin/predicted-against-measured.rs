//! Predicted beside measured throughput and memory of every family by every strategy on this machine.
//!
//! Calibrates, plans everything, and only then runs. `predicted-against-measured [-o DIR] [--only gpt,lstm]` prints a table;
//! the folder gets it as CSV, and a chart.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use reports::charts::{Caption, Point, throughput};
use reports::table;
use scenarios::plan::Plan;
use scenarios::run::Run;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::Interval;
use serde::Serialize;
use tests::{Family, families, succeed, text};

/// Measures how well trainings are predicted on this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// Families to look at; by default all.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Runs of each training, of which the median counts.
    #[arg(long, default_value = "1")]
    runs: usize,
    /// Seconds of each run, about.
    #[arg(long, default_value = "3")]
    seconds: f64,
    /// Profile to predict with; by default the machine is measured.
    #[arg(long)]
    profile: Option<PathBuf>,
    /// Folder for plans, records, table and chart; by default a temporary one.
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    format: OutputFormat,
}

/// One training.
struct Case {
    family: &'static str,
    strategy: &'static str,
    plan: PathBuf,
    steps: u32,
}

/// Figures of one training; rates in samples per second.
#[derive(Debug, Clone, Serialize)]
struct Row {
    family: &'static str,
    strategy: &'static str,
    predicted: f64,
    measured: f64,
    error: f64,
    predicted_interval: Interval,
    runs: Vec<f64>,
}

/// Steps of a run, at least and at most: the first ten are not counted.
const STEPS: std::ops::RangeInclusive<u32> = 25..=600;

/// Passes over the data that a plan has: more than any run takes.
const EPOCHS: u32 = 1000;

fn main() -> Exit {
    let arguments = Arguments::parse();
    let temporary = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = arguments.output.clone().unwrap_or_else(|| temporary.path().to_owned());
    fs_err::create_dir_all(&folder).expect("the folder can be made");
    let folder = std::path::absolute(folder).expect("the folder has a path");
    let rows = measure(&arguments, &folder);
    let mut table = Table::new(&["family", "strategy", "predicted samples/s", "measured", "error"]);
    table.rows = rows.iter().map(cells).collect();
    Printer::default().table(arguments.format, &table, &rows);
    let finding = finding(&rows);
    Printer::default().status(&finding);
    if arguments.output.is_some() {
        fs_err::write(folder.join("predicted-against-measured.csv"), comma_separated(&rows))
            .expect("it can be written");
        fs_err::write(folder.join("predicted-against-measured.svg"), chart(&rows, &finding))
            .expect("it can be written");
    }
    Exit::Done
}

fn measure(arguments: &Arguments, folder: &Path) -> Vec<Row> {
    let printer = Printer::default();
    let profile = folder.join("machine.json");
    if let Some(known) = &arguments.profile {
        fs_err::copy(known, &profile).expect("the profile can be copied");
    } else {
        printer.status("calibrating");
        succeed("executor", &["calibrate", "-o", text(&profile), "--device", "cpu"]);
    }
    let chosen = families().into_iter();
    let chosen: Vec<Family> = chosen
        .filter(|family| arguments.only.is_empty() || arguments.only.iter().any(|name| name == family.name))
        .collect();
    let cases: Vec<Case> = chosen.iter().flat_map(|family| plans(arguments, folder, family)).collect();
    let mut rows = Vec::new();
    for case in &cases {
        let row = run(arguments, folder, case);
        printer.status(&format!("{} {}: {:+.1} %", row.family, row.strategy, 100.0 * row.error));
        rows.push(row);
    }
    rows
}

/// A plan for every strategy of a family.
fn plans(arguments: &Arguments, folder: &Path, family: &Family) -> Vec<Case> {
    family.sample.write(&folder.join("data"));
    let scenario = folder.join(format!("{}.yaml", family.name));
    let content = serde_json::to_string_pretty(&family.scenario(EPOCHS)).expect("it can be written");
    fs_err::write(&scenario, content).expect("the scenario can be written");
    let plan = |(number, strategy): (usize, &'static str)| {
        let plan = folder.join(format!("{}-{number}.json", family.name));
        let held = format!("train={strategy}");
        let profiles = ["--profiles", text(folder)];
        succeed(
            "planner",
            &[&profiles[..], &["solve", text(&scenario), "-o", text(&plan), "--strategy", &held]].concat(),
        );
        let planned: Plan = scenarios::document::read(&plan).expect("the plan is valid");
        let step = planned.assignments.first().map_or(1.0, |first| first.predicted.step_seconds.p50);
        let steps = (arguments.seconds / step.max(1e-6)) as u32;
        Case { family: family.name, strategy, plan, steps: steps.clamp(*STEPS.start(), *STEPS.end()) }
    };
    let all = std::iter::once("data:1").chain(family.strategies.iter().copied());
    all.enumerate().map(plan).collect()
}

fn run(arguments: &Arguments, folder: &Path, case: &Case) -> Row {
    let (data, steps) = (folder.join("data"), case.steps.to_string());
    let mut runs = Vec::new();
    let mut predicted = None;
    for _ in 0..arguments.runs.max(1) {
        let run = folder.join("run");
        let plan = ["apply", text(&case.plan), "-o", text(&run), "--replace", "--device", "cpu"];
        succeed("executor", &[&plan[..], &["--workload", "train", "--steps", &steps, "--data", text(&data)]].concat());
        let record: Run = scenarios::document::read(&run.join("run.json")).expect("the record is valid");
        let done = record.workloads.into_iter().next().expect("one workload ran");
        runs.push(done.throughput);
        predicted = Some(done.predicted);
    }
    let predicted = predicted.expect("it ran");
    let mut sorted = runs.clone();
    sorted.sort_by(f64::total_cmp);
    let measured = sorted[sorted.len() / 2];
    let rate = |seconds: f64| predicted.throughput * predicted.step_seconds.p50 / seconds.max(f64::MIN_POSITIVE);
    let step = predicted.step_seconds;
    Row {
        family: case.family,
        strategy: case.strategy,
        predicted: predicted.throughput,
        measured,
        error: predicted.throughput / measured - 1.0,
        predicted_interval: Interval { p10: rate(step.p90), p50: predicted.throughput, p90: rate(step.p10) },
        runs,
    }
}

fn cells(row: &Row) -> Vec<String> {
    vec![
        row.family.to_owned(),
        row.strategy.to_owned(),
        format!("{:.0}", row.predicted),
        format!("{:.0}", row.measured),
        format!("{:+.1} %", 100.0 * row.error),
    ]
}

/// Median and worst error.
fn finding(rows: &[Row]) -> String {
    let mut errors: Vec<f64> = rows.iter().map(|row| 100.0 * row.error.abs()).collect();
    errors.sort_by(f64::total_cmp);
    let (median, worst) = (errors.get(errors.len() / 2), errors.last());
    let shown = |value: Option<&f64>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:.1} %"));
    format!("{} trainings: median error {}, worst {}", rows.len(), shown(median), shown(worst))
}

fn comma_separated(rows: &[Row]) -> String {
    let mut content = "family,strategy,predicted_samples_per_second,measured_samples_per_second,error\n".to_owned();
    for row in rows {
        let Row { family, strategy, predicted, measured, error, .. } = row;
        let _ = writeln!(content, "{family},\"{strategy}\",{predicted:.3},{measured:.3},{error:.4}");
    }
    content
}

/// Rates differ by powers of ten, so their logarithms are drawn.
fn chart(rows: &[Row], finding: &str) -> String {
    let logarithms = |rate: Interval| {
        let of = |rate: f64| rate.max(1.0).log10();
        Interval { p10: of(rate.p10), p50: of(rate.p50), p90: of(rate.p90) }
    };
    let point = |(number, row): (usize, &Row)| Point {
        number: number + 1,
        series: row.family.to_owned(),
        measured: logarithms(Interval::of(&row.runs).expect("it ran")),
        predicted: logarithms(row.predicted_interval),
    };
    let points: Vec<Point> = rows.iter().enumerate().map(point).collect();
    let caption =
        Caption { name: "predicted-against-measured", title: "Predicted against measured throughput", finding };
    let figures = table::Table::new("charts/predicted-against-measured", caption.title, &[("family", "family")]);
    let drawn = throughput(caption, figures, &points, "log10 of samples/s");
    drawn.expect("the chart can be drawn").to_svg()
}
