//! Plain numbers.

use super::{NONE, with_unit};

/// Values from here on are written with an exponent.
const LARGE: f64 = 1e15;

/// A number with three digits that count, or all digits before the point: `6,100`, `61.3`, `0.0334`.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if size >= LARGE || (size > 0.0 && size < 1e-4) {
        return format!("{value:.2e}");
    }
    let decimals = match size {
        s if s >= 99.95 || s == 0.0 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.9995 => 2,
        s => (2 - s.log10().floor() as i32).unsigned_abs() as usize,
    };
    grouped(&format!("{value:.decimals$}"))
}

/// A whole number with its thousands apart.
#[must_use]
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A share of one as a percentage with two decimals.
#[must_use]
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        value if !value.is_finite() => NONE.to_owned(),
        value if value.abs() < 1e6 => with_unit(&grouped(&format!("{value:.2}")), "%"),
        value => with_unit(&number(value), "%"),
    }
}

/// A relative difference with its sign: `+3.4 %`, `−1.0 %`.
#[must_use]
pub fn signed_percent(share: f64) -> String {
    let value = share * 100.0;
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let size = if value.abs() < 1e6 { format!("{:.1}", value.abs()) } else { number(value.abs()) };
    let sign = match value {
        _ if size == "0.0" => "±",
        v if v < 0.0 => "−",
        _ => "+",
    };
    with_unit(&format!("{sign}{size}"), "%")
}

/// All digits of a number, for programs and for those who check.
#[must_use]
pub fn exact(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => String::new(),
        size if size != 0.0 && !(1e-7..LARGE).contains(&size) => format!("{value:e}"),
        _ => value.to_string(),
    }
}

/// Puts commas between the thousands of a decimal number.
pub(super) fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected, "{value}");
        check(0.0, "0");
        check(6100.4, "6,100");
        check(99.96, "100");
        check(61.26, "61.3");
        check(9.999, "10.0");
        check(1.0, "1.00");
        check(0.033_41, "0.0334");
        check(0.000_012_3, "1.23e-5");
        check(-1_234_567.0, "−1,234,567");
        check(1e300, "1.00e300");
        check(f64::NAN, "–");
        check(f64::NEG_INFINITY, "–");
    }

    #[test]
    fn shares_are_percentages() {
        let check = |share: f64, plain: &str, signed: &str| {
            let spaced = |text: String| text.replace('\u{a0}', " ");
            assert_eq!((spaced(percent(share)).as_str(), spaced(signed_percent(share)).as_str()), (plain, signed));
        };
        check(0.989, "98.90 %", "+98.9 %");
        check(-0.0328, "−3.28 %", "−3.3 %");
        check(0.0, "0.00 %", "±0.0 %");
        check(0.0004, "0.04 %", "±0.0 %");
        check(1e200, "1.00e202 %", "+1.00e202 %");
        check(f64::INFINITY, "–", "–");
    }

    #[test]
    fn exact_numbers_can_be_read_back() {
        let check = |value: f64, expected: &str| {
            assert_eq!(exact(value), expected);
            assert_eq!(expected.parse(), Ok(value));
        };
        check(0.1, "0.1");
        check(6100.0, "6100");
        check(-2.5e-12, "-2.5e-12");
        check(1e300, "1e300");
        assert_eq!(exact(f64::NAN), "");
    }
}
