//! Predicted against measured throughput: a point for each measurement, with intervals and the line where both agree.

use scenarios::units::Interval;

use super::canvas::{self, Align, Canvas};
use super::legend::{self, Entry, Sign};
use super::plane::{Axis, Plane};
use super::{Caption, Chart, axis, palette};
use crate::error::ReportError;
use crate::table::Table;

/// One measurement; rates in records per second.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its number in the table.
    pub number: usize,
    /// What it belongs to, such as a workload and its strategy; points of one series look alike.
    pub series: String,
    /// What was measured.
    pub measured: Interval,
    /// What was predicted.
    pub predicted: Interval,
}

/// Draws predicted against measured throughput.
///
/// # Errors
/// The drawing library fails.
pub fn throughput(caption: Caption<'_>, table: Table, points: &[Point], unit: &str) -> Result<Chart, ReportError> {
    caption.chart(table, paint(points, unit))
}

fn paint(points: &[Point], unit: &str) -> Result<String, String> {
    let mut series: Vec<&str> = Vec::new();
    for point in points {
        if !series.contains(&point.series.as_str()) {
            series.push(&point.series);
        }
    }
    let key = key(&series);
    let top = legend::height(&key);
    let largest = axis::from_zero(points.iter().flat_map(|p| [p.measured.p90, p.predicted.p90]), 0.08);
    canvas::draw(440 + top.unsigned_abs(), |canvas| {
        legend::draw(canvas, &key)?;
        let (x, y) = (format!("measured throughput ({unit})"), format!("predicted throughput ({unit})"));
        let x = Axis { range: largest.clone(), title: &x, labels: 7 };
        let plane = Plane::draw(canvas, top, x, Axis { range: largest.clone(), title: &y, labels: 7 })?;
        let corner = plane.pixel(largest.end, largest.end);
        canvas.path(&[plane.pixel(0.0, 0.0), corner], palette::MUTED, true)?;
        canvas.remark("predicted = measured", (corner.0 - 34, corner.1 + 12), Align::Right)?;
        points.iter().try_for_each(|point| {
            let index = series.iter().position(|name| *name == point.series).unwrap_or_default();
            paint_point(canvas, &plane, point, index)
        })
    })
}

fn paint_point(canvas: &Canvas<'_>, plane: &Plane<'_, '_>, point: &Point, index: usize) -> Result<(), String> {
    let color = palette::series(index);
    let (x, y) = (point.measured, point.predicted);
    canvas.line(plane.pixel(x.p10, y.p50), plane.pixel(x.p90, y.p50), color, 1)?;
    canvas.line(plane.pixel(x.p50, y.p10), plane.pixel(x.p50, y.p90), color, 1)?;
    let center = plane.pixel(x.p50, y.p50);
    canvas.marker(center, index, color)?;
    let side = if point.number % 2 == 1 { -1 } else { 1 };
    let align = if side < 0 { Align::Right } else { Align::Left };
    canvas.label(&point.number.to_string(), (center.0 + side * 9, center.1 + side * 12), align)
}

fn key(series: &[&str]) -> Vec<Entry> {
    series
        .iter()
        .enumerate()
        .map(|(index, name)| Entry { sign: Sign::Marker, index, name: (*name).to_owned() })
        .collect()
}
