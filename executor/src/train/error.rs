//! Why a training fails.

use crate::model::CheckpointError;
use crate::transport::TransportError;

/// Why a training failed. Ranks are numbered as in the whole job.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Fewer records than one batch.
    #[error(
        "{records} training records{place} are fewer than the {global_batch} that each step takes from them",
        place = if site.is_empty() { String::new() } else { format!(" of site `{site}`") }
    )]
    TooFewRecords {
        /// Records to learn from.
        records: usize,
        /// Records of one step that are taken from them.
        global_batch: usize,
        /// Site where they lie, if they lie at several in parts.
        site: String,
    },
    /// The batch cannot be shared evenly.
    #[error(
        "the global batch of {global_batch} cannot be shared evenly by {replicas} replicas, but {} can",
        either(fitting)
    )]
    UnevenBatch {
        /// Records of one step.
        global_batch: usize,
        /// Replicas of the data.
        replicas: usize,
        /// The nearest batches that can.
        fitting: Vec<usize>,
    },
    /// The strategy cannot be carried out for this network.
    #[error("{0}")]
    Unsupported(String),
    /// The share of a replica cannot be divided.
    #[error(
        "the {share} records of a replica's step cannot be divided into micro-batches of {micro_batch}, but into those of {}",
        either(fitting)
    )]
    UnevenMicroBatch {
        /// Records of a replica's step.
        share: usize,
        /// Records of a micro-batch.
        micro_batch: usize,
        /// The nearest micro-batches that would do.
        fitting: Vec<usize>,
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
    /// Something is no number any more. No checkpoint is made of it.
    #[error("{what} {verb} {value} at step {step} of epoch {epoch}{}: the training has diverged", of_rank(*rank), verb = what.verb())]
    NotFinite {
        /// What it is.
        what: Figure,
        /// Its value.
        value: f64,
        /// Step of the epoch, from 1.
        step: usize,
        /// Epoch, from 1.
        epoch: u32,
        /// Rank where it came up; none if that is not known.
        rank: Option<usize>,
    },
    /// A rank has ended or hangs.
    #[error("rank {rank}{place} has {how}")]
    RankLost {
        /// The rank.
        rank: usize,
        /// Where it stands, in brackets.
        place: String,
        /// What became of it.
        how: Lost,
    },
    /// A device has no memory left.
    #[error("the device of rank {rank}{place} is out of memory: {reason}")]
    OutOfMemory {
        /// The rank.
        rank: usize,
        /// Where it stands, in brackets.
        place: String,
        /// What the device says.
        reason: String,
    },
    /// The operating system starts no thread.
    #[error("cannot start a thread for rank {rank}: {source}")]
    Spawn {
        /// The rank.
        rank: usize,
        /// Cause.
        source: std::io::Error,
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
    /// Nobody attends to the training any more, because another rank has failed.
    #[error("the training was given up")]
    GivenUp,
}

/// A figure that has to be finite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Mean loss of a step.
    Loss,
    /// Mean loss on the validation records.
    ValidationLoss,
    /// A gradient, summed over replicas.
    Gradient,
    /// One of the parameters.
    Parameters,
}

impl Figure {
    const fn verb(self) -> &'static str {
        match self {
            Self::Loss | Self::ValidationLoss | Self::Gradient => "is",
            Self::Parameters => "has become",
        }
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Loss => "the loss",
            Self::ValidationLoss => "the validation loss",
            Self::Gradient => "a gradient",
            Self::Parameters => "a parameter",
        })
    }
}

/// How a rank was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// It ended, for this reason.
    Ended(String),
    /// It has given no sign of life for so many seconds.
    Silent(u64),
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended(reason) => write!(f, "ended: {reason}"),
            Self::Silent(seconds) => write!(f, "been silent for {seconds} s"),
        }
    }
}

fn either(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ")
}

fn of_rank(rank: Option<usize>) -> String {
    rank.map_or_else(String::new, |rank| format!(" in rank {rank}"))
}
