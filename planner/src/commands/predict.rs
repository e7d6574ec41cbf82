//! `planner predict`: one training on catalogued machines.

use std::path::Path;

use scenarios::catalog::Catalog;
use scenarios::document;
use scenarios::model::{Model, PRESETS, find_alias};
use scenarios::strategy::Strategy;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::{Bytes, Interval, Seconds};
use serde::Serialize;

use super::failure::{Failure, Unpredicted};
use crate::cli::{Global, PredictArguments};
use crate::performance::calibration::{Basis, Calibration, bundled};
use crate::performance::input::{self, Bound};
use crate::performance::reliability::{Checkpoint, Failures, Write, checkpoint_bytes};
use crate::performance::training::memory::{self, RESERVE};
use crate::performance::training::{self, Cluster, Found, Impossible, Memory, Step, Training};

/// A prediction as programs read it.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    strategy: Strategy,
    step_seconds: Interval,
    throughput: Interval,
    throughput_unit: &'static str,
    /// FLOP that the model needs over what the devices could do at their peak; transformers only.
    model_flops_utilisation: Option<f64>,
    step_parts_seconds: Vec<(&'static str, f64)>,
    memory_bytes: f64,
    memory_parts_bytes: Vec<(&'static str, f64)>,
    fullest_stage: u32,
    device_memory_bytes: f64,
    fits: bool,
    basis: Basis,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<WholeJob>,
}

/// A whole job with its input, checkpoints and failures.
#[derive(Debug, Serialize)]
struct WholeJob {
    steps: u64,
    /// Time of a step with its input.
    step_seconds: f64,
    /// What a step waits for.
    bound: &'static str,
    /// Without failures and checkpoints.
    work_seconds: f64,
    checkpoint_bytes: f64,
    checkpoint_interval_seconds: f64,
    mean_time_between_failures_seconds: f64,
    expected_seconds: f64,
    goodput: f64,
}

pub(super) fn run(arguments: &PredictArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let read;
    let calibration = match &arguments.calibration {
        Some(path) => {
            read = document::read::<Calibration>(path)?;
            &read
        }
        None => bundled(),
    };
    let training = training(arguments)?;
    let Some(strategy) = arguments.strategy else { return search(arguments, &training, calibration, global, printer) };
    let training = Training { strategy, ..training };
    let constants = calibration.constants(&training, &arguments.stack);
    let step = training::predict(&training, &constants)?;
    let memory = memory::of(&training, &training::lower(&training)?);
    let mut report = report(&training, &step, &memory, calibration, &arguments.stack);
    report.job = job(arguments, &training, report.step_seconds.p50)?;
    match global.format {
        OutputFormat::Table => {
            printer.data(&text(&report));
            printer.data(&report.job.as_ref().map(job_text).unwrap_or_default());
        }
        format => printer.table(format, &parts_table(&report), &report),
    }
    Ok(Exit::Done)
}

/// The training that the command line describes, on one replica for a start.
fn training(arguments: &PredictArguments) -> Result<Training, Failure> {
    let sheet = Catalog::bundled().find_accelerator(&arguments.machine);
    let sheet = sheet.ok_or_else(|| unknown_machine(&arguments.machine))?;
    let mut model = model(&arguments.model)?;
    if let (Model::Transformer(transformer), Some(sequence)) = (&mut model, arguments.sequence) {
        transformer.sequence = sequence;
    }
    model.parameters().map_err(|error| Unpredicted::Model { text: error.to_string() })?;
    let network = arguments.network.map(|network| network.0);
    let devices = arguments.devices_per_node.get();
    Ok(Training {
        model,
        strategy: Strategy::SINGLE,
        global_batch: arguments.global_batch.get(),
        precision: arguments.precision,
        optimizer_bytes: 8.0,
        fused_attention: !arguments.unfused_attention,
        frozen: false,
        cluster: Cluster::new(sheet, arguments.nodes.get(), devices, network),
    })
}

/// The failure of an accelerator that the catalogue doesn't know.
pub(super) fn unknown_machine(name: &str) -> Unpredicted {
    let closest = closest(name, Catalog::bundled().accelerator_names());
    Unpredicted::Machine { name: name.to_owned(), closest }
}

/// A preset by its name, or a description in a JSON file.
pub(super) fn model(name: &str) -> Result<Model, Failure> {
    if let Some(preset) = find_alias(name) {
        return Ok(preset.model());
    }
    let path = Path::new(name);
    if !path.exists() {
        let closest = closest(name, PRESETS.iter().map(|preset| preset.name));
        return Err(Unpredicted::UnknownModel { name: name.to_owned(), closest }.into());
    }
    let broken = |text: String| Unpredicted::Model { text };
    let text = fs_err::read_to_string(path).map_err(|error| broken(error.to_string()))?;
    let model: Model = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    Ok(model.resolved().map_err(|error| broken(error.to_string()))?)
}

fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let distance = |other: &&str| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    known.min_by_key(distance).unwrap_or_default().to_owned()
}

fn report(training: &Training, step: &Step, memory: &Memory, calibration: &Calibration, stack: &str) -> Report {
    let seconds = calibration.interval(step.total(), training, stack);
    let tokens = training.tokens_per_record();
    let units = training.global_batch as f64 * tokens;
    let peak = training.cluster.peak(training.precision).unwrap_or(f64::INFINITY);
    let devices = f64::from(training.cluster.devices());
    Report {
        device: training.cluster.device.clone(),
        strategy: training.strategy,
        step_seconds: seconds,
        throughput: Interval { p10: units / seconds.p90, p50: units / seconds.p50, p90: units / seconds.p10 },
        throughput_unit: if tokens > 1.0 { "tokens/s" } else { "samples/s" },
        model_flops_utilisation: training.flops(false).ok().map(|flops| flops / seconds.p50 / devices / peak),
        step_parts_seconds: step.parts().into(),
        memory_bytes: memory.total(),
        memory_parts_bytes: memory.parts().into(),
        fullest_stage: memory.stage,
        device_memory_bytes: training.cluster.memory_bytes,
        fits: memory.fits(training.cluster.memory_bytes),
        basis: calibration.basis(training, stack),
        job: None,
    }
}

/// The whole job, where its steps are given.
fn job(arguments: &PredictArguments, training: &Training, step: f64) -> Result<Option<WholeJob>, Failure> {
    let Some(steps) = arguments.steps else { return Ok(None) };
    let wrong = |text: String| Unpredicted::Model { text };
    let fed = input::Input {
        records: training.global_batch as f64,
        bytes_per_record: arguments.record_size.map_or(0.0, |size| size.0 as f64),
        storage_bytes_per_second: arguments.storage.0,
        cached_bytes_per_second: None,
        core_seconds_per_record: 0.0,
        cores: 1.0,
        prefetch: true,
    };
    let fed = fed.step(step).map_err(|error| wrong(error.to_string()))?;
    let parameters = training.model.parameters().map_err(|error| wrong(error.to_string()))? as f64;
    let checkpoint = Checkpoint {
        bytes: checkpoint_bytes(parameters, training.precision, training.optimizer_bytes),
        bytes_per_second: arguments.storage.0,
        barrier_seconds: 0.0,
        write: Write::Blocking,
    };
    let failures = Failures {
        device_mtbf_seconds: arguments.device_mtbf * 3600.0,
        devices: u64::from(training.cluster.devices()),
        spot_nodes: 0,
        spot_interruptions_per_hour: 0.0,
        spot_notice_seconds: 0.0,
        restart_seconds: arguments.restart * 60.0,
    };
    let work_seconds = fed.later_seconds * steps.get() as f64;
    let expected =
        failures.reliability(work_seconds, &checkpoint, None).map_err(|e| Unpredicted::Unanswered(e.to_string()))?;
    Ok(Some(WholeJob {
        steps: steps.get(),
        step_seconds: fed.later_seconds,
        bound: match fed.bound {
            Bound::Compute => "computation",
            Bound::Storage => "storage",
            Bound::Cores => "processor cores",
        },
        work_seconds,
        checkpoint_bytes: checkpoint.bytes,
        checkpoint_interval_seconds: expected.interval_seconds,
        mean_time_between_failures_seconds: expected.mtbf_seconds,
        expected_seconds: expected.wall_seconds,
        goodput: expected.goodput,
    }))
}

fn job_text(job: &WholeJob) -> String {
    let time = |seconds: f64| Seconds::new(seconds).rounded();
    format!(
        "\n{} steps of {:.4} s, bound by {}: {} of work, {} with checkpoints and failures (goodput {:.1} %)\n\
         Checkpoint {} every {}; a failure every {}\n",
        job.steps,
        job.step_seconds,
        job.bound,
        time(job.work_seconds),
        time(job.expected_seconds),
        100.0 * job.goodput,
        Bytes(job.checkpoint_bytes as u64).rounded(),
        time(job.checkpoint_interval_seconds),
        time(job.mean_time_between_failures_seconds),
    )
}

fn text(report: &Report) -> String {
    let step = report.step_seconds;
    let rate = report.throughput;
    let bytes = |value: f64| Bytes(value as u64).rounded();
    let verdict = if report.fits { "fits" } else { "does not fit" };
    let utilisation = report
        .model_flops_utilisation
        .map_or_else(String::new, |share| format!("Model FLOP utilisation {:.1} %\n", 100.0 * share));
    format!(
        "Step {:.4} s ({:.4} to {:.4} in 8 of 10 cases)\nThroughput {:.4e} {} ({:.4e} to {:.4e})\n{utilisation}\
         Memory {} of {}: {verdict}, {:.0} % kept free; fullest is stage {}\n{}\n\n{}",
        step.p50,
        step.p10,
        step.p90,
        rate.p50,
        report.throughput_unit,
        rate.p10,
        rate.p90,
        bytes(report.memory_bytes),
        bytes(report.device_memory_bytes),
        100.0 * RESERVE,
        report.fullest_stage,
        sentence(report.basis.words()),
        parts_table(report).to_text(),
    )
}

fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn parts_table(report: &Report) -> Table {
    let mut table = Table::new(&["of", "part", "value", "unit", "share %"]);
    let mut add = |of: &str, parts: &[(&'static str, f64)], unit: &str, whole: f64| {
        for (part, value) in parts {
            let value_text = if unit == "s" { format!("{value:.6}") } else { format!("{value:.0}") };
            let share = format!("{:.1}", 100.0 * value / whole);
            table.rows.push(vec![of.to_owned(), (*part).to_owned(), value_text, unit.to_owned(), share]);
        }
    };
    add("step", &report.step_parts_seconds, "s", report.step_seconds.p50);
    add("memory", &report.memory_parts_bytes, "bytes", report.memory_bytes);
    table
}

/// One strategy of a search as programs read it.
#[derive(Debug, Serialize)]
struct Ranked {
    strategy: Strategy,
    step_seconds: Interval,
    memory_bytes: f64,
}

fn search(
    arguments: &PredictArguments,
    training: &Training,
    calibration: &Calibration,
    global: &Global,
    printer: Printer,
) -> Result<Exit, Failure> {
    training.check_sizes()?;
    let search = training::search(training, &calibration.constants(training, &arguments.stack));
    let ranked = |found: &Found| {
        let step_seconds = calibration.interval(found.step.total(), training, &arguments.stack);
        Ranked { strategy: found.strategy, step_seconds, memory_bytes: found.memory.total() }
    };
    let rows: Vec<Ranked> = search.found.iter().take(arguments.top).map(ranked).collect();
    let mut table = Table::new(&["strategy", "step s", "p10", "p90", "memory"]);
    for row in &rows {
        let Interval { p10, p50, p90 } = row.step_seconds;
        let memory = Bytes(row.memory_bytes as u64).rounded();
        let cells = [row.strategy.to_string(), format!("{p50:.4}"), format!("{p10:.4}"), format!("{p90:.4}"), memory];
        table.rows.push(cells.into());
    }
    if rows.is_empty() {
        let (possible, too_large) = (search.possible, search.too_large);
        return Err(Unpredicted::NothingFits { possible, too_large }.into());
    }
    printer.table(global.format, &table, &rows);
    printer.status(&format!(
        "{} strategies are possible, {} need more memory than a device has. {}.",
        search.possible,
        search.too_large,
        sentence(calibration.basis(training, &arguments.stack).words())
    ));
    Ok(Exit::Done)
}

impl From<Impossible> for Failure {
    fn from(error: Impossible) -> Self {
        Unpredicted::Impossible(error).into()
    }
}
