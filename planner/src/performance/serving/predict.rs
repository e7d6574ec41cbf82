//! A prediction with its spread.

use scenarios::units::Interval;

use super::accuracy::{spread_rate, spread_seconds};
use super::batching::{Operation, operate};
use super::calibration::{Batching, ServingCalibration};
use super::load::{Bucket, Load};
use super::server::{Impossible, Server};

/// What a replica does under a load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Serving {
    /// Tokens of answers in a second.
    pub tokens_per_second: Interval,
    /// Answered requests in a second.
    pub requests_per_second: Interval,
    /// Mean time to a request's first token, in seconds; see [`Operation::first_token_seconds`].
    pub first_token_seconds: Interval,
    /// Mean time between two tokens of an answer, in seconds.
    pub token_seconds: Interval,
    /// The median in detail: concurrency, memory, parts of a round.
    pub operation: Operation,
    /// Whether runs on this device informed the constants; else the spread is that of devices that were left out.
    pub is_calibrated: bool,
}

/// Predicts a replica under a load.
///
/// Where requests arrive at a rate that the replica keeps up with, the rates are the arrivals' and have no spread.
///
/// # Errors
/// See [`operate`].
pub fn predict(
    server: &Server,
    buckets: &[Bucket],
    load: Load,
    calibration: &ServingCalibration,
) -> Result<Serving, Impossible> {
    let fitted = calibration.fitted(Batching::of(load));
    let operation = operate(server, buckets, load, &fitted.constants(server))?;
    let factors = fitted.factors(server);
    let rate = |rate: f64| match load {
        Load::Rate(_) => Interval { p10: rate, p50: rate, p90: rate },
        Load::Batches(_) | Load::Saturated | Load::Queued(_) => spread_rate(rate, factors),
    };
    Ok(Serving {
        tokens_per_second: rate(operation.tokens_per_second),
        requests_per_second: rate(operation.requests_per_second),
        first_token_seconds: spread_seconds(operation.first_token_seconds, factors),
        token_seconds: spread_seconds(operation.token_seconds, factors),
        operation,
        is_calibrated: fitted.knows(server),
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{llama_70b, n, server};
    use super::*;
    use scenarios::precision::Precision;

    fn predicted(device: &str, load: Load) -> Result<Serving, Impossible> {
        let server = server(llama_70b(), device, Precision::Fp8, 4, 1);
        predict(&server, &[Bucket::only(n(1000), n(500))], load, &ServingCalibration::bundled())
    }

    #[test]
    fn figures_have_a_spread() {
        let check = |device: &str, load: Load, is_calibrated: bool| {
            let serving = predicted(device, load).expect("possible");
            assert_eq!(serving.is_calibrated, is_calibrated, "{device} {load:?}");
            let has_free_rate = !matches!(load, Load::Rate(_));
            for (figure, is_wide) in [
                (serving.tokens_per_second, has_free_rate),
                (serving.requests_per_second, has_free_rate),
                (serving.first_token_seconds, true),
                (serving.token_seconds, true),
            ] {
                let Interval { p10, p50, p90 } = figure;
                assert!(0.0 < p10 && p10 <= p50 && p50 <= p90 && p90.is_finite(), "{device} {load:?}: {figure:?}");
                assert_eq!(p10 < p90, is_wide, "{device} {load:?}: {figure:?}");
            }
            let round = serving.operation.round.total();
            assert!((round / serving.token_seconds.p50 - 1.0).abs() < 1e-9, "{device} {load:?}");
        };
        for load in [Load::Batches(n(16)), Load::Saturated, Load::Queued(n(2000)), Load::Rate(1.0)] {
            check("H100-SXM-80GB", load, true);
            check("MI300X", load, false);
        }
    }

    #[test]
    fn a_device_without_runs_is_less_certain() {
        let width = |device| {
            let Interval { p10, p90, .. } = predicted(device, Load::Saturated).expect("possible").tokens_per_second;
            p90 / p10
        };
        assert!(width("MI300X") > width("H100-SXM-80GB"));
    }
}
