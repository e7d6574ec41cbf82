use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::Ordering;

use scenarios::model::Model;
use scenarios::scenario::{Momentum, Optimizer, Precision, Preprocessing, Sgd};

use super::*;
use crate::data::{Prepared, prepare};

static NEVER: AtomicBool = AtomicBool::new(false);

fn training(preset: &str, global_batch: usize, learning_rate: f64) -> Training {
    Training {
        model: Model::Preset(preset.to_owned()),
        data: "digits".to_owned(),
        preprocessing: Preprocessing { normalize: Some([0.5, 0.5]), ..Preprocessing::default() },
        weights_of: None,
        adapters: false,
        epochs: Some(NonZeroU32::MIN.saturating_add(1)),
        samples: None,
        tokens: None,
        global_batch: NonZeroUsize::new(global_batch).expect("not zero"),
        optimizer: Optimizer::Momentum(Momentum { learning_rate, momentum: 0.9 }),
        precision: Precision::Fp32,
    }
}

fn digits(count: usize) -> Prepared {
    let records = crate::data::draw_digits(count, 1);
    prepare(&records, &records, 10, scenarios::scenario::Split { validation: 0.2, test: 0.0 }, 1)
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
        self.kept = Some(Resume {
            progress: snapshot.progress.clone(),
            parameters: snapshot.network.values(),
            optimizer: snapshot.optimizer.into_bytes().expect("memory takes it").to_vec(),
        });
        Ok(())
    }
}

struct Case {
    training: Training,
    data: Prepared,
    ranks: usize,
    max_steps: Option<u64>,
}

impl Case {
    fn new(preset: &str, ranks: usize) -> Self {
        Self { training: training(preset, 20, 0.01), data: digits(500), ranks, max_steps: None }
    }

    fn run(&self, resume: Option<&Resume>, stop: &AtomicBool) -> (Result<Outcome, TrainError>, Keeper) {
        let description = Description::of(&self.training.model).expect("presets are valid");
        let mut keeper = Keeper::default();
        let session = Session {
            training: &self.training,
            description: &description,
            train: &self.data.train,
            validation: &self.data.validation,
            ranks: self.ranks,
            devices: &Devices::cpu(),
            seed: 3,
            max_steps: self.max_steps,
            stop,
            resume,
        };
        (train(session, &mut keeper), keeper)
    }

    fn outcome(&self) -> Outcome {
        self.run(None, &NEVER).0.expect("it trains")
    }
}

fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1e-6), "value {at}: {a} and {b}");
    }
}

#[test]
fn any_number_of_ranks_takes_the_steps_of_one() {
    for preset in ["mnist-cnn", "mnist-mlp"] {
        let one = Case::new(preset, 1).outcome();
        for ranks in [2, 4] {
            let many = Case::new(preset, ranks).outcome();
            assert_close(&many.progress.first_losses, &one.progress.first_losses, 1e-4);
            let distance: f32 =
                many.network.values().iter().zip(one.network.values()).map(|(a, b)| (a - b).powi(2)).sum();
            let length: f32 = one.network.values().iter().map(|value| value.powi(2)).sum();
            assert!(distance.sqrt() <= 1e-4 * length.sqrt(), "{preset} with {ranks} ranks: {distance} of {length}");
            assert_eq!(many.exchanged_bytes, 4 * many.progress.steps * many.network.size() as u64);
            assert_close(&[many.progress.epochs[1].train_accuracy], &[one.progress.epochs[1].train_accuracy], 0.02);
        }
    }
}

#[test]
fn a_training_repeats_bit_by_bit() {
    for ranks in [1, 2] {
        let (first, second) = (Case::new("mnist-cnn", ranks).outcome(), Case::new("mnist-cnn", ranks).outcome());
        assert_eq!(first.progress.first_losses, second.progress.first_losses);
        assert_eq!(first.network.values(), second.network.values());
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
    for ranks in [1, 2] {
        let whole = Case::new("mnist-mlp", ranks).outcome();
        for stop_after in [7, 20, 27] {
            let part = Case { max_steps: Some(stop_after), ..Case::new("mnist-mlp", ranks) };
            let (first, keeper) = part.run(None, &NEVER);
            assert_eq!(first.expect("it trains").progress.steps, stop_after);
            let rest = Case::new("mnist-mlp", ranks).run(keeper.kept.as_ref(), &NEVER).0.expect("it goes on");
            assert_eq!(rest.progress.steps, whole.progress.steps);
            assert_eq!(rest.progress.first_losses, whole.progress.first_losses);
            assert_eq!(rest.network.values(), whole.network.values());
        }
    }
}

#[test]
fn a_wish_to_stop_ends_all_ranks_after_the_same_step() {
    for ranks in [1, 3] {
        let stop = AtomicBool::new(true);
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
        let error = case.run(None, &NEVER).0.expect_err(expected).to_string();
        assert_eq!(error, expected);
    };
    let case = |ranks| Case::new("mnist-linear", ranks);
    check(case(3), "the global batch of 20 cannot be shared evenly by 3 ranks");
    check(case(0), "the global batch of 20 cannot be shared evenly by 0 ranks");
    let large = Case { training: training("mnist-linear", 1000, 0.1), ..case(1) };
    check(large, "400 training records are fewer than the global batch of 1000");
    let mut other = case(1);
    other.data.train = crate::data::Records::grey(28, 14, vec![0; 392 * 20], &[0; 20]);
    check(other, "records have 392 values, but the network takes 784");
}

#[test]
fn divergence_stops_every_rank_and_names_the_step() {
    for ranks in [1, 2] {
        let mut case = Case::new("mnist-mlp", ranks);
        case.training.optimizer = Optimizer::Sgd(Sgd { learning_rate: 1e30 });
        match case.run(None, &NEVER).0 {
            Err(TrainError::Diverged { loss, step, epoch: 1 }) => assert!(!loss.is_finite() && step > 1),
            other => panic!("expected divergence, found {other:?}"),
        }
    }
}
