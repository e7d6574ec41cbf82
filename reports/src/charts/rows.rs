//! Axes for charts of horizontal bars: one named row above the other.

use std::ops::Range;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{Cartesian2d, Color, SVGBackend, TRANSPARENT};

use super::axis;
use super::canvas::{Align, Canvas, cut, text, text_style};
use super::palette::{GRID, INK};

/// Width of the names.
pub const NAMES: i32 = 150;

/// Rows of bars along one axis.
pub struct Rows<'c, 's> {
    chart: ChartContext<'c, SVGBackend<'s>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    count: f64,
}

/// Height of a chart with this many rows below a key of this height.
pub fn height(rows: usize, row_height: u32, key: i32) -> u32 {
    rows.max(1) as u32 * row_height + 64 + key.unsigned_abs()
}

impl<'c, 's> Rows<'c, 's> {
    /// Draws the axis, the grid and the names of the rows.
    pub fn draw(
        canvas: &'c Canvas<'s>,
        key: i32,
        names: &[String],
        values: Range<f64>,
        title: &str,
    ) -> Result<Self, String> {
        let count = names.len().max(1) as f64;
        let mut chart = ChartBuilder::on(&canvas.area)
            .margin_top(key + 8)
            .margin_right(16)
            .margin_left(8)
            .x_label_area_size(48)
            .y_label_area_size(NAMES)
            .build_cartesian_2d(values, 0.0..count)
            .map_err(text)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .x_labels(8)
            .x_label_formatter(&|value| axis::tick(*value))
            .label_style(text_style(INK))
            .axis_desc_style(text_style(INK))
            .axis_style(INK.stroke_width(1))
            .bold_line_style(GRID.stroke_width(1))
            .light_line_style(TRANSPARENT)
            .x_desc(title)
            .draw()
            .map_err(text)?;
        let rows = Self { chart, count };
        for (at, name) in names.iter().enumerate() {
            let (_, y) = rows.pixel(0.0, at, 0.5);
            canvas.label(&cut(name, NAMES - 12), (NAMES, y), Align::Right)?;
        }
        Ok(rows)
    }

    /// Place of a value in a row; `depth` goes from 0 at the row's upper edge to 1 at its lower.
    pub fn pixel(&self, value: f64, row: usize, depth: f64) -> (i32, i32) {
        self.chart.backend_coord(&(value, self.count - row as f64 - depth))
    }
}
