//! Cost: a bar for each workload, divided by component.

use super::canvas::{self, Align, Fill};
use super::legend::{self, Entry, Sign};
use super::rows::{self, Rows};
use super::{Caption, Chart, axis, palette};
use crate::error::ReportError;
use crate::table::Table;

const COMPONENTS: [(&str, Fill); 3] = [("compute", Fill::Solid), ("egress", Fill::Light), ("storage", Fill::Hollow)];

/// Costs of one workload, or of the whole plan, in US dollars.
#[derive(Debug, Clone)]
pub struct CostBar {
    /// Its name.
    pub name: String,
    /// Machines, data that leaves a site, data at rest.
    pub parts: [f64; 3],
    /// The sum, in words.
    pub label: String,
}

/// Draws costs by component.
///
/// # Errors
/// The drawing library fails.
pub fn cost(caption: Caption<'_>, table: Table, bars: &[CostBar]) -> Result<Chart, ReportError> {
    caption.chart(table, paint(bars))
}

fn paint(bars: &[CostBar]) -> Result<String, String> {
    let key: Vec<_> = COMPONENTS
        .iter()
        .enumerate()
        .map(|(index, (name, fill))| Entry { sign: Sign::Bar(*fill), index, name: (*name).to_owned() })
        .collect();
    let top = legend::height(&key);
    let names: Vec<_> = bars.iter().map(|bar| bar.name.clone()).collect();
    let range = axis::from_zero(bars.iter().map(|bar| bar.parts.iter().sum()), 0.25);
    canvas::draw(rows::height(bars.len(), 30, top), |canvas| {
        legend::draw(canvas, &key)?;
        let rows = Rows::draw(canvas, top, &names, range, "cost (US dollars)")?;
        for (at, bar) in bars.iter().enumerate() {
            let mut from = 0.0;
            for (index, part) in bar.parts.iter().enumerate().filter(|(_, part)| **part > 0.0) {
                let (start, end) = (rows.pixel(from, at, 0.2), rows.pixel(from + part, at, 0.8));
                canvas.rectangle(start, end, palette::series(index), COMPONENTS[index].1)?;
                from += part;
            }
            let (x, y) = rows.pixel(from, at, 0.5);
            canvas.label(&bar.label, (x + 8, y), Align::Left)?;
        }
        Ok(())
    })
}
