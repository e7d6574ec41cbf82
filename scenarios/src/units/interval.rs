//! Figures that are not known exactly.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A figure with its spread: one in ten values lies below `p10`, one in ten above `p90`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Tenth percentile.
    pub p10: f64,
    /// Median.
    pub p50: f64,
    /// Ninetieth percentile.
    pub p90: f64,
}

impl Interval {
    /// Percentiles of measured values by the nearest-rank method; `None` without values.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Self { p10: at(0.1)?, p50: at(0.5)?, p90: at(0.9)? })
    }

    /// The interval with every percentile multiplied by a factor that is not negative.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { p10: self.p10 * factor, p50: self.p50 * factor, p90: self.p90 * factor }
    }

    /// Mean of a skewed quantity with these percentiles: 0.3·p10 + 0.4·p50 + 0.3·p90, known as Swanson's rule (A. Hurst,
    /// G. C. Brown, R. I. Swanson, "Swanson's 30-40-30 rule", AAPG Bulletin 84, 2000). Times add up by their means.
    #[must_use]
    pub fn mean(self) -> f64 {
        0.3f64.mul_add(self.p10 + self.p90, 0.4 * self.p50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_lie_where_the_longer_tail_is() {
        let mean = |p10, p50, p90| Interval { p10, p50, p90 }.mean();
        assert!((mean(1.0, 2.0, 3.0) - 2.0).abs() < 1e-12);
        assert!((mean(1.0, 2.0, 13.0) - 5.0).abs() < 1e-12);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let check = |values: &[f64], expected: Option<(f64, f64, f64)>| {
            let expected = expected.map(|(p10, p50, p90)| Interval { p10, p50, p90 });
            assert_eq!(Interval::of(values), expected, "{values:?}");
        };
        check(&[], None);
        check(&[3.0], Some((3.0, 3.0, 3.0)));
        check(&[5.0, 1.0, 4.0, 2.0, 3.0], Some((1.0, 3.0, 5.0)));
        check(&(1..=100).map(f64::from).collect::<Vec<_>>(), Some((10.0, 50.0, 90.0)));
    }
}
