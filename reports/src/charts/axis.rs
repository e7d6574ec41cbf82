//! Ranges and units of axes.

use std::ops::Range;

/// Largest magnitude that an axis shows.
const LIMIT: f64 = 1e290;

/// How values lie on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally far apart.
    Linear,
    /// Equal ratios are; ticks are at powers of ten.
    Logarithmic,
}

impl Scale {
    /// Where a value lies.
    pub fn place(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        }
    }

    /// The value that lies somewhere.
    pub fn value(self, place: f64) -> f64 {
        match self {
            Self::Linear => place,
            Self::Logarithmic => 10_f64.powf(place),
        }
    }

    /// Where a range lies.
    pub fn range(self, values: &Range<f64>) -> Range<f64> {
        self.place(values.start)..self.place(values.end)
    }
}

/// The powers of ten around the positive values, where the largest is more than a hundred times the smallest: on an axis
/// from zero the smaller ones would lie on each other.
pub fn decades(values: impl IntoIterator<Item = f64>) -> Option<Range<f64>> {
    let (low, high) = values
        .into_iter()
        .filter(|value| *value > 0.0 && *value < LIMIT)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    (high > 100.0 * low).then(|| 10_f64.powf(low.log10().floor())..10_f64.powf(high.log10().ceil()))
}

/// An axis from zero that leaves a little room above the largest finite value.
pub fn from_zero(values: impl IntoIterator<Item = f64>, room: f64) -> Range<f64> {
    let largest = values.into_iter().filter(|value| value.is_finite()).fold(0.0, f64::max).min(LIMIT);
    if largest > 0.0 { 0.0..largest * (1.0 + room) } else { 0.0..1.0 }
}

/// An axis around the finite values that leaves a little room on both sides, not below `floor` nor above `ceiling`.
pub fn around(values: impl IntoIterator<Item = f64>, floor: f64, ceiling: f64) -> Range<f64> {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .map(|value| value.clamp(-LIMIT, LIMIT))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return 0.0..1.0;
    }
    let room = ((high - low) * 0.08).max(high.abs() * 0.005).max(1e-9);
    let (low, high) = ((low - room).max(floor), (high + room).min(ceiling));
    if low < high { low..high } else { low - room..low + room }
}

/// A unit of time that suits values up to `largest` seconds: its name and length in seconds.
pub fn time_unit(largest: f64) -> (&'static str, f64) {
    match largest {
        s if s < 2e-3 => ("µs", 1e-6),
        s if s < 2.0 => ("ms", 1e-3),
        s if s < 300.0 => ("s", 1.0),
        s if s < 7200.0 => ("min", 60.0),
        s if s < 172_800.0 => ("h", 3600.0),
        _ => ("d", 86_400.0),
    }
}

/// A tick's label: no more digits than tell it from its neighbours.
pub fn tick(value: f64) -> String {
    let size = value.abs();
    if size >= 1e7 || (size > 0.0 && size < 1e-4) {
        return format!("{value:.2e}");
    }
    if size >= 1000.0 {
        return crate::format::number(value.round());
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".to_owned() } else { text.replace('-', "−") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_hold_all_finite_values() {
        assert_eq!(from_zero([1.0, f64::NAN, 4.0], 0.5), 0.0..6.0);
        assert_eq!(from_zero([], 0.5), 0.0..1.0);
        assert_eq!(from_zero([0.0, f64::INFINITY], 0.5), 0.0..1.0);
        assert!(from_zero([f64::MAX], 0.2).end.is_finite());
        let check = |values: &[f64]| {
            let range = around(values.iter().copied(), 0.0, 1.0);
            assert!(
                range.start < range.end && range.start.is_finite() && range.end.is_finite(),
                "{values:?} {range:?}"
            );
        };
        assert_eq!(decades([2.0, 150.0]), None);
        assert_eq!(decades([0.0, 2.0, 450.0, f64::INFINITY]), Some(1.0..1000.0));
        assert_eq!(decades([]), None);
        for values in [&[][..], &[0.5], &[1.0], &[0.0], &[1.0, 1.0], &[f64::NAN], &[0.2, 0.9], &[7.0]] {
            check(values);
        }
    }

    #[test]
    fn ticks_are_short() {
        let check = |value: f64, expected: &str| assert_eq!(tick(value), expected);
        check(0.0, "0");
        check(0.1 + 0.2, "0.3");
        check(2500.0, "2,500");
        check(-0.5, "−0.5");
        check(1e12, "1.00e12");
    }
}
