//! A drawing with the few shapes that the figures are made of, in pixels from its upper left corner.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::palette::{INK, MUTED, PAPER};

/// Width of every chart.
pub const WIDTH: i32 = 760;
/// Size of text. The drawing library divides it by 1.24.
const TEXT: f64 = 16.0;

/// Width of a character, about.
const CHARACTER: f64 = 6.4;

/// A place in pixels.
pub type Pixel = (i32, i32);
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A drawing in the making.
pub struct Canvas<'a> {
    /// The whole drawing, for axes.
    pub area: Area<'a>,
}

/// How text stands to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// It begins there.
    Left,
    /// It is centred there.
    Center,
    /// It ends there.
    Right,
}

/// How a rectangle is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Wholly.
    Solid,
    /// Lightly, with an outline.
    Light,
    /// Not at all: an outline.
    Hollow,
}

/// Draws on paper of this height; messages of the drawing library become text.
pub fn draw(height: u32, paint: impl FnOnce(&Canvas<'_>) -> Result<(), String>) -> Result<String, String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH.unsigned_abs(), height)).into_drawing_area();
        area.fill(&PAPER).map_err(text)?;
        paint(&Canvas { area: area.clone() })?;
        area.present().map_err(text)?;
    }
    Ok(svg)
}

/// The message of an error.
pub fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Text in a colour for axes.
pub fn text_style(color: RGBColor) -> TextStyle<'static> {
    ("sans-serif", TEXT).into_font().color(&color)
}

/// A text cut to about this many pixels.
pub fn cut(text: &str, pixels: i32) -> String {
    let most = (f64::from(pixels) / CHARACTER).max(4.0) as usize;
    let text = crate::format::clean(text);
    if text.chars().count() <= most { text } else { text.chars().take(most - 1).chain(['…']).collect() }
}

/// Width of a text in pixels, about.
pub fn width(text: &str) -> i32 {
    (text.chars().count() as f64 * CHARACTER) as i32
}

impl Canvas<'_> {
    /// A straight line.
    pub fn line(&self, from: Pixel, to: Pixel, color: RGBColor, thickness: u32) -> Result<(), String> {
        self.area.draw(&PathElement::new(vec![from, to], color.stroke_width(thickness))).map_err(text)
    }

    /// A line through points, dashed or not.
    pub fn path(&self, points: &[Pixel], color: RGBColor, thickness: u32, dashed: bool) -> Result<(), String> {
        let style = color.stroke_width(thickness);
        if dashed {
            let series = DashedLineSeries::new(points.iter().copied(), 6, 4, style);
            return series.into_iter().try_for_each(|part| self.area.draw(&part).map_err(text));
        }
        self.area.draw(&PathElement::new(points.to_vec(), style)).map_err(text)
    }

    /// A rectangle at least two pixels wide.
    pub fn rectangle(&self, from: Pixel, to: Pixel, color: RGBColor, fill: Fill) -> Result<(), String> {
        let corners = [from, (to.0.max(from.0 + 2), to.1)];
        let inside = match fill {
            Fill::Solid => color.filled(),
            Fill::Light => color.mix(0.3).filled(),
            Fill::Hollow => PAPER.filled(),
        };
        self.area.draw(&Rectangle::new(corners, inside)).map_err(text)?;
        self.area.draw(&Rectangle::new(corners, color.stroke_width(1))).map_err(text)
    }

    /// A rectangle filled with a share of a colour.
    pub fn tint(&self, from: Pixel, to: Pixel, color: RGBColor, share: f64) -> Result<(), String> {
        self.area.draw(&Rectangle::new([from, to], color.mix(share).filled())).map_err(text)
    }

    /// A marker; its shape follows the index. Of 36 series no two have shape and colour in common.
    pub fn marker(&self, (x, y): Pixel, index: usize, color: RGBColor) -> Result<(), String> {
        let r = 5;
        let filled = |points: &[Pixel]| self.area.draw(&Polygon::new(points.to_vec(), color)).map_err(text);
        let strokes = |a: [Pixel; 2], b: [Pixel; 2]| {
            self.line(a[0], a[1], color, 2)?;
            self.line(b[0], b[1], color, 2)
        };
        match (index + index / 6) % 6 {
            0 => self.area.draw(&Circle::new((x, y), r, color.filled())).map_err(text),
            1 => filled(&[(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]),
            2 => filled(&[(x, y - r - 1), (x + r + 1, y + r), (x - r - 1, y + r)]),
            3 => strokes([(x - r, y - r), (x + r, y + r)], [(x - r, y + r), (x + r, y - r)]),
            4 => filled(&[(x, y - r - 2), (x + r + 2, y), (x, y + r + 2), (x - r - 2, y)]),
            _ => strokes([(x - r, y), (x + r, y)], [(x, y - r), (x, y + r)]),
        }
    }

    /// Text, centred on the height of its place.
    pub fn text(&self, words: &str, at: Pixel, align: Align, color: RGBColor) -> Result<(), String> {
        let across = match align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = text_style(color).pos(Pos::new(across, VPos::Center));
        self.area.draw(&Text::new(crate::format::clean(words), at, style)).map_err(text)
    }

    /// Text in ink.
    pub fn label(&self, words: &str, at: Pixel, align: Align) -> Result<(), String> {
        self.text(words, at, align, INK)
    }

    /// Text that matters less.
    pub fn remark(&self, words: &str, at: Pixel, align: Align) -> Result<(), String> {
        self.text(words, at, align, MUTED)
    }
}
