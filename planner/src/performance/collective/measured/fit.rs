//! Constants of a link from measured times.

use crate::performance::collective::{Curve, CurveError, Kind, Link};

/// Rounds of reweighting; the error changes by less than a hundredth after about twenty.
const ROUNDS: usize = 100;
/// Smallest relative error by which a point is weighted.
const LEAST_ERROR: f64 = 1e-4;
/// Rate of links whose times do not depend on size, bytes per second.
const NO_LIMIT: f64 = 1e18;

/// Why points give no constants.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Two constants need two sizes.
    #[error("two constants need measurements of two sizes, not {0}")]
    Few(usize),
    /// A size or time that is none.
    #[error("{bytes} bytes in {seconds} s is no measurement")]
    Point {
        /// Size.
        bytes: f64,
        /// Time.
        seconds: f64,
    },
    /// The points are no curve.
    #[error(transparent)]
    Curve(#[from] CurveError),
}

/// Constants of a collective with the error that they leave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitted {
    /// Start of the whole collective and bus bandwidth.
    pub link: Link,
    /// Mean of the absolute relative errors.
    pub mean_error: f64,
    /// Largest absolute relative error.
    pub largest_error: f64,
}

/// α and β of t = α + volume · S / β that make the mean absolute relative error of `points` (bytes, seconds) small.
///
/// Least absolute errors by iteratively reweighted least squares (Schlossmacher 1973); α and 1/β are not negative.
///
/// # Errors
/// Fewer than two sizes, or a size or time that is not positive and finite.
pub fn fit(kind: Kind, ranks: u32, points: &[(f64, f64)]) -> Result<Fitted, FitError> {
    let positive = |value: f64| value > 0.0 && value.is_finite();
    if let Some(&(bytes, seconds)) = points.iter().find(|(size, time)| !positive(*size) || !positive(*time)) {
        return Err(FitError::Point { bytes, seconds });
    }
    let mut sizes: Vec<_> = points.iter().map(|(bytes, _)| *bytes).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    if sizes.len() < 2 || kind.volume(ranks) <= 0.0 {
        return Err(FitError::Few(sizes.len()));
    }
    // Largest size as the unit, so that both unknowns are times.
    let unit = sizes[sizes.len() - 1];
    let rows: Vec<_> = points.iter().map(|(bytes, seconds)| [1.0 / seconds, bytes / unit / seconds]).collect();
    let mut weights = vec![1.0; rows.len()];
    let mut found = [0.0; 2];
    for _ in 0..ROUNDS {
        found = weighted(&rows, &weights);
        for (weight, row) in weights.iter_mut().zip(&rows) {
            *weight = 1.0 / error(row, found).max(LEAST_ERROR);
        }
    }
    let errors = || rows.iter().map(|row| error(row, found));
    let rate = if found[1] > 0.0 { kind.volume(ranks) * unit / found[1] } else { NO_LIMIT };
    Ok(Fitted {
        link: Link { latency_seconds: found[0], bytes_per_second: rate.min(NO_LIMIT) },
        mean_error: errors().sum::<f64>() / rows.len() as f64,
        largest_error: errors().fold(0.0, f64::max),
    })
}

/// Knots of a curve through `points` that meets all of them to within `tolerance`.
///
/// # Errors
/// The points are no curve.
pub fn fit_curve(points: &[(f64, f64)], tolerance: f64) -> Result<Vec<(f64, f64)>, FitError> {
    Ok(Curve::thinned(points, tolerance)?)
}

fn error(row: &[f64; 2], x: [f64; 2]) -> f64 {
    (row[0] * x[0] + row[1] * x[1] - 1.0).abs()
}

/// Minimum of Σ w (row · x − 1)² over x ≥ 0: of the inside and both edges the best that is allowed.
fn weighted(rows: &[[f64; 2]], weights: &[f64]) -> [f64; 2] {
    let sum = |value: fn(&[f64; 2]) -> f64| -> f64 { rows.iter().zip(weights).map(|(row, w)| w * value(row)).sum() };
    let (aa, ab, bb) = (sum(|r| r[0] * r[0]), sum(|r| r[0] * r[1]), sum(|r| r[1] * r[1]));
    let (a, b) = (sum(|r| r[0]), sum(|r| r[1]));
    let determinant = aa * bb - ab * ab;
    let inside = [(a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant];
    let loss = |x: &[f64; 2]| -> f64 { rows.iter().zip(weights).map(|(row, w)| w * error(row, *x).powi(2)).sum() };
    let allowed = |x: &[f64; 2]| x.iter().all(|value| value.is_finite() && *value >= 0.0);
    let candidates = [inside, [a / aa, 0.0], [0.0, b / bb]];
    let best = candidates.into_iter().filter(allowed).min_by(|x, y| loss(x).total_cmp(&loss(y)));
    best.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_found_again() {
        let check = |start: f64, rate: f64, noise: f64| {
            let time = |bytes: f64| start + 1.75 * bytes / rate;
            let mut points: Vec<_> = (0..14).map(|i| 1e6 * 2_f64.powi(i)).map(|bytes| (bytes, time(bytes))).collect();
            // One bad point does not move the others.
            points[5].1 *= 1.0 + noise;
            let fitted = fit(Kind::AllReduce, 8, &points).expect("a fit");
            let found = fitted.link;
            let late = (found.latency_seconds - start).abs() / time(1e6);
            let slow = (found.bytes_per_second / rate - 1.0).abs();
            assert!(late < 1e-3 && slow < 1e-3, "{fitted:?} instead of {start} {rate}");
        };
        check(40e-6, 200e9, 0.0);
        check(40e-6, 200e9, 0.5);
        check(0.0, 1e9, 0.0);
        check(0.0, 1e9, -0.5);
    }

    #[test]
    fn other_points_are_refused() {
        let check = |points: &[(f64, f64)], expected: &str| {
            let found = fit(Kind::AllReduce, 8, points).map_err(|e| e.to_string());
            assert_eq!(found, Err(expected.to_owned()));
        };
        check(&[], "two constants need measurements of two sizes, not 0");
        check(&[(1.0, 1.0), (1.0, 2.0)], "two constants need measurements of two sizes, not 1");
        check(&[(1.0, 1.0), (2.0, 0.0)], "2 bytes in 0 s is no measurement");
    }
}
