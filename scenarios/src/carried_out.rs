//! What the executor carries out, of all that can be planned: one rule for planner and executor.

use std::num::NonZeroUsize;

use crate::model::pieces::pieces;
use crate::model::{Model, ShapeError};
use crate::strategy::{Strategy, Sync, Zero};

/// Bytes of gradients that fill a bucket, which replicas exchange at a time: enough that an exchange takes longer than to begin
/// it, few enough that the first one is on its way long before the last gradients are known.
pub const BUCKET_BYTES: usize = 4 << 20;

/// Why a training is planned only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCarriedOut {
    /// Something of the strategy, or of the network.
    #[error("`{strategy}` is planned, not carried out: {what}")]
    Strategy {
        /// The strategy as text.
        strategy: String,
        /// What of it.
        what: &'static str,
    },
    /// A batch or a share of it cannot be divided.
    #[error("{records} records cannot be divided by {by}")]
    Indivisible {
        /// Records.
        records: u64,
        /// What divides them.
        by: u64,
    },
    /// More stages than pieces.
    #[error("the network has {pieces} pieces, too few for {stages} stages of {chunks} chunk(s)")]
    TooManyStages {
        /// Pieces of the network.
        pieces: usize,
        /// Stages.
        stages: u32,
        /// Chunks of each stage.
        chunks: u32,
    },
    /// Sizes that the ranks do not divide.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// What of a strategy is not carried out.
#[must_use]
pub fn unsupported(strategy: &Strategy) -> Option<&'static str> {
    let is_served = matches!(strategy.sync, Sync::ParameterServer { .. });
    let shards = strategy.shard.is_some_and(|shard| shard != strategy.data);
    let sync = strategy.sync != Sync::AllReduce && strategy.zero != Zero::Replicated;
    let cases = [
        (strategy.context.get() > 1, "sequences are not shared between ranks"),
        (strategy.expert.get() > 1, "experts are not shared between ranks"),
        (strategy.sequence, "norms are not shared between the ranks of a tensor group"),
        (strategy.zero == Zero::Parameters, "parameters are not shared between replicas (ZeRO 3)"),
        (shards, "states are shared by all replicas or by none"),
        (is_served && strategy.tensor.get() * strategy.pipeline.get() > 1, "servers hold undivided networks only"),
        (sync, "ZeRO shares states between replicas that sum their gradients in every step"),
    ];
    cases.into_iter().find(|(is, _)| *is).map(|(_, what)| what)
}

/// Whether so many ranks can share a vocabulary, of which each has some entries, and share sizes evenly.
///
/// # Errors
/// The first size that they do not divide.
pub fn check_shares(vocabulary: NonZeroUsize, sizes: &[(&'static str, usize)], ranks: usize) -> Result<(), ShapeError> {
    let undivided = sizes.iter().find(|(_, size)| !size.is_multiple_of(ranks)).copied();
    let too_few = (vocabulary.get() < ranks).then_some(("vocabulary", vocabulary.get()));
    match undivided.or(too_few) {
        Some((what, value)) => {
            Err(ShapeError::Indivisible { what, value, by: "ranks of a tensor group", divisor: ranks })
        }
        None => Ok(()),
    }
}

/// Records of a pass, of a replica's share of a batch: the whole share without a pipeline, one with it, unless the strategy
/// says.
#[must_use]
pub fn micro_batch(strategy: &Strategy, share: u64) -> u64 {
    let usual = if strategy.pipeline.get() > 1 { 1 } else { share };
    strategy.micro_batch.map_or(usual, |records| u64::from(records.get())).min(share)
}

/// That a training is carried out.
///
/// # Errors
/// It is not, and why.
pub fn check(model: &Model, strategy: &Strategy, global_batch: u64) -> Result<(), NotCarriedOut> {
    let refused = |what| NotCarriedOut::Strategy { strategy: strategy.to_string(), what };
    if let Some(what) = unsupported(strategy) {
        return Err(refused(what));
    }
    let ranks = strategy.tensor.get() as usize;
    match model.resolved()? {
        Model::Transformer(network) if network.experts.is_some() => return Err(refused("experts")),
        Model::Rnn(network) if network.decoder.is_some() => return Err(refused("a decoder that attends")),
        Model::Transformer(network) => check_shares(network.vocabulary, &network.shared_sizes(), ranks)?,
        Model::Rnn(network) => check_shares(network.vocabulary, &[], ranks)?,
        _ if ranks > 1 => return Err(refused("layers of this family are not shared")),
        _ => {}
    }
    let replicas = u64::from(strategy.data.get());
    let divided = |records: u64, by: u64| {
        if records.is_multiple_of(by) { Ok(records / by) } else { Err(NotCarriedOut::Indivisible { records, by }) }
    };
    let share = divided(global_batch, replicas)?;
    divided(share, micro_batch(strategy, share))?;
    let (stages, chunks) = (strategy.pipeline.get(), strategy.schedule.chunks());
    let count = pieces(model, 1)?.list.len();
    if stages > 1 && (count as u64) < u64::from(stages) * u64::from(chunks) {
        return Err(NotCarriedOut::TooManyStages { pieces: count, stages, chunks });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_out_and_what_is_not() {
        let check = |preset: &str, strategy: &str, batch: u64, expected: Option<&str>| {
            let strategy: Strategy = strategy.parse().expect("it is a strategy");
            let found = check(&Model::Preset(preset.to_owned()), &strategy, batch).err();
            let found = found.map(|error| error.to_string());
            assert_eq!(found.is_some(), expected.is_some(), "{preset} {strategy}: {found:?}");
            if let (Some(found), Some(expected)) = (found, expected) {
                assert!(found.contains(expected), "{found}");
            }
        };
        check("megatron-22b", "data:2,tensor:4,pipeline:3,micro_batch:2,zero:1", 8, None);
        check("gpt2", "tensor:4", 8, None);
        check("mnist-cnn", "data:2,pipeline:2,recompute:full", 8, None);
        check("mnist-cnn", "tensor:2", 8, Some("not shared"));
        check("mnist-cnn", "pipeline:9", 8, Some("8 pieces"));
        check("mnist-cnn", "data:3", 8, Some("8 records"));
        check("gpt2", "data:2,micro_batch:3", 8, Some("4 records"));
        check("gpt2", "tensor:5", 8, Some("heads"));
        check("gpt2", "data:2,zero:3", 8, Some("ZeRO 3"));
        check("mixtral-8x7b", "data:2", 8, Some("experts"));
        check("gnmt-v2", "data:2", 8, Some("decoder"));
    }
}
