//! Uneven shards: replicas on machines of different speed take different shares of the global batch.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Shares of one global batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares {
    /// Records of every replica.
    pub records: Vec<u64>,
    /// Time of the slowest replica, in seconds.
    pub slowest_seconds: f64,
}

/// Why a batch cannot be shared out.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum UnevenError {
    /// No replicas, or so many that a record for each is not there.
    #[error("{records} records cannot be shared out to {replicas} replicas")]
    Replicas {
        /// Records of the global batch.
        records: u64,
        /// Replicas.
        replicas: usize,
    },
    /// More records than can be told apart in time.
    #[error("a global batch of {0} records is too large")]
    TooMany(u64),
    /// A time is not above zero.
    #[error("a record takes replica {replica} {seconds} s")]
    Seconds {
        /// Replica from 0.
        replica: usize,
        /// Its time.
        seconds: f64,
    },
}

/// Most records of a global batch: integers that f64 tells apart.
const MOST_RECORDS: u64 = 1 << 53;

/// Shares of `records` with the shortest time of the slowest replica; every replica gets at least one record.
///
/// Replica i takes `seconds[i]` for a record. Shares start one below proportion, records · (1/tᵢ)/Σ(1/t), which no best
/// sharing needs to fall below, and the records that remain go one by one to the replica that is done first with one
/// more (exact for a minimum of maxima of growing functions; Ibaraki and Katoh 1988, chapter 4).
///
/// # Errors
/// Fewer records than replicas, too many records, or a time that is not above zero.
pub fn shares(records: u64, seconds: &[f64]) -> Result<Shares, UnevenError> {
    let replicas = seconds.len();
    if replicas == 0 || records < replicas as u64 {
        return Err(UnevenError::Replicas { records, replicas });
    }
    if records > MOST_RECORDS {
        return Err(UnevenError::TooMany(records));
    }
    if let Some(replica) = seconds.iter().position(|time| !(1e-15..=1e15).contains(time)) {
        return Err(UnevenError::Seconds { replica, seconds: seconds[replica] });
    }
    let mut shares = below_proportion(records, seconds);
    let mut left = records.saturating_sub(shares.iter().sum());
    let done = |replica: usize, share: u64| Done { seconds: (share + 1) as f64 * seconds[replica], replica };
    let mut queue: BinaryHeap<_> = shares.iter().enumerate().map(|(i, share)| Reverse(done(i, *share))).collect();
    while left > 0 {
        let Some(Reverse(Done { replica, .. })) = queue.pop() else { break };
        shares[replica] += 1;
        left -= 1;
        queue.push(Reverse(done(replica, shares[replica])));
    }
    let times = shares.iter().zip(seconds).map(|(share, time)| *share as f64 * time);
    Ok(Shares { slowest_seconds: times.fold(0.0, f64::max), records: shares })
}

/// One record for each replica, and of the others at most each one's proportion.
fn below_proportion(records: u64, seconds: &[f64]) -> Vec<u64> {
    let speed: f64 = seconds.iter().map(|time| 1.0 / time).sum();
    let spare = (records - seconds.len() as u64) as f64;
    // A little less, so that rounding never gives out more than there is.
    let proportion = |time: &f64| (spare / time / speed * (1.0 - 1e-12)).floor() as u64;
    seconds.iter().map(|time| proportion(time).saturating_sub(1).max(1)).collect()
}

/// When a replica is done with one more record; ties go to the first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Done {
    seconds: f64,
    replica: usize,
}

impl Eq for Done {}

impl Ord for Done {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.seconds.total_cmp(&other.seconds).then(self.replica.cmp(&other.replica))
    }
}

impl PartialOrd for Done {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn faster_replicas_take_more_records() {
        let check = |records: u64, seconds: &[f64], expected: &[u64], slowest: f64| {
            let found = shares(records, seconds).expect("it can be shared out");
            assert_eq!(found.records, expected);
            assert!((found.slowest_seconds / slowest - 1.0).abs() < 1e-9, "{found:?}");
        };
        check(12, &[1.0, 1.0, 1.0], &[4, 4, 4], 4.0);
        check(12, &[1.0, 2.0], &[8, 4], 8.0);
        check(3, &[1.0, 1.0, 100.0], &[1, 1, 1], 100.0);
        check(1 << 40, &[1.0, 3.0], &[3 << 38, 1 << 38], 3.0 * 2_f64.powi(38));
    }

    #[test]
    fn what_cannot_be_shared_out_is_refused() {
        let check = |records: u64, seconds: &[f64], expected: &str| {
            let message = shares(records, seconds).err().map(|error| error.to_string());
            assert_eq!(message.as_deref(), Some(expected));
        };
        check(1, &[1.0, 1.0], "1 records cannot be shared out to 2 replicas");
        check(1, &[], "1 records cannot be shared out to 0 replicas");
        check(2, &[1.0, f64::NAN], "a record takes replica 1 NaN s");
        check(u64::MAX, &[1.0], "a global batch of 18446744073709551615 records is too large");
    }

    /// Slowest replica of the best of all sharings.
    fn best_of_all(records: u64, seconds: &[f64]) -> f64 {
        let Some((time, others)) = seconds.split_first() else {
            return if records == 0 { 0.0 } else { f64::INFINITY };
        };
        let slowest = |share: u64| (share as f64 * time).max(best_of_all(records - share, others));
        (1..=records).map(slowest).fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn no_sharing_is_better(records in 4..24_u64, seconds in prop::collection::vec(0.1..5.0, 1..5)) {
            let found = shares(records, &seconds).expect("it can be shared out");
            prop_assert_eq!(found.records.iter().sum::<u64>(), records);
            prop_assert!(found.records.iter().all(|share| *share > 0));
            prop_assert!((found.slowest_seconds - best_of_all(records, &seconds)).abs() < 1e-9);
        }
    }
}
