//! Predicted beside measured throughput and memory of every family by every strategy on this machine.
//!
//! In every round it calibrates, plans everything, and only then runs: a machine that others use too is faster at one time
//! than at another. `predicted-against-measured [-o DIR] [--only gpt,lstm]` prints a table;
//! the folder gets it as CSV, and a chart.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use reports::charts::{Caption, Point, throughput};
use reports::table;
use scenarios::machine::MachineProfile;
use scenarios::plan::{Plan, Predicted};
use scenarios::run::{Run, WorkloadRun};
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
    /// Rounds; predictions and runs of a training count together: all samples over all time, as in one long run.
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Seconds of each run, about.
    #[arg(long, default_value = "3")]
    seconds: f64,
    /// Profile to predict with; by default the machine is measured anew in every round.
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

/// Figures of one training; rates in samples per second, memory in bytes of all ranks on the device.
#[derive(Debug, Clone, Serialize)]
struct Row {
    family: &'static str,
    strategy: &'static str,
    predicted: f64,
    measured: f64,
    error: f64,
    /// How fast the machine was in the runs, over how fast it was at its calibration.
    speed: f64,
    /// Error of the prediction times that speed.
    error_at_speed: f64,
    predicted_interval: Interval,
    runs: Vec<f64>,
    predicted_memory: u64,
    measured_memory: u64,
    memory_error: f64,
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
    let mut table = Table::new(&[
        "family",
        "strategy",
        "predicted samples/s",
        "measured",
        "error",
        "speed",
        "error at that speed",
        "predicted MB",
        "measured",
        "error",
    ]);
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
    }
    let chosen = families().into_iter();
    let chosen: Vec<Family> = chosen
        .filter(|family| arguments.only.is_empty() || arguments.only.iter().any(|name| name == family.name))
        .collect();
    let mut pairs: Vec<((&'static str, &'static str), Vec<Pair>)> = Vec::new();
    for round in 1..=arguments.rounds {
        if arguments.profile.is_none() {
            printer.status(&format!("round {round} of {}: calibrating", arguments.rounds));
            succeed("executor", &["calibrate", "-o", text(&profile), "--device", "cpu"]);
        }
        let machine: MachineProfile = scenarios::document::read(&profile).expect("the profile is valid");
        let cases: Vec<Case> = chosen.iter().flat_map(|family| plans(arguments, folder, family)).collect();
        printer.status(&format!("round {round} of {}: {} trainings", arguments.rounds, cases.len()));
        for case in cases {
            let (name, pair) = ((case.family, case.strategy), Pair::of(run(folder, &case), &machine));
            match pairs.iter_mut().find(|(of, _)| *of == name) {
                Some((_, pairs)) => pairs.push(pair),
                None => pairs.push((name, vec![pair])),
            }
        }
    }
    pairs.iter().map(|(name, pairs)| row(*name, pairs)).collect()
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

fn run(folder: &Path, case: &Case) -> WorkloadRun {
    let (data, steps, run) = (folder.join("data"), case.steps.to_string(), folder.join("run"));
    let plan = ["apply", text(&case.plan), "-o", text(&run), "--replace", "--device", "cpu"];
    succeed("executor", &[&plan[..], &["--workload", "train", "--steps", &steps, "--data", text(&data)]].concat());
    let record: Run = scenarios::document::read(&run.join("run.json")).expect("the record is valid");
    record.workloads.into_iter().next().expect("one workload ran")
}

/// A prediction and a run.
struct Pair {
    predicted: Predicted,
    /// Samples per second.
    measured: f64,
    /// How fast the machine was in the run, over how fast it was at its calibration.
    speed: f64,
    /// Bytes of all ranks on the device.
    memory: f64,
}

impl Pair {
    fn of(run: WorkloadRun, profile: &MachineProfile) -> Self {
        let at_calibration = profile.references.iter().find(|reference| reference.ranks >= run.strategy.ranks());
        let speed = |(known, found): (Interval, Interval)| known.mean() / found.mean();
        Self {
            speed: at_calibration.map(|known| known.seconds).zip(run.reference_seconds).map_or(1.0, speed),
            memory: run.ranks.iter().filter_map(|rank| rank.memory_peak_bytes).sum::<u64>() as f64,
            measured: run.throughput,
            predicted: run.predicted,
        }
    }
}

/// All samples of the pairs over all time, of which one takes so long.
fn together(pairs: &[Pair], seconds: impl Fn(&Pair) -> f64) -> f64 {
    pairs.len() as f64 / pairs.iter().map(seconds).sum::<f64>()
}

fn row((family, strategy): (&'static str, &'static str), pairs: &[Pair]) -> Row {
    let measured = together(pairs, |pair| pair.measured.recip());
    let predicted = together(pairs, |pair| pair.predicted.throughput.recip());
    let at_speed = together(pairs, |pair| (pair.speed * pair.predicted.throughput).recip());
    let bound = |of: fn(Interval) -> f64| {
        let step = |pair: &Pair| of(pair.predicted.step_seconds) / pair.predicted.step_seconds.p50;
        together(pairs, |pair| step(pair) / pair.predicted.throughput)
    };
    let median = |of: fn(&Pair) -> f64| {
        let values: Vec<f64> = pairs.iter().map(of).collect();
        Interval::of(&values).expect("it ran").p50
    };
    let measured_memory = median(|pair| pair.memory);
    let predicted_memory = median(|pair| pair.predicted.memory_bytes_per_device as f64);
    Row {
        family,
        strategy,
        predicted,
        measured,
        error: predicted / measured - 1.0,
        speed: at_speed / predicted,
        error_at_speed: at_speed / measured - 1.0,
        predicted_interval: Interval { p10: bound(|step| step.p90), p50: predicted, p90: bound(|step| step.p10) },
        runs: pairs.iter().map(|pair| pair.measured).collect(),
        predicted_memory: predicted_memory as u64,
        measured_memory: measured_memory as u64,
        memory_error: predicted_memory / measured_memory - 1.0,
    }
}

fn cells(row: &Row) -> Vec<String> {
    vec![
        row.family.to_owned(),
        row.strategy.to_owned(),
        format!("{:.0}", row.predicted),
        format!("{:.0}", row.measured),
        format!("{:+.1} %", 100.0 * row.error),
        format!("{:.2}", row.speed),
        format!("{:+.1} %", 100.0 * row.error_at_speed),
        format!("{:.1}", 1e-6 * row.predicted_memory as f64),
        format!("{:.1}", 1e-6 * row.measured_memory as f64),
        format!("{:+.1} %", 100.0 * row.memory_error),
    ]
}

/// Median and worst error.
fn finding(rows: &[Row]) -> String {
    let errors = |of: fn(&Row) -> f64| {
        let mut errors: Vec<f64> = rows.iter().map(|row| 100.0 * of(row).abs()).collect();
        errors.sort_by(f64::total_cmp);
        let worst = errors.last().copied().unwrap_or_default();
        format!("median error {:.1} %, worst {worst:.1} %", Interval::of(&errors).map_or(0.0, |errors| errors.p50))
    };
    let (throughput, memory) = (errors(|row| row.error), errors(|row| row.memory_error));
    let at_speed = errors(|row| row.error_at_speed);
    format!(
        "{} trainings: throughput {throughput}, at the machine's speed in the runs {at_speed}; memory {memory}",
        rows.len()
    )
}

fn comma_separated(rows: &[Row]) -> String {
    let mut content =
        "family,strategy,predicted_samples_per_second,measured_samples_per_second,error,speed,error_at_speed,\
                       predicted_bytes,measured_bytes,memory_error\n"
            .to_owned();
    for row in rows {
        let Row { family, strategy, predicted, measured, error, .. } = row;
        let Row { speed, error_at_speed, predicted_memory, measured_memory, memory_error, .. } = row;
        let _ = writeln!(
            content,
            "{family},\"{strategy}\",{predicted:.3},{measured:.3},{error:.4},{speed:.4},{error_at_speed:.4},\
             {predicted_memory},{measured_memory},{memory_error:.4}"
        );
    }
    content
}

fn chart(rows: &[Row], finding: &str) -> String {
    let point = |(number, row): (usize, &Row)| Point {
        number: number + 1,
        series: row.family.to_owned(),
        measured: Interval::of(&row.runs).expect("it ran"),
        predicted: row.predicted_interval,
    };
    let points: Vec<Point> = rows.iter().enumerate().map(point).collect();
    let caption =
        Caption { name: "predicted-against-measured", title: "Predicted against measured throughput", finding };
    let figures = table::Table::new("charts/predicted-against-measured", caption.title, &[("family", "family")]);
    let drawn = throughput(caption, figures, &points, "samples/s");
    drawn.expect("the chart can be drawn").to_svg()
}
