//! Figures over a size, as lines.

use super::canvas;
use super::legend::{self, Entry, Sign};
use super::plane::{Axis, Plane};
use super::{Caption, Chart, axis, palette};
use crate::error::ReportError;
use crate::table::Table;

/// A named line.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Its points, by size.
    pub points: Vec<(f64, f64)>,
}

/// Draws lines with markers, both axes from zero.
///
/// # Errors
/// The drawing library fails.
pub fn lines(caption: Caption<'_>, table: Table, (x, y): (&str, &str), lines: &[Line]) -> Result<Chart, ReportError> {
    caption.chart(table, paint(x, y, lines))
}

fn paint(x: &str, y: &str, lines: &[Line]) -> Result<String, String> {
    let entry =
        |(index, line): (usize, &Line)| Entry { sign: Sign::Line { dashed: false }, index, name: line.name.clone() };
    let key: Vec<_> = lines.iter().enumerate().map(entry).collect();
    let top = legend::height(&key);
    let values = |pick: fn(&(f64, f64)) -> f64| lines.iter().flat_map(move |line| line.points.iter().map(pick));
    let across = Axis::linear(axis::from_zero(values(|point| point.0), 0.08), x, 9);
    let up = Axis::linear(axis::from_zero(values(|point| point.1), 0.08), y, 7);
    canvas::draw(340 + top.unsigned_abs(), |canvas| {
        legend::draw(canvas, &key)?;
        let plane = Plane::draw(canvas, top, &across, &up)?;
        lines.iter().enumerate().try_for_each(|(index, line)| {
            let places: Vec<_> = line.points.iter().map(|(x, y)| plane.pixel(*x, *y)).collect();
            let color = palette::series(index);
            if places.len() > 1 {
                canvas.path(&places, color, 2, false)?;
            }
            places.iter().try_for_each(|place| canvas.marker(*place, index, color))
        })
    })
}
