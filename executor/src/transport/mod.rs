//! How the ranks of one job talk to each other.
//!
//! Sums are taken in the order of the ranks, so a run repeats bit by bit. No wait is for ever: a rank that has left or
//! hangs is named to those who wait for it.

pub mod bytes;
mod counted;
mod mail;
mod meeting;
mod threads;
mod world;

pub use counted::{Counted, Counts, Given, Operation};
pub use threads::{ThreadTransport, thread_group, thread_group_with};
pub use world::{Pace, Patience, Watcher};

/// What becomes of the values that the ranks bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// The greatest of them.
    Greatest,
}

/// Operations between the ranks of one group. All ranks of a group call the same collective operations in the same order.
pub trait Transport: Send {
    /// Number of this rank, from 0.
    fn rank(&self) -> usize;

    /// Ranks in the group.
    fn size(&self) -> usize;

    /// Replaces `buffer` in every rank by the reduction over all ranks. All buffers have one length.
    ///
    /// # Errors
    /// Another rank has left or hangs, or brought a buffer of another length.
    fn all_reduce(&self, buffer: &mut Vec<f32>, reduction: Reduction) -> Result<(), TransportError>;

    /// The part of the sum over all ranks that falls to this rank: `buffer` is replaced by `parts(length)[rank]` of it.
    ///
    /// # Errors
    /// As [`Transport::all_reduce`].
    fn reduce_scatter(&self, buffer: &mut Vec<f32>) -> Result<(), TransportError>;

    /// What all ranks bring, in their order.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    fn all_gather(&self, own: Vec<f32>) -> Result<Vec<Vec<f32>>, TransportError>;

    /// Replaces `buffer` in every rank by that of `root`.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    fn broadcast(&self, root: usize, buffer: &mut Vec<f32>) -> Result<(), TransportError>;

    /// Gives values to another rank. It does not wait until they are taken.
    ///
    /// # Errors
    /// The other rank has left.
    fn send(&self, to: usize, tag: u64, values: Vec<f32>) -> Result<(), TransportError>;

    /// Takes values that another rank gave under this tag, in the order of their giving.
    ///
    /// # Errors
    /// The other rank has left or hangs.
    fn receive(&self, from: usize, tag: u64) -> Result<Vec<f32>, TransportError>;

    /// Takes the values of whichever of these ranks gave some under this tag, with its number.
    ///
    /// # Errors
    /// One of them has left, and none of them gave anything.
    fn receive_any(&self, from: &[usize], tag: u64) -> Result<(usize, Vec<f32>), TransportError>;

    /// Waits until every rank is here.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    fn barrier(&self) -> Result<(), TransportError>;

    /// The group of the ranks that give the same colour, in the order of this group.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    fn split(&self, color: usize) -> Result<Box<dyn Transport>, TransportError>;

    /// Tells those who watch that this rank lives, though it has not met the others for a while.
    fn alive(&self);

    /// The same, and what it is about to do.
    fn pace(&self, pace: Pace);
}

/// Why an operation failed. Ranks are numbered as in the whole job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// A rank ended while others waited for it.
    #[error("rank {rank} has left the group")]
    RankLeft {
        /// The rank that left.
        rank: usize,
    },
    /// A rank gives no sign of life.
    #[error("rank {rank} has given no sign of life for {seconds} seconds")]
    RankHangs {
        /// The rank that is waited for.
        rank: usize,
        /// Since when.
        seconds: u64,
    },
    /// The ranks brought buffers of different lengths.
    #[error("rank {rank} brought {found} values to an exchange where rank {of} brought {expected}")]
    LengthsDiffer {
        /// A rank that differs from the first one.
        rank: usize,
        /// Values that it brought.
        found: usize,
        /// The first rank.
        of: usize,
        /// Values that the first rank brought.
        expected: usize,
    },
}

/// Start of the part of `length` values that falls to `rank` of `size`; that of rank `size` is the length.
#[must_use]
pub const fn part_start(length: usize, rank: usize, size: usize) -> usize {
    length / size * rank + if rank < length % size { rank } else { length % size }
}
