//! Cost of an operation as a function of its sizes, from measurements of others of its kind.
//!
//! Time is a sum of non-negative costs: t = Σ cᵢ·xᵢ over terms xᵢ such as FLOPs, values read and values
//! written. The costs minimise Σ ((Σ cᵢ·xᵢ − t)/t)², so that small and large operations weigh alike; t is the mean of
//! the runs, since a step is the sum of many operations.
//! What the sum misses near the wanted sizes is then added back: the logarithms of measured over fitted
//! times, averaged with weights that fall with the distance between the logarithms of the terms.

use scenarios::units::Interval;

/// Terms of one operation, from the constant one.
pub(super) type Terms = [f64; 8];

/// Passes of coordinate descent at most; the problems have few unknowns.
const PASSES: usize = 500;

/// Change of a cost, of which the largest is about 1, below which it has been found.
const FOUND: f64 = 1e-9;

/// Distance in logarithms at which a measurement's weight has fallen to 1/e.
const REACH: f64 = 0.7;

/// Weight of "the sum is right" beside the measurements near by.
const TRUST_IN_SUM: f64 = 0.25;

/// Costs of one kind of operation.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    costs: Terms,
    points: Vec<Point>,
    /// Measured over predicted time of each measurement, predicted without it: the model's own error.
    error: Interval,
}

#[derive(Debug, Clone)]
struct Point {
    terms: Terms,
    seconds: Interval,
    /// Logarithm of measured over fitted time.
    missed: f64,
}

impl Fit {
    /// Fits the costs; `None` without a measurement that took time.
    pub(super) fn new(measured: &[(Terms, Interval)]) -> Option<Self> {
        let fit = Self::without_error(measured)?;
        let ratios: Vec<f64> = (0..measured.len())
            .filter_map(|left_out| {
                let rest = [&measured[..left_out], &measured[left_out + 1..]].concat();
                let predicted = Self::without_error(&rest)?.mean(&measured[left_out].0);
                Some(measured[left_out].1.mean() / predicted)
            })
            .filter(|ratio| ratio.is_finite() && *ratio > 0.0)
            .collect();
        let error = Interval::of(&ratios).unwrap_or(fit.error);
        Some(Self { error, ..fit })
    }

    /// Fits the costs of what can only be as it was measured.
    pub(super) fn without_error(measured: &[(Terms, Interval)]) -> Option<Self> {
        let timed: Vec<_> = measured.iter().filter(|(_, seconds)| seconds.mean() > 0.0).collect();
        if timed.is_empty() {
            return None;
        }
        let rows: Vec<Terms> = timed.iter().map(|(terms, seconds)| terms.map(|term| term / seconds.mean())).collect();
        let costs = non_negative_least_squares(&rows);
        let points = timed
            .into_iter()
            .map(|&(terms, seconds)| Point { terms, seconds, missed: (seconds.mean() / dot(&costs, &terms)).ln() })
            .filter(|point| point.missed.is_finite())
            .collect();
        Some(Self { costs, points, error: Interval { p10: 1.0, p50: 1.0, p90: 1.0 } })
    }

    /// What an operation with these terms takes, with the spread of the measurements near by and the model's own error.
    pub(super) fn at(&self, terms: &Terms) -> Interval {
        let (mean, (low, high)) = (self.mean(terms), self.spread(terms));
        Interval {
            p10: mean * low.min(self.error.p10).min(1.0),
            p50: mean,
            p90: mean * high.max(self.error.p90).max(1.0),
        }
    }

    /// Tenth and ninetieth percentile of the runs of the nearest measurement, over their mean.
    fn spread(&self, terms: &Terms) -> (f64, f64) {
        let nearest = self.points.iter().min_by(|a, b| a.distance(terms).total_cmp(&b.distance(terms)));
        nearest.map_or((1.0, 1.0), |point| {
            (point.seconds.p10 / point.seconds.mean(), point.seconds.p90 / point.seconds.mean())
        })
    }

    /// The mean of what it takes.
    pub(super) fn mean(&self, terms: &Terms) -> f64 {
        let weights = self.points.iter().map(|point| (-(point.distance(terms) / REACH).powi(2)).exp());
        let (sum, missed) = weights
            .zip(&self.points)
            .fold((TRUST_IN_SUM, 0.0), |(sum, missed), (weight, point)| (sum + weight, missed + weight * point.missed));
        dot(&self.costs, terms) * (missed / sum).exp()
    }
}

impl Point {
    /// Distance of the logarithms of the terms.
    fn distance(&self, terms: &Terms) -> f64 {
        let squares = self.terms.iter().zip(terms).filter(|(a, b)| **a > 0.0 && **b > 0.0);
        squares.map(|(a, b)| (a / b).ln().powi(2)).sum::<f64>().sqrt()
    }
}

fn dot(a: &Terms, b: &Terms) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// c ≥ 0 that minimises Σ (row · c − 1)² over the rows, by coordinate descent on the normal equations.
fn non_negative_least_squares(rows: &[Terms]) -> Terms {
    let size = rows.first().map_or(0, |row| row.len());
    // Columns are scaled to length 1, so that FLOPs and constants weigh alike.
    let length = |column: usize| rows.iter().map(|row| row[column].powi(2)).sum::<f64>().sqrt();
    let mut scale: Terms = [0.0; 8];
    scale.iter_mut().enumerate().for_each(|(column, scale)| *scale = length(column));
    let value = |row: &Terms, column: usize| if scale[column] > 0.0 { row[column] / scale[column] } else { 0.0 };
    let product = |a: usize, b: usize| rows.iter().map(|row| value(row, a) * value(row, b)).sum::<f64>();
    let wanted = |column: usize| rows.iter().map(|row| value(row, column)).sum::<f64>();
    let matrix: Vec<Vec<f64>> = (0..size).map(|a| (0..size).map(|b| product(a, b)).collect()).collect();
    let target: Vec<f64> = (0..size).map(wanted).collect();
    let mut costs: Terms = [0.0; 8];
    for _ in 0..PASSES {
        let mut change: f64 = 0.0;
        for column in (0..size).filter(|&column| scale[column] > 0.0) {
            let rest: f64 = (0..size).filter(|&b| b != column).map(|b| matrix[column][b] * costs[b]).sum();
            let cost = (target[column] - rest).max(0.0) / matrix[column][column];
            change = change.max((cost - costs[column]).abs());
            costs[column] = cost;
        }
        if change < FOUND {
            break;
        }
    }
    costs.iter_mut().zip(scale).for_each(|(cost, scale)| *cost = if scale > 0.0 { *cost / scale } else { 0.0 });
    costs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(seconds: f64) -> Interval {
        Interval { p10: 0.9 * seconds, p50: seconds, p90: 1.2 * seconds }
    }

    fn terms(a: f64, b: f64) -> Terms {
        [1.0, a, b, 0.0, 0.0, 0.0, 0.0, 0.0]
    }

    #[test]
    fn costs_of_an_exact_sum_are_found_and_none_is_negative() {
        let cost = |a: f64, b: f64| exact(1e-6 + 2e-9 * a + 5e-9 * b);
        let sizes = [(10.0, 1e3), (1e3, 1e3), (1e4, 10.0), (1e5, 1e4), (1e6, 1e3), (1e3, 1e6)];
        let fit = Fit::new(&sizes.map(|(a, b)| (terms(a, b), cost(a, b)))).expect("it has measurements");
        for (a, b) in [(5e4, 5e3), (2e5, 1e2), (3e6, 3e6)] {
            let (found, expected) = (fit.at(&terms(a, b)), cost(a, b));
            assert!((found.p50 / expected.mean() - 1.0).abs() < 1e-3, "{a} {b}: {found:?} {expected:?}");
            assert!(found.p10 <= 1.001 * expected.p10 && found.p90 >= 0.999 * expected.p90, "{found:?} {expected:?}");
        }
        assert!(fit.costs.iter().all(|cost| *cost >= 0.0));
    }

    #[test]
    fn what_the_sum_misses_is_added_back_near_by_and_forgotten_far_away() {
        // Ten times slower than its size says, at one place.
        let sizes = [1e3, 1e4, 1e5, 1e6, 1e7];
        let slow = |a: f64| if (a - 1e5).abs() < 1.0 { 10.0 } else { 1.0 };
        let fit = Fit::new(&sizes.map(|a| (terms(a, 0.0), exact(1e-9 * a * slow(a))))).expect("it has measurements");
        let at = |a: f64| fit.at(&terms(a, 0.0)).p50 / (1e-9 * a);
        assert!(at(1e5) > 3.0 * at(1e7), "{} {}", at(1e5), at(1e7));
        assert!(at(1.1e5) > 3.0 * at(1e7));
    }

    #[test]
    fn nothing_measured_gives_nothing() {
        assert!(Fit::new(&[]).is_none());
        assert!(Fit::new(&[(terms(1.0, 1.0), exact(0.0))]).is_none());
    }
}
