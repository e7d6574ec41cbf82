//! Decimal arithmetic that ends at the largest number instead of failing, for plans that anybody may have written.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

pub fn add(a: Decimal, b: Decimal) -> Decimal {
    a.saturating_add(b)
}

pub fn subtract(a: Decimal, b: Decimal) -> Decimal {
    a.saturating_sub(b)
}

pub fn times(a: Decimal, b: Decimal) -> Decimal {
    a.saturating_mul(b)
}

/// a ÷ b; the largest number for b = 0.
pub fn ratio(a: Decimal, b: Decimal) -> Decimal {
    a.checked_div(b).unwrap_or(Decimal::MAX)
}

pub fn sum(amounts: impl IntoIterator<Item = Decimal>) -> Decimal {
    amounts.into_iter().fold(Decimal::ZERO, add)
}

/// Hours of a time in whole milliseconds.
pub fn hours(seconds: f64) -> Decimal {
    ratio(Decimal::from((seconds * 1000.0).round() as u64), Decimal::from(3_600_000))
}

/// Gigabytes (10⁹ bytes).
pub fn gigabytes(bytes: u64) -> Decimal {
    ratio(Decimal::from(bytes), Decimal::from(1_000_000_000))
}

/// A figure of a document as a decimal; the largest number for what has none.
pub fn decimal(value: f64) -> Decimal {
    Decimal::try_from(value).unwrap_or(Decimal::MAX)
}

/// An amount in floating point.
pub fn float(usd: Decimal) -> f64 {
    usd.to_f64().unwrap_or(f64::MAX)
}

/// An amount for people, to a millionth of a dollar.
pub fn cents(usd: Decimal) -> Decimal {
    usd.round_dp(6).normalize()
}
