//! How the ranks of one job talk to each other.
//!
//! Sums are taken in the order of the ranks, so a run repeats bit by bit.

mod meeting;
mod threads;

pub use threads::{ThreadTransport, thread_group};

/// Collective operations between the ranks of one job.
pub trait Transport: Send {
    /// Number of this rank, from 0.
    fn rank(&self) -> usize;

    /// Ranks in the group.
    fn size(&self) -> usize;

    /// Replaces `buffer` in every rank by the sum over all ranks. All buffers have one length.
    ///
    /// # Errors
    /// Another rank has left, or brought a buffer of another length.
    fn all_reduce(&mut self, buffer: &mut Vec<f32>) -> Result<(), TransportError>;

    /// Waits until every rank is here.
    ///
    /// # Errors
    /// Another rank has left.
    fn barrier(&mut self) -> Result<(), TransportError>;
}

/// Why a collective failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// A rank ended while others waited for it.
    #[error("rank {rank} has left the group")]
    RankLeft {
        /// The rank that left.
        rank: usize,
    },
    /// The ranks brought buffers of different lengths.
    #[error("rank {rank} brought {found} values to an all-reduce where rank 0 brought {expected}")]
    LengthsDiffer {
        /// A rank that differs from rank 0.
        rank: usize,
        /// Values that it brought.
        found: usize,
        /// Values that rank 0 brought.
        expected: usize,
    },
}
