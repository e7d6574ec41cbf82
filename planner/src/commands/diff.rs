//! `planner diff`: what differs between two plans.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use scenarios::terminal::{Exit, OutputFormat, Printer, Table};
use scenarios::units::{Bytes, Seconds};

use super::failure::Failure;
use super::load;
use crate::cli::{DiffArguments, Global};
use crate::explain::{Changed, Difference, Movement, Reservation, Run};

pub(super) fn run(arguments: &DiffArguments, global: &Global, printer: Printer) -> Result<Exit, Failure> {
    let difference = Difference::between(&load::plan(&arguments.before)?, &load::plan(&arguments.after)?);
    print(&difference, global, printer);
    let differs = arguments.detailed_exitcode && !difference.is_empty();
    Ok(if differs { Exit::Differs } else { Exit::Done })
}

/// Prints a difference as the user asked.
pub(super) fn print(difference: &Difference, global: &Global, printer: Printer) {
    match global.format {
        OutputFormat::Table => printer.data(&text(difference)),
        OutputFormat::Csv => printer.data(&table(difference).to_csv()),
        OutputFormat::Json => printer.data(&scenarios::document::to_json(difference)),
    }
}

/// The difference for people: a line for what is added (+), removed (-) or changed (~), then the sums.
pub(super) fn text(difference: &Difference) -> String {
    let mut text = String::new();
    if difference.is_empty() {
        text.push_str("No differences: both plans decide the same at the same price.\n");
    }
    for changed in &difference.workloads {
        let _ = write!(text, "{} `{}`{}", changed.sign(), changed.what, run_lines(changed));
    }
    for changed in &difference.flows {
        let _ = writeln!(text, "{} {}{}", changed.sign(), changed.what, movement_words(changed));
    }
    for changed in &difference.commitments {
        let _ = writeln!(text, "{} reserved in {}: {}", changed.sign(), changed.what, reservation_words(changed));
    }
    let _ = write!(text, "\n{}", sums(difference));
    if !difference.same_scenario {
        text.push_str("The plans answer different scenarios, or different states of one.\n");
    }
    text
}

/// `a → b`, or just `a` if both are equal.
fn arrow(before: &str, after: &str) -> String {
    if before == after { before.to_owned() } else { format!("{before} → {after}") }
}

fn time(seconds: f64) -> String {
    Seconds::new(seconds).rounded()
}

fn run_lines(changed: &Changed<Run>) -> String {
    let words = |run: &Run| format!("{} to {}, {} USD", time(run.start_seconds), time(run.end_seconds), run.cost_usd);
    match (&changed.before, &changed.after) {
        (Some(before), Some(after)) => {
            let placement = if before.placement == after.placement {
                format!(" stays on {}", after.placement)
            } else {
                format!("\n    from {}\n      to {}", before.placement, after.placement)
            };
            let span = |run: &Run| format!("{} to {}", time(run.start_seconds), time(run.end_seconds));
            let usd = arrow(&format!("{} USD", before.cost_usd), &format!("{} USD", after.cost_usd));
            format!("{placement}\n    runs {}; {usd}\n", arrow(&span(before), &span(after)))
        }
        (Some(run), None) | (None, Some(run)) => format!(" on {}\n    runs {}\n", run.placement, words(run)),
        (None, None) => String::new(),
    }
}

fn movement_words(changed: &Changed<Movement>) -> String {
    let words = |movement: &Movement| {
        let via: Vec<String> = movement.via.iter().flatten().map(|site| format!("`{site}`")).collect();
        let via = if via.is_empty() { String::new() } else { format!(" via {}", via.join(", ")) };
        format!("{}{via}, {} USD", Bytes(movement.bytes).rounded(), movement.cost_usd)
    };
    match (&changed.before, &changed.after) {
        (Some(before), Some(after)) => format!(": {}", arrow(&words(before), &words(after))),
        (Some(movement), None) | (None, Some(movement)) => format!(": {}", words(movement)),
        (None, None) => String::new(),
    }
}

fn reservation_words(changed: &Changed<Reservation>) -> String {
    let words = |one: &Reservation| format!("{} nodes, {} USD", one.nodes, one.cost_usd);
    match (&changed.before, &changed.after) {
        (Some(before), Some(after)) => arrow(&words(before), &words(after)),
        (Some(one), None) | (None, Some(one)) => words(one),
        (None, None) => String::new(),
    }
}

/// Cost, finish and greenhouse gas before and after.
fn sums(difference: &Difference) -> String {
    let Difference { before, after, change, .. } = difference;
    let mut table = Table::new(&["", "before", "after", "change"]);
    let row = |name: &str, before: String, after: String, change: String| vec![name.to_owned(), before, after, change];
    let plus = if change.cost_usd > Decimal::ZERO { "+" } else { "" };
    let usd = format!("{plus}{}{}", change.cost_usd, share(before.cost_usd, change.cost_usd));
    table.rows.push(row("cost in USD", before.cost_usd.to_string(), after.cost_usd.to_string(), usd));
    let sign = if change.finish_seconds < 0.0 { "-" } else { "+" };
    let later = format!("{sign}{}", time(change.finish_seconds.abs()));
    table.rows.push(row("done after", time(before.finish_seconds), time(after.finish_seconds), later));
    if before.carbon_kg.is_some() || after.carbon_kg.is_some() {
        let kg = |amount: Option<f64>| amount.map_or_else(|| "unknown".to_owned(), |kg| format!("{kg:.3}"));
        let more = change.carbon_kg.map_or_else(String::new, |kg| format!("{kg:+.3}"));
        table.rows.push(row("kg CO2e", kg(before.carbon_kg), kg(after.carbon_kg), more));
    }
    table.to_text()
}

fn share(before: Decimal, change: Decimal) -> String {
    let share = change.to_f64().unwrap_or(0.0) / before.to_f64().unwrap_or(0.0) * 100.0;
    if share.is_finite() { format!(" ({share:+.1} %)") } else { String::new() }
}

/// The difference for spreadsheets: a row for everything that differs, and for the sums.
fn table(difference: &Difference) -> Table {
    let mut table = Table::new(&["sign", "kind", "what", "before", "after"]);
    let run = |run: &Run| {
        let Run { placement, start_seconds, end_seconds, cost_usd, .. } = run;
        format!("{placement}; {start_seconds}–{end_seconds} s; {cost_usd} USD")
    };
    let movement = |movement: &Movement| format!("{} B; {} USD", movement.bytes, movement.cost_usd);
    let reservation = |one: &Reservation| format!("{} nodes; {} USD", one.nodes, one.cost_usd);
    table.rows.extend(difference.workloads.iter().map(|changed| row("workload", changed, run)));
    table.rows.extend(difference.flows.iter().map(|changed| row("movement", changed, movement)));
    table.rows.extend(difference.commitments.iter().map(|changed| row("reservation", changed, reservation)));
    let Difference { before, after, .. } = difference;
    let sums = [
        ("cost_usd", before.cost_usd.to_string(), after.cost_usd.to_string()),
        ("finish_seconds", before.finish_seconds.to_string(), after.finish_seconds.to_string()),
    ];
    for (name, before, after) in sums {
        let sign = if before == after { "=" } else { "~" };
        table.rows.push(vec![sign.to_owned(), "total".to_owned(), name.to_owned(), before, after]);
    }
    table
}

fn row<T>(kind: &str, changed: &Changed<T>, words: impl Fn(&T) -> String) -> Vec<String> {
    let side = |side: &Option<T>| side.as_ref().map(&words).unwrap_or_default();
    let (before, after) = (side(&changed.before), side(&changed.after));
    vec![changed.sign().to_string(), kind.to_owned(), changed.what.clone(), before, after]
}
