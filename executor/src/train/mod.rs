//! Training: the loop over epochs and steps that every rank runs, whatever the strategy ([`crate::parallel`]).

mod course;
mod error;
#[cfg(test)]
mod fault;
mod observer;
mod phases;
mod progress;
mod rank;
mod ranks;
mod relay;
mod report;
mod snapshot;
mod support;
mod timing;

pub use course::Course;
pub use error::{Figure, Lost, TrainError};
pub use observer::{Observer, Silent, Snapshot};
pub use phases::Phases;
pub(crate) use phases::{Phase, StepClock};
pub use progress::Progress;
pub use report::{Outside, RankReport};
pub use snapshot::RankState;
pub use support::{even_shares, servers};

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use scenarios::scenario::Training;
use scenarios::strategy::Strategy;
use scenarios::units::Interval;

use crate::data::Portion;
use crate::device::Devices;
use crate::model::{Description, Network};
use crate::parallel::exchange::Buckets;
use crate::parallel::topology::Topology;
use crate::transport::Patience;
use ranks::Ranks;

/// A training to be done.
#[derive(Debug, Clone)]
pub struct Session {
    /// The recipe.
    pub training: Training,
    /// What the network unfolds from.
    pub description: Description,
    /// What each replica reads, in their order.
    pub portions: Vec<Portion>,
    /// The steps to take.
    pub course: Course,
    /// How it is spread over ranks.
    pub strategy: Strategy,
    /// Devices that the ranks take in turn.
    pub devices: Devices,
    /// How long a rank may be silent.
    pub patience: Patience,
    /// How replicas exchange gradients.
    pub buckets: Buckets,
    /// Seed of initial parameters and of the order of the records.
    pub seed: u64,
    /// Steps after which to stop, if not at the end of the last epoch.
    pub max_steps: Option<u64>,
    /// Set when the user wants to stop.
    pub stop: Arc<AtomicBool>,
    /// Where an earlier run stopped.
    pub resume: Option<Resume>,
    /// A whole network whose weights it begins with, as far as names and sizes are the same.
    pub weights: Option<Network>,
    /// What goes wrong, for tests.
    #[cfg(test)]
    pub(crate) fault: Option<fault::Fault>,
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
    /// Records of a step over all ranks.
    pub records_per_step: f64,
    /// Steps that were timed.
    pub timed_steps: u64,
    /// What each rank measured, in their order.
    pub ranks: Vec<RankReport>,
}

/// Trains a network; what happens is told to `observer`, in this thread.
///
/// # Errors
/// The session is impossible, a figure is no number any more, a rank is lost, or a checkpoint cannot be written.
pub fn train(session: Session, observer: &mut dyn Observer) -> Result<Outcome, TrainError> {
    support::check(&session)?;
    Ranks::start(session)?.attend(observer)
}

#[cfg(test)]
mod tests;
