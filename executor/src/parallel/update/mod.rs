//! What becomes of what was learned: exchanged between replicas, and applied to the parameters.

mod averaged;
mod clip;
pub mod optimizer;
pub mod rate;
mod served;
mod sharded;
mod whole;

pub use served::{Server, serve};

use std::collections::HashSet;

use burn::module::ParamId;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Bytes, Device};
use scenarios::scenario::Training;
use scenarios::strategy::{Strategy, Sync, Zero};

use super::bucket::Bucket;
use super::exchange::{Learned, Run};
use super::stage::Held;
use super::topology::Topology;
use crate::model::build::Parameter;
use crate::model::{Network, flat};
use crate::train::StepClock;
use crate::transport::{Reduction, Transport, TransportError, part_start};
use clip::Counted;

/// State of what applies gradients, beside the parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateState {
    /// Of the optimiser, as burn writes it; empty where servers hold it.
    pub optimizer: Vec<u8>,
    /// Parameters at the last mean and the outer momentum, one after the other.
    pub outer: Vec<f32>,
}

/// Why a state is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnusableState(pub String);

/// How gradients are applied.
pub(crate) trait Update {
    /// What losses of a step count each, with this rank's units and those of all replicas.
    fn scale(&self, own: f64, all: f64) -> f64 {
        let _ = own;
        1.0 / all
    }

    /// The parameters after a step with these gradients.
    ///
    /// # Errors
    /// Another rank has left or hangs.
    fn apply(&mut self, held: Held, learned: Learned, step: &mut Step<'_>) -> Result<Held, TransportError>;

    /// What all ways have in common.
    fn common(&self) -> &Common;

    /// The same, to be changed.
    fn common_mut(&mut self) -> &mut Common;

    /// Whether replicas have parameters of their own between exchanges.
    fn differs(&self) -> bool {
        false
    }

    /// Whether each replica has a state of its own to go on from.
    fn has_own_state(&self) -> bool {
        self.differs()
    }

    /// Tells others that this rank has ended.
    ///
    /// # Errors
    /// Another rank has left.
    fn finish(&self, topology: &Topology) -> Result<(), TransportError> {
        let _ = topology;
        Ok(())
    }

    /// What is kept to go on from.
    ///
    /// # Errors
    /// It cannot be written.
    fn state(&self, topology: &Topology) -> Result<UpdateState, UnusableState> {
        let _ = topology;
        Ok(UpdateState { optimizer: bytes_of(&self.common().optimizer)?, outer: vec![] })
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// It is of another training.
    fn resume(&mut self, state: &UpdateState) -> Result<(), UnusableState> {
        let optimizer = with_bytes(&self.common().training, &state.optimizer)?;
        self.common_mut().optimizer = optimizer;
        Ok(())
    }
}

/// The step that gradients are applied in.
pub(crate) struct Step<'a> {
    pub learning_rate: f64,
    pub topology: &'a Topology,
    pub clock: &'a mut StepClock,
}

/// The way that a strategy applies gradients.
///
/// # Errors
/// Another rank has left or hangs.
pub(crate) fn of(
    training: &Training,
    strategy: &Strategy,
    (held, buckets): (&Held, &[Bucket]),
    topology: &Topology,
    device: &Device,
) -> Result<Box<dyn Update>, TransportError> {
    let is_sharded = strategy.zero != Zero::Replicated;
    let common = Common::new(training, (held, buckets), is_sharded, topology, device)?;
    Ok(match (strategy.sync, strategy.zero) {
        (Sync::ParameterServer { staleness, .. }, _) => Box::new(served::Served::new(common, staleness)),
        (Sync::Averaging { every_steps }, _) => {
            Box::new(averaged::Averaged::new(common, every_steps.get(), training.outer, held))
        }
        (Sync::AllReduce, Zero::Replicated) => Box::new(whole::Whole { common }),
        (Sync::AllReduce, _) => Box::new(sharded::Sharded { common }),
    })
}

/// What all ways have in common.
pub(crate) struct Common {
    training: Training,
    device: Device,
    optimizer: ModuleOptimizer,
    clip_norm: Option<f64>,
    counted: Counted,
    /// Parameters that several stages hold, each with its length, in one order everywhere; all stages' gradients of them
    /// are summed.
    tied: Vec<(ParamId, usize)>,
    buckets: Vec<Bucket>,
    /// Which part of each bucket's sum this rank is given, of how many.
    part: (usize, usize),
}

impl Common {
    fn new(
        training: &Training,
        (held, buckets): (&Held, &[Bucket]),
        is_sharded: bool,
        topology: &Topology,
        device: &Device,
    ) -> Result<Self, TransportError> {
        let parameters: Vec<Parameter> = held.chunks.iter().flat_map(Network::parameters).cloned().collect();
        let (tied, elsewhere) = tied(held, topology)?;
        Ok(Self {
            training: training.clone(),
            device: device.clone().inner(),
            optimizer: optimizer::build(&training.optimizer),
            clip_norm: training.clip_norm,
            counted: Counted::new(held, &parameters, &elsewhere, topology),
            tied,
            buckets: buckets.to_vec(),
            part: if is_sharded { (topology.place.replica, topology.shape.replicas) } else { (0, 1) },
        })
    }

    /// Whether gradients have to be seen on the host though no other replica is to see them.
    fn needs_host(&self) -> bool {
        self.clip_norm.is_some() || !self.tied.is_empty()
    }

    /// What was learned as runs of the flat buffer in order, that of tied parameters summed over stages.
    fn runs(&self, learned: Learned, held: &Held, topology: &Topology) -> Result<Vec<Run>, TransportError> {
        let mut runs = match learned {
            Learned::Sums(runs) => runs,
            Learned::Own(mut gradients) => {
                let run = |bucket: &Bucket| {
                    let mut values = Vec::with_capacity(bucket.values.len());
                    flat::take(&mut gradients, &bucket.parameters, &held.chunks[bucket.chunk], &mut values);
                    Run { from: bucket.values.start, values }
                };
                let mut runs: Vec<Run> = self.buckets.iter().map(run).collect();
                runs.sort_by_key(|run| run.from);
                runs
            }
        };
        self.sum_tied(&mut runs, topology)?;
        Ok(runs)
    }

    /// Sums the runs of tied parameters over stages. Each has a bucket of its own, so ranks of all stages have the same part
    /// of it.
    fn sum_tied(&self, runs: &mut [Run], topology: &Topology) -> Result<(), TransportError> {
        let (part, of) = self.part;
        for (id, length) in &self.tied {
            let bucket = self.buckets.iter().find(|bucket| bucket.parameters == [*id]);
            let begin = part_start(*length, part, of);
            let own = bucket.and_then(|bucket| runs.iter_mut().find(|run| run.from == bucket.values.start + begin));
            let mut zeros = Vec::new();
            let values = own.map_or(&mut zeros, |run| &mut run.values);
            values.resize(part_start(*length, part + 1, of) - begin, 0.0);
            topology.stages.all_reduce(values, Reduction::Sum)?;
        }
        Ok(())
    }

    /// Makes a gradient no longer than it may be; `runs` are what this rank holds of it, and `groups` those that hold the
    /// rest.
    fn clip(&self, runs: &mut [Run], groups: &[&dyn Transport]) -> Result<(), TransportError> {
        let Some(most) = self.clip_norm else { return Ok(()) };
        let squares = runs.iter().map(|run| self.counted.squares(&run.values, run.from)).sum();
        let factor = clip::factor(most, squares, groups)?;
        if factor < 1.0 {
            runs.iter_mut().flat_map(|run| &mut run.values).for_each(|value| *value *= factor);
        }
        Ok(())
    }
}

type Tied = (Vec<(ParamId, usize)>, HashSet<ParamId>);

/// Parameters that several stages hold, and those of this rank that an earlier stage holds too.
fn tied(held: &Held, topology: &Topology) -> Result<Tied, TransportError> {
    if topology.shape.stages == 1 {
        return Ok(Tied::default());
    }
    let words = |(id, _, length): (ParamId, usize, usize)| {
        let [low, high] = flat::words(id);
        [low, high, f32::from_bits(length as u32)]
    };
    let all = topology.stages.all_gather(flat::spans(held).into_iter().flat_map(words).collect())?;
    let read = |of: &Vec<f32>| -> Vec<(ParamId, usize)> {
        let (words, _) = of.as_chunks::<3>();
        words.iter().map(|[low, high, length]| (flat::of_words([*low, *high]), length.to_bits() as usize)).collect()
    };
    let by_stage: Vec<Vec<(ParamId, usize)>> = all.iter().map(read).collect();
    let mut seen = HashSet::new();
    let mut tied = Vec::new();
    let mut elsewhere = HashSet::new();
    for (stage, parameters) in by_stage.iter().enumerate() {
        for (id, length) in parameters {
            if !seen.insert(*id) {
                if !tied.contains(&(*id, *length)) {
                    tied.push((*id, *length));
                }
                if stage == topology.place.stage {
                    elsewhere.insert(*id);
                }
            }
        }
    }
    Ok((tied, elsewhere))
}

/// An optimiser's state as bytes.
fn bytes_of(optimizer: &ModuleOptimizer) -> Result<Vec<u8>, UnusableState> {
    optimizer.into_bytes().map(|bytes| bytes.to_vec()).map_err(|error| UnusableState(error.to_string()))
}

/// An optimiser with the state that bytes hold.
fn with_bytes(training: &Training, bytes: &[u8]) -> Result<ModuleOptimizer, UnusableState> {
    optimizer::build(&training.optimizer)
        .from_bytes(Bytes::from_bytes_vec(bytes.to_vec()))
        .map_err(|error| UnusableState(error.to_string()))
}
