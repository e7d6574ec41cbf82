//! The plan over time: a bar for each workload and each movement of data.

use super::canvas::{self, Align, Canvas, Fill, Pixel};
use super::legend::{self, Entry, Sign};
use super::rows::{self, Rows};
use super::{Caption, Chart, axis, palette};
use crate::error::ReportError;
use crate::format;
use crate::table::Table;

/// Rows that the chart shows at most; all are in its table.
const MOST: usize = 60;

/// What a bar stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BarKind {
    /// A workload.
    Workload,
    /// A movement of data.
    Flow,
}

/// Something that takes time.
#[derive(Debug, Clone)]
pub struct Bar {
    /// What it stands for.
    pub kind: BarKind,
    /// Its name.
    pub name: String,
    /// Where it happens.
    pub place: String,
    /// Start in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
    /// Latest end in seconds.
    pub deadline: Option<f64>,
}

/// Draws the plan over time.
///
/// # Errors
/// The drawing library fails.
pub fn schedule(caption: Caption<'_>, table: Table, bars: &[Bar]) -> Result<Chart, ReportError> {
    caption.chart(table, paint(&bars[..bars.len().min(MOST)]))
}

fn paint(bars: &[Bar]) -> Result<String, String> {
    let key = key(bars);
    let top = legend::height(&key);
    let end = bars.iter().map(|bar| bar.end).fold(0.0, f64::max);
    let (unit, length) = axis::time_unit(end);
    let names: Vec<_> = bars.iter().map(|bar| bar.name.clone()).collect();
    canvas::draw(rows::height(bars.len(), 30, top), |canvas| {
        legend::draw(canvas, &key)?;
        let title = format!("time from the start of the plan ({unit})");
        let rows = Rows::draw(canvas, top, &names, axis::from_zero([end / length], 0.35), &title)?;
        for (at, bar) in bars.iter().enumerate() {
            let (from, to) = (rows.pixel(bar.start / length, at, 0.2), rows.pixel(bar.end / length, at, 0.8));
            let (index, fill) = look(bar.kind);
            canvas.rectangle(from, to, palette::series(index), fill)?;
            beside(canvas, &words(bar), fill, from, to)?;
            if let Some(deadline) = bar.deadline.filter(|deadline| deadline / length <= end / length * 1.35) {
                let (x, y) = rows.pixel(deadline / length, at, 0.5);
                canvas.line((x, y - 13), (x, y + 13), palette::INK, 2)?;
            }
        }
        Ok(())
    })
}

fn words(bar: &Bar) -> String {
    let deadline = bar.deadline.map_or(String::new(), |seconds| format!(", deadline {}", format::duration(seconds)));
    format!("{} at {}{deadline}", format::duration(bar.end - bar.start), bar.place)
}

/// Words after a bar; where there is no room, inside it or before it.
fn beside(canvas: &Canvas<'_>, words: &str, fill: Fill, from: Pixel, to: Pixel) -> Result<(), String> {
    let (y, needed) = (i32::midpoint(from.1, to.1), canvas::width(words) + 12);
    let room = canvas::WIDTH - to.0 - 16;
    if needed <= room {
        return canvas.remark(words, (to.0.max(from.0 + 2) + 6, y), Align::Left);
    }
    if needed <= to.0 - from.0 {
        let color = if fill == Fill::Solid { palette::PAPER } else { palette::INK };
        return canvas.text(words, (to.0 - 6, y), Align::Right, color);
    }
    if from.0 - rows::NAMES > room {
        return canvas.remark(&canvas::cut(words, from.0 - rows::NAMES - 12), (from.0 - 6, y), Align::Right);
    }
    canvas.remark(&canvas::cut(words, room - 6), (to.0 + 6, y), Align::Left)
}

fn look(kind: BarKind) -> (usize, Fill) {
    match kind {
        BarKind::Workload => (0, Fill::Solid),
        BarKind::Flow => (1, Fill::Light),
    }
}

fn key(bars: &[Bar]) -> Vec<Entry> {
    [(BarKind::Workload, "workload"), (BarKind::Flow, "movement of data")]
        .into_iter()
        .filter(|(kind, _)| bars.iter().any(|bar| bar.kind == *kind))
        .map(|(kind, name)| {
            let (index, fill) = look(kind);
            Entry { sign: Sign::Bar(fill), index, name: name.to_owned() }
        })
        .collect()
}
