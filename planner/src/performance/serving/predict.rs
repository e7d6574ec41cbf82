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
