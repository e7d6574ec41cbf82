//! Who is told what happens while a network is trained.

use scenarios::run::Epoch;

use super::{Progress, RankState};
use crate::model::{CheckpointError, Network};

/// State of a training that can be continued from.
pub struct Snapshot<'a> {
    /// The network.
    pub network: &'a Network,
    /// States of the ranks, with their numbers.
    pub ranks: &'a [(usize, RankState)],
    /// How far it has come.
    pub progress: &'a Progress,
}

/// Is told of steps and epochs, and keeps snapshots.
pub trait Observer {
    /// Steps have been taken, of `steps` in an epoch. It is told now and then, not after each of them.
    fn stepped(&mut self, progress: &Progress, steps: usize);

    /// An epoch has ended.
    fn epoch_ended(&mut self, epoch: &Epoch);

    /// Keeps a snapshot.
    ///
    /// # Errors
    /// It cannot be written.
    fn keep(&mut self, snapshot: Snapshot<'_>) -> Result<(), CheckpointError>;
}

/// Tells nobody and keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn stepped(&mut self, _: &Progress, _: usize) {}

    fn epoch_ended(&mut self, _: &Epoch) {}

    fn keep(&mut self, _: Snapshot<'_>) -> Result<(), CheckpointError> {
        Ok(())
    }
}
