//! Which trainings can be carried out.

use scenarios::carried_out;
use scenarios::strategy::{Strategy, Sync};

use super::{Session, TrainError};
use crate::parallel::topology::Shape;

/// Servers of parameters that a strategy asks for.
#[must_use]
pub const fn servers(strategy: &Strategy) -> u32 {
    match strategy.sync {
        Sync::ParameterServer { servers, .. } => servers.get(),
        Sync::AllReduce | Sync::Averaging { .. } => 0,
    }
}

/// That a training is possible.
pub(super) fn check(session: &Session) -> Result<(), TrainError> {
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

fn strategy(session: &Session) -> Result<(), TrainError> {
    let (strategy, global_batch) = (&session.strategy, session.training.global_batch.get());
    if let Some(what) = carried_out::unsupported(strategy) {
        return Err(TrainError::Unsupported(format!("`{strategy}` is planned, not carried out: {what}")));
    }
    let Shape { replicas, tensor, stages } = Shape::of(strategy);
    if !global_batch.is_multiple_of(replicas) {
        let fitting = nearest_multiples(
            global_batch,
            replicas * strategy.micro_batch.map_or(1, |records| records.get() as usize),
        );
        return Err(TrainError::UnevenBatch { global_batch, replicas, fitting });
    }
    let share = global_batch / replicas;
    let micro_batch = carried_out::micro_batch(strategy, share as u64) as usize;
    if !share.is_multiple_of(micro_batch) {
        let fitting = nearest_divisors(share, micro_batch);
        return Err(TrainError::UnevenMicroBatch { share, micro_batch, fitting });
    }
    let (pieces, chunks) = (session.description.pieces(), strategy.schedule.chunks() as usize);
    if stages > 1 && pieces < stages * chunks {
        return Err(TrainError::TooManyStages { pieces, stages, chunks });
    }
    session.description.check_shares(tensor).map_err(|error| TrainError::Unsupported(error.to_string()))
}

/// The multiples of `of` on both sides of a number.
fn nearest_multiples(number: usize, of: usize) -> Vec<usize> {
    let below = number / of * of;
    [below, below + of].into_iter().filter(|multiple| *multiple > 0).collect()
}

/// The divisors of `number` on both sides of `near`, which is none of them and smaller.
fn nearest_divisors(number: usize, near: usize) -> Vec<usize> {
    let divides = |divisor: &usize| number.is_multiple_of(*divisor);
    (1..near).rev().find(divides).into_iter().chain((near..=number).find(divides)).collect()
}
