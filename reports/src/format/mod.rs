//! Figures for people: sensible digits, units, thousands apart; never `NaN`.

mod amount;
mod number;
mod text;
mod time;

pub use amount::{bytes, usd};
pub use number::{count, exact, number, percent, signed_percent};
pub use text::{clean, escape, list, prose, shell, slug};
pub use time::duration;

/// A figure and its unit, which no line break parts.
#[must_use]
pub fn with_unit(figure: &str, unit: &str) -> String {
    format!("{figure}\u{a0}{unit}")
}

/// Stands where there is no figure.
pub const NONE: &str = "–";
