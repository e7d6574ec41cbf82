//! Numbers such as ratings.

/// √(mean of squared errors) over pairs of what was found and what is true; 0 without pairs.
#[must_use]
pub fn root_mean_square_error(pairs: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    let (sum, count) =
        pairs.into_iter().fold((0.0, 0_u64), |(sum, count), (found, truth)| (sum + (found - truth).powi(2), count + 1));
    (sum / count.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_squared_before_the_mean() {
        let check = |pairs: &[(f64, f64)], expected: f64| {
            let found = root_mean_square_error(pairs.iter().copied());
            assert!((found - expected).abs() < 1e-12, "{pairs:?}: {found}");
        };
        check(&[], 0.0);
        check(&[(3.0, 3.0)], 0.0);
        check(&[(1.0, 4.0), (2.0, -2.0)], 12.5_f64.sqrt());
    }
}
