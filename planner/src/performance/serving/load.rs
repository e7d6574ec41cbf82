//! What is asked of a replica: sizes of requests, and how they arrive.

use std::num::NonZeroU32;

use super::pass::Work;
use super::server::Impossible;

/// Requests of one size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// Tokens of the prompt.
    pub input: NonZeroU32,
    /// Tokens of the answer.
    pub output: NonZeroU32,
    /// Share of the requests, relative to the other buckets.
    pub weight: f64,
}

impl Bucket {
    /// All requests of one size.
    #[must_use]
    pub const fn only(input: NonZeroU32, output: NonZeroU32) -> Self {
        Self { input, output, weight: 1.0 }
    }

    /// Tokens that a request holds in the cache at its end.
    #[must_use]
    pub fn tokens(&self) -> f64 {
        f64::from(self.input.get()) + f64::from(self.output.get())
    }
}

/// How requests reach the replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Load {
    /// Batches of this size: all prompts, then all tokens, then the next batch.
    Batches(NonZeroU32),
    /// More requests than can be answered wait all the time.
    Saturated,
    /// This many requests wait from the start, and no more come.
    Queued(NonZeroU32),
    /// Requests per second, independent of each other (Poisson).
    Rate(f64),
}

/// Means over the requests of all buckets: all that the closed form needs of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mix {
    /// Tokens of a prompt.
    pub input: f64,
    /// Tokens of an answer.
    pub output: f64,
    /// Tokens held at the end.
    pub tokens: f64,
    /// Tokens reserved over a request's time: answer × (prompt + answer).
    reserved: f64,
    /// Pairs of a prompt's token and one that it sees.
    pairs: f64,
    /// Tokens looked back at for the whole answer.
    looked_back: f64,
    /// Tokens of the largest request.
    pub largest: f64,
}

impl Mix {
    /// Means over buckets.
    ///
    /// # Errors
    /// No bucket has a positive share, or one is no number.
    pub fn of(buckets: &[Bucket]) -> Result<Self, Impossible> {
        if let Some(bad) = buckets.iter().find(|bucket| !(bucket.weight.is_finite() && bucket.weight >= 0.0)) {
            return Err(Impossible::Size { what: "a share of requests", value: bad.weight });
        }
        let all: f64 = buckets.iter().map(|bucket| bucket.weight).sum();
        if !(all.is_finite() && all > 0.0) {
            return Err(Impossible::NoRequests);
        }
        let mean = |of: &dyn Fn(f64, f64) -> f64| {
            let parts = buckets
                .iter()
                .map(|bucket| bucket.weight / all * of(f64::from(bucket.input.get()), f64::from(bucket.output.get())));
            parts.sum::<f64>()
        };
        let present = buckets.iter().filter(|bucket| bucket.weight > 0.0);
        Ok(Self {
            input: mean(&|input, _| input),
            output: mean(&|_, output| output),
            tokens: mean(&|input, output| input + output),
            reserved: mean(&|input, output| output * (input + output)),
            pairs: mean(&|input, _| input * (input + 1.0) / 2.0),
            looked_back: mean(&|input, output| (output - 1.0) * (input + output / 2.0)),
            largest: present.map(Bucket::tokens).fold(0.0, f64::max),
        })
    }

    /// Tokens of cache that one sequence in progress has reserved, on average over those in progress.
    #[must_use]
    pub fn reserved_tokens(&self) -> f64 {
        self.reserved / self.output
    }

    /// One pass with `running` sequences in progress, of which each passes the same number of rounds as it has tokens
    /// in its answer: prompts enter as fast as answers end.
    #[must_use]
    pub fn work(&self, running: f64) -> Work {
        let ended = running / self.output;
        Work {
            decoded: running - ended,
            looked_back: ended * self.looked_back,
            prompt: ended * self.input,
            pairs: ended * self.pairs,
            answers: running,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::n;
    use super::*;

    #[test]
    fn one_size_is_its_own_mean() {
        let mix = Mix::of(&[Bucket::only(n(1000), n(200))]).expect("a bucket");
        assert_eq!((mix.input, mix.output, mix.reserved_tokens(), mix.largest), (1000.0, 200.0, 1200.0, 1200.0));
        let work = mix.work(400.0);
        // Two prompts enter each round, and two of 400 answers are first tokens.
        assert_eq!((work.prompt, work.decoded, work.answers), (2000.0, 398.0, 400.0));
        assert!((work.looked_back / work.decoded - 1100.0).abs() < 1e-9);
    }

    #[test]
    fn sizes_are_weighted_by_requests() {
        let bucket = |input, output, weight| Bucket { input: n(input), output: n(output), weight };
        let mix = Mix::of(&[bucket(100, 300, 3.0), bucket(500, 100, 1.0)]).expect("buckets");
        assert_eq!((mix.input, mix.output, mix.tokens), (200.0, 250.0, 450.0));
        // A long answer is in progress for longer: (3·300·400 + 100·600) / (3·300 + 100).
        assert!((mix.reserved_tokens() - 420.0).abs() < 1e-9);
    }

    #[test]
    fn shares_that_are_no_shares_are_refused() {
        let check = |weights: &[f64]| {
            let buckets: Vec<Bucket> =
                weights.iter().map(|weight| Bucket { weight: *weight, ..Bucket::only(n(1), n(1)) }).collect();
            assert!(Mix::of(&buckets).is_err(), "{weights:?}");
        };
        check(&[]);
        check(&[0.0]);
        check(&[1.0, -1.0]);
        check(&[f64::NAN]);
        check(&[f64::INFINITY]);
        check(&[f64::MAX, f64::MAX]);
    }
}
