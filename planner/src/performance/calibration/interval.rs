//! How sure a prediction is: quantiles of errors on runs that a fit had not seen.

use std::collections::BTreeMap;

use scenarios::units::Interval;
use serde::{Deserialize, Serialize};

/// Runs that a group needs to count as much as the larger group that holds it.
const ENOUGH: f64 = 8.0;

/// Sizes of errors, as logarithms of predicted over measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Mean size of the errors of each group of runs, shrunk toward the larger group's.
    pub groups: BTreeMap<String, f64>,
    /// Tenth and ninetieth percentile of errors over the size of their group.
    pub quantiles: [f64; 2],
}

impl Spread {
    /// The spread of errors, each with the groups of its run from the largest to the smallest.
    #[must_use]
    pub fn of(errors: &[(Vec<String>, f64)]) -> Self {
        let mut sums = BTreeMap::<&str, (f64, f64)>::new();
        for (groups, error) in errors {
            for group in groups {
                let (count, sum) = sums.entry(group).or_default();
                *count += 1.0;
                *sum += error.abs();
            }
        }
        let mut spread = Self::default();
        for (groups, _) in errors {
            let mut size = None;
            for group in groups {
                let (count, sum) = sums[group.as_str()];
                let shrunk = size.map_or(sum / count, |larger: f64| (sum + ENOUGH * larger) / (count + ENOUGH));
                size = Some(shrunk);
                spread.groups.insert(group.clone(), shrunk);
            }
        }
        let mut scaled: Vec<f64> = errors.iter().map(|(groups, error)| error / spread.size(groups)).collect();
        scaled.retain(|value| value.is_finite());
        scaled.sort_by(f64::total_cmp);
        spread.quantiles = [0.1, 0.9].map(|share| quantile(&scaled, share));
        spread
    }

    /// Size of the errors of the smallest group that is known.
    fn size(&self, groups: &[String]) -> f64 {
        groups.iter().rev().find_map(|group| self.groups.get(group)).copied().unwrap_or(1.0)
    }

    /// The interval around a predicted value of a run that belongs to `groups`.
    ///
    /// The prediction stays the median: the percentiles are those of measured over predicted.
    #[must_use]
    pub fn around(&self, predicted: f64, groups: &[String]) -> Interval {
        // Of a group as small as that, the size of errors is itself uncertain.
        let size = self.size(groups) * (1.0 + 1.5 / ENOUGH);
        let [low, high] = self.quantiles;
        Interval {
            p10: predicted * (-high.max(0.0) * size).exp(),
            p50: predicted,
            p90: predicted * (-low.min(0.0) * size).exp(),
        }
    }
}

/// Quantile of sorted values between neighbours; 0 of none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_eighty_in_a_hundred_of_the_errors_they_come_from() {
        // Two groups, the second with errors three times as large.
        let error = |i: u32, size: f64| size * (f64::from(i % 41) / 20.0 - 1.0);
        let errors: Vec<(Vec<String>, f64)> = (0..400)
            .map(|i| {
                let (name, size) = if i % 2 == 0 { ("a", 0.1) } else { ("b", 0.3) };
                (vec!["all".to_owned(), name.to_owned()], error(i, size))
            })
            .collect();
        let spread = Spread::of(&errors);
        let check = |name: &str, half_width: f64| {
            let interval = spread.around(1.0, &["all".to_owned(), name.to_owned()]);
            let found = (interval.p90 / interval.p10).ln() / 2.0;
            assert!((found - half_width).abs() < 0.02, "{name}: {found}");
        };
        check("a", 0.095);
        check("b", 0.285);
        let inside = errors.iter().filter(|(groups, error)| {
            let interval = spread.around(error.exp(), groups);
            (interval.p10..=interval.p90).contains(&1.0)
        });
        assert!((330..=385).contains(&inside.count()));
    }

    #[test]
    fn without_errors_there_is_a_point() {
        assert_eq!(Spread::of(&[]).around(2.0, &[]), Interval { p10: 2.0, p50: 2.0, p90: 2.0 });
    }
}
