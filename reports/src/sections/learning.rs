//! Loss and accuracy over the epochs of training.

use askama::Template;
use scenarios::run::Epoch;

use super::{FileNames, Section};
use crate::charts::{Caption, Chart, Curve, CurvePoint, Quantity, learning};
use crate::error::ReportError;
use crate::evidence::{Evidence, Measurement};
use crate::format::{number, percent};
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/charts.html")]
struct Body<'a> {
    intro: &'static str,
    charts: &'a [Chart],
    empty: &'static str,
}

/// Learning curves, two charts for each training workload.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let mut trained: Vec<(&str, Vec<Measurement<'_>>)> = Vec::new();
    for m in evidence.measurements().into_iter().filter(|m| !m.workload.epochs.is_empty()) {
        match trained.iter_mut().find(|(name, _)| *name == m.workload.workload) {
            Some((_, list)) => list.push(m),
            None => trained.push((&m.workload.workload, vec![m])),
        }
    }
    let mut names = FileNames::default();
    let mut charts = Vec::new();
    for (workload, list) in &trained {
        for quantity in [Quantity::Loss, Quantity::Accuracy] {
            charts.push(chart(&mut names, workload, list, quantity)?);
        }
    }
    let body = Body {
        intro: "Solid lines are figures of the training records, taken while the model learns; dashed lines are figures of the validation records, taken after the epoch.",
        charts: &charts,
        empty: "No run trained for a whole epoch.",
    };
    Section::new("learning", "Loss and accuracy", &body, &charts, &[])
}

fn chart(
    names: &mut FileNames,
    workload: &str,
    list: &[Measurement<'_>],
    quantity: Quantity,
) -> Result<Chart, ReportError> {
    let word = if quantity == Quantity::Loss { "loss" } else { "accuracy" };
    let name = names.next(word, workload);
    let title = format!("Training of {workload}: {word} by epoch");
    let curves: Vec<_> = list.iter().enumerate().flat_map(|(index, m)| curves(index, m, quantity)).collect();
    let finding = [false, true].map(|dashed| finding(&curves, dashed, quantity)).concat();
    let table = table(&name, &title, list, quantity);
    learning(Caption { name: &name, title: &title, finding: &finding }, table, quantity, &curves)
}

fn curves(index: usize, m: &Measurement<'_>, quantity: Quantity) -> Vec<Curve> {
    let train = |epoch: &Epoch| Some(values(epoch, quantity).0);
    let validation = |epoch: &Epoch| values(epoch, quantity).1;
    let curve = |set: &str, dashed: bool, points: Vec<CurvePoint>| Curve {
        name: format!("run {} ({}), {set}", m.run_number, m.workload.strategy),
        index,
        dashed,
        points,
    };
    let epochs = &m.workload.epochs;
    let curves =
        [curve("training", false, points(epochs, train)), curve("validation", true, points(epochs, validation))];
    curves.into_iter().filter(|curve| !curve.points.is_empty()).collect()
}

fn points(epochs: &[Epoch], value: impl Fn(&Epoch) -> Option<f64>) -> Vec<CurvePoint> {
    epochs.iter().filter_map(|epoch| value(epoch).map(|value| (epoch.epoch, value))).collect()
}

/// Figure of the training records, and of the validation records if there are any.
fn values(epoch: &Epoch, quantity: Quantity) -> (f64, Option<f64>) {
    match quantity {
        Quantity::Loss => (epoch.train_loss, epoch.validation_loss),
        Quantity::Accuracy => (epoch.train_accuracy, epoch.validation_accuracy),
    }
}

/// How the curves of one set of records end.
fn finding(curves: &[Curve], dashed: bool, quantity: Quantity) -> String {
    let show = |value: f64| if quantity == Quantity::Loss { number(value) } else { percent(value) };
    let word = if quantity == Quantity::Loss { "loss" } else { "accuracy" };
    let set = if dashed { " Validation" } else { "Training" };
    let points: Vec<_> = curves.iter().filter(|curve| curve.dashed == dashed).map(|curve| &curve.points[..]).collect();
    let ends = points.iter().filter_map(|points| points.last()).map(|(_, value)| *value);
    match points.as_slice() {
        [] => String::new(),
        [[(epoch, value)]] => format!("{set} {word} is {} after epoch {epoch}.", show(*value)),
        [[(_, first), .., (epoch, last)]] => {
            format!("{set} {word} goes from {} to {} in epoch {epoch}.", show(*first), show(*last))
        }
        runs => {
            let (low, high) =
                ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), value| (l.min(value), h.max(value)));
            format!("{set} {word} ends between {} and {} over {} runs.", show(low), show(high), runs.len())
        }
    }
}

fn table(name: &str, title: &str, list: &[Measurement<'_>], quantity: Quantity) -> Table {
    let (train, validation) = match quantity {
        Quantity::Loss => ("train_loss", "validation_loss"),
        Quantity::Accuracy => ("train_accuracy", "validation_accuracy"),
    };
    let columns = [
        ("Run", "run"),
        ("Epoch", "epoch"),
        ("Training", train),
        ("Validation", validation),
        ("Samples/s", "throughput"),
        ("Wall time", "seconds"),
    ];
    let mut table = Table::new(&format!("charts/{name}"), title, &columns);
    let show = |value: f64| if quantity == Quantity::Loss { Cell::number(value, "nats") } else { Cell::percent(value) };
    for m in list {
        for epoch in &m.workload.epochs {
            let (train, validation) = values(epoch, quantity);
            table.row([
                Cell::count(m.run_number as u64),
                Cell::count(epoch.epoch.into()),
                show(train),
                Cell::or_none(validation, show),
                Cell::number(epoch.throughput, "samples/s"),
                Cell::duration(epoch.seconds),
            ]);
        }
    }
    table
}
