//! Confusion matrices.

use askama::Template;

use super::{FileNames, Section};
use crate::charts::{Caption, Chart, confusion};
use crate::error::ReportError;
use crate::evidence::{Evidence, Measurement};
use crate::format::{count, percent};
use crate::table::{Cell, Table};

/// Most classes for which the whole matrix is shown in the page.
const SHOWN_CLASSES: usize = 20;

#[derive(Template)]
#[template(path = "sections/confusion.html")]
struct Body<'a> {
    matrices: &'a [Matrix],
}

struct Matrix {
    name: String,
    metrics: Vec<(String, String)>,
    differs: Option<String>,
    chart: Option<Chart>,
    counts: Table,
    classes: Table,
}

/// The confusion matrix of every evaluation.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let measurements = evidence.measurements();
    let evaluated = measurements.iter().filter(|m| is_square(&m.workload.confusion));
    let mut names = FileNames::default();
    let matrices = evaluated.map(|m| matrix(&mut names, m)).collect::<Result<Vec<_>, _>>()?;
    let charts: Vec<_> = matrices.iter().filter_map(|m| m.chart.clone()).collect();
    let whole = matrices.iter().filter(|m| m.chart.is_none()).map(|m| &m.counts);
    let tables: Vec<_> = matrices.iter().map(|m| &m.classes).chain(whole).collect();
    Section::new("confusion", "Confusion matrix", &Body { matrices: &matrices }, &charts, &tables)
}

fn is_square(matrix: &[Vec<u64>]) -> bool {
    !matrix.is_empty() && matrix.iter().all(|row| row.len() == matrix.len())
}

fn matrix(names: &mut FileNames, m: &Measurement<'_>) -> Result<Matrix, ReportError> {
    let counts = &m.workload.confusion;
    let name = names.next("confusion", &format!("{} run {}", m.workload.workload, m.run_number));
    let title = format!("Confusion matrix of {}, run {}", m.workload.workload, m.run_number);
    let table = shaded(&format!("charts/{name}"), &title, counts);
    let small = counts.len() <= SHOWN_CLASSES;
    let caption = Caption { name: &name, title: &title, finding: &finding(counts) };
    let chart = if small { Some(confusion(caption, table.clone(), counts)?) } else { None };
    let metrics = m.workload.metrics.iter().map(|(name, value)| (name.replace('_', " "), metric(name, *value)));
    Ok(Matrix {
        name: m.name(),
        differs: m.workload.metrics.get("test_accuracy").and_then(|stated| differs(counts, *stated)),
        metrics: metrics.collect(),
        chart,
        counts: table,
        classes: classes(&format!("tables/classes-{}", name.trim_start_matches("confusion-")), counts),
    })
}

fn metric(name: &str, value: f64) -> String {
    if name.ends_with("accuracy") { percent(value) } else { crate::format::number(value) }
}

fn finding(counts: &[Vec<u64>]) -> String {
    let (right, total) = right_and_total(counts);
    let wrong = pairs(counts).max_by_key(|&(n, row, column)| (n, std::cmp::Reverse((row, column))));
    let most = match wrong {
        Some((n, row, column)) if n > 0 => {
            format!(" The most frequent confusion takes {row} for {column}, {} times.", count(n))
        }
        _ => " There is no confusion.".to_owned(),
    };
    let share = percent(right as f64 / total as f64);
    format!("{} of {} records are classified rightly ({share}).{most}", count(right), count(total))
}

fn right_and_total(counts: &[Vec<u64>]) -> (u64, u64) {
    (sum(counts.iter().enumerate().map(|(class, row)| row[class])), sum(counts.iter().flatten().copied()))
}

/// The accuracy that follows from the matrix, where it is not the stated one.
fn differs(counts: &[Vec<u64>], stated: f64) -> Option<String> {
    let (right, total) = right_and_total(counts);
    let share = right as f64 / total as f64;
    ((share - stated).abs() > 1e-4).then(|| percent(share))
}

/// Counts off the diagonal with their true and predicted class.
fn pairs(counts: &[Vec<u64>]) -> impl Iterator<Item = (u64, usize, usize)> {
    counts.iter().enumerate().flat_map(|(row, line)| {
        line.iter().enumerate().filter(move |(column, _)| *column != row).map(move |(column, n)| (*n, row, column))
    })
}

fn sum(values: impl Iterator<Item = u64>) -> u64 {
    values.fold(0, u64::saturating_add)
}

fn shaded(name: &str, title: &str, counts: &[Vec<u64>]) -> Table {
    let fields: Vec<_> = (0..counts.len()).map(|class| (class.to_string(), format!("predicted_{class}"))).collect();
    let columns: Vec<_> = std::iter::once(("True class", "true_class"))
        .chain(fields.iter().map(|(title, field)| (title.as_str(), field.as_str())))
        .collect();
    let mut table = Table::new(name, &format!("{title}: rows are true classes, columns predicted ones"), &columns);
    for (class, row) in counts.iter().enumerate() {
        let total = sum(row.iter().copied()) as f64;
        let cells = row.iter().map(|n| Cell::count(*n).shaded((*n as f64 / total.max(1.0)).sqrt()));
        table.push(std::iter::once(Cell::text(class.to_string())).chain(cells).collect());
    }
    table
}

fn classes(name: &str, counts: &[Vec<u64>]) -> Table {
    let columns = [
        ("Class", "class"),
        ("Records", "records"),
        ("Found (recall)", "recall"),
        ("Right when predicted (precision)", "precision"),
        ("Mostly taken for", "taken_for"),
    ];
    let mut table = Table::new(name, "Quality by class", &columns);
    for (class, row) in counts.iter().enumerate() {
        let (records, predicted) = (sum(row.iter().copied()), sum(counts.iter().map(|row| row[class])));
        let right = row[class] as f64;
        let worst = pairs(counts)
            .filter(|(n, row, _)| *row == class && *n > 0)
            .max_by_key(|(n, _, c)| (*n, std::cmp::Reverse(*c)));
        table.row([
            Cell::text(class.to_string()),
            Cell::count(records),
            Cell::percent(right / records as f64),
            Cell::percent(right / predicted as f64),
            worst.map_or_else(Cell::none, |(n, _, column)| Cell::text(format!("{column} ({} times)", count(n)))),
        ]);
    }
    table
}
