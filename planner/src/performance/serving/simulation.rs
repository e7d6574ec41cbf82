//! Continuous batching played round by round: what the closed form means on average, request by request.

use std::num::NonZeroU32;

use super::arrivals::{Arrivals, NANOSECONDS, Request, requests};
use super::constants::Constants;
use super::load::{Bucket, Mix};
use super::memory::Memory;
use super::pass::Rates;
use super::scheduler::{BLOCK_TOKENS, Queue, Scheduler, Sequence};
use super::server::{Impossible, Server};

/// Tokens that a simulation generates at most; more would take minutes.
pub const MOST_TOKENS: f64 = 2e8;

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simulated {
    /// How requests arrive.
    pub arrivals: Arrivals,
    /// Requests.
    pub requests: NonZeroU32,
    /// Rules of the scheduler.
    pub scheduler: Scheduler,
    /// Seed of sizes and arrivals: the same seed gives the same outcome.
    pub seed: u64,
}

/// Percentiles of a figure over requests.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Percentiles {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// One in ten lies above.
    pub p90: f64,
    /// One in a hundred lies above.
    pub p99: f64,
}

impl Percentiles {
    /// By the nearest-rank method; all 0 without values.
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (share * values.len() as f64).ceil() as usize;
            values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        let mean = values.iter().sum::<f64>() / (values.len() as f64).max(1.0);
        Self { mean, p50: at(0.5), p90: at(0.9), p99: at(0.99) }
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Time until the last answer ended, in seconds.
    pub seconds: f64,
    /// Tokens of answers in a second, start and end included.
    pub tokens_per_second: f64,
    /// Time from a request's arrival to its first token, in seconds.
    pub first_token_seconds: Percentiles,
    /// Mean time between the tokens of an answer, in seconds; answers of one token have none.
    pub token_seconds: Percentiles,
    /// Most sequences in progress at once.
    pub most_running: usize,
    /// Sequences that had to give back their place.
    pub preemptions: u64,
    /// Rounds.
    pub rounds: u64,
}

/// Plays a load on a replica.
///
/// # Errors
/// The replica is impossible, a request does not fit its cache, or the simulation would be too long.
pub fn simulate(
    server: &Server,
    buckets: &[Bucket],
    load: &Simulated,
    constants: &Constants,
) -> Result<Outcome, Impossible> {
    let rates = Rates::new(server, *constants)?;
    let capacity = Memory::of(server, constants)?.capacity_tokens;
    let mix = Mix::of(buckets)?;
    if let Arrivals::Poisson(rate) = load.arrivals
        && !(rate.is_finite() && rate > 0.0)
    {
        return Err(Impossible::Size { what: "a rate of requests per second", value: rate });
    }
    // A request fills whole blocks.
    let needed = mix.largest + BLOCK_TOKENS as f64;
    if needed > capacity {
        return Err(Impossible::Cache { needed, capacity });
    }
    let tokens = f64::from(load.requests.get()) * mix.tokens;
    if tokens > MOST_TOKENS {
        return Err(Impossible::Size { what: "a simulation's tokens", value: tokens });
    }
    let requests = requests(buckets, load.arrivals, load.requests.get(), load.seed);
    Ok(Play::new(&requests, Queue::new(load.scheduler, capacity)).run(&rates))
}

/// A simulation in progress; time is whole nanoseconds.
struct Play<'a> {
    requests: &'a [Request],
    arrived: usize,
    queue: Queue,
    now: u64,
    first: Vec<u64>,
    last: Vec<u64>,
    most_running: usize,
    rounds: u64,
}

impl<'a> Play<'a> {
    fn new(requests: &'a [Request], queue: Queue) -> Self {
        let unknown = vec![0; requests.len()];
        Self { requests, arrived: 0, queue, now: 0, first: unknown.clone(), last: unknown, most_running: 0, rounds: 0 }
    }

    fn run(mut self, rates: &Rates) -> Outcome {
        loop {
            self.arrive();
            self.queue.admit();
            if self.queue.running.is_empty() {
                // Nothing waits either: an empty cache has room for any request.
                match self.requests.get(self.arrived) {
                    Some(next) => self.now = next.arrival,
                    None => return self.outcome(),
                }
                continue;
            }
            let work = self.queue.plan();
            self.most_running = self.most_running.max(self.queue.running.len());
            let seconds = rates.round(&work).total();
            self.now = self.now.saturating_add(((seconds * NANOSECONDS) as u64).max(1));
            self.rounds += 1;
            let (now, first, last) = (self.now, &mut self.first, &mut self.last);
            self.queue.finish(|sequence| {
                if sequence.answered == 1 {
                    first[sequence.request] = now;
                }
                last[sequence.request] = now;
            });
        }
    }

    fn arrive(&mut self) {
        while let Some(request) = self.requests.get(self.arrived).filter(|request| request.arrival <= self.now) {
            self.queue.waiting.push_back(Sequence::new(self.arrived, *request));
            self.arrived += 1;
        }
    }

    fn outcome(&self) -> Outcome {
        let seconds = |from: u64, to: u64| to.saturating_sub(from) as f64 / NANOSECONDS;
        let all = self.requests.iter().zip(self.first.iter().zip(&self.last));
        let first = all.clone().map(|(request, (first, _))| seconds(request.arrival, *first)).collect();
        let several = all.filter(|(request, _)| request.output > 1);
        let between = several.map(|(request, (first, last))| seconds(*first, *last) / (request.output - 1) as f64);
        let tokens: u64 = self.requests.iter().map(|request| request.output).sum();
        let whole = seconds(0, self.now);
        Outcome {
            seconds: whole,
            tokens_per_second: tokens as f64 / whole.max(f64::MIN_POSITIVE),
            first_token_seconds: Percentiles::of(first),
            token_seconds: Percentiles::of(between.collect()),
            most_running: self.most_running,
            preemptions: self.queue.preemptions,
            rounds: self.rounds,
        }
    }
}

#[cfg(test)]
mod tests;
