//! How sure a figure is, whatever the figure is.

/// Groups that records are dealt out to.
pub(super) const GROUPS: usize = 20;
/// 0.975 quantile of Student's t with `GROUPS` − 1 degrees of freedom.
const QUANTILE: f64 = 2.093;

/// Half of the 95 % interval of a figure by the delete-a-group jackknife (Kott 2001, "The delete-a-group jackknife"): t times
/// √((G − 1)/G · Σ (θ₍₋g₎ − θ̄)²), where θ₍₋g₎ is the figure without a group. None where one of these has no value.
pub(super) fn half_width(without: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let found: Vec<f64> = (0..GROUPS).map(without).collect::<Option<_>>()?;
    let count = GROUPS as f64;
    let mean = found.iter().sum::<f64>() / count;
    let spread: f64 = found.iter().map(|value| (value - mean).powi(2)).sum();
    Some(QUANTILE * (spread * (count - 1.0) / count).sqrt())
}

/// 95 % interval of a share by Wilson's score (Wilson 1927), which also holds where all or none are right.
pub(super) fn of_share(share: f64, count: f64) -> [f64; 2] {
    const Z: f64 = 1.959_964;
    let square = Z * Z / count;
    let centre = (share + square / 2.0) / (1.0 + square);
    let half = Z / (1.0 + square) * (share * (1.0 - share) / count + square / (4.0 * count)).sqrt();
    [(centre - half).max(0.0), (centre + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_mean_it_is_the_usual_interval() {
        // One value a group: the deviation of the mean is that of the values over the root of their number.
        let values: Vec<f64> = (0..GROUPS).map(|at| (at * 7 % 20) as f64).collect();
        let sum: f64 = values.iter().sum();
        let half = half_width(|group| Some((sum - values[group]) / 19.0)).expect("every group has a value");
        let mean = sum / 20.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 19.0;
        assert!((half - QUANTILE * (variance / 20.0).sqrt()).abs() < 1e-9);
        assert_eq!(half_width(|group| (group > 0).then_some(1.0)), None);
    }

    #[test]
    fn shares_have_wilsons_interval() {
        let check = |share: f64, count: f64, expected: [f64; 2]| {
            let found = of_share(share, count);
            assert!((0..2).all(|at| (found[at] - expected[at]).abs() < 1e-4), "{found:?}");
        };
        check(0.5, 100.0, [0.4038, 0.5962]);
        check(1.0, 10.0, [0.7225, 1.0]);
        check(0.0, 10.0, [0.0, 0.2775]);
    }
}
