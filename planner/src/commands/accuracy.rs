//! `planner accuracy`: how far predictions miss measured runs.

use std::collections::BTreeMap;

use scenarios::terminal::{Exit, Printer, Table};
use serde::Serialize;

use super::failure::Failure;
use super::runs;
use crate::cli::{AccuracyArguments, Global, LeaveOut};
use crate::performance::calibration::{Prediction, Split, bundled, cross_validate};
use crate::performance::runs::{Measured, Run, Runs};
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
    p10: f64,
    p50: f64,
    p90: f64,
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
struct Judged<'a> {
    run: &'a Run,
    row: Row,
    prediction: Option<Prediction>,
}

pub(super) fn run(arguments: &AccuracyArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let table = runs::read(&arguments.runs)?;
    let judged = judge(&table, arguments.leave_out);
    let groups = groups(&judged);
    let rows: Vec<Row> = judged.into_iter().map(|judged| judged.row).collect();
    let shown = if arguments.each { rows_table(&rows) } else { groups_table(&groups) };
    let report = Report { groups, runs: rows, refused: runs::refused(&table) };
    printer.table(global.format, &shown, &report);
    runs::tell(&table, printer);
    Ok(Exit::Done)
}

fn judge(table: &Runs, leave_out: LeaveOut) -> Vec<Judged<'_>> {
    let runs = &table.runs;
    let split = match leave_out {
        LeaveOut::Folds => Split::Folds,
        LeaveOut::Sources => Split::Sources,
        LeaveOut::Devices => Split::Devices,
        LeaveOut::Nothing => return runs.iter().filter_map(with_bundled).collect(),
    };
    let predictions = cross_validate(runs, split);
    runs.iter().zip(predictions).filter_map(|(run, prediction)| judged(run, prediction)).collect()
}

/// The bundled calibration's prediction, as `planner predict` gives it.
fn with_bundled(run: &Run) -> Option<Judged<'_>> {
    let Measured::StepSeconds(measured) = run.measured else { return judged(run, None) };
    let calibration = bundled();
    let constants = calibration.constants(&run.training, &run.stack);
    let predicted = training::predict(&run.training, &constants).ok()?.total();
    let interval = calibration.interval(predicted, &run.training, &run.stack);
    judged(run, Some(Prediction { interval, error: (predicted / measured).ln(), part: 0 }))
}

fn judged(run: &Run, prediction: Option<Prediction>) -> Option<Judged<'_>> {
    let (quantity, unit, measured, [p10, p50, p90]) = match (run.measured, prediction) {
        (Measured::StepSeconds(seconds), Some(prediction)) => {
            let interval = prediction.interval;
            ("step", "s", seconds, [interval.p10, interval.p50, interval.p90])
        }
        (Measured::StepSeconds(_), None) => return None,
        (Measured::PeakBytes(bytes), _) => {
            let segments = training::lower(&run.training).ok()?;
            ("memory", "bytes", bytes, [memory::of(&run.training, &segments).total(); 3])
        }
    };
    let row = Row {
        id: run.id.clone(),
        source: run.source.clone(),
        model: run.model.clone(),
        device: run.training.cluster.device.clone(),
        strategy: run.training.strategy.to_string(),
        quantity,
        unit,
        measured,
        p10,
        p50,
        p90,
        error_percent: 100.0 * (p50 / measured - 1.0),
    };
    Some(Judged { run, row, prediction })
}

/// Errors of all steps, of kinds of networks, of parts and of sources, and of memory.
fn groups(judged: &[Judged<'_>]) -> Vec<Errors> {
    let mut list = Vec::new();
    let mut add = |name: &str, of: &dyn Fn(&Judged<'_>) -> bool| {
        let members: Vec<&Judged<'_>> = judged.iter().filter(|judged| of(judged)).collect();
        list.extend(errors(name, &members));
    };
    let is_step = |judged: &Judged<'_>| judged.prediction.is_some();
    let is_transformer = |judged: &Judged<'_>| judged.run.training.transformer().is_some();
    add("all steps", &is_step);
    add("transformers, full configuration", &|j| is_step(j) && is_transformer(j) && j.run.grade == "A");
    add("transformers, rest", &|j| is_step(j) && is_transformer(j) && j.run.grade != "A");
    add("other networks", &|j| is_step(j) && !is_transformer(j));
    let parts = judged.iter().filter_map(|judged| judged.prediction.map(|prediction| prediction.part)).max();
    for part in 0..=parts.unwrap_or(0).min(4) {
        add(&format!("part {}", part + 1), &|j| j.prediction.is_some_and(|prediction| prediction.part == part));
    }
    let mut sources: Vec<&str> = judged.iter().map(|judged| judged.run.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    for source in sources {
        add(source, &|j| is_step(j) && j.run.source == source);
    }
    add("memory", &|j| !is_step(j));
    list
}

fn errors(group: &str, members: &[&Judged<'_>]) -> Option<Errors> {
    let mut sizes: Vec<f64> = members.iter().map(|judged| judged.row.error_percent.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let count = members.len() as f64;
    let worst = members.iter().max_by(|a, b| a.row.error_percent.abs().total_cmp(&b.row.error_percent.abs()))?;
    let predictions: Vec<Prediction> = members.iter().filter_map(|judged| judged.prediction).collect();
    let mut widths: Vec<f64> = predictions.iter().map(Prediction::half_width).collect();
    widths.sort_by(f64::total_cmp);
    let inside = predictions.iter().filter(|prediction| prediction.is_inside()).count() as f64;
    let pairs: Vec<(f64, f64)> = members.iter().map(|judged| (judged.row.p50, judged.row.measured)).collect();
    Some(Errors {
        group: group.to_owned(),
        runs: members.len(),
        mape_percent: sizes.iter().sum::<f64>() / count,
        median_percent: middle(&sizes, 0.5),
        p90_percent: middle(&sizes, 0.9),
        bias_percent: members.iter().map(|judged| judged.row.error_percent).sum::<f64>() / count,
        rank_correlation: rank_correlation(&pairs),
        inside_percent: (!predictions.is_empty()).then_some(100.0 * inside / count),
        median_half_width_percent: (!widths.is_empty()).then(|| 100.0 * middle(&widths, 0.5)),
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
        let equal = values.iter().filter(|other| *other == value).count();
        below as f64 + (equal as f64 - 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

fn groups_table(groups: &[Errors]) -> Table {
    let mut table = Table::new(&[
        "group", "runs", "MAPE %", "median %", "p90 %", "bias %", "rank", "inside %", "half-width %", "worst", "worst %",
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
            short(row.p10),
            short(row.p50),
            short(row.p90),
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
