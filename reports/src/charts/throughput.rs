//! Predicted against measured throughput: a point for each measurement, with intervals and the line where both agree.

use scenarios::units::Interval;

use super::axis::Scale;
use super::canvas::{self, Align, Canvas, Pixel};
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
    let middles = points.iter().flat_map(|p| [p.measured.p50, p.predicted.p50]);
    let (range, scale) = match axis::decades(middles) {
        Some(range) => (range, Scale::Logarithmic),
        None => (axis::from_zero(points.iter().flat_map(|p| [p.measured.p90, p.predicted.p90]), 0.08), Scale::Linear),
    };
    canvas::draw(440 + top.unsigned_abs(), |canvas| {
        legend::draw(canvas, &key)?;
        let (x, y) = (format!("measured throughput ({unit})"), format!("predicted throughput ({unit})"));
        let axis = |title| Axis { range: range.clone(), scale, title, labels: 7 };
        let plane = Plane::draw(canvas, top, &axis(&x), &axis(&y))?;
        let corner = plane.pixel(range.end, range.end);
        canvas.path(&[plane.pixel(range.start, range.start), corner], palette::MUTED, 2, true)?;
        canvas.remark("predicted = measured", (corner.0 - 34, corner.1 + 12), Align::Right)?;
        for point in points {
            let index = series.iter().position(|name| *name == point.series).unwrap_or_default();
            paint_point(canvas, &plane, point, index)?;
        }
        paint_numbers(canvas, &plane, points)
    })
}

fn paint_point(canvas: &Canvas<'_>, plane: &Plane<'_, '_>, point: &Point, index: usize) -> Result<(), String> {
    let color = palette::series(index);
    let (x, y) = (point.measured, point.predicted);
    canvas.line(plane.pixel(x.p10, y.p50), plane.pixel(x.p90, y.p50), color, 1)?;
    canvas.line(plane.pixel(x.p50, y.p10), plane.pixel(x.p50, y.p90), color, 1)?;
    canvas.marker(plane.pixel(x.p50, y.p50), index, color)
}

/// Numbers of the points, where there are few enough to be read; those that lie together share a label.
fn paint_numbers(canvas: &Canvas<'_>, plane: &Plane<'_, '_>, points: &[Point]) -> Result<(), String> {
    const NEAR: i32 = 18;
    const MOST: usize = 30;
    if points.len() > MOST {
        return Ok(());
    }
    let mut labels: Vec<(Pixel, Vec<String>)> = Vec::new();
    for point in points {
        let (x, y) = plane.pixel(point.measured.p50, point.predicted.p50);
        let near = |at: Pixel| (at.0 - x).abs() < NEAR && (at.1 - y).abs() < NEAR;
        match labels.iter_mut().find(|(at, _)| near(*at)) {
            Some((_, numbers)) => numbers.push(point.number.to_string()),
            None => labels.push(((x, y), vec![point.number.to_string()])),
        }
    }
    labels.iter().try_for_each(|((x, y), numbers)| canvas.label(&numbers.join(", "), (x - 9, y - 13), Align::Right))
}

fn key(series: &[&str]) -> Vec<Entry> {
    series
        .iter()
        .enumerate()
        .map(|(index, name)| Entry { sign: Sign::Marker, index, name: (*name).to_owned() })
        .collect()
}
