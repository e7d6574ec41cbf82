//! How long replicas wait for gradients in a training step, beside what the transport alone takes for the same bytes.

#![expect(clippy::print_stderr, reason = "a benchmark prints its result")]

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Instant;

use executor::data::{Portion, draw_digits, prepare};
use executor::device::Devices;
use executor::model::Description;
use executor::parallel::exchange::Buckets;
use executor::train::{Course, Session, Silent, train};
use executor::transport::{Patience, Reduction, Transport, thread_group};
use scenarios::carried_out::BUCKET_BYTES;
use scenarios::model::Model;
use scenarios::scenario::{Optimizer, Precision, Preprocessing, Rate, Sgd, Split, Training};
use scenarios::strategy::Strategy;

const STEPS: usize = 30;
const BATCH: usize = 64;
/// Rounds of each figure, whose median counts.
const ROUNDS: usize = 5;

/// Seconds of an all-reduce of a bucket by so many threads that do nothing else.
fn alone(ranks: usize) -> f64 {
    std::thread::scope(|scope| {
        let rank = |transport: executor::transport::ThreadTransport| {
            let mut bucket = vec![1.0; BUCKET_BYTES / 4];
            let mut reduce = || transport.all_reduce(&mut bucket, Reduction::Sum).expect("no rank leaves");
            reduce();
            let started = Instant::now();
            (0..STEPS).for_each(|_| reduce());
            started.elapsed().as_secs_f64() / STEPS as f64
        };
        let ranks: Vec<_> =
            thread_group(ranks).into_iter().map(|transport| scope.spawn(move || rank(transport))).collect();
        ranks.into_iter().map(|rank| rank.join().expect("no rank panics")).fold(0.0, f64::max)
    })
}

/// Seconds that rank 0 waits in a step, and that exchanges go on beside its passes.
fn trained(training: &Training, ranks: usize, beside: bool) -> [f64; 2] {
    let records = draw_digits(BATCH * STEPS + 1, 1);
    let data = prepare(&records, &records, (10, &[]), Split::default(), 1);
    let session = Session {
        training: training.clone(),
        description: Description::of(&training.model).expect("it is possible"),
        portions: Portion::alike(&data.train, &data.validation, &vec![BATCH / ranks; ranks]),
        course: Course::of(training, data.train.len()),
        strategy: Strategy::data_parallel(ranks as u32).expect("not zero"),
        devices: Devices::cpu(),
        patience: Patience::default(),
        buckets: Buckets { bytes: BUCKET_BYTES, beside },
        seed: 1,
        max_steps: Some(STEPS as u64),
        stop: Arc::default(),
        resume: None,
        weights: None,
    };
    let phases = train(session, &mut Silent).expect("it trains").ranks[0].phases;
    [phases.mean_seconds()["communication"], phases.hidden_communication_seconds()]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let layers = [1024; 6];
    let model = serde_json::json!({ "mlp": { "inputs": 784, "hidden": layers, "outputs": 10 } });
    let model: Model = serde_json::from_value(model).expect("it is a model");
    let bytes = 4.0 * model.parameters().expect("it is possible") as f64;
    let training = Training {
        model,
        data: "digits".to_owned(),
        preprocessing: Preprocessing::default(),
        weights_of: None,
        new_head: false,
        adapters: false,
        epochs: NonZeroU32::new(2),
        samples: None,
        tokens: None,
        validate_every: None,
        global_batch: NonZeroUsize::new(BATCH).expect("not zero"),
        optimizer: Optimizer::Sgd(Sgd { learning_rate: 0.001 }),
        rate: Rate::default(),
        clip_norm: None,
        outer: None,
        precision: Precision::Fp32,
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for ranks in [2, 4].into_iter().filter(|ranks| *ranks == 2 || *ranks <= cores) {
        let rounds =
            (0..ROUNDS).map(|_| (alone(ranks), trained(&training, ranks, false), trained(&training, ranks, true)));
        let rounds: Vec<_> = rounds.collect();
        let alone = median(rounds.iter().map(|round| round.0).collect()) * bytes / BUCKET_BYTES as f64;
        for (how, at) in [("between the passes", 1), ("beside them", 2)] {
            let of = |round: &(f64, [f64; 2], [f64; 2])| if at == 1 { round.1 } else { round.2 };
            let [waited, hidden] = [0, 1].map(|figure| median(rounds.iter().map(|round| of(round)[figure]).collect()));
            eprintln!(
                "{ranks} ranks on {cores} cores, {:.1} MB of gradients {how}: the transport alone {:.2} ms, waited {:.2} ms: \
                 ratio {:.2}; hidden {:.2} ms",
                bytes / 1e6,
                1e3 * alone,
                1e3 * waited,
                waited / alone,
                1e3 * hidden
            );
        }
    }
}
