//! Charts: one file per figure, each a function of its data alone.
//!
//! A figure never uses colour as its only signal: series differ in marker, dash or fill, too.

mod accessible;
mod axis;
mod canvas;
mod confusion;
mod cost;
mod learning;
mod legend;
mod lines;
mod palette;
mod phases;
mod plane;
mod rows;
mod schedule;
mod throughput;

pub use confusion::confusion;
pub use cost::{CostBar, cost};
pub use learning::{Curve, CurvePoint, Quantity, learning};
pub use lines::{Line, lines};
pub use phases::{PhaseBar, phases};
pub use schedule::{Bar, BarKind, schedule};
pub use throughput::{Point, throughput};

use askama::Template;

use crate::error::ReportError;
use crate::table::Table;

/// A chart with what it says and the figures that it shows.
#[derive(Debug, Clone, Template)]
#[template(path = "figure.html")]
pub struct Chart {
    /// Its name, unique in a report; the file is `charts/NAME.svg`.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What can be seen in it, in a sentence or two.
    pub finding: String,
    /// The figures.
    pub table: Table,
    drawing: String,
    open: bool,
}

impl Chart {
    /// The chart with its figures in sight.
    #[must_use]
    pub fn opened(mut self) -> Self {
        self.open = true;
        self
    }

    /// The chart as a file of its own.
    #[must_use]
    pub fn to_svg(&self) -> String {
        accessible::standalone(&self.drawing, &self.name, &self.title, &self.finding)
    }

    fn inline(&self) -> String {
        accessible::inline(&self.drawing, &self.name, &self.title, &self.finding)
    }
}

/// What a chart is called and says.
#[derive(Debug, Clone, Copy)]
pub struct Caption<'a> {
    /// Its name, unique in a report.
    pub name: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What can be seen in it.
    pub finding: &'a str,
}

impl Caption<'_> {
    fn chart(self, table: Table, drawing: Result<String, String>) -> Result<Chart, ReportError> {
        let name = self.name.to_owned();
        match drawing {
            Ok(drawing) => {
                let (title, finding) = (self.title.to_owned(), self.finding.to_owned());
                Ok(Chart { name, title, finding, table, drawing, open: false })
            }
            Err(message) => Err(ReportError::Draw { chart: name, message }),
        }
    }
}
