//! Which trainings can be carried out.

use scenarios::carried_out;
use scenarios::strategy::{Strategy, Sync};

use super::{Session, TrainError, snapshot};
use crate::parallel::topology::Shape;

/// Servers of parameters that a strategy asks for.
pub(super) const fn servers(strategy: &Strategy) -> usize {
    match strategy.sync {
        Sync::ParameterServer { servers, .. } => servers.get() as usize,
        Sync::AllReduce | Sync::Averaging { .. } => 0,
    }
}

/// That a training is possible.
pub(super) fn check(session: &Session<'_>) -> Result<(), TrainError> {
    let (records, global_batch) = (session.train.len(), session.training.global_batch.get());
    if records < global_batch {
        return Err(TrainError::TooFewRecords { records, global_batch });
    }
    let (found, expected) = (session.train.values(), session.description.input());
    if found != expected {
        return Err(TrainError::WrongShape { found, expected });
    }
    strategy(session)
}

fn strategy(session: &Session<'_>) -> Result<(), TrainError> {
    let (strategy, global_batch) = (session.strategy, session.training.global_batch.get());
    if let Some(what) = carried_out::unsupported(strategy) {
        return Err(TrainError::Unsupported(format!("`{strategy}` is planned, not carried out: {what}")));
    }
    let Shape { replicas, tensor, stages } = Shape::of(strategy);
    if !global_batch.is_multiple_of(replicas) {
        return Err(TrainError::UnevenBatch { global_batch, ranks: replicas });
    }
    let share = global_batch / replicas;
    let micro_batch = snapshot::micro_batch(strategy, share);
    if !share.is_multiple_of(micro_batch) {
        return Err(TrainError::UnevenMicroBatch { share, micro_batch });
    }
    let (pieces, chunks) = (session.description.pieces(), strategy.schedule.chunks() as usize);
    if stages > 1 && pieces < stages * chunks {
        return Err(TrainError::TooManyStages { pieces, stages, chunks });
    }
    session.description.check_shares(tensor).map_err(|error| TrainError::Unsupported(error.to_string()))
}
