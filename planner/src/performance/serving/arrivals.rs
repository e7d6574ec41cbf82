//! Requests of a simulated load, the same for the same seed.

use super::load::Bucket;

/// How requests arrive in a simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arrivals {
    /// All at the start.
    AtOnce,
    /// Independent of each other, with this many per second on average.
    Poisson(f64),
}

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    /// When it arrives, in nanoseconds.
    pub arrival: u64,
    /// Tokens of its prompt.
    pub input: u64,
    /// Tokens of its answer.
    pub output: u64,
}

/// Nanoseconds in a second.
pub(super) const NANOSECONDS: f64 = 1e9;

/// `count` requests in the order of their arrival. Their sizes are drawn by the buckets' shares, whose sum is positive.
pub(super) fn requests(buckets: &[Bucket], arrivals: Arrivals, count: u32, seed: u64) -> Vec<Request> {
    let mut random = Random(seed);
    let all: f64 = buckets.iter().map(|bucket| bucket.weight).sum();
    let mut seconds = 0.0;
    let mut requests = Vec::with_capacity(count as usize);
    for _ in 0..count {
        if let Arrivals::Poisson(rate) = arrivals {
            seconds -= random.positive().ln() / rate;
        }
        let mut left = random.positive() * all;
        let drawn = buckets.iter().filter(|bucket| bucket.weight > 0.0).find(|bucket| {
            left -= bucket.weight;
            left <= 0.0
        });
        let last = buckets.iter().rev().find(|bucket| bucket.weight > 0.0);
        requests.extend(drawn.or(last).map(|bucket| Request {
            arrival: (seconds * NANOSECONDS) as u64,
            input: u64::from(bucket.input.get()),
            output: u64::from(bucket.output.get()),
        }));
    }
    requests
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in (0, 1].
    fn positive(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::n;
    use super::*;

    #[test]
    fn requests_follow_rate_and_shares() {
        let bucket = |input, weight| Bucket { input: n(input), output: n(1), weight };
        let buckets = [bucket(10, 3.0), bucket(20, 0.0), bucket(30, 1.0)];
        let drawn = requests(&buckets, Arrivals::Poisson(50.0), 20_000, 7);
        let seconds = drawn[drawn.len() - 1].arrival as f64 / NANOSECONDS;
        assert!((seconds - 400.0).abs() < 8.0, "{seconds}");
        let share = |input| drawn.iter().filter(|request| request.input == input).count() as f64 / 20_000.0;
        assert!((share(10) - 0.75).abs() < 0.01 && share(20) == 0.0, "{}", share(10));
        assert!(drawn.is_sorted_by_key(|request| request.arrival));
        assert_eq!(drawn, requests(&buckets, Arrivals::Poisson(50.0), 20_000, 7));
        assert_ne!(drawn, requests(&buckets, Arrivals::Poisson(50.0), 20_000, 8));
    }
}
