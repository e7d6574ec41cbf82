//! When requests arrive.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Size of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Tokens of a request.
    pub input: u32,
    /// Tokens of the answer.
    pub output: u32,
}

/// A request that arrives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// Its number, in the order of arrival.
    pub number: u64,
    /// When, in seconds from the start.
    pub at: f64,
    /// Its size.
    pub bucket: Bucket,
}

/// Requests of each size at its rate per second for so many seconds, independent of each other (a Poisson process), drawn by
/// the seed, in the order of arrival.
#[must_use]
pub fn arrivals(demand: &[(Bucket, f64)], seconds: f64, seed: u64) -> Vec<Arrival> {
    let mut all = Vec::new();
    for (stream, (bucket, rate)) in demand.iter().enumerate() {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream as u64);
        // At a rate of nothing the first one comes after all time.
        let mut gap = || -(1.0 - random.random::<f64>()).ln() / rate.max(f64::MIN_POSITIVE);
        let mut at = gap();
        while at < seconds {
            all.push(Arrival { number: 0, at, bucket: *bucket });
            at += gap();
        }
    }
    all.sort_by(|a, b| a.at.total_cmp(&b.at));
    for (request, number) in all.iter_mut().zip(0..) {
        request.number = number;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_kept_and_the_seed_decides() {
        let sizes = [(10, 20), (30, 1), (5, 5)].map(|(input, output)| Bucket { input, output });
        let demand = [(sizes[0], 40.0), (sizes[1], 10.0), (sizes[2], 0.0)];
        let found = arrivals(&demand, 100.0, 1);
        assert_eq!(found, arrivals(&demand, 100.0, 1));
        assert_ne!(found, arrivals(&demand, 100.0, 2));
        assert!(found.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[0].number < pair[1].number));
        let count = |bucket| found.iter().filter(|request| request.bucket == bucket).count();
        assert!((3700..4300).contains(&count(sizes[0])) && (880..1120).contains(&count(sizes[1])));
        assert_eq!(count(sizes[2]), 0);
    }
}
