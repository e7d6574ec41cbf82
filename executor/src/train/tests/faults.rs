//! Ranks that die or hang, and figures that are no numbers.

use std::time::{Duration, Instant};

use super::super::fault::{Fault, Kind};
use super::*;

/// A case whose rank `rank` has a fault in its step 12, in the first epoch of 20 steps.
fn faulty(strategy: &str, rank: usize, kind: Kind) -> Case {
    let mut case = Case::by("mnist-mlp", strategy);
    case.sites = ["lab", "cloud", "cloud", "lab"].map(str::to_owned).to_vec();
    case.fault = Some(Fault { rank, step: 12, kind });
    case
}

#[test]
fn a_rank_that_dies_is_named_with_its_place_and_reason() {
    let check = |strategy: &str, rank: usize, text: &'static str, expected: &str| {
        let error = faulty(strategy, rank, Kind::Panic(text)).run(None, &never()).0.expect_err(expected);
        assert_eq!(error.to_string(), expected, "{strategy}");
    };
    check("data:1", 0, "a bug", "rank 0 (site lab) has ended: a bug");
    check("data:4", 2, "a bug", "rank 2 (replica 2, site cloud) has ended: a bug");
    check("pipeline:2,micro_batch:5", 1, "a bug", "rank 1 (stage 1, site lab) has ended: a bug");
    check("data:2,zero:1", 0, "a bug", "rank 0 (replica 0, site lab) has ended: a bug");
    check("data:2,servers:1", 1, "a bug", "rank 1 (replica 1, site cloud) has ended: a bug");
    check(
        "data:2",
        1,
        "wgpu error: Out of Memory",
        "the device of rank 1 (replica 1, site cloud) is out of memory: wgpu error: Out of Memory",
    );
}

#[test]
fn a_rank_that_hangs_is_named_and_holds_nobody() {
    for (strategy, rank, place) in [
        ("data:2", 0, "replica 0, site lab"),
        ("data:3,servers:1,staleness:2", 1, "replica 1, site cloud"),
        ("pipeline:4,micro_batch:5", 3, "stage 3, site lab"),
    ] {
        let mut case = faulty(strategy, rank, Kind::Still(Duration::from_mins(10)));
        (case.training.global_batch, case.training.model) =
            (NonZeroUsize::new(30).expect("not zero"), Model::Preset("mnist-cnn".to_owned()));
        case.patience.step = Duration::from_secs(2);
        let started = Instant::now();
        match case.run(None, &never()).0 {
            Err(TrainError::RankLost { rank: found, place: of, how: Lost::Silent(_) }) => {
                assert_eq!((found, of), (rank, format!(" ({place})")), "{strategy}");
            }
            other => panic!("{strategy}: expected a rank that hangs, found {other:?}"),
        }
        assert!(started.elapsed() < Duration::from_mins(5), "{strategy}: it waited for the rank");
    }
}

#[test]
fn a_rank_that_computes_for_long_is_waited_for() {
    let mut case = faulty("data:2", 1, Kind::Still(Duration::from_secs(3)));
    case.fault = case.fault.map(|fault| Fault { step: 1, ..fault });
    case.patience.step = Duration::from_millis(800);
    assert_eq!(case.outcome().progress.steps, 40, "its kernels may have been compiling");
}

#[test]
fn a_training_goes_on_from_the_last_checkpoint_after_a_rank_has_died() {
    let whole = Case::by("mnist-mlp", "data:2").outcome();
    let mut case = Case::by("mnist-mlp", "data:2");
    case.fault = Some(Fault { rank: 1, step: 30, kind: Kind::Panic("a bug") });
    let (ended, keeper) = case.run(None, &never());
    assert!(matches!(ended, Err(TrainError::RankLost { rank: 1, .. })), "{ended:?}");
    assert_eq!(keeper.kept.as_ref().map(|kept| kept.progress.steps), Some(20));
    case.fault = None;
    let rest = case.run(keeper.kept.as_ref(), &never()).0.expect("it goes on");
    assert_eq!(values(&rest.network), values(&whole.network));
}

#[test]
fn what_is_no_number_stops_every_rank_names_the_step_and_is_not_kept() {
    for strategy in ["data:1", "data:2", "data:2,zero:1", "data:2,average_every:3", "pipeline:2,micro_batch:5"] {
        let mut case = Case::by("mnist-mlp", strategy);
        case.training.optimizer = Optimizer::Sgd(Sgd { learning_rate: 1e30 });
        let (ended, keeper) = case.run(None, &never());
        match ended {
            Err(TrainError::NotFinite { what: Figure::Loss, value, step, epoch: 1, rank: Some(_) }) => {
                assert!(!value.is_finite() && step > 1, "{strategy}");
            }
            other => panic!("{strategy}: expected divergence, found {other:?}"),
        }
        assert!(keeper.kept.is_none(), "{strategy}");
    }
}

#[test]
fn parameters_that_are_no_numbers_after_the_last_step_are_not_kept() {
    for strategy in ["data:1", "data:2"] {
        let mut case = Case::by("mnist-mlp", strategy);
        case.training.optimizer = Optimizer::Sgd(Sgd { learning_rate: 1e39 });
        case.max_steps = Some(1);
        let (ended, keeper) = case.run(None, &never());
        assert!(
            matches!(ended, Err(TrainError::NotFinite { what: Figure::Parameters, step: 1, .. })),
            "{strategy}: {ended:?}"
        );
        assert!(keeper.kept.is_none(), "{strategy}");
    }
}
