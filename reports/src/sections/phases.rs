//! Step time by phase, predicted and measured.

use askama::Template;
use scenarios::plan::Breakdown;

use super::{FileNames, Section, ranks};
use crate::charts::{Caption, Chart, PhaseBar, phases};
use crate::error::ReportError;
use crate::evidence::{Evidence, Measurement};
use crate::format::{duration, signed_percent};
use crate::table::{Cell, Table};

#[derive(Template)]
#[template(path = "sections/phases.html")]
struct Body<'a> {
    intro: &'static str,
    charts: &'a [Chart],
    empty: &'static str,
    ranks: &'a Table,
}

/// Step times by phase, one chart for each workload, strategy and prediction.
pub(super) fn section(evidence: &Evidence) -> Result<Section, ReportError> {
    let mut groups: Vec<Vec<Measurement<'_>>> = Vec::new();
    for m in evidence.measurements().into_iter().filter(|m| !m.workload.phases_seconds.is_empty()) {
        match groups.iter_mut().find(|group| alike(&group[0], &m)) {
            Some(group) => group.push(m),
            None => groups.push(vec![m]),
        }
    }
    let mut names = FileNames::default();
    let charts = groups.iter().map(|group| chart(&mut names, group)).collect::<Result<Vec<_>, _>>()?;
    let ranks = ranks::table(evidence);
    let body = Body {
        ranks: &ranks,
        intro: "Mean time of one step by phase. Where several runs were measured, a bar is their mean and the thin line on it reaches from the fastest to the slowest. A missing bar means that the phase was not predicted, or not measured.",
        charts: &charts,
        empty: "No run measured the phases of a step.",
    };
    let tables: &[&_] = if ranks.is_empty() { &[] } else { &[&ranks] };
    Section::new("phases", "Step time by phase", &body, &charts, tables)
}

fn alike(a: &Measurement<'_>, b: &Measurement<'_>) -> bool {
    let key = |m: &Measurement<'_>| (m.workload.workload.clone(), m.workload.strategy);
    key(a) == key(b) && a.workload.predicted == b.workload.predicted
}

fn chart(names: &mut FileNames, group: &[Measurement<'_>]) -> Result<Chart, ReportError> {
    let (workload, strategy) = (&group[0].workload.workload, group[0].workload.strategy);
    let bars = bars(group);
    let name = names.next("phases", &format!("{workload} {strategy}"));
    let title = format!("Step time of {workload} by phase, {strategy}");
    let finding = finding(&bars, group.len());
    phases(Caption { name: &name, title: &title, finding: &finding }, table(&name, &title, &bars), &bars)
}

fn bars(group: &[Measurement<'_>]) -> Vec<PhaseBar> {
    let predicted: &Breakdown = &group[0].workload.predicted.breakdown;
    let mut names: Vec<&String> = predicted.keys().collect();
    for name in group.iter().flat_map(|m| m.workload.phases_seconds.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let bars = names.into_iter().map(|name| {
        let values = group.iter().filter_map(|m| m.workload.phases_seconds.get(name).copied());
        PhaseBar { name: name.clone(), predicted: predicted.get(name).copied(), measured: spread(values) }
    });
    bars.filter(|bar| bar.predicted.unwrap_or_default() != 0.0 || bar.measured.is_some_and(|m| m[2] != 0.0)).collect()
}

/// Least, mean and most.
fn spread(values: impl Iterator<Item = f64>) -> Option<[f64; 3]> {
    let values: Vec<_> = values.collect();
    let low = values.iter().copied().min_by(f64::total_cmp)?;
    let high = values.iter().copied().max_by(f64::total_cmp)?;
    Some([low, values.iter().map(|value| value / values.len() as f64).sum(), high])
}

fn finding(bars: &[PhaseBar], runs: usize) -> String {
    let mean = |bar: &PhaseBar| bar.measured.map_or(0.0, |m| m[1]);
    let total: f64 = bars.iter().map(mean).sum();
    let longest = bars.iter().max_by(|a, b| mean(a).total_cmp(&mean(b)));
    let off = |bar: &PhaseBar| bar.predicted.filter(|_| bar.measured.is_some()).map_or(0.0, |p| p - mean(bar));
    let worst = bars.iter().max_by(|a, b| off(a).abs().total_cmp(&off(b).abs()));
    let (Some(longest), Some(worst)) = (longest, worst) else {
        return "No phase took any time.".to_owned();
    };
    let over = if runs == 1 { "one run".to_owned() } else { format!("{runs} runs") };
    format!(
        "Over {over} a step took {} on average; {} takes longest with {}. The largest difference is in {}: predicted {} ({}).",
        duration(total),
        longest.name,
        duration(mean(longest)),
        worst.name,
        duration(worst.predicted.unwrap_or_default()),
        signed_percent(off(worst) / mean(worst)),
    )
}

fn table(name: &str, title: &str, bars: &[PhaseBar]) -> Table {
    let columns = [
        ("Phase", "phase"),
        ("Predicted", "predicted_seconds"),
        ("Measured, mean", "measured_seconds"),
        ("Fastest run", "measured_seconds_min"),
        ("Slowest run", "measured_seconds_max"),
        ("Error", "error"),
    ];
    let mut table = Table::new(&format!("charts/{name}"), title, &columns);
    for bar in bars {
        let error = bar.predicted.zip(bar.measured).map(|(p, [_, m, _])| (p - m) / m);
        table.row([
            Cell::name(&bar.name),
            Cell::or_none(bar.predicted, Cell::duration),
            Cell::or_none(bar.measured, |m| Cell::duration(m[1])),
            Cell::or_none(bar.measured, |m| Cell::duration(m[0])),
            Cell::or_none(bar.measured, |m| Cell::duration(m[2])),
            Cell::or_none(error, Cell::signed_percent),
        ]);
    }
    table
}
