//! The key above a chart.

use super::canvas::{Align, Canvas, Fill, Pixel, WIDTH, cut, width};
use super::palette;

/// What stands for a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A bar.
    Bar(Fill),
    /// A marker on a line, dashed or not.
    Line {
        /// Whether the line is dashed.
        dashed: bool,
    },
    /// A marker.
    Marker,
}

/// An entry: sign, index of its colour and marker, and name.
pub struct Entry {
    /// What stands for it.
    pub sign: Sign,
    /// Index of its colour and marker.
    pub index: usize,
    /// Its name.
    pub name: String,
}

const LINE_HEIGHT: i32 = 20;
const LEFT: i32 = 12;

/// Height that the entries need.
pub fn height(entries: &[Entry]) -> i32 {
    places(entries).last().map_or(0, |(_, y)| y + LINE_HEIGHT)
}

/// Draws the entries at the top.
pub fn draw(canvas: &Canvas<'_>, entries: &[Entry]) -> Result<(), String> {
    for (entry, place) in entries.iter().zip(places(entries)) {
        let color = palette::series(entry.index);
        let (x, y) = place;
        match entry.sign {
            Sign::Bar(fill) => canvas.rectangle((x, y - 6), (x + 22, y + 6), color, fill)?,
            Sign::Marker => canvas.marker((x + 11, y), entry.index, color)?,
            Sign::Line { dashed } => {
                canvas.path(&[(x, y), (x + 24, y)], color, 2, dashed)?;
                canvas.marker((x + 12, y), entry.index, color)?;
            }
        }
        canvas.label(&name(entry), (x + 30, y), Align::Left)?;
    }
    Ok(())
}

fn name(entry: &Entry) -> String {
    cut(&entry.name, 300)
}

/// Where each entry begins: one after the other, in as many lines as it takes.
fn places(entries: &[Entry]) -> Vec<Pixel> {
    let mut next = (LEFT, 14);
    entries
        .iter()
        .map(|entry| {
            let needed = 30 + width(&name(entry)) + 20;
            if next.0 > LEFT && next.0 + needed > WIDTH {
                next = (LEFT, next.1 + LINE_HEIGHT);
            }
            let place = next;
            next.0 += needed;
            place
        })
        .collect()
}
