//! Limits that keep every product of sizes countable.

use super::ShapeError;

/// Largest number of values or parameters of one part: 2^40.
const PART: f64 = (1u64 << 40) as f64;
/// Largest number of parameters of a network: three orders above the largest that was ever trained.
const NETWORK: f64 = 1e15;

/// Product of sizes in floating point, which cannot overflow.
pub(super) fn product(sizes: &[usize]) -> f64 {
    sizes.iter().map(|size| *size as f64).product()
}

/// Refuses a part that is larger than any whose sizes multiply exactly.
pub(super) fn part(part: &'static str, sizes: f64) -> Result<(), ShapeError> {
    if sizes > PART { Err(ShapeError::PartTooLarge { part }) } else { Ok(()) }
}

/// Refuses a network that is larger than any whose parameters add up exactly; else gives the whole number.
pub(super) fn network(parameters: impl IntoIterator<Item = f64>) -> Result<(), ShapeError> {
    if parameters.into_iter().sum::<f64>() > NETWORK { Err(ShapeError::NetworkTooLarge) } else { Ok(()) }
}

/// Refuses sizes of which one does not divide the other.
pub(super) fn divisible(
    (what, value): (&'static str, usize),
    (by, divisor): (&'static str, usize),
) -> Result<(), ShapeError> {
    if divisor > 0 && value.is_multiple_of(divisor) {
        Ok(())
    } else {
        Err(ShapeError::Indivisible { what, value, by, divisor })
    }
}

/// Refuses sizes of which one exceeds the other.
pub(super) fn at_most(
    (what, value): (&'static str, usize),
    (than, limit): (&'static str, usize),
) -> Result<(), ShapeError> {
    if value <= limit { Ok(()) } else { Err(ShapeError::MoreThan { what, value, than, limit }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_in_words() {
        let check = |found: Result<(), ShapeError>, expected: &str| {
            assert_eq!(found.map_err(|error| error.to_string()).err().unwrap_or_default(), expected);
        };
        check(part("embedding", product(&[1 << 20, 1 << 20])), "");
        check(
            part("embedding", product(&[1 << 20, (1 << 20) + 1])),
            "the embedding has more than 2^40 values or parameters",
        );
        check(part("embedding", product(&[usize::MAX; 20])), "the embedding has more than 2^40 values or parameters");
        check(network([1e15]), "");
        check(network([1e15, 1.0e3]), "the network has more than 10^15 parameters");
        check(divisible(("hidden", 12), ("heads", 4)), "");
        check(divisible(("hidden", 12), ("heads", 5)), "`hidden` (12) is not divisible by `heads` (5)");
        check(divisible(("hidden", 12), ("heads", 0)), "`hidden` (12) is not divisible by `heads` (0)");
        check(at_most(("active", 9), ("count", 8)), "`active` (9) is more than `count` (8)");
    }
}
