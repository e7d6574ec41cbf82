//! Money and data.

use rust_decimal::Decimal;

use super::number::{grouped, number};
use super::with_unit;

/// An amount of money: to the cent from 1 USD on, with three digits that count below.
#[must_use]
pub fn usd(amount: Decimal) -> String {
    let rounded = if amount.abs() >= Decimal::ONE {
        format!("{:.2}", amount.round_dp(2))
    } else {
        let rounded = amount.round_sf(3).unwrap_or(amount);
        // Digits that the amount does not have are not made up.
        if rounded.scale() > amount.scale() { amount.to_string() } else { rounded.to_string() }
    };
    with_unit(&grouped(&rounded), "USD")
}

/// An amount of data in decimal units.
#[must_use]
pub fn bytes(amount: u64) -> String {
    const UNITS: [(u64, &str); 6] = [
        (1_000_000_000_000_000, "PB"),
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "kB"),
        (1, "B"),
    ];
    match UNITS.iter().find(|(factor, _)| amount >= *factor) {
        Some((1, _)) | None => with_unit(&amount.to_string(), "B"),
        Some((factor, unit)) => with_unit(&number(amount as f64 / *factor as f64), unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_cents_or_three_digits() {
        let check = |text: &str, expected: &str| {
            assert_eq!(usd(text.parse().expect(text)).replace('\u{a0}', " "), expected);
        };
        check("0", "0 USD");
        check("0.034225", "0.0342 USD");
        check("0.50", "0.50 USD");
        check("0.033997", "0.0340 USD");
        check("0.000008", "0.000008 USD");
        check("1.005", "1.00 USD");
        check("1234567.891", "1,234,567.89 USD");
        check("-12", "−12.00 USD");
        check("79228162514264337593543950335", "79,228,162,514,264,337,593,543,950,335.00 USD");
    }

    #[test]
    fn data_is_in_decimal_units() {
        let check = |amount: u64, expected: &str| assert_eq!(bytes(amount).replace('\u{a0}', " "), expected);
        check(0, "0 B");
        check(999, "999 B");
        check(87_360, "87.4 kB");
        check(41_300_000, "41.3 MB");
        check(u64::MAX, "18,447 PB");
    }
}
