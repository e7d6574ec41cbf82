//! Training: the loop over epochs and steps that every rank runs, whatever the strategy ([`crate::parallel`]).

mod observer;
mod phases;
mod progress;
mod rank;
mod snapshot;
mod support;
mod timing;

pub use observer::{Observer, Silent, Snapshot};
pub use phases::Phases;
pub(crate) use phases::{Phase, StepClock};
pub use progress::Progress;
pub use snapshot::RankState;

use std::sync::atomic::AtomicBool;

use scenarios::scenario::Training;
use scenarios::strategy::{Strategy, Sync};
use scenarios::units::Interval;

use crate::data::Records;
use crate::device::Devices;
use crate::model::{CheckpointError, Description, Network};
use crate::parallel::topology::{SERVERS, Topology};
use crate::parallel::update::{Server, serve};
use crate::transport::{Transport, TransportError, thread_group};

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
    /// How it is spread over ranks.
    pub strategy: &'a Strategy,
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
    /// A whole network whose weights it begins with, as far as names and sizes are the same.
    pub weights: Option<&'a Network>,
}

/// State of an interrupted training.
#[derive(Debug, Clone)]
pub struct Resume {
    /// How far it had come.
    pub progress: Progress,
    /// States of ranks with their numbers; replicas that have none of their own take that of the first one.
    pub ranks: Vec<(usize, RankState)>,
}

impl Resume {
    /// The state of a rank.
    fn of(&self, rank: usize, topology: &Topology) -> Result<&RankState, TrainError> {
        let first = rank - topology.place.replica * topology.shape.tensor;
        let of = |number: usize| self.ranks.iter().find(|(of, _)| *of == number).map(|(_, state)| state);
        let missing = || TrainError::State { reason: format!("it has none of rank {rank}") };
        of(rank).or_else(|| of(first)).ok_or_else(missing)
    }
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
    /// The strategy cannot be carried out for this network.
    #[error("{0}")]
    Unsupported(String),
    /// The share of a replica cannot be divided.
    #[error("the {share} records of a replica's step cannot be divided into micro-batches of {micro_batch}")]
    UnevenMicroBatch {
        /// Records of a replica's step.
        share: usize,
        /// Records of a micro-batch.
        micro_batch: usize,
    },
    /// More stages than pieces.
    #[error("the network has {pieces} pieces, too few for {stages} stages of {chunks} chunk(s)")]
    TooManyStages {
        /// Pieces of the network.
        pieces: usize,
        /// Stages.
        stages: usize,
        /// Chunks of each stage.
        chunks: usize,
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
    support::check(&session)?;
    let learners = session.strategy.ranks() as usize;
    let servers = support::servers(session.strategy);
    let mut transports = thread_group(learners + servers).into_iter();
    let first = transports.next().map(|transport| -> Box<dyn Transport> { Box::new(transport) });
    std::thread::scope(|scope| {
        let others: Vec<_> = transports
            .map(|transport| -> Box<dyn Transport> { Box::new(transport) })
            .map(|transport| {
                scope.spawn(move || {
                    if transport.rank() < learners {
                        rank::run(session, transport, &mut Silent).map(drop)
                    } else {
                        server(session, &*transport, learners)
                    }
                })
            })
            .collect();
        let outcome = first.map_or(Ok(None), |transport| rank::run(session, transport, observer));
        let ended = others
            .into_iter()
            .zip(1..)
            .map(|(handle, rank)| handle.join().unwrap_or(Err(TrainError::Panicked { rank })));
        first_cause(outcome, ended.collect())
    })
}

/// Runs a server of parameters to the end.
fn server(session: Session<'_>, job: &dyn Transport, workers: usize) -> Result<(), TrainError> {
    let group = job.split(SERVERS)?;
    let staleness = match session.strategy.sync {
        Sync::ParameterServer { staleness, .. } => staleness,
        _ => 0,
    };
    let device = session.devices.of_rank(job.rank());
    Ok(serve(&Server { training: session.training, workers, staleness, job, group: &*group, device })?)
}

/// The result of rank 0, unless it only saw that another rank had left: then that rank's reason.
fn first_cause(
    outcome: Result<Option<Outcome>, TrainError>,
    others: Vec<Result<(), TrainError>>,
) -> Result<Outcome, TrainError> {
    let outcome = outcome.and_then(|outcome| outcome.ok_or(TrainError::Panicked { rank: 0 }));
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
