//! Step time by phase: predicted above measured.

use super::canvas::{self, Align, Canvas, Fill};
use super::legend::{self, Entry, Sign};
use super::rows::{self, Rows};
use super::{Caption, Chart, axis, palette};
use crate::error::ReportError;
use crate::format;
use crate::table::Table;

/// One phase of a step; times in seconds.
#[derive(Debug, Clone)]
pub struct PhaseBar {
    /// Its name.
    pub name: String,
    /// What was predicted, if it was.
    pub predicted: Option<f64>,
    /// Shortest, mean and longest over the runs, if it was measured.
    pub measured: Option<[f64; 3]>,
}

/// Draws step times by phase.
///
/// # Errors
/// The drawing library fails.
pub fn phases(caption: Caption<'_>, table: Table, bars: &[PhaseBar]) -> Result<Chart, ReportError> {
    caption.chart(table, paint(bars))
}

fn paint(bars: &[PhaseBar]) -> Result<String, String> {
    let key = [("predicted", Fill::Light), ("measured", Fill::Solid)]
        .into_iter()
        .enumerate()
        .map(|(index, (name, fill))| Entry { sign: Sign::Bar(fill), index, name: name.to_owned() })
        .collect::<Vec<_>>();
    let top = legend::height(&key);
    let names: Vec<_> = bars.iter().map(|bar| bar.name.clone()).collect();
    let largest = bars.iter().flat_map(|bar| bar.predicted.into_iter().chain(bar.measured.map(|m| m[2])));
    let largest = axis::from_zero(largest, 0.0).end;
    let (unit, length) = axis::time_unit(largest);
    canvas::draw(rows::height(bars.len(), 44, top), |canvas| {
        legend::draw(canvas, &key)?;
        let range = axis::from_zero([largest / length], 0.2);
        let rows = Rows::draw(canvas, top, &names, range, &format!("time of one step ({unit})"))?;
        bars.iter().enumerate().try_for_each(|(at, bar)| paint_phase(canvas, &rows, at, bar, length))
    })
}

fn paint_phase(canvas: &Canvas<'_>, rows: &Rows<'_, '_>, at: usize, bar: &PhaseBar, length: f64) -> Result<(), String> {
    if let Some(predicted) = bar.predicted {
        let end = rows.pixel(predicted / length, at, 0.48);
        canvas.rectangle(rows.pixel(0.0, at, 0.1), end, palette::series(0), Fill::Light)?;
        canvas.label(&format::duration(predicted), (end.0 + 8, end.1 - 8), Align::Left)?;
    }
    if let Some([shortest, mean, longest]) = bar.measured {
        let end = rows.pixel(mean / length, at, 0.9);
        canvas.rectangle(rows.pixel(0.0, at, 0.52), end, palette::series(1), Fill::Solid)?;
        let (low, high) = (rows.pixel(shortest / length, at, 0.71), rows.pixel(longest / length, at, 0.71));
        if high.0 > low.0 + 1 {
            canvas.line(low, high, palette::INK, 1)?;
            for (x, y) in [low, high] {
                canvas.line((x, y - 4), (x, y + 4), palette::INK, 1)?;
            }
        }
        canvas.label(&format::duration(mean), (end.0.max(high.0) + 8, end.1 - 8), Align::Left)?;
    }
    Ok(())
}
