//! The report as files, from the evidence alone.

use std::collections::BTreeMap;
use std::path::Path;

use askama::Template;

use crate::error::ReportError;
use crate::evidence::Evidence;
use crate::sections::{self, Section};

/// Files of a report by their path in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Content by path: `index.html`, `charts/NAME.svg`, `charts/NAME.csv`, `tables/NAME.csv`.
    pub files: BTreeMap<String, String>,
}

impl Report {
    /// How many charts it has.
    #[must_use]
    pub fn charts(&self) -> usize {
        let svg = |path: &&String| Path::new(path.as_str()).extension().is_some_and(|extension| extension == "svg");
        self.files.keys().filter(svg).count()
    }
}

/// What tells a page of ours from others.
pub const GENERATOR: &str = "<meta name=\"generator\" content=\"Causeway reports\">";

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    generator: &'static str,
    style: &'static str,
    scenario: &'a str,
    purpose: Option<&'a str>,
    sections: &'a [Section],
    plan_digest: &'a str,
    version: &'static str,
}

/// Builds the report. Equal evidence gives equal bytes.
///
/// # Errors
/// A chart cannot be drawn or a template not rendered.
pub fn build(evidence: &Evidence) -> Result<Report, ReportError> {
    let sections = sections::all(evidence)?;
    let page = Page {
        generator: GENERATOR,
        style: include_str!("../templates/style.css"),
        scenario: &evidence.plan.scenario.name,
        purpose: evidence.plan.scenario.purpose.as_deref(),
        sections: &sections,
        plan_digest: &evidence.plan.digest,
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut files = BTreeMap::from([("index.html".to_owned(), page.render()?)]);
    for section in &sections {
        for chart in &section.charts {
            files.insert(format!("charts/{}.svg", chart.name), chart.to_svg());
            files.insert(format!("charts/{}.csv", chart.name), chart.table.to_csv());
        }
        for table in &section.tables {
            files.insert(format!("{}.csv", table.name), table.to_csv());
        }
    }
    Ok(Report { files })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::NamedRun;
    use crate::fixture;

    fn evidence() -> Evidence {
        let runs = [fixture::run_single(), fixture::run_two_ranks(), fixture::run_interrupted()];
        let named = runs.into_iter().zip(1..).map(|(run, number)| NamedRun { path: format!("run-{number}"), run });
        Evidence { plan: fixture::plan(), plan_path: "plan.json".to_owned(), runs: named.collect() }
    }

    /// The text without what changes when a document gets another field.
    fn without_digests(text: &str) -> String {
        let mut parts = text.split("sha256:");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| text + "sha256:…" + part.trim_start_matches(|c: char| c.is_ascii_hexdigit()))
    }

    #[test]
    fn the_figures_of_charts_and_tables_are_those_of_the_documents() {
        let report = build(&evidence()).expect("a report");
        let figures = report.files.iter().filter(|(path, _)| Path::new(path).extension().is_some_and(|e| e == "csv"));
        let text = figures.fold(String::new(), |text, (path, content)| text + "== " + path + "\n" + content + "\n");
        insta::assert_snapshot!(without_digests(&text));
    }

    #[test]
    fn every_chart_tells_its_finding() {
        let sections = sections::all(&evidence()).expect("sections");
        let charts = sections.iter().flat_map(|section| &section.charts);
        let lines: Vec<_> = charts.map(|chart| format!("{}: {}. {}", chart.name, chart.title, chart.finding)).collect();
        insta::assert_snapshot!(lines.join("\n").replace('\u{a0}', " "));
    }

    #[test]
    fn a_large_plan_stays_readable() {
        let mut evidence = evidence();
        let first = evidence.plan.assignments[0].clone();
        let workload =
            |number: u32| scenarios::plan::Assignment { workload: format!("train-{number}"), ..first.clone() };
        evidence.plan.assignments = (0..100).map(workload).collect();
        let candidate = evidence.plan.explanation.considered[0].clone();
        evidence.plan.explanation.considered = vec![candidate; 5_000];
        let report = build(&evidence).expect("a report");
        assert!(report.files["index.html"].len() < 2_000_000, "{}", report.files["index.html"].len());
        assert_eq!(report.files["tables/considered-train.csv"].lines().count(), 5_001);
        assert_eq!(report.files["charts/schedule.csv"].lines().count(), 102);
    }
}
