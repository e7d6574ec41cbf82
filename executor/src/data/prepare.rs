//! Cleaning and splitting.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use scenarios::scenario::Split;
use sha2::{Digest as _, Sha256};

use super::records::{Columns, Records, Truth};

/// Records ready for training and evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// To learn from.
    pub train: Arc<Records>,
    /// To look at after each epoch.
    pub validation: Arc<Records>,
    /// To judge the finished network by.
    pub test: Records,
    /// Records whose class the network does not have.
    pub dropped_malformed: u64,
    /// Exact repetitions of a training record.
    pub dropped_duplicates: u64,
    /// What of it lies in each part of the data set; none where that has no parts.
    pub parts: Vec<PartRanges>,
}

/// Records of a part, which lie side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRanges {
    /// Of those to learn from.
    pub train: Range<usize>,
    /// Of those to look at after each epoch.
    pub validation: Range<usize>,
}

/// Drops malformed records and duplicates, then draws the validation and test shares by `seed`.
///
/// A test share of 0 keeps `test` as the test records; otherwise they are drawn from `train`. Of a text, which is one
/// stream, the last windows are held back, so that no window has tokens of another part.
///
/// Of a data set in parts, whose sizes are given, the first records belong to the first part, and so on in proportion.
#[must_use]
pub fn prepare(
    train: &Records,
    test: &Records,
    (classes, parts): (usize, &[u64]),
    split: Split,
    seed: u64,
) -> Prepared {
    let is_stream = matches!(train.columns, Columns::Stream(_));
    let (mut order, dropped_malformed, dropped_duplicates) = clean(train, classes);
    let share = |share: f64| (share * order.len() as f64).round() as usize;
    let (validation, held_test) = (share(split.validation), share(split.test));
    let rest = order.len() - validation - held_test;
    let [validation, held_test, rest] = if is_stream {
        let (rest, held) = order.split_at_mut(rest);
        let (validation, held_test) = held.split_at_mut(validation);
        [validation, held_test, rest]
    } else {
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let (held, rest) = order.split_at_mut(validation + held_test);
        let (validation, held_test) = held.split_at_mut(validation);
        [validation, held_test, rest].map(|positions| {
            positions.sort_unstable();
            positions
        })
    };
    let within = |positions: &[usize], part: &Range<usize>| {
        let before = |bound: usize| positions.partition_point(|&position| position < bound);
        before(part.start)..before(part.end)
    };
    let parts = by_site(train.len(), parts)
        .into_iter()
        .map(|part| PartRanges { train: within(rest, &part), validation: within(validation, &part) })
        .collect();
    let [validation, held_test, rest] = [validation, held_test, rest].map(|positions| match positions {
        [first, ..] if is_stream => train.range(*first..*first + positions.len()),
        [] if is_stream => train.range(0..0),
        _ => train.select(positions),
    });
    let (test, malformed_test) = match split.test {
        share if share > 0.0 => (held_test, 0),
        _ => {
            let valid: Vec<usize> = (0..test.len()).filter(|&position| is_sound(test, position, classes)).collect();
            let malformed = test.len() - valid.len();
            (if malformed == 0 { test.clone() } else { test.select(&valid) }, malformed as u64)
        }
    };
    let dropped_malformed = dropped_malformed + malformed_test;
    let (train, validation) = (Arc::new(rest), Arc::new(validation));
    Prepared { train, validation, test, dropped_malformed, dropped_duplicates, parts }
}

/// Whether the network has the record's class.
fn is_sound(records: &Records, position: usize, classes: usize) -> bool {
    records.class(position).is_none_or(|class| class < classes)
}

/// Positions of the records to keep, and how many were malformed and repeated.
fn clean(records: &Records, classes: usize) -> (Vec<usize>, u64, u64) {
    let mut seen = HashSet::with_capacity(records.len());
    let (mut malformed, mut duplicates) = (0, 0);
    let kept = (0..records.len())
        .filter(|&position| {
            if !is_sound(records, position, classes) {
                malformed += 1;
                return false;
            }
            let new = content(records, position).is_none_or(|content| seen.insert(content));
            duplicates += u64::from(!new);
            new
        })
        .collect();
    (kept, malformed, duplicates)
}

/// What tells a record from others; none for windows of a text, which are all kept.
fn content(records: &Records, position: usize) -> Option<[u8; 32]> {
    let mut digest = Sha256::new();
    let floats = |digest: &mut Sha256, values: &[f32], width: usize| {
        values[position * width..(position + 1) * width].iter().for_each(|value| digest.update(value.to_le_bytes()));
    };
    let numbers = |digest: &mut Sha256, values: &[u32]| {
        for value in values {
            digest.update(value.to_le_bytes());
        }
    };
    match &records.columns {
        Columns::Stream(_) => return None,
        Columns::Images(images) => digest.update(images.image(position)),
        Columns::Numbers { width, values } => floats(&mut digest, values, *width),
        Columns::Documents(documents) => numbers(&mut digest, documents.document(position)),
        Columns::Pairs(pairs) => numbers(&mut digest, &pairs[position]),
        Columns::Clicks { numbers: width, lookups, values, rows } => {
            floats(&mut digest, values, *width);
            numbers(&mut digest, &rows[position * lookups..(position + 1) * lookups]);
        }
    }
    match &records.truth {
        Truth::Classes(classes) => numbers(&mut digest, &classes[position..=position]),
        Truth::Numbers { width, values } => floats(&mut digest, values, *width),
        Truth::Boxes(boxes) => {
            for (class, shares) in &boxes[position] {
                numbers(&mut digest, &[*class as u32]);
                for share in shares {
                    digest.update(share.to_le_bytes());
                }
            }
        }
        Truth::Unknown | Truth::Next | Truth::Masked => {}
    }
    Some(digest.finalize().into())
}

/// Records of each part of a data set that lies in parts: side by side, in proportion to the parts' sizes.
fn by_site(records: usize, parts: &[u64]) -> Vec<Range<usize>> {
    let all: u128 = parts.iter().map(|&part| u128::from(part)).sum();
    let mut before = 0;
    let bound = |before: u128| (before * records as u128).checked_div(all).unwrap_or(0) as usize;
    let ranges = parts.iter().map(|&part| {
        let start = bound(before);
        before += u128::from(part);
        start..bound(before)
    });
    ranges.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::records::{Documents, Layout, Stream};
    use super::*;

    fn records(classes: &[u8]) -> Records {
        Records::grey(1, 1, (0..classes.len() as u8).collect(), classes)
    }

    fn pixels(records: &Records) -> &[u8] {
        let Columns::Images(images) = &records.columns else { unreachable!("they are images") };
        &images.pixels
    }

    #[test]
    fn malformed_records_and_duplicates_are_dropped_and_counted() {
        let train = Records::grey(1, 1, vec![5, 6, 7, 5, 5], &[0, 1, 9, 0, 1]);
        let prepared = prepare(&train, &records(&[0, 9]), (2, &[]), Split::default(), 1);
        assert_eq!((prepared.dropped_malformed, prepared.dropped_duplicates), (2, 1));
        assert_eq!((pixels(&prepared.train), &prepared.train.truth), (&[5, 6, 5][..], &Truth::Classes(vec![0, 1, 1])));
        assert_eq!(prepared.test.truth, Truth::Classes(vec![0]));
    }

    #[test]
    fn duplicates_of_every_kind_are_found() {
        let check = |columns: Columns, truth: Truth, kept: usize| {
            let records = Records { columns, truth };
            let prepared = prepare(&records, &records, (usize::MAX, &[]), Split::default(), 1);
            assert_eq!((prepared.train.len(), prepared.dropped_duplicates), (kept, (3 - kept) as u64));
            assert_eq!(prepared.test, records);
        };
        let numbers = |values: &[f32]| Truth::Numbers { width: 1, values: values.to_vec() };
        check(Columns::Pairs(vec![[1, 2], [1, 2], [2, 1]]), numbers(&[3.0, 3.0, 3.0]), 2);
        check(Columns::Pairs(vec![[1, 2], [1, 2], [2, 1]]), numbers(&[3.0, 4.0, 3.0]), 3);
        check(Columns::Numbers { width: 1, values: vec![1.0; 3] }, Truth::Classes(vec![1, 1, 1]), 1);
        let clicks = Columns::Clicks { numbers: 1, lookups: 1, values: vec![1.0; 3], rows: vec![1, 2, 1] };
        check(clicks, numbers(&[0.0; 3]), 2);
        let layout = Layout { sequence: 4, vocabulary: 9, padding: 0, first: None, last: None, mask: None };
        let documents = Documents { layout, ends: vec![2, 4, 5], tokens: vec![1, 2, 1, 2, 1] };
        check(Columns::Documents(documents), Truth::Next, 2);
        let boxes = |classes: [usize; 3]| Truth::Boxes(classes.map(|class| vec![(class, [0.5; 4])]).to_vec());
        check(Columns::Pairs(vec![[1, 1]; 3]), boxes([1, 1, 2]), 2);
    }

    #[test]
    fn parts_are_disjoint_complete_and_drawn_by_the_seed() {
        let train = records(&[0; 100]);
        let split = Split { validation: 0.2, test: 0.1 };
        let parts = |seed| prepare(&train, &records(&[0; 7]), (1, &[]), split, seed);
        let found = parts(1);
        assert_eq!([found.train.len(), found.validation.len(), found.test.len()], [70, 20, 10]);
        let mut all = [pixels(&found.train), pixels(&found.validation), pixels(&found.test)].concat();
        all.sort_unstable();
        assert_eq!(all, pixels(&train));
        assert_eq!(found, parts(1));
        assert_ne!(found.test, parts(2).test);
    }

    #[test]
    fn the_end_of_a_text_is_held_back() {
        let stream = Stream { sequence: 4, tokens: Arc::new((0..404).collect()), starts: None };
        let text = Records { columns: Columns::Stream(stream), truth: Truth::Next };
        let found = prepare(&text, &text, (usize::MAX, &[]), Split { validation: 0.1, test: 0.05 }, 1);
        let tokens = |records: &Records| {
            let Columns::Stream(stream) = &records.columns else { unreachable!("it is a text") };
            (stream.tokens[0], stream.tokens[stream.tokens.len() - 1])
        };
        assert_eq!(
            [tokens(&found.train), tokens(&found.validation), tokens(&found.test)],
            [(0, 340), (340, 380), (380, 403)]
        );
    }

    #[test]
    fn records_of_a_part_stay_in_it() {
        let ranges = |found: &Prepared| -> Vec<_> {
            found.parts.iter().map(|part| (part.train.clone(), part.validation.clone())).collect()
        };
        let train = records(&[0; 100]);
        let found = prepare(&train, &train, (1, &[300, 100]), Split { validation: 0.2, test: 0.1 }, 1);
        let bounds = [0..75_u8, 75..100];
        for ((of_train, of_validation), bound) in ranges(&found).into_iter().zip(&bounds) {
            assert!(!of_train.is_empty() && !of_validation.is_empty());
            assert!(pixels(&found.train)[of_train].iter().all(|pixel| bound.contains(pixel)));
            assert!(pixels(&found.validation)[of_validation].iter().all(|pixel| bound.contains(pixel)));
        }
        let covered =
            |of: fn(&PartRanges) -> &Range<usize>| found.parts.iter().map(|part| of(part).len()).sum::<usize>();
        assert_eq!((covered(|part| &part.train), covered(|part| &part.validation)), (70, 20));
        let stream = Stream { sequence: 4, tokens: Arc::new((0..404).collect()), starts: None };
        let text = Records { columns: Columns::Stream(stream), truth: Truth::Next };
        let found = prepare(&text, &text, (usize::MAX, &[1, 1]), Split { validation: 0.1, test: 0.0 }, 1);
        assert_eq!(ranges(&found), [(0..50, 0..0), (50..90, 0..10)]);
    }

    #[test]
    fn parts_of_sites_lie_side_by_side() {
        assert_eq!(by_site(10, &[1, 1]), [0..5, 5..10]);
        assert_eq!(by_site(10, &[2, 1, 0, 1]), [0..5, 5..7, 7..7, 7..10]);
        assert_eq!(by_site(0, &[3, 4]), [0..0, 0..0]);
        assert_eq!(by_site(7, &[u64::MAX, u64::MAX]), [0..3, 3..7]);
    }
}
