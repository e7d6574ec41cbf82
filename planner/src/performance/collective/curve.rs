//! Measured times of one collective by size.

/// Times between which others are interpolated, on logarithmic axes. Beyond the ends alpha-beta times are scaled so
/// that they meet the curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Logarithms of sizes in bytes, ascending, and of times in seconds.
    knots: Vec<(f64, f64)>,
}

/// Why points are no curve.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum CurveError {
    /// None.
    #[error("a curve needs a point")]
    Empty,
    /// A size or time that is none.
    #[error("{bytes} bytes in {seconds} s is no measurement")]
    Point {
        /// Size.
        bytes: f64,
        /// Time.
        seconds: f64,
    },
    /// Two points of one size, or not in order.
    #[error("sizes of a curve grow, but after {before} bytes come {bytes}")]
    Order {
        /// Size.
        bytes: f64,
        /// Size of the point before.
        before: f64,
    },
}

impl Curve {
    /// A curve through points of bytes and seconds, in the order of bytes.
    ///
    /// # Errors
    /// No point, sizes that do not grow, or a size or time that is not positive and finite.
    pub fn new(points: &[(f64, f64)]) -> Result<Self, CurveError> {
        if points.is_empty() {
            return Err(CurveError::Empty);
        }
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if let Some(&(bytes, seconds)) = points.iter().find(|(size, time)| !positive(*size) || !positive(*time)) {
            return Err(CurveError::Point { bytes, seconds });
        }
        if let Some(pair) = points.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            return Err(CurveError::Order { bytes: pair[1].0, before: pair[0].0 });
        }
        Ok(Self { knots: points.iter().map(|(bytes, seconds)| (bytes.ln(), seconds.ln())).collect() })
    }

    /// The fewest points, found greedily, between which all others are met to within `tolerance` (0.02 for 2 %).
    ///
    /// # Errors
    /// As [`Curve::new`].
    pub fn thinned(points: &[(f64, f64)], tolerance: f64) -> Result<Vec<(f64, f64)>, CurveError> {
        let all = Self::new(points)?;
        let mut kept = vec![all.knots[0]];
        kept.extend(all.knots.last().filter(|_| all.knots.len() > 1));
        loop {
            let curve = Self { knots: kept.clone() };
            let misses = all.knots.iter().map(|(size, time)| (curve.inside(*size) - time).abs());
            let worst = misses.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
            match worst {
                Some((index, miss)) if miss > tolerance.max(1e-9) => kept.push(all.knots[index]),
                _ => break,
            }
            kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let keep = |size: &f64| kept.iter().any(|(knot, _)| (knot - size.ln()).abs() < 1e-12);
        Ok(points.iter().filter(|(size, _)| keep(size)).copied().collect())
    }

    /// Time of `bytes`, in seconds; `formula` gives the alpha-beta time of a size.
    pub fn time(&self, bytes: f64, formula: impl Fn(f64) -> f64) -> f64 {
        let (Some(first), Some(last)) = (self.knots.first(), self.knots.last()) else { return formula(bytes) };
        let size = bytes.max(f64::MIN_POSITIVE).ln();
        let end = if size <= first.0 { first } else { last };
        if size > first.0 && size < last.0 {
            return self.inside(size).exp();
        }
        let there = formula(end.0.exp());
        if there > 0.0 { formula(bytes) * end.1.exp() / there } else { formula(bytes) }
    }

    /// Logarithm of the time between two knots; that of the nearest one outside.
    fn inside(&self, size: f64) -> f64 {
        let after = self.knots.partition_point(|(knot, _)| *knot <= size);
        match (after.checked_sub(1).and_then(|before| self.knots.get(before)), self.knots.get(after)) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (size - x0) / (x1 - x0) * (y1 - y0),
            (Some((_, end)), None) | (None, Some((_, end))) => *end,
            (None, None) => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_between_are_interpolated_and_others_scaled() {
        let curve = Curve::new(&[(1e6, 10e-6), (1e8, 1e-3)]).expect("a curve");
        let check = |bytes: f64, expected: f64| {
            let found = curve.time(bytes, |bytes| 5e-6 + bytes / 1e11);
            assert!((found / expected - 1.0).abs() < 1e-9, "{bytes}: {found} instead of {expected}");
        };
        check(1e6, 10e-6);
        check(1e7, 1e-4);
        check(1e8, 1e-3);
        // The formula says 15 µs and 1.005 ms at the ends.
        check(0.0, 5e-6 * 10.0 / 15.0);
        check(1e9, 10.005e-3 / 1.005);
    }

    #[test]
    fn points_that_others_explain_are_left_out() {
        let line: Vec<_> = (0..10).map(|i| (2_f64.powi(i), 3.0 * 2_f64.powi(i))).collect();
        assert_eq!(Curve::thinned(&line, 0.01), Ok(vec![line[0], line[9]]));
        let bent = [(1.0, 1.0), (2.0, 1.0), (4.0, 1.0), (8.0, 2.0), (16.0, 4.0)];
        assert_eq!(Curve::thinned(&bent, 0.01), Ok(vec![bent[0], bent[2], bent[4]]));
    }

    #[test]
    fn other_points_are_refused() {
        let check = |points: &[(f64, f64)], expected: &str| {
            assert_eq!(Curve::new(points).map_err(|e| e.to_string()), Err(expected.to_owned()));
        };
        check(&[], "a curve needs a point");
        check(&[(1.0, f64::NAN)], "1 bytes in NaN s is no measurement");
        check(&[(0.0, 1.0)], "0 bytes in 1 s is no measurement");
        check(&[(2.0, 1.0), (2.0, 1.0)], "sizes of a curve grow, but after 2 bytes come 2");
    }
}
