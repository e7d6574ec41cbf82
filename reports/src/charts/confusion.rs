//! The confusion matrix as a heat chart.

use super::canvas::{self, Align, Canvas};
use super::{Caption, Chart, palette};
use crate::error::ReportError;
use crate::format;
use crate::table::Table;

const LEFT: i32 = 90;
const TOP: i32 = 56;

/// Draws a confusion matrix: rows are true classes, columns predicted ones.
///
/// # Errors
/// The drawing library fails.
pub fn confusion(caption: Caption<'_>, table: Table, matrix: &[Vec<u64>]) -> Result<Chart, ReportError> {
    caption.chart(table, paint(matrix))
}

fn paint(matrix: &[Vec<u64>]) -> Result<String, String> {
    let classes = i32::try_from(matrix.len().max(1)).map_err(canvas::text)?;
    let side = ((canvas::WIDTH - LEFT - 30) / classes).min(64);
    let height = (side / 2).clamp(22, 36);
    canvas::draw((TOP + classes * height + 16).unsigned_abs(), |canvas| {
        canvas.label("predicted class", (LEFT + classes * side / 2, 16), Align::Center)?;
        canvas.label("true class", (8, TOP - 16), Align::Left)?;
        for class in 0..classes {
            canvas.label(&class.to_string(), (LEFT + class * side + side / 2, TOP - 16), Align::Center)?;
            canvas.label(&class.to_string(), (LEFT - 12, TOP + class * height + height / 2), Align::Right)?;
        }
        for (row, counts) in (0..).zip(matrix) {
            let total: u64 = counts.iter().sum();
            for (column, count) in (0..).zip(counts) {
                let corner = (LEFT + column * side, TOP + row * height);
                let share = if total == 0 { 0.0 } else { *count as f64 / total as f64 };
                paint_cell(canvas, corner, (side, height), *count, share, row == column)?;
            }
        }
        Ok(())
    })
}

/// A cell tinted by the square root of its share, so that single errors can be seen.
fn paint_cell(
    canvas: &Canvas<'_>,
    (x, y): (i32, i32),
    (width, height): (i32, i32),
    count: u64,
    share: f64,
    right: bool,
) -> Result<(), String> {
    let color = palette::series(usize::from(!right));
    let end = (x + width - 1, y + height - 1);
    canvas.tint((x, y), end, palette::GRID, 0.35)?;
    if count > 0 {
        canvas.tint((x, y), end, color, 0.15 + 0.5 * share.sqrt())?;
    }
    canvas.label(&format::count(count), (x + width / 2, y + height / 2), Align::Center)
}
