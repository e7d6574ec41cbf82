//! Cleaning and splitting.

use std::collections::HashSet;

use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use scenarios::scenario::Split;
use sha2::{Digest as _, Sha256};

use super::Records;

/// Records ready for training and evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// To learn from.
    pub train: Records,
    /// To look at after each epoch.
    pub validation: Records,
    /// To judge the finished network by.
    pub test: Records,
    /// Records whose class the network does not have.
    pub dropped_malformed: u64,
    /// Exact repetitions of a training record.
    pub dropped_duplicates: u64,
}

/// Drops malformed records and duplicates, then draws the validation and test shares by `seed`.
///
/// A test share of 0 keeps `test` as the test records; otherwise they are drawn from `train`.
#[must_use]
pub fn prepare(train: &Records, test: &Records, classes: usize, split: Split, seed: u64) -> Prepared {
    let (clean, dropped_malformed, dropped_duplicates) = clean(train, classes);
    let mut order = clean;
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let share = |share: f64| (share * order.len() as f64).round() as usize;
    let (validation, held_test) = (share(split.validation), share(split.test));
    let mut parts =
        [&order[..validation], &order[validation..validation + held_test], &order[validation + held_test..]]
            .map(<[usize]>::to_vec);
    for part in &mut parts {
        part.sort_unstable();
    }
    let [validation, held_test, rest] = parts.map(|positions| train.select(&positions));
    let (test, malformed_test) = match split.test {
        share if share > 0.0 => (held_test, 0),
        _ => {
            let valid: Vec<usize> =
                (0..test.len()).filter(|&position| usize::from(test.labels[position]) < classes).collect();
            (test.select(&valid), (test.len() - valid.len()) as u64)
        }
    };
    let dropped_malformed = dropped_malformed + malformed_test;
    Prepared { train: rest, validation, test, dropped_malformed, dropped_duplicates }
}

/// Positions of the records to keep, and how many were malformed and repeated.
fn clean(records: &Records, classes: usize) -> (Vec<usize>, u64, u64) {
    let mut seen = HashSet::with_capacity(records.len());
    let (mut malformed, mut duplicates) = (0, 0);
    let kept = (0..records.len())
        .filter(|&position| {
            let label = records.labels[position];
            if usize::from(label) >= classes {
                malformed += 1;
                return false;
            }
            let content = Sha256::new().chain_update([label]).chain_update(records.image(position)).finalize();
            let new = seen.insert(content);
            duplicates += u64::from(!new);
            new
        })
        .collect();
    (kept, malformed, duplicates)
}

/// Positions `0..count` in an order drawn by the seed and the epoch.
pub(super) fn epoch_order(count: usize, seed: u64, epoch: u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.shuffle(&mut stream(seed, epoch, u64::MAX));
    order
}

/// Shift of a record in an epoch, at most `limit` pixels down and to the right (negative: up, left).
pub(super) fn shift_of(position: usize, limit: u32, seed: u64, epoch: u32) -> (isize, isize) {
    let mut random = stream(seed, epoch, position as u64);
    let mut draw = || ((random.next_u32() % (2 * limit + 1)) as usize).cast_signed() - (limit as usize).cast_signed();
    (draw(), draw())
}

/// Random numbers for one purpose in one epoch.
fn stream(seed: u64, epoch: u32, purpose: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..12].copy_from_slice(&epoch.to_le_bytes());
    key[16..24].copy_from_slice(&purpose.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(labels: &[u8]) -> Records {
        Records { height: 1, width: 1, pixels: (0..labels.len() as u8).collect(), labels: labels.to_vec() }
    }

    #[test]
    fn malformed_records_and_duplicates_are_dropped_and_counted() {
        let mut train = records(&[0, 1, 9, 0, 1]);
        train.pixels = vec![5, 6, 7, 5, 5];
        let prepared = prepare(&train, &records(&[0, 9]), 2, Split::default(), 1);
        assert_eq!((prepared.dropped_malformed, prepared.dropped_duplicates), (2, 1));
        assert_eq!((prepared.train.pixels, prepared.train.labels), (vec![5, 6, 5], vec![0, 1, 1]));
        assert_eq!(prepared.test.labels, vec![0]);
    }

    #[test]
    fn parts_are_disjoint_complete_and_drawn_by_the_seed() {
        let train = records(&[0; 100]);
        let split = Split { validation: 0.2, test: 0.1 };
        let parts = |seed| prepare(&train, &records(&[0; 7]), 1, split, seed);
        let found = parts(1);
        assert_eq!([found.train.len(), found.validation.len(), found.test.len()], [70, 20, 10]);
        let mut all = [found.train.pixels.clone(), found.validation.pixels.clone(), found.test.pixels.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, train.pixels);
        assert_eq!(found, parts(1));
        assert_ne!(found.test, parts(2).test);
    }

    #[test]
    fn orders_and_shifts_depend_on_seed_epoch_and_record_only() {
        assert_eq!(epoch_order(50, 1, 1), epoch_order(50, 1, 1));
        assert_ne!(epoch_order(50, 1, 1), epoch_order(50, 1, 2));
        assert_ne!(epoch_order(50, 1, 1), epoch_order(50, 2, 1));
        let shifts: Vec<_> = (0..1000).map(|position| shift_of(position, 2, 1, 1)).collect();
        assert!(shifts.iter().all(|&(down, right)| down.abs() <= 2 && right.abs() <= 2));
        assert!((-2..=2).all(|step| shifts.iter().any(|&(down, _)| down == step)));
        assert_eq!(shifts[7], shift_of(7, 2, 1, 1));
    }
}
