//! Which trainings can be carried out.

use scenarios::carried_out;
use scenarios::strategy::{Strategy, Sync, Zero};

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
    for portion in &session.portions {
        let (records, global_batch) = (portion.train.len(), portion.batch.global_batch());
        if records < global_batch {
            let is_part = global_batch < session.training.global_batch.get();
            let site = if is_part { portion.site.clone() } else { String::new() };
            return Err(TrainError::TooFewRecords { records, global_batch, site });
        }
        let (found, expected) = (portion.train.values(), session.description.input());
        if found != expected {
            return Err(TrainError::WrongShape { found, expected });
        }
    }
    strategy(session)
}

/// Records of a global batch that each replica takes where none is faster than another.
///
/// # Errors
/// They cannot all take as many.
pub fn even_shares(strategy: &Strategy, global_batch: usize) -> Result<Vec<usize>, TrainError> {
    let replicas = strategy.data.get() as usize;
    if global_batch.is_multiple_of(replicas) {
        return Ok(vec![global_batch / replicas; replicas]);
    }
    let micro_batch = strategy.micro_batch.map_or(1, |records| records.get() as usize);
    Err(TrainError::UnevenBatch {
        global_batch,
        replicas,
        fitting: nearest_multiples(global_batch, replicas * micro_batch),
    })
}

fn strategy(session: &Session) -> Result<(), TrainError> {
    let strategy = &session.strategy;
    if let Some(what) = carried_out::unsupported(strategy) {
        return Err(TrainError::Unsupported(format!("`{strategy}` is planned, not carried out: {what}")));
    }
    let mut passes = Vec::with_capacity(session.portions.len());
    for share in session.portions.iter().map(|portion| portion.batch.records()) {
        if share == 0 {
            return Err(TrainError::Unsupported(
                "a replica takes no record of a batch, and would learn nothing".to_owned(),
            ));
        }
        let micro_batch = carried_out::micro_batch(strategy, share as u64) as usize;
        if !share.is_multiple_of(micro_batch) {
            let fitting = nearest_divisors(share, micro_batch);
            return Err(TrainError::UnevenMicroBatch { share, micro_batch, fitting });
        }
        passes.push(share / micro_batch);
    }
    if strategy.zero >= Zero::Gradients && passes.iter().any(|count| *count != passes[0]) {
        let what = "replicas that share gradients (ZeRO 2) exchange them after each of equally many micro-batches";
        return Err(TrainError::Unsupported(format!(
            "`{strategy}` with uneven shares of a batch is not carried out: {what}"
        )));
    }
    let Shape { tensor, stages, .. } = Shape::of(strategy);
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
