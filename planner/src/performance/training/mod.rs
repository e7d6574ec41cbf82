//! Predicts one step of a training on machines that are known by their data sheet and a calibration.
//!
//! A network becomes [`Segment`]s of one rank ([`super::network`]); [`device`] gives kernels their time, [`exchange`]
//! messages theirs, [`step`] puts both together. The [`Constants`] come from a calibration.

pub mod cluster;
pub mod constants;
pub mod device;
pub mod exchange;
pub mod fastest;
pub mod inference;
pub mod job;
pub mod memory;
pub mod search;
pub mod step;

pub use cluster::Cluster;
pub use constants::{Constant, Constants};
pub use device::Device;
pub use fastest::{Allowed, Fastest, fastest};
pub use inference::{Forward, forward};
pub use job::{Impossible, Training};
pub use memory::Memory;
pub use search::{Found, Search, search};
pub use step::{Step, Timing};

use super::kernel::Segment;
use super::network::{self, transformer};

/// Time of one optimiser step.
///
/// # Errors
/// The strategy is impossible, or the data sheet lacks a rate.
pub fn predict(training: &Training, constants: &Constants) -> Result<Step, Impossible> {
    training.check()?;
    step::step(training, &lower(training)?, constants, Timing::Simulated)
}

/// The segments of one rank.
///
/// # Errors
/// The network cannot be lowered.
pub fn lower(training: &Training) -> Result<Vec<Segment>, Impossible> {
    let records = training.micro_batch() as f64;
    let Some(model) = training.transformer() else {
        let failed = |error: network::NetworkError| Impossible::Model(error.to_string());
        return network::segments(&training.model, records, training.precision).map_err(failed);
    };
    let work = transformer::Work {
        sequences: records,
        tokens: model.sequence.get() as f64,
        precision: training.precision,
        fused_attention: training.fused_attention,
        frozen: training.frozen,
    };
    Ok(transformer::segments(model, &training.strategy, &work).into())
}
