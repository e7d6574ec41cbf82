//! What the first rank tells its caller, who listens in another thread.

use std::sync::mpsc::{RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use scenarios::run::Epoch;

use super::{Outcome, Progress, RankReport, RankState, TrainError};
use crate::model::{CheckpointError, Network};

/// Time between signs of life of a rank that waits for its checkpoint to be written.
const SIGN: Duration = Duration::from_secs(1);

/// What ranks tell.
pub(super) enum Message {
    /// An epoch has ended.
    Epoch(Epoch),
    /// A snapshot is to be kept.
    Keep(Box<Kept>),
    /// A rank has ended; the first one has the outcome.
    Ended(usize, Result<Box<Finished>, TrainError>),
}

/// What a rank leaves behind.
pub(super) struct Finished {
    pub(super) outcome: Option<Box<Outcome>>,
    pub(super) report: RankReport,
}

/// A snapshot, and where to say that it was kept.
pub(super) struct Kept {
    pub(super) network: Network,
    pub(super) ranks: Vec<(usize, RankState)>,
    pub(super) progress: Progress,
    pub(super) done: SyncSender<Result<(), CheckpointError>>,
}

/// Progress that nobody has looked at yet, with the steps of an epoch.
pub(super) type Latest = Arc<Mutex<Option<(Progress, usize)>>>;

/// Tells what happens.
#[derive(Clone)]
pub(super) struct Relay {
    pub(super) messages: Sender<Message>,
    pub(super) latest: Latest,
}

impl Relay {
    /// Steps have been taken, of `steps` in an epoch. Nobody is woken for it.
    pub(super) fn stepped(&self, progress: &Progress, steps: usize) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *latest {
            Some((before, of)) => {
                before.clone_from(progress);
                *of = steps;
            }
            none => *none = Some((progress.clone(), steps)),
        }
    }

    /// An epoch has ended.
    pub(super) fn epoch_ended(&self, epoch: Epoch) -> Result<(), TrainError> {
        self.messages.send(Message::Epoch(epoch)).map_err(|_| TrainError::GivenUp)
    }

    /// Has a snapshot kept, and waits for it with signs of life.
    pub(super) fn keep(
        &self,
        (network, ranks, progress): (Network, Vec<(usize, RankState)>, Progress),
        alive: impl Fn(),
    ) -> Result<(), TrainError> {
        let (done, kept) = sync_channel(1);
        let snapshot = Kept { network, ranks, progress, done };
        self.messages.send(Message::Keep(Box::new(snapshot))).map_err(|_| TrainError::GivenUp)?;
        loop {
            match kept.recv_timeout(SIGN) {
                Ok(result) => return Ok(result?),
                Err(RecvTimeoutError::Timeout) => alive(),
                Err(RecvTimeoutError::Disconnected) => return Err(TrainError::GivenUp),
            }
        }
    }
}
