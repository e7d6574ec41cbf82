//! Answering of requests by replicas of a network on this machine, at the rates of a plan, to measure how long answers take.

mod arrivals;

pub use arrivals::{Arrival, Bucket, arrivals};

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use burn::module::Module as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::device::Devices;
use crate::model::Network;
use crate::model::generate::{GenerateError, Sampling, Times, generate};

/// Requests of one size that a replica answers together, at most.
const TOGETHER: usize = 8;

/// How long the answer to a request took, in seconds since it arrived.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answered {
    /// Until its first token.
    pub first_token: f64,
    /// Between its tokens, on average; none of an answer of one token.
    pub per_token: Option<f64>,
    /// Until its last token.
    pub latency: f64,
    /// Its tokens.
    pub tokens: usize,
}

/// What a service did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Served {
    /// Answers, in the order in which they ended.
    pub answers: Vec<Answered>,
    /// From the first request to the last answer.
    pub seconds: f64,
}

/// Requests that have not been answered.
struct Waiting {
    started: Instant,
    requests: Mutex<VecDeque<Arrival>>,
}

/// Lets replicas of a network answer requests as they arrive; prompts are drawn by the seed. A replica takes up to 8 waiting
/// requests of one size at once, and answers them before it takes others.
///
/// # Errors
/// The network is no language model.
pub fn serve(
    network: &Network,
    requests: Vec<Arrival>,
    (replicas, seed): (usize, u64),
    devices: &Devices,
) -> Result<Served, GenerateError> {
    let waiting = Waiting { started: Instant::now(), requests: Mutex::new(requests.into()) };
    let waiting = &waiting;
    let replica = |number: usize| {
        let device = devices.of_rank(number);
        let network = network.clone().to_device(device);
        let mut answers = Vec::new();
        while let Some(batch) = waiting.take() {
            answers.extend(answer(&network, &batch, seed, waiting.started, device)?);
        }
        Ok::<_, GenerateError>(answers)
    };
    let replica = &replica;
    let found: Vec<_> = std::thread::scope(|scope| {
        let started: Vec<_> = (0..replicas.max(1)).map(|number| scope.spawn(move || replica(number))).collect();
        started.into_iter().map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut served = Served { answers: Vec::new(), seconds: waiting.started.elapsed().as_secs_f64() };
    for answers in found {
        served.answers.extend(answers?);
    }
    Ok(served)
}

impl Waiting {
    /// The requests that a free replica takes next; it waits for them to arrive. None when all are taken.
    fn take(&self) -> Option<Vec<Arrival>> {
        loop {
            let wait = {
                let mut requests = self.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let now = self.started.elapsed().as_secs_f64();
                let first = *requests.front()?;
                if first.at <= now {
                    let is_taken = |one: &Arrival| one.at <= now && one.bucket == first.bucket;
                    let mut taken: Vec<Arrival> = requests.iter().filter(|one| is_taken(one)).copied().collect();
                    taken.truncate(TOGETHER);
                    requests.retain(|one| !taken.contains(one));
                    return Some(taken);
                }
                first.at - now
            };
            std::thread::sleep(Duration::from_secs_f64(wait));
        }
    }
}

fn answer(
    network: &Network,
    batch: &[Arrival],
    seed: u64,
    started: Instant,
    device: &burn::tensor::Device,
) -> Result<Vec<Answered>, GenerateError> {
    let vocabulary = network.description().next_of().unwrap_or(1);
    let prompt = |request: &Arrival| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(request.number);
        (0..request.bucket.input.max(1)).map(|_| random.random_range(0..vocabulary)).collect::<Vec<usize>>()
    };
    let prompts: Vec<Vec<usize>> = batch.iter().map(prompt).collect();
    let begun = started.elapsed().as_secs_f64();
    let mut times = Times::start(batch.len());
    let output = batch.first().map_or(1, |request| request.bucket.output.max(1)) as usize;
    let each = |text, _| {
        times.token(text);
        ControlFlow::Continue(())
    };
    generate(network, &prompts, output, Sampling::Greedy, device, each)?;
    let of_request = |(request, (first, whole)): (&Arrival, (f64, f64))| {
        let waited = begun - request.at;
        let per_token = (output > 1).then(|| (whole - first) / (output - 1) as f64);
        Answered { first_token: waited + first, per_token, latency: waited + whole, tokens: output }
    };
    Ok(batch.iter().zip(times.first_token().into_iter().zip(times.whole())).map(of_request).collect())
}

#[cfg(test)]
mod tests {
    use scenarios::model::Model;

    use super::*;
    use crate::device::Choice;
    use crate::model::Description;

    #[test]
    fn every_request_is_answered_after_it_arrived() {
        let model = r#"{"transformer": {"kind": "decoder", "layers": 1, "hidden": 8, "heads": 2, "ffn": 8, "vocabulary": 9,
            "sequence": 8}}"#;
        let model: Model = serde_json::from_str(model).expect("it is a description");
        let description = Description::of(&model).expect("it can be carried out");
        let devices = Devices::select(Choice::Cpu).expect("there is a processor");
        let network = Network::new(&description, description.whole(), 1, devices.of_rank(0));
        let sizes = [(3, 4), (5, 1)].map(|(input, output)| Bucket { input, output });
        let requests = arrivals(&[(sizes[0], 60.0), (sizes[1], 40.0)], 0.5, 1);
        let count = requests.len();
        let served = serve(&network, requests, (2, 1), &devices).expect("it is a language model");
        assert_eq!(served.answers.len(), count);
        for answered in served.answers {
            assert!(answered.first_token > 0.0 && answered.latency >= answered.first_token, "{answered:?}");
            assert_eq!(answered.per_token.is_some(), answered.tokens == 4);
        }
    }
}
