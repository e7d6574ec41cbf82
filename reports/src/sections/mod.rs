//! Sections of the report, in order. Each is a function of the evidence alone.

mod confusion;
mod considered;
mod cost;
mod decision;
mod learning;
mod phases;
mod provenance;
mod ranks;
mod reproduce;
mod residency;
mod schedule;
mod throughput;
mod understanding;
mod verdict;

use std::collections::BTreeSet;

use askama::Template;

use crate::charts::Chart;
use crate::error::ReportError;
use crate::evidence::Evidence;
use crate::format::slug;
use crate::table::Table;

/// A section with what it shows.
#[derive(Debug, Clone)]
pub struct Section {
    /// Name in links.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Content.
    pub html: String,
    /// Its charts.
    pub charts: Vec<Chart>,
    /// Its tables, those of charts apart.
    pub tables: Vec<Table>,
}

impl Section {
    fn new(
        id: &'static str,
        title: &'static str,
        body: &impl Template,
        charts: &[Chart],
        tables: &[&Table],
    ) -> Result<Self, ReportError> {
        let tables = tables.iter().map(|&table| table.clone()).collect();
        Ok(Self { id, title, html: body.render()?, charts: charts.to_vec(), tables })
    }
}

/// All sections of a report.
///
/// # Errors
/// A chart cannot be drawn or a template not rendered.
pub fn all(evidence: &Evidence) -> Result<Vec<Section>, ReportError> {
    Ok(vec![
        verdict::section(evidence)?,
        decision::section(&evidence.plan)?,
        considered::section(&evidence.plan)?,
        provenance::section(evidence)?,
        schedule::section(&evidence.plan)?,
        residency::section(evidence)?,
        cost::section(&evidence.plan)?,
        throughput::section(evidence)?,
        phases::section(evidence)?,
        learning::section(evidence)?,
        confusion::section(evidence)?,
        reproduce::section(evidence)?,
        understanding::section()?,
    ])
}

/// File names for things that are named by others: unique within one use of it.
#[derive(Debug, Default)]
struct FileNames(BTreeSet<String>);

impl FileNames {
    /// `PREFIX-NAME`, with a number behind if it is taken.
    fn next(&mut self, prefix: &str, name: &str) -> String {
        let slug = slug(name);
        let base = if slug.is_empty() { prefix.to_owned() } else { format!("{prefix}-{slug}") };
        let free = std::iter::once(base.clone()).chain((2..).map(|n: u32| format!("{base}-{n}")));
        let name = free.into_iter().find(|name| !self.0.contains(name)).expect("numbers do not end");
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_unique() {
        let mut names = FileNames::default();
        let mut check = |name: &str, expected: &str| assert_eq!(names.next("loss", name), expected);
        check("train", "loss-train");
        check("Train!", "loss-train-2");
        check("列", "loss");
        check("列", "loss-2");
    }
}
