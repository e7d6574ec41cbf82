mod exchange;
mod families;
mod faults;
mod precision;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::Ordering;
use std::time::Duration;

use scenarios::model::Model;
use scenarios::scenario::{Adam, CosineRate, Momentum, Optimizer, Precision, Preprocessing, Rate, Sgd};

use super::fault::Fault;
use super::*;
use crate::data::{Prepared, Records, prepare};
use crate::model::CheckpointError;
use crate::transport::Operation;

/// Nobody wants to stop.
fn never() -> Arc<AtomicBool> {
    Arc::default()
}

fn training(preset: &str, global_batch: usize, learning_rate: f64) -> Training {
    Training {
        model: Model::Preset(preset.to_owned()),
        data: "digits".to_owned(),
        preprocessing: Preprocessing { normalize: Some([0.5, 0.5]), ..Preprocessing::default() },
        weights_of: None,
        new_head: false,
        adapters: false,
        epochs: Some(NonZeroU32::MIN.saturating_add(1)),
        samples: None,
        tokens: None,
        validate_every: None,
        global_batch: NonZeroUsize::new(global_batch).expect("not zero"),
        optimizer: Optimizer::Momentum(Momentum { learning_rate, momentum: 0.9 }),
        rate: Rate::default(),
        clip_norm: None,
        outer: None,
        precision: Precision::Fp32,
    }
}

fn digits(count: usize) -> Prepared {
    in_parts(count, &[])
}

/// Digits that lie in parts.
fn in_parts(count: usize, parts: &[u64]) -> Prepared {
    let records = crate::data::draw_digits(count, 1);
    prepare(&records, &records, (10, parts), scenarios::scenario::Split { validation: 0.2, test: 0.0 }, 1)
}

/// Keeps the last snapshot in memory.
#[derive(Default)]
struct Keeper {
    kept: Option<Resume>,
    epochs: usize,
}

impl Observer for Keeper {
    fn stepped(&mut self, _: &Progress, _: usize) {}

    fn epoch_ended(&mut self, _: &scenarios::run::Epoch) {
        self.epochs += 1;
    }

    fn keep(&mut self, snapshot: Snapshot<'_>) -> Result<(), CheckpointError> {
        self.kept = Some(Resume { progress: snapshot.progress.clone(), ranks: snapshot.ranks.to_vec() });
        Ok(())
    }
}

/// Gradients that replicas exchange when all of them are known.
const BETWEEN: Buckets = Buckets { bytes: 4 << 20, beside: false };

struct Case {
    training: Training,
    data: Prepared,
    strategy: Strategy,
    buckets: Buckets,
    max_steps: Option<u64>,
    /// Sites of the replicas.
    sites: Vec<String>,
    /// Records of each step by replica, where they differ.
    shares: Option<Vec<usize>>,
    /// Whether the data lies at the sites, in as many parts.
    in_parts: bool,
    patience: Patience,
    fault: Option<Fault>,
}

impl Case {
    fn new(preset: &str, ranks: u32) -> Self {
        let strategy = Strategy::data_parallel(ranks).expect("not zero");
        Self {
            training: training(preset, 20, 0.01),
            data: digits(500),
            strategy,
            buckets: BETWEEN,
            max_steps: None,
            sites: Vec::new(),
            shares: None,
            in_parts: false,
            patience: Patience::default(),
            fault: None,
        }
    }

    fn by(preset: &str, strategy: &str) -> Self {
        Self { strategy: strategy.parse().expect("a strategy"), ..Self::new(preset, 1) }
    }

    fn run(&self, resume: Option<&Resume>, stop: &Arc<AtomicBool>) -> (Result<Outcome, TrainError>, Keeper) {
        let description = Description::of(&self.training.model).expect("presets are valid");
        let mut keeper = Keeper::default();
        let shares = match &self.shares {
            Some(shares) => shares.clone(),
            None => match even_shares(&self.strategy, self.training.global_batch.get()) {
                Ok(shares) => shares,
                Err(error) => return (Err(error), keeper),
            },
        };
        let site = |replica: usize| self.sites.get(replica).cloned().unwrap_or_default();
        let replicas: Vec<_> = shares.into_iter().enumerate().map(|(at, share)| (site(at), share)).collect();
        let part_of = |site: &str| self.sites.iter().position(|at| at == site).filter(|_| self.in_parts);
        let portions = Portion::of_replicas(&self.data, &replicas, part_of);
        let session = Session {
            training: self.training.clone(),
            description,
            portions,
            course: Course::of(&self.training, self.data.train.len()),
            strategy: self.strategy,
            devices: Devices::cpu(),
            patience: self.patience,
            buckets: self.buckets,
            seed: 3,
            max_steps: self.max_steps,
            stop: Arc::clone(stop),
            resume: resume.cloned(),
            weights: None,
            fault: self.fault,
        };
        (train(session, &mut keeper), keeper)
    }

    fn outcome(&self) -> Outcome {
        self.run(None, &never()).0.expect("it trains")
    }
}

/// All parameters in order.
fn values(network: &Network) -> Vec<f32> {
    crate::model::flat::parameters(network)
}

/// The steps of one device: the first losses and all parameters at the end.
fn assert_same_steps(many: &Outcome, one: &Outcome, strategy: &str) {
    assert_eq!(many.progress.steps, one.progress.steps, "{strategy}");
    for (at, (a, b)) in many.progress.first_losses.iter().zip(&one.progress.first_losses).enumerate() {
        assert!((a - b).abs() <= 1e-4 * b.abs(), "{strategy}: loss {at} is {a} instead of {b}");
    }
    let (many, one) = (values(&many.network), values(&one.network));
    let distance: f32 = many.iter().zip(&one).map(|(a, b)| (a - b).powi(2)).sum();
    let length: f32 = one.iter().map(|value| value.powi(2)).sum();
    assert!(distance.sqrt() <= 1e-4 * length.sqrt(), "{strategy}: {distance} of {length}");
}

/// Strategies that take the steps of one device, with the optimisers that they do it for.
const EQUAL: [&str; 16] = [
    "data:2",
    "data:4",
    "data:1,micro_batch:5",
    "data:2,micro_batch:2",
    "data:1,recompute:full",
    "data:2,zero:1",
    "data:4,zero:2,micro_batch:1",
    "pipeline:2,schedule:gpipe,micro_batch:5",
    "pipeline:2,micro_batch:4",
    "pipeline:4,micro_batch:2,recompute:full",
    "pipeline:2,chunks:2,micro_batch:5",
    "data:2,pipeline:2,micro_batch:5",
    "data:2,pipeline:2,zero:1,micro_batch:2",
    "data:2,servers:1",
    "data:4,servers:3",
    "data:2,pipeline:2,schedule:gpipe,micro_batch:10,recompute:full",
];

#[test]
fn every_strategy_takes_the_steps_of_one_device() {
    let adam =
        Optimizer::Adam(Adam { learning_rate: 0.002, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.05 });
    let cosine = Rate::Cosine(CosineRate { warm_up: 5, floor: 0.1 });
    for (preset, optimizer, rate, clip_norm) in
        [("mnist-cnn", None, Rate::Constant, None), ("mnist-mlp", Some(adam), cosine, Some(0.5))]
    {
        let run = |strategy: &str| {
            let mut case = Case::by(preset, strategy);
            case.training.optimizer = optimizer.unwrap_or(case.training.optimizer);
            (case.training.rate, case.training.clip_norm) = (rate, clip_norm);
            case.outcome()
        };
        let one = run("data:1");
        for strategy in EQUAL {
            assert_same_steps(&run(strategy), &one, &format!("{preset} by {strategy}"));
        }
    }
}

#[test]
fn the_mean_of_replicas_in_every_step_is_descent_by_the_mean_gradient() {
    let run = |strategy: &str| {
        let mut case = Case::by("mnist-mlp", strategy);
        case.training.optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.05 });
        case.outcome()
    };
    let one = run("data:1");
    for strategy in
        ["data:2,average_every:1", "data:4,average_every:1", "data:2,pipeline:2,micro_batch:5,average_every:1"]
    {
        assert_same_steps(&run(strategy), &one, strategy);
    }
}

#[test]
fn uneven_shares_of_a_batch_take_the_steps_of_one_device() {
    let one = Case::by("mnist-mlp", "data:1").outcome();
    let uneven =
        |strategy: &str, shares: &[usize]| Case { shares: Some(shares.to_vec()), ..Case::by("mnist-mlp", strategy) };
    let check =
        |strategy: &str, shares: &[usize]| assert_same_steps(&uneven(strategy, shares).outcome(), &one, strategy);
    check("data:2", &[13, 7]);
    check("data:3,zero:1", &[5, 12, 3]);
    check("data:2,zero:2", &[6, 14]);
    check("data:3,servers:1", &[1, 1, 18]);
    check("data:2,pipeline:2,micro_batch:1", &[12, 8]);
    let refused = |strategy: &str, shares: &[usize], expected: &str| {
        let error = uneven(strategy, shares).run(None, &never()).0.expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused("data:2,zero:2,micro_batch:2", &[12, 8], "equally many micro-batches");
    refused("data:2", &[20, 0], "takes no record");
}

#[test]
fn replicas_learn_from_what_lies_at_their_sites() {
    let case = || {
        let mut case = Case::by("mnist-mlp", "data:3,average_every:5");
        case.training.epochs = NonZeroU32::new(8);
        case.data = in_parts(500, &[300, 100, 100]);
        case.sites = ["a", "b", "c"].map(str::to_owned).to_vec();
        Case { shares: Some(vec![8, 6, 6]), in_parts: true, ..case }
    };
    let outcome = case().outcome();
    let accuracy = outcome.progress.epochs[7].validation_accuracy;
    assert!(accuracy.is_some_and(|accuracy| accuracy > 0.7), "{accuracy:?}");
    assert_eq!(values(&case().outcome().network), values(&outcome.network));
    let mut few = case();
    few.data = in_parts(500, &[495, 2, 3]);
    let refused = few.run(None, &never()).0.expect_err("a site has too few records").to_string();
    assert!(refused.contains("training records of site `b` are fewer than the 6"), "{refused}");
}

#[test]
fn bytes_of_gradients_are_counted() {
    let many = Case::by("mnist-cnn", "data:2").outcome();
    // Besides them the number of units.
    let of_step = 4 * (many.network.size() as u64 + 1);
    assert_eq!(given_bytes(&many), vec![of_step * many.progress.steps; 2]);
}

/// Bytes that each rank gave to the other replicas.
fn given_bytes(outcome: &Outcome) -> Vec<u64> {
    let of_rank = |rank: &RankReport| rank.counts.replicas.given().map(|given| given.bytes).sum();
    outcome.ranks.iter().map(of_rank).collect()
}

#[test]
fn replicas_that_meet_seldom_or_late_learn_all_the_same() {
    for strategy in ["data:2,average_every:7", "data:3,servers:2,staleness:2"] {
        let mut case = Case::by("mnist-mlp", strategy);
        case.training.global_batch = NonZeroUsize::new(24).expect("not zero");
        case.training.epochs = NonZeroU32::new(16);
        let outcome = case.outcome();
        let accuracy = outcome.progress.epochs[15].validation_accuracy;
        assert!(accuracy.is_some_and(|accuracy| accuracy > 0.8), "{strategy}: {accuracy:?}");
    }
}

#[test]
fn a_training_repeats_bit_by_bit() {
    for strategy in
        ["data:1", "data:2", "data:2,zero:1", "pipeline:2,micro_batch:5", "data:2,average_every:3", "data:2,servers:2"]
    {
        let (first, second) = (Case::by("mnist-cnn", strategy).outcome(), Case::by("mnist-cnn", strategy).outcome());
        assert_eq!(first.progress.first_losses, second.progress.first_losses);
        assert_eq!(values(&first.network), values(&second.network));
    }
}

#[test]
fn it_learns() {
    let mut case = Case::new("mnist-mlp", 1);
    case.training.epochs = Some(NonZeroU32::MIN.saturating_add(5));
    let outcome = case.outcome();
    let [first, last] = [0, 5].map(|epoch| outcome.progress.epochs[epoch].clone());
    assert!(last.train_loss < 0.5 * first.train_loss, "{first:?} {last:?}");
    assert!(last.validation_accuracy.is_some_and(|accuracy| accuracy > 0.8), "{last:?}");
    assert!(outcome.step_seconds.is_some() && outcome.throughput > 0.0);
}

#[test]
fn a_stopped_training_goes_on_to_the_same_result() {
    for strategy in [
        "data:1",
        "data:2",
        "data:2,zero:1",
        "data:2,pipeline:2,micro_batch:5",
        "data:2,average_every:3",
        "data:2,servers:2",
    ] {
        let whole = Case::by("mnist-mlp", strategy).outcome();
        for stop_after in [7, 20, 27] {
            let part = Case { max_steps: Some(stop_after), ..Case::by("mnist-mlp", strategy) };
            let (first, keeper) = part.run(None, &never());
            assert_eq!(first.expect("it trains").progress.steps, stop_after);
            let rest = Case::by("mnist-mlp", strategy).run(keeper.kept.as_ref(), &never()).0.expect("it goes on");
            assert_eq!(rest.progress.steps, whole.progress.steps);
            assert_eq!(rest.progress.first_losses, whole.progress.first_losses);
            assert_eq!(values(&rest.network), values(&whole.network));
        }
    }
}

#[test]
fn a_wish_to_stop_ends_all_ranks_after_the_same_step() {
    for ranks in [1, 3] {
        let stop = Arc::new(AtomicBool::new(true));
        let case = Case { training: training("mnist-linear", 30, 0.01), ..Case::new("mnist-linear", ranks) };
        let (outcome, keeper) = case.run(None, &stop);
        let outcome = outcome.expect("stopping is no error");
        assert!(outcome.interrupted && outcome.progress.steps == 1, "{:?}", outcome.progress);
        assert_eq!(keeper.kept.map(|kept| kept.progress), Some(outcome.progress));
        assert!(stop.load(Ordering::Relaxed));
    }
}

#[test]
fn impossible_sessions_are_refused_with_their_figures() {
    let check = |case: Case, expected: &str| {
        let error = case.run(None, &never()).0.expect_err(expected).to_string();
        assert_eq!(error, expected);
    };
    let case = |ranks| Case::new("mnist-linear", ranks);
    check(case(3), "the global batch of 20 cannot be shared evenly by 3 replicas, but 18 or 21 can");
    let micro = |strategy| Case::by("mnist-mlp", strategy);
    check(
        micro("data:3,micro_batch:4"),
        "the global batch of 20 cannot be shared evenly by 3 replicas, but 12 or 24 can",
    );
    check(
        micro("data:2,micro_batch:3"),
        "the 10 records of a replica's step cannot be divided into micro-batches of 3, but into those of 2 or 5",
    );
    let large = Case { training: training("mnist-linear", 1000, 0.1), ..case(1) };
    check(large, "400 training records are fewer than the 1000 that each step takes from them");
    let mut other = case(1);
    other.data.train = Arc::new(Records::grey(28, 14, vec![0; 392 * 20], &[0; 20]));
    check(other, "records have 392 values, but the network takes 784");
}

#[test]
fn the_course_is_as_the_scenario_states_the_work() {
    let check = |change: fn(&mut Training), steps: u64, rounds: usize| {
        let mut case = Case::by("mnist-linear", "data:2");
        case.training.epochs = None;
        change(&mut case.training);
        let (outcome, keeper) = case.run(None, &never());
        let progress = outcome.expect("it trains").progress;
        assert_eq!((progress.steps, progress.epochs.len(), keeper.epochs), (steps, rounds, rounds));
        assert_eq!(keeper.kept.map(|kept| kept.progress.steps), Some(steps));
    };
    check(|training| training.epochs = NonZeroU32::new(2), 40, 2);
    check(|training| training.samples = Some(601), 31, 2);
    check(|training| training.tokens = Some(100), 5, 1);
    check(|training| (training.samples, training.validate_every) = (Some(601), NonZeroU32::new(10)), 31, 4);
}

#[test]
fn every_rank_reports_its_phases_memory_and_exchanges() {
    let outcome = Case::by("mnist-mlp", "data:2,pipeline:2,micro_batch:5").outcome();
    assert_eq!(outcome.ranks.iter().map(|rank| rank.rank).collect::<Vec<_>>(), [0, 1, 2, 3]);
    for report in &outcome.ranks {
        assert!(report.phases.mean_seconds()["forward"] > 0.0 && (0.0..1.0).contains(&report.phases.bubble()));
        assert!(report.memory_peak_bytes > 100_000, "{report:?}");
        assert!(report.counts.replicas.given().any(|given| given.operation == Operation::AllReduce && given.bytes > 0));
        assert!(report.counts.stages.given().any(|given| given.operation == Operation::Send && given.bytes > 0));
        assert_eq!(report.counts.tensor.given().count(), 0);
    }
    let first = outcome.ranks[0].outside;
    assert!(first.checkpoints == 2 && first.checkpoint > Duration::ZERO && first.validation > Duration::ZERO);
}
