//! Passes in 16 bits with parameters in 32.

use super::families::{gpt, on, photos, residual, text};
use super::*;

/// Training in 16 bits follows that in 32: losses within `tolerance` of the first one's, and parameters that moved the same
/// way.
fn check(case: impl Fn(&str) -> Case, strategies: &[&str], tolerance: f64) {
    for strategy in strategies {
        let run = |precision: Precision| {
            let mut case = case(strategy);
            (case.training.precision, case.max_steps) = (precision, Some(15));
            case.outcome()
        };
        let exact = run(Precision::Fp32);
        for precision in [Precision::Bf16, Precision::Fp16] {
            let mixed = run(precision);
            let losses = mixed.progress.first_losses.iter().zip(&exact.progress.first_losses);
            let first = exact.progress.first_losses[0];
            let off = losses.map(|(mixed, exact)| (mixed - exact).abs() / first).fold(0.0, f64::max);
            assert!(off > 0.0 && off < tolerance, "{precision} by {strategy}: losses are off by {off}");
            let (found, expected) = (values(&mixed.network), values(&exact.network));
            // Values between those that 16 bits have: the parameters themselves are in 32.
            assert!(found.iter().any(|value| value.to_bits() & 0xfff != 0), "{precision} by {strategy}");
            let distance: f32 = found.iter().zip(&expected).map(|(a, b)| (a - b).powi(2)).sum();
            let length: f32 = expected.iter().map(|value| value.powi(2)).sum();
            assert!(distance.sqrt() < 0.1 * length.sqrt(), "{precision} by {strategy}: {distance} of {length}");
            let again = run(precision);
            assert_eq!(values(&again.network), found, "{precision} by {strategy}");
        }
    }
}

#[test]
fn every_kind_of_piece_follows_32_bits() {
    check(|strategy| Case::by("mnist-cnn", strategy), &["data:1", "data:2,zero:2,micro_batch:5"], 0.05);
    check(|strategy| on(strategy, &gpt(), &text()), &["data:2", "tensor:2", "pipeline:2,micro_batch:5"], 0.05);
    check(|strategy| on(strategy, &residual(), &photos()), &["data:1", "data:2,recompute:full"], 0.1);
}

#[test]
fn gradients_that_overflow_are_left_out_and_counted() {
    let mut case = Case::by("mnist-mlp", "data:2");
    case.training.precision = Precision::Fp16;
    case.max_steps = Some(10);
    // A loss so large that its gradient overflows at the first scale.
    case.training.preprocessing.normalize = Some([0.5, 0.001]);
    let scale = case.outcome().progress.loss_scale.expect("half precision is scaled");
    assert!(scale.skipped > 0 && scale.factor < 65536.0, "{scale:?}");
    let mut plain = Case::by("mnist-mlp", "data:2");
    plain.max_steps = Some(2);
    assert_eq!(plain.outcome().progress.loss_scale, None);
}
