//! How long to work between two checkpoints.
//!
//! δ is the time that a checkpoint stops the job, M the mean time between failures, R the restart.

/// Young's interval √(2δM), in seconds (Young 1974).
#[must_use]
pub fn young(blocked_seconds: f64, mtbf_seconds: f64) -> f64 {
    (2.0 * blocked_seconds * mtbf_seconds).sqrt()
}

/// Daly's interval √(2δM)·[1 + ⅓·√(δ/2M) + ⅑·(δ/2M)] − δ where δ < 2M, else M, in seconds (Daly 2006, equation 37).
/// Infinite where nothing fails.
#[must_use]
pub fn daly(blocked_seconds: f64, mtbf_seconds: f64) -> f64 {
    if mtbf_seconds.is_infinite() || blocked_seconds >= 2.0 * mtbf_seconds {
        return mtbf_seconds;
    }
    let ratio = blocked_seconds / (2.0 * mtbf_seconds);
    young(blocked_seconds, mtbf_seconds) * (1.0 + ratio.sqrt() / 3.0 + ratio / 9.0) - blocked_seconds
}

/// Interval with the shortest expected time, in seconds: the root of e^{(τ+δ)/M}·(1 − τ/M) = 1 that
/// [`expected_wall_seconds`](super::expected_wall_seconds) has as its minimum; Daly's is its series.
#[must_use]
pub fn optimal(blocked_seconds: f64, mtbf_seconds: f64) -> f64 {
    if mtbf_seconds.is_infinite() {
        return mtbf_seconds;
    }
    let delta = blocked_seconds / mtbf_seconds;
    // x + δ/M + ln(1 − x) falls from δ/M to −∞ between 0 and 1.
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let x = f64::midpoint(low, high);
        if x + delta + (-x).ln_1p() > 0.0 { low = x } else { high = x }
    }
    low * mtbf_seconds
}

/// Share of time that the job moves on, for a checkpoint every `period` seconds, its own time included:
/// (1 − δ/τ)·M/(M + R + τ/2) (arXiv 2410.18124; half a period is lost to a failure on average).
#[must_use]
pub fn availability(period: f64, blocked_seconds: f64, mtbf_seconds: f64, restart_seconds: f64) -> f64 {
    if period <= blocked_seconds {
        return 0.0;
    }
    let lost = (restart_seconds + period / 2.0) / mtbf_seconds;
    (1.0 - blocked_seconds / period) / (1.0 + lost)
}

/// Period with the highest [`availability`], a checkpoint's own time included, in seconds:
/// δ + √(2(M + R)δ + δ²) (arXiv 2410.18124).
#[must_use]
pub fn availability_interval(blocked_seconds: f64, mtbf_seconds: f64, restart_seconds: f64) -> f64 {
    let square = 2.0 * (mtbf_seconds + restart_seconds) * blocked_seconds + blocked_seconds.powi(2);
    blocked_seconds + square.sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::expected_wall_seconds;
    use super::*;

    const MINUTE: f64 = 60.0;

    #[test]
    fn dalys_figures() {
        let check = |mtbf_minutes: f64, expected: f64| {
            let found = daly(5.0 * MINUTE, mtbf_minutes * MINUTE) / MINUTE;
            assert!((found / expected - 1.0).abs() < 0.006, "{found} instead of {expected}");
        };
        check(24.0 * 60.0, 117.0);
        check(6.0 * 60.0, 57.0);
        check(15.0, 9.1);
    }

    #[test]
    fn no_other_interval_is_better() {
        for (blocked, mtbf) in [(1.0, 1e4), (300.0, 900.0), (300.0, 86_400.0), (300.0, 100.0)] {
            let wall = |interval: f64| expected_wall_seconds(1e6, interval, blocked, 0.0, mtbf);
            let (best, by_daly) = (optimal(blocked, mtbf), daly(blocked, mtbf));
            assert!(wall(best) <= wall(best * 1.01) && wall(best) <= wall(best * 0.99), "{blocked} {mtbf}");
            assert!(wall(by_daly) < 1.03 * wall(best), "{blocked} {mtbf}: {by_daly} and {best}");
            let period = availability_interval(blocked, mtbf, 60.0);
            let share = |period: f64| availability(period, blocked, mtbf, 60.0);
            assert!(share(period) >= share(period * 1.01) && share(period) >= share(period * 0.99));
        }
    }

    #[test]
    fn where_nothing_fails_no_checkpoint_is_needed() {
        assert!(daly(5.0, f64::INFINITY).is_infinite() && optimal(5.0, f64::INFINITY).is_infinite());
        assert!(availability(1.0, 2.0, 100.0, 0.0) < f64::EPSILON);
    }
}
