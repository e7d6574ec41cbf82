//! Which pieces of a network each stage holds.

use std::ops::Range;

/// Cuts a chain into `parts` runs so that the one with the most work has as little as possible; of equal cuts the one whose
/// early parts are smaller. There are at least as many pieces as parts.
#[must_use]
pub fn balanced(work: &[f64], parts: usize) -> Vec<Range<usize>> {
    let mut sums = vec![0.0];
    for piece in work {
        sums.push(sums[sums.len() - 1] + piece);
    }
    // Least greatest part of the first pieces, and where its last part begins, by number of parts.
    let mut least = vec![vec![(f64::INFINITY, 0); work.len() + 1]; parts + 1];
    least[0][0] = (0.0, 0);
    for part in 1..=parts {
        for end in part..=work.len() {
            for begin in part - 1..end {
                let greatest = least[part - 1][begin].0.max(sums[end] - sums[begin]);
                if greatest < least[part][end].0 {
                    least[part][end] = (greatest, begin);
                }
            }
        }
    }
    let mut ranges = Vec::with_capacity(parts);
    let mut end = work.len();
    for part in (1..=parts).rev() {
        let begin = least[part][end].1;
        ranges.push(begin..end);
        end = begin;
    }
    ranges.reverse();
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_part_is_as_small_as_possible() {
        let check = |work: &[f64], parts: usize, expected: &[Range<usize>]| {
            assert_eq!(balanced(work, parts), expected, "{work:?} in {parts}");
        };
        check(&[1.0; 6], 3, &[0..2, 2..4, 4..6]);
        check(&[5.0, 1.0, 1.0, 1.0], 2, &[0..1, 1..4]);
        check(&[1.0, 1.0, 1.0, 9.0], 3, &[0..1, 1..3, 3..4]);
        check(&[2.0, 3.0], 2, &[0..1, 1..2]);
        check(&[0.0, 0.0, 1.0], 3, &[0..1, 1..2, 2..3]);
    }
}
