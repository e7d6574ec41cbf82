//! Training with data parallelism: every rank holds the whole network and a share of each batch.
//!
//! The ranks average their gradients after every backward pass, so that any number of them takes
//! the same steps as one device would with the same global batch.

pub(crate) mod gradients;
mod observer;
mod optimizer;
mod phases;
mod progress;
mod rank;
mod timing;

pub use observer::{Observer, Silent, Snapshot};
pub use optimizer::build as build_optimizer;
pub use phases::Phases;
pub use progress::Progress;

use std::sync::atomic::AtomicBool;

use scenarios::scenario::Training;
use scenarios::units::Interval;

use crate::data::Records;
use crate::device::Devices;
use crate::model::{CheckpointError, Description, Network};
use crate::transport::{TransportError, thread_group};

/// A training to be done.
#[derive(Debug, Clone, Copy)]
pub struct Session<'a> {
    /// The recipe.
    pub training: &'a Training,
    /// What the network unfolds from.
    pub description: &'a Description,
    /// Records to learn from.
    pub train: &'a Records,
    /// Records to look at after each epoch; may be empty.
    pub validation: &'a Records,
    /// Data-parallel ranks.
    pub ranks: usize,
    /// Devices that the ranks take in turn.
    pub devices: &'a Devices,
    /// Seed of initial parameters and of the order of the records.
    pub seed: u64,
    /// Steps after which to stop, if not at the end of the last epoch.
    pub max_steps: Option<u64>,
    /// Set when the user wants to stop.
    pub stop: &'a AtomicBool,
    /// Where an earlier run stopped.
    pub resume: Option<&'a Resume>,
}

/// State of an interrupted training.
#[derive(Debug, Clone)]
pub struct Resume {
    /// How far it had come.
    pub progress: Progress,
    /// All parameters in order.
    pub parameters: Vec<f32>,
    /// The optimiser's state as [`burn::optim::ModuleOptimizer::into_bytes`] gives it.
    pub optimizer: Vec<u8>,
}

/// A training that has ended or was stopped.
#[derive(Debug)]
pub struct Outcome {
    /// The network as it is now.
    pub network: Network,
    /// How far it came, and the figures of each epoch.
    pub progress: Progress,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// Time of one step after warm-up.
    pub step_seconds: Option<Interval>,
    /// Records per second over all ranks after warm-up, input included.
    pub throughput: f64,
    /// Steps that were timed.
    pub timed_steps: u64,
    /// Where the time of rank 0 went.
    pub phases: Phases,
    /// Bytes of gradients that each rank gave to the others.
    pub exchanged_bytes: u64,
}

/// Why a training failed.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Fewer records than one batch.
    #[error("{records} training records are fewer than the global batch of {global_batch}")]
    TooFewRecords {
        /// Records to learn from.
        records: usize,
        /// Records of one step.
        global_batch: usize,
    },
    /// The batch cannot be shared evenly.
    #[error("the global batch of {global_batch} cannot be shared evenly by {ranks} ranks")]
    UnevenBatch {
        /// Records of one step.
        global_batch: usize,
        /// Ranks.
        ranks: usize,
    },
    /// Records and network do not fit.
    #[error("records have {found} values, but the network takes {expected}")]
    WrongShape {
        /// Values of a record.
        found: usize,
        /// Values that the network takes.
        expected: usize,
    },
    /// The loss is not a number any more.
    #[error("the loss is {loss} at step {step} of epoch {epoch}: the training has diverged")]
    Diverged {
        /// Loss.
        loss: f64,
        /// Step of the epoch, from 1.
        step: usize,
        /// Epoch, from 1.
        epoch: u32,
    },
    /// The ranks lost each other.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A checkpoint cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The state to go on from is of another network.
    #[error("the state of the earlier run cannot be used: {reason}")]
    State {
        /// Cause.
        reason: String,
    },
    /// A rank panicked.
    #[error("rank {rank} ended in a panic")]
    Panicked {
        /// The rank.
        rank: usize,
    },
}

/// Trains a network; what happens is told to `observer`.
///
/// # Errors
/// The session is impossible, the loss diverges, or a checkpoint cannot be written.
pub fn train(session: Session<'_>, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
    check(&session)?;
    let mut transports = thread_group(session.ranks).into_iter();
    let first = transports.next();
    std::thread::scope(|scope| {
        let others: Vec<_> = transports
            .map(|transport| scope.spawn(move || rank::run(session, transport, &mut Silent).map(drop)))
            .collect();
        let outcome = match first {
            Some(transport) => rank::run(session, transport, observer),
            None => Err(TrainError::UnevenBatch { global_batch: session.training.global_batch.get(), ranks: 0 }),
        };
        let ended = others
            .into_iter()
            .zip(1..)
            .map(|(handle, rank)| handle.join().unwrap_or(Err(TrainError::Panicked { rank })));
        first_cause(outcome, ended.collect())
    })
}

fn check(session: &Session<'_>) -> Result<(), TrainError> {
    let (records, global_batch) = (session.train.len(), session.training.global_batch.get());
    if records < global_batch {
        return Err(TrainError::TooFewRecords { records, global_batch });
    }
    if session.ranks == 0 || global_batch % session.ranks != 0 {
        return Err(TrainError::UnevenBatch { global_batch, ranks: session.ranks });
    }
    let (found, expected) = (session.train.values(), session.description.input());
    if found == expected { Ok(()) } else { Err(TrainError::WrongShape { found, expected }) }
}

/// The result of rank 0, unless it only saw that another rank had left: then that rank's reason.
fn first_cause(
    outcome: Result<Outcome, TrainError>,
    others: Vec<Result<(), TrainError>>,
) -> Result<Outcome, TrainError> {
    match outcome {
        Err(TrainError::Transport(left)) => {
            let cause = others.into_iter().filter_map(Result::err).find(|e| !matches!(e, TrainError::Transport(_)));
            Err(cause.unwrap_or(TrainError::Transport(left)))
        }
        Ok(outcome) => others.into_iter().collect::<Result<Vec<_>, _>>().map(|_| outcome),
        error => error,
    }
}

#[cfg(test)]
mod tests;
