//! The report as files, from the evidence alone.

use std::collections::BTreeMap;

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
