//! Lengths of time.

use super::{NONE, count, number, with_unit};

/// A length in the units that people use: `16.9 ms`, `1 min 42 s`, `12 d 4 h`.
#[must_use]
pub fn duration(seconds: f64) -> String {
    let size = seconds.abs();
    let text = match size {
        s if !s.is_finite() => return NONE.to_owned(),
        0.0 => with_unit("0", "s"),
        s if s < 1e-7 => with_unit(&number(s), "s"),
        s if s < 9.995e-4 => with_unit(&number(s * 1e6), "µs"),
        s if s < 0.9995 => with_unit(&number(s * 1e3), "ms"),
        s if s < 59.95 => with_unit(&number(s), "s"),
        s if s < 599.95 => two_units(s, (60.0, "min"), (0.1, "s")),
        s if s < 3599.5 => two_units(s, (60.0, "min"), (1.0, "s")),
        s if s < 86_370.0 => two_units(s, (3600.0, "h"), (60.0, "min")),
        s if s < 1e9 => two_units(s, (86_400.0, "d"), (3600.0, "h")),
        s => with_unit(&number(s / 86_400.0), "d"),
    };
    if seconds < 0.0 { format!("−{text}") } else { text }
}

/// A length in a large unit and, rounded to `step` seconds, in a small one.
fn two_units(seconds: f64, large: (f64, &str), (step, small): (f64, &str)) -> String {
    let steps = (seconds / step).round();
    let per_large = (large.0 / step).round();
    let (whole, rest) = ((steps / per_large).floor(), steps % per_large);
    let whole = with_unit(&count(whole as u64), large.1);
    match rest {
        0.0 => whole,
        tenths if step < 1.0 => format!("{whole} {}", with_unit(&format!("{:.1}", tenths * step), small)),
        rest => format!("{whole} {}", with_unit(&rest.to_string(), small)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_the_units_of_people() {
        let check = |seconds: f64, expected: &str| {
            assert_eq!(duration(seconds).replace('\u{a0}', " "), expected, "{seconds}");
        };
        check(0.0, "0 s");
        check(2.5e-9, "2.50e-9 s");
        check(0.000_012, "12.0 µs");
        check(0.016_949, "16.9 ms");
        check(0.9999, "1.00 s");
        check(59.97, "1 min");
        check(102.31, "1 min 42.3 s");
        check(599.94, "9 min 59.9 s");
        check(600.4, "10 min");
        check(3599.7, "1 h");
        check(12_000.0, "3 h 20 min");
        check(86_399.0, "1 d");
        check(1_051_200.0, "12 d 4 h");
        check(1e300, "1.16e295 d");
        check(-0.5, "−500 ms");
        check(f64::NAN, "–");
    }
}
