//! Loss or accuracy over the epochs of training.

use super::canvas::{self, Canvas};
use super::legend::{self, Entry, Sign};
use super::plane::{Axis, Plane};
use super::{Caption, Chart, axis, palette};
use crate::error::ReportError;
use crate::table::Table;

/// What a chart of learning shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Mean loss.
    Loss,
    /// Share of records classified rightly.
    Accuracy,
}

/// A figure after an epoch, from 1.
pub type CurvePoint = (u32, f64);

/// One figure of one run over the epochs.
#[derive(Debug, Clone)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Index of its colour and marker.
    pub index: usize,
    /// Whether it is drawn dashed.
    pub dashed: bool,
    /// Its points by epoch.
    pub points: Vec<CurvePoint>,
}

/// Draws curves over epochs.
///
/// # Errors
/// The drawing library fails.
pub fn learning(
    caption: Caption<'_>,
    table: Table,
    quantity: Quantity,
    curves: &[Curve],
) -> Result<Chart, ReportError> {
    caption.chart(table, paint(quantity, curves))
}

fn paint(quantity: Quantity, curves: &[Curve]) -> Result<String, String> {
    let key: Vec<_> = curves
        .iter()
        .map(|c| Entry { sign: Sign::Line { dashed: c.dashed }, index: c.index, name: c.name.clone() })
        .collect();
    let top = legend::height(&key);
    let values = curves.iter().flat_map(|curve| curve.points.iter().map(|(_, value)| *value));
    let (range, title) = match quantity {
        Quantity::Loss => (axis::from_zero(values, 0.08), "mean loss (cross-entropy, nats)"),
        Quantity::Accuracy => (axis::around(values.map(percentage), 0.0, 100.0), "accuracy (%)"),
    };
    let last = curves.iter().filter_map(|curve| curve.points.last()).map(|(epoch, _)| *epoch).max().unwrap_or(1);
    let epochs = Axis::linear(0.0..f64::from(last) + 0.5, "epoch", (last as usize + 1).min(12));
    canvas::draw(340 + top.unsigned_abs(), |canvas| {
        legend::draw(canvas, &key)?;
        let plane = Plane::draw(canvas, top, &epochs, &Axis::linear(range, title, 7))?;
        let runs = curves.iter().map(|curve| curve.index + 1).max().unwrap_or(1);
        curves.iter().try_for_each(|curve| paint_curve(canvas, &plane, quantity, curve, runs))
    })
}

/// A line with markers. Runs that repeat each other lie on one another, so earlier ones are drawn thicker, and runs
/// take turns with their markers.
fn paint_curve(
    canvas: &Canvas<'_>,
    plane: &Plane<'_, '_>,
    quantity: Quantity,
    curve: &Curve,
    runs: usize,
) -> Result<(), String> {
    let color = palette::series(curve.index);
    let shown = |value: f64| if quantity == Quantity::Accuracy { percentage(value) } else { value };
    let places: Vec<_> = curve
        .points
        .iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(epoch, value)| plane.pixel(f64::from(*epoch), shown(*value)))
        .collect();
    if places.len() > 1 {
        let thickness = 2 * (runs.saturating_sub(curve.index).clamp(1, 3) as u32) - 1;
        canvas.path(&places, color, thickness.max(2), curve.dashed)?;
    }
    let every = if places.len() < 2 * runs { 1 } else { runs.max(places.len().div_ceil(12)) };
    places
        .iter()
        .skip(curve.index % every)
        .step_by(every)
        .try_for_each(|place| canvas.marker(*place, curve.index, color))
}

fn percentage(share: f64) -> f64 {
    share * 100.0
}
