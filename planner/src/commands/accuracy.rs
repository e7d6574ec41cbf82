//! `planner accuracy`: how far predictions miss measured runs.

use std::collections::BTreeMap;

use scenarios::terminal::{Exit, Printer, Table};
use scenarios::units::Interval;
use serde::Serialize;

use super::failure::{Failure, Unpredicted};
use super::runs;
use crate::cli::{AccuracyArguments, Global, LeaveOut};
use crate::performance::calibration::{Prediction, Split, bundled, cross_validate};
use crate::performance::runs::{Measured, Run, Runs};
use crate::performance::serving::{self, ServingRun};
use crate::performance::training::{self, memory};

/// Errors of a group of runs, in percent of the measured value.
#[derive(Debug, Clone, Serialize)]
struct Errors {
    /// Source, kind of network or part.
    group: String,
    runs: usize,
    mape_percent: f64,
    median_percent: f64,
    p90_percent: f64,
    /// Mean of signed errors.
    bias_percent: f64,
    /// Rank correlation of predicted and measured (Spearman); none for fewer than three runs.
    rank_correlation: Option<f64>,
    /// Share of measured values between p10 and p90.
    inside_percent: Option<f64>,
    median_half_width_percent: Option<f64>,
    /// Sets of configurations, of which the one predicted best is the measured best or within 5 % of it.
    good_picks: usize,
    /// Sets of at least two configurations of one network on as many devices.
    choices: usize,
    worst: String,
    worst_percent: f64,
}

/// One run.
#[derive(Debug, Clone, Serialize)]
struct Row {
    id: String,
    source: String,
    model: String,
    device: String,
    strategy: String,
    quantity: &'static str,
    unit: &'static str,
    measured: f64,
    predicted: Interval,
    error_percent: f64,
}

/// Everything, as programs read it.
#[derive(Debug, Serialize)]
struct Report {
    groups: Vec<Errors>,
    runs: Vec<Row>,
    refused: BTreeMap<String, Vec<String>>,
}

/// A run with its prediction.
struct Judged {
    row: Row,
    /// Groups that it counts in, each with its place in the table.
    groups: Vec<(u8, String)>,
    interval: Option<Inside>,
    /// Runs that a choice among configurations is made from, and the time of a record: measured, predicted.
    choice: Option<(String, [f64; 2])>,
}

/// How the interval of a run was.
#[derive(Debug, Clone, Copy)]
struct Inside {
    is_inside: bool,
    half_width: f64,
}

pub(super) fn run(arguments: &AccuracyArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let table = runs::read(&arguments.runs)?;
    table.tell(&arguments.runs, printer)?;
    let judged = match &table {
        runs::Table::Training(table) => training(table, arguments.leave_out),
        runs::Table::Serving(table) => serving(table, arguments.leave_out)?,
        runs::Table::Collectives(_) => return Err(Unpredicted::Collectives.into()),
    };
    let groups = groups(&judged);
    let rows: Vec<Row> = judged.into_iter().map(|judged| judged.row).collect();
    let shown = if arguments.each { rows_table(&rows) } else { groups_table(&groups) };
    let report = Report { groups, runs: rows, refused: table.refused() };
    printer.table(global.format, &shown, &report);
    Ok(Exit::Done)
}

fn training(table: &Runs<Run>, leave_out: LeaveOut) -> Vec<Judged> {
    let runs = &table.runs;
    let split = match leave_out {
        LeaveOut::Folds => Split::Folds,
        LeaveOut::Sources => Split::Sources,
        LeaveOut::Devices => Split::Devices,
        LeaveOut::Nothing => return runs.iter().filter_map(with_bundled).collect(),
    };
    let predictions = cross_validate(runs, split);
    runs.iter().zip(predictions).filter_map(|(run, prediction)| trained(run, prediction)).collect()
}

/// The bundled calibration's prediction, as `planner predict` gives it.
fn with_bundled(run: &Run) -> Option<Judged> {
    let Measured::StepSeconds(measured) = run.measured else { return trained(run, None) };
    let calibration = bundled();
    let constants = calibration.constants(&run.training, &run.source);
    let predicted = training::predict(&run.training, &constants).ok()?.total();
    let interval = calibration.interval(predicted, &run.training, &run.source);
    trained(run, Some(Prediction { interval, error: (predicted / measured).ln(), part: 0 }))
}

fn trained(run: &Run, prediction: Option<Prediction>) -> Option<Judged> {
    let (quantity, unit, measured, interval) = match (run.measured, prediction) {
        (Measured::StepSeconds(seconds), Some(prediction)) => ("step", "s", seconds, prediction.interval),
        (Measured::StepSeconds(_), None) => return None,
        (Measured::PeakBytes(bytes), _) => {
            let segments = training::lower(&run.training).ok()?;
            let total = memory::of(&run.training, &segments).total();
            ("memory", "bytes", bytes, Interval { p10: total, p50: total, p90: total })
        }
    };
    let device = &run.training.cluster.device;
    let row = Row {
        id: run.id.clone(),
        source: run.source.clone(),
        model: run.model.clone(),
        device: device.clone(),
        strategy: run.training.strategy.to_string(),
        quantity,
        unit,
        measured,
        predicted: interval,
        error_percent: 100.0 * (interval.p50 / measured - 1.0),
    };
    let groups = match prediction {
        None => vec![(9, "memory".to_owned())],
        Some(prediction) => {
            let class = match (run.training.transformer(), run.grade.as_str()) {
                (Some(_), "A") => (1, "transformers, full configuration"),
                (Some(_), _) => (2, "transformers, rest"),
                (None, _) => (3, "other networks"),
            };
            let part = format!("part {}", prediction.part + 1);
            let class = (class.0, class.1.to_owned());
            vec![(0, "all steps".to_owned()), class, (4, part), (5, run.source.clone())]
        }
    };
    let records = run.training.global_batch as f64;
    let per_record = [measured / records, interval.p50 / records];
    let same = format!("{} {} {device} {}", run.source, run.model, run.training.cluster.devices());
    let choice = prediction.map(|_| (same, per_record));
    let interval = prediction.map(|p| Inside { is_inside: p.is_inside(), half_width: p.half_width() });
    Some(Judged { row, groups, interval, choice })
}

fn serving(table: &Runs<ServingRun>, leave_out: LeaveOut) -> Result<Vec<Judged>, Failure> {
    let split = match leave_out {
        LeaveOut::Folds => serving::Split::Folds,
        LeaveOut::Devices => serving::Split::Devices,
        LeaveOut::Nothing => serving::Split::None,
        LeaveOut::Sources => return Err(Unpredicted::OneSource.into()),
    };
    let predictions = serving::accuracy(&table.runs, split);
    let judged = table.runs.iter().zip(predictions).filter_map(|(run, prediction)| Some(served(run, &prediction?)));
    Ok(judged.collect())
}

fn served(run: &ServingRun, prediction: &serving::Predicted) -> Judged {
    let (quantity, unit) = match run.measured {
        serving::runs::Measured::FirstTokenSeconds(_) => ("first token", "s"),
        serving::runs::Measured::TokensPerSecond(_) => ("throughput", "tokens/s"),
    };
    let batching = match run.load {
        serving::Load::Batches(_) => (0, "static batches"),
        _ => (5, "in-flight batching"),
    };
    let interval = prediction.predicted;
    let row = Row {
        id: run.id.clone(),
        source: run.source.clone(),
        model: run.model.clone(),
        device: run.device.clone(),
        strategy: format!("tensor {}, pipeline {}", run.server.tensor, run.server.pipeline),
        quantity,
        unit,
        measured: prediction.measured,
        predicted: interval,
        error_percent: 100.0 * (interval.p50 / prediction.measured - 1.0),
    };
    let (place, name) = batching;
    let groups = vec![
        (place, name.to_owned()),
        (place + 1, format!("{name}, {quantity}")),
        (place + 2, format!("{name}, {}", run.device)),
    ];
    let half_width = (interval.p90 - interval.p10) / 2.0 / interval.p50;
    let inside = Inside { is_inside: prediction.is_inside(), half_width };
    Judged { row, groups, interval: Some(inside), choice: None }
}

/// Errors of every group, in the order of the table.
fn groups(judged: &[Judged]) -> Vec<Errors> {
    let mut members = BTreeMap::<&(u8, String), Vec<&Judged>>::new();
    for judged in judged {
        for group in &judged.groups {
            members.entry(group).or_default().push(judged);
        }
    }
    members.into_iter().filter_map(|((_, name), members)| errors(name, &members)).collect()
}

/// How often the configuration that is predicted to be the fastest of those of one network on as many devices is the
/// fastest measured one, or within 5 % of it: such sets, and sets in all.
fn picks(members: &[&Judged]) -> [usize; 2] {
    let mut sets = BTreeMap::<&str, Vec<[f64; 2]>>::new();
    for (set, times) in members.iter().filter_map(|judged| judged.choice.as_ref()) {
        sets.entry(set).or_default().push(*times);
    }
    sets.retain(|_, times| times.len() > 1);
    let good = sets.values().filter(|times| {
        let best = times.iter().map(|[measured, _]| *measured).fold(f64::INFINITY, f64::min);
        let picked = times.iter().min_by(|a, b| a[1].total_cmp(&b[1]));
        picked.is_some_and(|[measured, _]| *measured <= 1.05 * best)
    });
    [good.count(), sets.len()]
}

fn errors(group: &str, members: &[&Judged]) -> Option<Errors> {
    let mut sizes: Vec<f64> = members.iter().map(|judged| judged.row.error_percent.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let count = members.len() as f64;
    let worst = members.iter().max_by(|a, b| a.row.error_percent.abs().total_cmp(&b.row.error_percent.abs()))?;
    let intervals: Vec<Inside> = members.iter().filter_map(|judged| judged.interval).collect();
    let mut widths: Vec<f64> = intervals.iter().map(|interval| interval.half_width).collect();
    widths.sort_by(f64::total_cmp);
    let inside = intervals.iter().filter(|interval| interval.is_inside).count() as f64;
    let pairs: Vec<(f64, f64)> = members.iter().map(|judged| (judged.row.predicted.p50, judged.row.measured)).collect();
    let [good_picks, choices] = picks(members);
    Some(Errors {
        group: group.to_owned(),
        runs: members.len(),
        mape_percent: sizes.iter().sum::<f64>() / count,
        median_percent: middle(&sizes, 0.5),
        p90_percent: middle(&sizes, 0.9),
        bias_percent: members.iter().map(|judged| judged.row.error_percent).sum::<f64>() / count,
        rank_correlation: rank_correlation(&pairs),
        inside_percent: (!intervals.is_empty()).then_some(100.0 * inside / count),
        median_half_width_percent: (!widths.is_empty()).then(|| 100.0 * middle(&widths, 0.5)),
        good_picks,
        choices,
        worst: worst.row.id.clone(),
        worst_percent: worst.row.error_percent,
    })
}

/// Value at a share of a sorted list that is not empty.
fn middle(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() as f64 * share) as usize).min(sorted.len() - 1)]
}

/// Spearman's rank correlation: Pearson's of the ranks, equal values at their mean rank.
fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let (a, b) = (ranks(&a), ranks(&b));
    let mean = (pairs.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let size = (product(&a, &a) * product(&b, &b)).sqrt();
    (size > 0.0).then(|| product(&a, &b) / size)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| other.total_cmp(value).is_eq()).count();
        below as f64 + (equal as f64 - 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

fn groups_table(groups: &[Errors]) -> Table {
    let mut table = Table::new(&[
        "group",
        "runs",
        "MAPE %",
        "median %",
        "p90 %",
        "bias %",
        "rank",
        "inside %",
        "half-width %",
        "good picks",
        "worst",
        "worst %",
    ]);
    let one = |value: f64| format!("{value:.1}");
    for group in groups {
        table.rows.push(vec![
            group.group.clone(),
            group.runs.to_string(),
            one(group.mape_percent),
            one(group.median_percent),
            one(group.p90_percent),
            format!("{:+.1}", group.bias_percent),
            group.rank_correlation.map(|rank| format!("{rank:.3}")).unwrap_or_default(),
            group.inside_percent.map(one).unwrap_or_default(),
            group.median_half_width_percent.map(one).unwrap_or_default(),
            if group.choices > 0 { format!("{} of {}", group.good_picks, group.choices) } else { String::new() },
            group.worst.clone(),
            format!("{:+.0}", group.worst_percent),
        ]);
    }
    table
}

fn rows_table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "run", "source", "model", "device", "strategy", "quantity", "measured", "p10", "p50", "p90", "unit", "error %",
    ]);
    let short = |value: f64| if value >= 1e6 { format!("{value:.3e}") } else { format!("{value:.4}") };
    for row in rows {
        table.rows.push(vec![
            row.id.clone(),
            row.source.clone(),
            row.model.clone(),
            row.device.clone(),
            row.strategy.clone(),
            row.quantity.to_owned(),
            short(row.measured),
            short(row.predicted.p10),
            short(row.predicted.p50),
            short(row.predicted.p90),
            row.unit.to_owned(),
            format!("{:+.1}", row.error_percent),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_knows_order_ties_and_nothing() {
        let check = |pairs: &[(f64, f64)], expected: Option<f64>| {
            let found = rank_correlation(pairs);
            let close = found.zip(expected).is_none_or(|(a, b)| (a - b).abs() < 1e-9);
            assert!(close && found.is_some() == expected.is_some(), "{pairs:?}: {found:?}");
        };
        check(&[(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)], Some(1.0));
        check(&[(1.0, 30.0), (2.0, 20.0), (3.0, 10.0)], Some(-1.0));
        check(&[(1.0, 10.0), (1.0, 20.0), (3.0, 30.0)], Some(0.866_025_403_784));
        check(&[(1.0, 1.0), (2.0, 2.0)], None);
        check(&[(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)], None);
    }
}
