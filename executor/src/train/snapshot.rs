//! What is kept of a training, so that it can go on: each rank's own state, and the whole network.

use burn::module::Module as _;
use scenarios::strategy::{Strategy, Sync};

use super::{Session, TrainError};
use crate::model::{Network, flat};
use crate::parallel::gather;
use crate::parallel::stage::Held;
use crate::parallel::topology::Topology;
use crate::parallel::update::UpdateState;
use crate::transport::{TransportError, bytes};

/// What marks states on their way to the first rank.
const TAG: u64 = 1 << 41;

/// State of one rank.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RankState {
    /// Parameters that it holds, in order.
    pub parameters: Vec<f32>,
    /// Running figures that it keeps beside them, in order.
    pub running: Vec<f32>,
    /// What applies gradients to them.
    pub update: UpdateState,
}

impl RankState {
    /// What a rank holds, with the parameters of this state.
    ///
    /// # Errors
    /// It holds others.
    pub(super) fn held(&self, held: Held) -> Result<Held, TrainError> {
        let (found, expected) = (self.parameters.len(), held.num_params());
        if found == expected {
            let held = flat::with_parameters(held, &self.parameters);
            set_running(&held.chunks, &self.running);
            return Ok(held);
        }
        Err(TrainError::State { reason: format!("it has {found} parameters, the network {expected}") })
    }

    fn packed(&self) -> Vec<f32> {
        let Self { parameters, running, update: UpdateState { optimizer, outer } } = self;
        let mut packed = bytes::packed(optimizer);
        for values in [parameters, running, outer] {
            packed.push(f32::from_bits(values.len() as u32));
            packed.extend(values);
        }
        packed
    }

    fn unpacked(packed: &[f32]) -> Self {
        let (optimizer, taken) = bytes::unpacked(packed);
        let mut rest = &packed[taken..];
        let mut next = || {
            let (values, behind) = rest[1..].split_at(rest[0].to_bits() as usize);
            rest = behind;
            values.to_vec()
        };
        let (parameters, running, outer) = (next(), next(), next());
        Self { parameters, running, update: UpdateState { optimizer, outer } }
    }
}

/// States of all ranks that have one, with their numbers, in the first rank.
pub(super) fn gathered(own: Option<RankState>, topology: &Topology) -> Result<Vec<(usize, RankState)>, TransportError> {
    let world = &topology.world;
    let has = world.all_gather(vec![f32::from(own.is_some())])?;
    if world.rank() > 0 {
        if let Some(own) = own {
            world.send(0, TAG, own.packed())?;
        }
        return Ok(Vec::new());
    }
    let mut all: Vec<(usize, RankState)> = own.map(|own| (0, own)).into_iter().collect();
    for rank in (1..world.size()).filter(|rank| has[*rank][0] > 0.0) {
        all.push((rank, RankState::unpacked(&world.receive(rank, TAG)?)));
    }
    Ok(all)
}

/// The whole network in the first rank: the mean of the replicas, where they differ.
pub(super) fn network(
    session: &Session,
    held: &Held,
    topology: &Topology,
    differs: bool,
) -> Result<Option<Network>, TrainError> {
    let mean = if differs { Some(gather::mean_of_replicas(held, topology)?) } else { None };
    let held = mean.as_ref().unwrap_or(held);
    if topology.world.size() == 1 {
        return Ok(held.chunks.first().cloned());
    }
    let running = gather::running(held, topology)?;
    let Some(values) = gather::whole(held, topology)? else { return Ok(None) };
    let device = session.devices.of_rank(0).clone().autodiff();
    let network = Network::new(&session.description, session.description.whole(), session.seed, &device);
    let network = network.with_values(values);
    set_running(std::slice::from_ref(&network), &running);
    Ok(Some(network))
}

/// Running figures of parts of a network, one after the other.
pub(super) fn running(chunks: &[Network]) -> Vec<f32> {
    chunks.iter().flat_map(Network::running).flat_map(|running| running.values().concat()).collect()
}

/// Puts running figures back as [`running`] gave them.
fn set_running(chunks: &[Network], mut values: &[f32]) {
    for running in chunks.iter().flat_map(Network::running) {
        let channels = running.channels();
        if let Some((own, rest)) = values.split_at_checked(2 * channels) {
            running.set([own[..channels].to_vec(), own[channels..].to_vec()]);
            values = rest;
        }
    }
}

/// Whether all replicas take a step together, so that their records are one batch.
pub(super) const fn replicas_are_one(strategy: &Strategy) -> bool {
    match strategy.sync {
        Sync::AllReduce => true,
        Sync::ParameterServer { staleness, .. } => staleness == 0,
        Sync::Averaging { .. } => false,
    }
}
