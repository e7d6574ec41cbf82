//! Predicted against measured throughput.

use askama::Template;

use super::Section;
use crate::charts::{Caption, Chart, Point, throughput};
use crate::error::ReportError;
use crate::evidence::{Evidence, Measurement, median_absolute_error, status_word};
use crate::format::percent;
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/throughput.html")]
struct Body<'a> {
    charts: &'a [Chart],
    medians: &'a Table,
    left_out: Vec<String>,
}

/// Every measured throughput beside its prediction.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let (measured, left_out): (Vec<_>, Vec<_>) =
        evidence.measurements().into_iter().partition(Measurement::is_comparable);
    let charts = charts(&measured)?;
    let medians = medians(&measured);
    let body = Body { charts: &charts, medians: &medians, left_out: left_out.iter().map(Measurement::name).collect() };
    Section::new("throughput", "Predicted against measured throughput", &body, &charts, &[&medians])
}

/// One chart for each kind of job, since their rates differ by far.
fn charts(measured: &[Measurement<'_>]) -> Result<Vec<Chart>, ReportError> {
    let mut charts = Vec::new();
    for (kind, name) in [("train", "throughput-training"), ("evaluate", "throughput-evaluation")] {
        let of_kind: Vec<_> =
            measured.iter().filter(|m| (m.workload.kind == "evaluate") == (kind == "evaluate")).copied().collect();
        let Some(first) = of_kind.first() else { continue };
        let title = format!("Predicted against measured throughput, {}", name.trim_start_matches("throughput-"));
        let finding = finding(&of_kind);
        let points: Vec<_> = of_kind
            .iter()
            .map(|m| Point { number: m.number, series: series(m), measured: m.measured(), predicted: m.predicted() })
            .collect();
        let caption = Caption { name, title: &title, finding: &finding };
        charts.push(
            throughput(caption, table(name, &title, &of_kind), &points, &first.workload.throughput_unit)?.opened(),
        );
    }
    Ok(charts)
}

fn series(m: &Measurement<'_>) -> String {
    format!("{}, {}", m.workload.workload, m.workload.strategy)
}

fn finding(measured: &[Measurement<'_>]) -> String {
    let inside = measured.iter().filter(|m| m.is_inside()).count();
    let over = measured.iter().filter(|m| m.error() > 0.0).count();
    let error = median_absolute_error(measured).unwrap_or_default();
    let n = measured.len();
    let plural = if n == 1 { "" } else { "s" };
    format!(
        "The median absolute error of {n} measurement{plural} is {}; {inside} of {n} within the predicted p10 to p90. \
         The prediction was too high in {over} and too low in {}.",
        percent(error),
        n - over
    )
}

fn table(name: &str, title: &str, measured: &[Measurement<'_>]) -> Table {
    let columns = [
        ("No.", "number"),
        ("Run", "run"),
        ("Workload", "workload"),
        ("Strategy", "strategy"),
        ("Status", "status"),
        ("Predicted", "predicted"),
        ("", "predicted_p10"),
        ("", "predicted_p90"),
        ("Measured", "measured"),
        ("", "measured_p10"),
        ("", "measured_p90"),
        ("", "unit"),
        ("Error", "error"),
        ("Within p10 to p90", "inside"),
        ("Rests on", "basis"),
    ];
    let mut table = Table::new(&format!("charts/{name}"), title, &columns);
    for m in measured {
        table.row(row(m));
    }
    table
}

fn row(m: &Measurement<'_>) -> [Cell; 15] {
    let (w, unit) = (m.workload, &m.workload.throughput_unit);
    let (predicted, measured) = (m.predicted(), m.measured());
    let rate = |value: f64| Cell::number(value, unit);
    [
        Cell::count(m.number as u64),
        Cell::count(m.run_number as u64),
        Cell::name(&w.workload),
        Cell::text(w.strategy.to_string()),
        Cell::text(status_word(w.status)),
        Cell::rates(predicted, unit),
        rate(predicted.p10),
        rate(predicted.p90),
        Cell::rates(measured, unit),
        rate(measured.p10),
        rate(measured.p90),
        Cell::text(unit),
        Cell::signed_percent(m.error()),
        Cell::judged(m.is_inside(), "yes", "no"),
        Cell::text(&w.predicted.basis),
    ]
}

fn medians(measured: &[Measurement<'_>]) -> Table {
    let columns = [
        ("Workload and strategy", "series"),
        ("Measurements", "measurements"),
        ("Median absolute error", "median_absolute_error"),
        ("Within p10 to p90", "inside"),
    ];
    let mut table = Table::new("tables/errors", "Error of the predicted throughput by workload and strategy", &columns);
    let mut names: Vec<String> = measured.iter().map(series).collect();
    names.sort();
    names.dedup();
    for name in names {
        let of_series: Vec<_> = measured.iter().filter(|m| series(m) == name).copied().collect();
        table.row([
            Cell::name(&name),
            Cell::count(of_series.len() as u64),
            Cell::or_none(median_absolute_error(&of_series), Cell::percent),
            Cell::count(of_series.iter().filter(|m| m.is_inside()).count() as u64),
        ]);
    }
    table
}
