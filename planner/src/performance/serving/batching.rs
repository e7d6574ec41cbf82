//! Closed forms: a static batch, and continuous batching in its steady state.

use super::constants::Constants;
use super::load::{Bucket, Load, Mix};
use super::memory::Memory;
use super::pass::{Parts, Rates, Work};
use super::server::{Impossible, Server};

/// Sequences that a scheduler keeps in progress at most, over all stages (TensorRT-LLM caps its batch there).
pub const MOST_RUNNING: f64 = 4096.0;
/// Halvings when the number of sequences in progress is sought.
const HALVINGS: u32 = 60;

/// What a replica does under a load, without spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operation {
    /// Tokens of answers in a second.
    pub tokens_per_second: f64,
    /// Answered requests in a second.
    pub requests_per_second: f64,
    /// Mean time from a request's arrival to its first token, in seconds. With [`Load::Saturated`] and
    /// [`Load::Queued`] the time in the queue, which has no limit there, does not count.
    pub first_token_seconds: f64,
    /// Mean time between two tokens of an answer, in seconds.
    pub token_seconds: f64,
    /// Sequences in progress.
    pub running: f64,
    /// Share of the most that the replica can do.
    pub utilisation: f64,
    /// One round: a pass in which every sequence in progress gets a token.
    pub round: Parts,
    /// Memory of the fullest device.
    pub memory: Memory,
}

/// What a replica does with requests of some sizes.
///
/// # Errors
/// The replica is impossible, the requests don't fit its cache, or they arrive faster than they can be answered.
pub fn operate(
    server: &Server,
    buckets: &[Bucket],
    load: Load,
    constants: &Constants,
) -> Result<Operation, Impossible> {
    let rates = Rates::new(server, *constants)?;
    let memory = Memory::of(server, constants)?;
    let mix = Mix::of(buckets)?;
    let replica = Replica { rates, memory, mix };
    match load {
        Load::Batches(size) => replica.batches(f64::from(size.get())),
        Load::Saturated => replica.saturated(f64::INFINITY),
        Load::Queued(requests) => replica.queued(f64::from(requests.get())),
        Load::Rate(rate) => replica.arriving(rate),
    }
}

struct Replica {
    rates: Rates,
    memory: Memory,
    mix: Mix,
}

impl Replica {
    /// A whole batch: prompts in one pass, then a pass for each further token. The cache grows evenly, so that the mean
    /// pass looks back at prompt + answer / 2.
    fn batches(&self, batch: f64) -> Result<Operation, Impossible> {
        let (input, output) = (self.mix.input, self.mix.output);
        // A batch knows its size: it may use the room that a scheduler would leave.
        let fits = self.memory.capacity_tokens * (1.0 + self.memory.workspace / self.memory.cache);
        let needed = batch * self.mix.tokens;
        if needed > fits {
            return Err(Impossible::Cache { needed, capacity: fits });
        }
        let first = self.rates.round(&Work::prefill(batch, input)).total();
        let round = self.rates.round(&Work::decode(batch, input + output / 2.0));
        let seconds = first + (output - 1.0) * round.total();
        Ok(Operation {
            tokens_per_second: batch * output / seconds,
            requests_per_second: batch / seconds,
            first_token_seconds: first,
            token_seconds: round.total(),
            running: batch,
            utilisation: 1.0,
            round,
            memory: self.memory,
        })
    }

    /// Sequences in progress when requests always wait: as many as have room for all their tokens.
    fn most_running(&self) -> Result<f64, Impossible> {
        if self.mix.largest > self.memory.capacity_tokens {
            return Err(Impossible::Cache { needed: self.mix.largest, capacity: self.memory.capacity_tokens });
        }
        Ok((self.memory.capacity_tokens / self.mix.reserved_tokens()).clamp(1.0, MOST_RUNNING))
    }

    /// Requests always wait; at most `limit` are in progress.
    fn saturated(&self, limit: f64) -> Result<Operation, Impossible> {
        Ok(self.running(self.most_running()?.min(limit), 1.0))
    }

    fn running(&self, running: f64, utilisation: f64) -> Operation {
        let round = self.rates.round(&self.mix.work(running));
        let tokens_per_second = running / round.total();
        Operation {
            tokens_per_second,
            requests_per_second: tokens_per_second / self.mix.output,
            first_token_seconds: self.admission(running, round.total() / 2.0),
            token_seconds: round.total(),
            running,
            utilisation,
            round,
            memory: self.memory,
        }
    }

    /// From its admission, a request waits for what is left of a round, and is then part
    /// of a round that reads its prompt besides.
    fn admission(&self, running: f64, left: f64) -> f64 {
        left + self.rates.round(&self.mix.work(running).with(Work::prefill(1.0, self.mix.input))).total()
    }

    /// A finite queue: after its steady state the last sequences end, with ever fewer in progress. The work of sequences
    /// takes no longer for that, but rounds have a fixed part, and more rounds are needed: [`TAIL`] of an answer's.
    fn queued(&self, requests: f64) -> Result<Operation, Impossible> {
        let steady = self.saturated(requests)?;
        let full = requests / steady.running * self.mix.output * steady.token_seconds;
        let fixed = self.rates.round(&Work::decode(1.0, self.mix.tokens)).total();
        let seconds = full + TAIL * (1.0 - steady.running / requests) * self.mix.output * fixed;
        Ok(Operation {
            tokens_per_second: requests * self.mix.output / seconds,
            requests_per_second: requests / seconds,
            utilisation: full / seconds,
            ..steady
        })
    }

    /// Requests arrive by themselves: as many are in progress as arrive while one is answered (Little's law); the
    /// wait for a place is Sakasegawa's approximation (1977) of a queue with as many servers as places.
    fn arriving(&self, rate: f64) -> Result<Operation, Impossible> {
        if !(rate.is_finite() && rate > 0.0) {
            return Err(Impossible::Size { what: "a rate of requests per second", value: rate });
        }
        let most = self.most_running()?;
        let answered = |running: f64| running / self.uneven_round(running).mean.total() / self.mix.output;
        let limit = answered(most);
        if rate >= limit {
            return Err(Impossible::Overload { rate, most: limit });
        }
        let (mut low, mut high) = (0.0, most);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if answered(middle) < rate { low = middle } else { high = middle }
        }
        let (utilisation, round) = (rate / limit, self.uneven_round(high));
        let token_seconds = round.mean.total();
        let service = self.mix.output * token_seconds;
        let waiting =
            utilisation.powf((2.0 * (most + 1.0)).sqrt() - 1.0) / (most * (1.0 - utilisation)) * service / 2.0;
        Ok(Operation {
            tokens_per_second: rate * self.mix.output,
            requests_per_second: rate,
            first_token_seconds: waiting + self.admission(high, round.left),
            token_seconds,
            running: high,
            utilisation,
            round: round.mean,
            memory: self.memory,
        })
    }

    /// A round when prompts arrive by chance: with k of them on average, a share exp(−k) of rounds reads none and the
    /// others read more. What a random moment leaves of a round is E(t²) / 2E(t).
    fn uneven_round(&self, running: f64) -> Uneven {
        let work = self.mix.work(running);
        let without = (-running / self.mix.output).exp();
        let none = self.rates.round(&Work { prompt: 0.0, pairs: 0.0, ..work });
        if without >= 1.0 {
            return Uneven { mean: none, left: none.total() / 2.0 };
        }
        let more = 1.0 / (1.0 - without);
        let some = self.rates.round(&Work { prompt: more * work.prompt, pairs: more * work.pairs, ..work });
        let mean = some.blend(none, without);
        let squares = without * none.total().powi(2) + (1.0 - without) * some.total().powi(2);
        Uneven { mean, left: squares / (2.0 * mean.total()) }
    }
}

/// Rounds of different lengths.
struct Uneven {
    /// The mean round.
    mean: Parts,
    /// What a random moment leaves of the round that it falls into, in seconds.
    left: f64,
}

/// Rounds that a queue's end needs beyond the steady state's, as a share of an answer's: from the event simulation.
const TAIL: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::super::fixtures::{llama_70b, n, server};
    use super::*;
    use scenarios::precision::Precision;

    fn replica(precision: Precision, tensor: u32, pipeline: u32) -> Server {
        server(llama_70b(), "H100-SXM-80GB", precision, tensor, pipeline)
    }

    fn operated(server: &Server, sizes: (u32, u32), load: Load) -> Result<Operation, Impossible> {
        operate(server, &[Bucket::only(n(sizes.0), n(sizes.1))], load, &Constants::prior())
    }

    #[test]
    fn more_requests_mean_more_tokens_and_longer_waits() {
        let server = replica(Precision::Fp8, 4, 1);
        let check = |loads: &[Load]| {
            let all = loads.iter().map(|load| operated(&server, (1000, 500), *load).expect("possible"));
            let all: Vec<Operation> = all.collect();
            assert!(all.is_sorted_by(|a, b| a.tokens_per_second < b.tokens_per_second), "{loads:?}");
            assert!(all.is_sorted_by(|a, b| a.token_seconds <= b.token_seconds), "{loads:?}");
            assert!(all.is_sorted_by(|a, b| a.first_token_seconds <= b.first_token_seconds), "{loads:?}");
        };
        check(&[1, 4, 16, 64, 256].map(|batch| Load::Batches(n(batch))));
        check(&[0.1, 1.0, 3.0, 6.0].map(Load::Rate));
    }

    #[test]
    fn an_endless_queue_is_saturation() {
        let server = replica(Precision::Fp8, 2, 2);
        let queued = operated(&server, (500, 500), Load::Queued(n(u32::MAX))).expect("possible");
        let saturated = operated(&server, (500, 500), Load::Saturated).expect("possible");
        assert!((queued.tokens_per_second / saturated.tokens_per_second - 1.0).abs() < 1e-4);
    }

    #[test]
    fn what_cannot_be_answered_says_why() {
        let check = |server: &Server, sizes, load, reason: &str| {
            let error = operated(server, sizes, load).expect_err("impossible").to_string();
            assert!(error.contains(reason), "{error}");
        };
        let usual = replica(Precision::Fp8, 4, 1);
        check(&replica(Precision::Fp16, 1, 1), (100, 100), Load::Saturated, "leave no room for a cache in 80.0 GiB");
        check(&replica(Precision::Fp8, 3, 1), (100, 100), Load::Saturated, "64 attention heads cannot be divided");
        check(&replica(Precision::Fp8, 1, 81), (100, 100), Load::Saturated, "80 layers are fewer than 81");
        check(&usual, (u32::MAX, 100), Load::Saturated, "don't fit: the cache holds");
        check(&usual, (2000, 2000), Load::Batches(n(5000)), "20000000 tokens of keys and values don't fit");
        check(&usual, (2000, 2000), Load::Rate(1e6), "exceed the");
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            check(&usual, (100, 100), Load::Rate(rate), "a rate of requests per second");
        }
    }
}
