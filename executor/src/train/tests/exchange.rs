//! Gradients that go to other replicas bucket by bucket, while the rank computes or in its stead.

use super::families::{gpt, on, photos, residual, text};
use super::*;

/// Buckets so small that every network has several.
const SMALL: usize = 2000;

/// A training whose gradients are exchanged beside the passes is that without, bit by bit, every time, and that of one
/// device.
fn check(case: impl Fn(&str) -> Case, strategies: &[&str]) {
    let some = |strategy: &str, buckets: Buckets| Case { buckets, max_steps: Some(8), ..case(strategy) }.outcome();
    let one = some("data:1", BETWEEN);
    for strategy in strategies {
        let run = |beside: bool| some(strategy, Buckets { bytes: SMALL, beside });
        let between = run(false);
        assert_same_steps(&between, &one, strategy);
        for _ in 0..2 {
            let beside = run(true);
            assert_eq!(beside.progress.first_losses, between.progress.first_losses, "{strategy}");
            assert_eq!(values(&beside.network), values(&between.network), "{strategy}");
            assert_eq!(given_bytes(&beside), given_bytes(&between), "{strategy}");
        }
    }
}

#[test]
fn chains() {
    let strategies = [
        "data:2",
        "data:4,micro_batch:5",
        "data:2,recompute:full",
        "data:2,zero:1,micro_batch:5",
        "data:2,zero:2",
        "data:4,zero:2,micro_batch:1",
        "data:2,pipeline:2,micro_batch:5",
        "data:2,pipeline:2,chunks:2,micro_batch:2",
        "data:2,pipeline:2,zero:2,micro_batch:2",
    ];
    let case = |preset: &'static str, clip_norm: Option<f64>| {
        move |strategy: &str| {
            let mut case = Case::by(preset, strategy);
            case.training.clip_norm = clip_norm;
            case
        }
    };
    check(case("mnist-cnn", None), &strategies);
    check(case("mnist-mlp", Some(0.5)), &strategies[3..6]);
}

#[test]
fn networks_on_tokens_whose_ends_share_a_matrix() {
    check(
        |strategy| on(strategy, &gpt(), &text()),
        &["data:2", "data:4,zero:2,micro_batch:1", "data:2,tensor:2,zero:1", "data:2,pipeline:2,zero:2,micro_batch:5"],
    );
}

#[test]
fn batch_statistics_meet_while_gradients_are_exchanged() {
    check(
        |strategy| on(strategy, &residual(), &photos()),
        &["data:2", "data:4,zero:2", "data:2,pipeline:2,micro_batch:10"],
    );
}

#[test]
fn what_went_on_beside_the_passes_is_measured() {
    let buckets = Buckets { bytes: SMALL, beside: true };
    let phases = Case { buckets, ..Case::by("mnist-mlp", "data:2") }.outcome().ranks[0].phases;
    assert!(phases.hidden_communication_seconds() >= 0.0 && phases.mean_seconds()["communication"] > 0.0, "{phases:?}");
    let alone = Case { buckets, ..Case::by("mnist-mlp", "data:1") }.outcome().ranks[0].phases;
    assert!(alone.hidden_communication_seconds() <= 0.0, "{alone:?}");
}
