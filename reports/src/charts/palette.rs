//! Colours. Those of series are told apart by readers with any colour vision (Okabe and Ito, 2008).

use plotters::style::RGBColor;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x1b, 0x1f, 0x24);
/// Text that matters less.
pub const MUTED: RGBColor = RGBColor(0x5b, 0x65, 0x70);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(0xdd, 0xe1, 0xe6);
/// Background.
pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xfe);

const SERIES: [RGBColor; 6] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xc4, 0x51, 0x00),
    RGBColor(0x00, 0x7f, 0x5c),
    RGBColor(0x9a, 0x4f, 0x80),
    RGBColor(0x8a, 0x6d, 0x00),
    RGBColor(0x4b, 0x5f, 0xa8),
];

/// Colours with the variable that stands for each in the style sheet.
pub const NAMED: [(RGBColor, &str); 10] = [
    (INK, "ink"),
    (MUTED, "muted"),
    (GRID, "grid"),
    (PAPER, "paper"),
    (SERIES[0], "series-0"),
    (SERIES[1], "series-1"),
    (SERIES[2], "series-2"),
    (SERIES[3], "series-3"),
    (SERIES[4], "series-4"),
    (SERIES[5], "series-5"),
];

/// Colour of a series; they repeat after six.
pub const fn series(index: usize) -> RGBColor {
    SERIES[index % SERIES.len()]
}

/// The colour as drawings write it.
pub fn hexadecimal(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}
