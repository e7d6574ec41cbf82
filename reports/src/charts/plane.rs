//! Two numeric axes with a grid.

use std::ops::Range;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{Cartesian2d, Color, SVGBackend, TRANSPARENT};

use super::axis::{self, Scale};
use super::canvas::{Canvas, Pixel, text, text_style};
use super::palette::{GRID, INK};

/// An axis: its range and its title with unit.
pub struct Axis<'t> {
    /// From where to where.
    pub range: Range<f64>,
    /// How values lie between its ends.
    pub scale: Scale,
    /// What it shows, with the unit.
    pub title: &'t str,
    /// About how many labels it has.
    pub labels: usize,
}

impl<'t> Axis<'t> {
    /// An axis with equal differences equally far apart.
    pub const fn linear(range: Range<f64>, title: &'t str, labels: usize) -> Self {
        Self { range, scale: Scale::Linear, title, labels }
    }
}

/// Axes that are drawn.
pub struct Plane<'c, 's> {
    chart: ChartContext<'c, SVGBackend<'s>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    scales: [Scale; 2],
}

impl<'c, 's> Plane<'c, 's> {
    /// Draws the axes below a key of this height.
    pub fn draw(canvas: &'c Canvas<'s>, key: i32, x: &Axis<'_>, y: &Axis<'_>) -> Result<Self, String> {
        let mut chart = ChartBuilder::on(&canvas.area)
            .margin_top(key + 8)
            .margin_right(24)
            .margin_left(8)
            .x_label_area_size(48)
            .y_label_area_size(76)
            .build_cartesian_2d(x.scale.range(&x.range), y.scale.range(&y.range))
            .map_err(text)?;
        chart
            .configure_mesh()
            .x_labels(x.labels)
            .y_labels(y.labels)
            .x_label_formatter(&|value| axis::tick(x.scale.value(*value)))
            .y_label_formatter(&|value| axis::tick(y.scale.value(*value)))
            .label_style(text_style(INK))
            .axis_desc_style(text_style(INK))
            .axis_style(INK.stroke_width(1))
            .bold_line_style(GRID.stroke_width(1))
            .light_line_style(TRANSPARENT)
            .x_desc(x.title)
            .y_desc(y.title)
            .draw()
            .map_err(text)?;
        Ok(Self { chart, scales: [x.scale, y.scale] })
    }

    /// Place of a point; the nearest one on the axes where it lies outside.
    pub fn pixel(&self, x: f64, y: f64) -> Pixel {
        let [of_x, of_y] = self.scales;
        let (across, up) = (self.chart.x_range(), self.chart.y_range());
        self.chart
            .backend_coord(&(of_x.place(x).clamp(across.start, across.end), of_y.place(y).clamp(up.start, up.end)))
    }
}
