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
            first_token_seconds: self.admission(running, &round),
            token_seconds: round.total(),
            running,
            utilisation,
            round,
            memory: self.memory,
        }
    }

    /// From its admission, a request waits for half a round and is then part of a round that reads its prompt besides.
    fn admission(&self, running: f64, round: &Parts) -> f64 {
        let own = Work::prefill(1.0, self.mix.input);
        let others = self.mix.work(running);
        let both = Work {
            decoded: others.decoded,
            looked_back: others.looked_back,
            prompt: others.prompt + own.prompt,
            pairs: others.pairs + own.pairs,
            answers: others.answers + 1.0,
        };
        round.total() / 2.0 + self.rates.round(&both).total()
    }

    /// A finite queue: after its steady state the last sequences end, with ever fewer in progress. What the batch
    /// lacks at the end costs, beyond the steady state, about half of a request's time ([`TAIL`]).
    fn queued(&self, requests: f64) -> Result<Operation, Impossible> {
        let steady = self.saturated(requests)?;
        let rounds = requests / steady.running + TAIL * (1.0 - steady.running / requests);
        let seconds = rounds * self.mix.output * steady.token_seconds;
        Ok(Operation {
            tokens_per_second: requests * self.mix.output / seconds,
            requests_per_second: requests / seconds,
            utilisation: requests / steady.running / rounds,
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
        let answered = |running: f64| running / self.rates.round(&self.mix.work(running)).total() / self.mix.output;
        let limit = answered(most);
        if rate >= limit {
            return Err(Impossible::Overload { rate, most: limit });
        }
        let (mut low, mut high) = (0.0, most);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if answered(middle) < rate { low = middle } else { high = middle }
        }
        let utilisation = rate / limit;
        let operation = self.running(high, utilisation);
        let service = self.mix.output * operation.token_seconds;
        let waiting = utilisation.powf((2.0 * (most + 1.0)).sqrt() - 1.0) / (most * (1.0 - utilisation)) * service / 2.0;
        let first_token_seconds = operation.first_token_seconds + waiting;
        Ok(Operation { first_token_seconds, requests_per_second: rate, tokens_per_second: rate * self.mix.output, ..operation })
    }
}

/// Share of a request's time that a queue's end lasts beyond the steady state: from the event simulation.
const TAIL: f64 = 0.5;
