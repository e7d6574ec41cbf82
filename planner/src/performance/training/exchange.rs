//! Time of messages between the ranks of a training.

use super::{Constant, Constants, Training};
use std::sync::OnceLock;

use crate::performance::collective::measured::{Measurements, Table};
use crate::performance::collective::{Group, Kind, Level, Link, Topology, time};
use crate::performance::kernel::{Axis, Message};
use crate::performance::parameter_server::ParameterServer;

/// Message times of one training.
#[derive(Debug, Clone, Copy)]
pub struct Exchanges {
    tensor: Group,
    context: Group,
    expert: Group,
    replicas: Group,
    shard: Group,
    /// Groups that hold the same shards.
    copies: Group,
    stage: Group,
    topology: Topology<'static>,
}

impl Exchanges {
    /// Ranks are numbered tensor first, then context, data, pipeline, as Megatron does.
    #[must_use]
    pub fn new(training: &Training, constants: &Constants) -> Self {
        let strategy = &training.strategy;
        let [t, c, d] = [strategy.tensor, strategy.context, strategy.data].map(std::num::NonZeroU32::get);
        let node = training.cluster.devices_per_node;
        let group = |ranks: u32, stride: u32| Group::strided(ranks, stride, node);
        let all = d.saturating_mul(c);
        let shard = strategy.shard.map_or(all, |shard| shard.get().min(all));
        let stage = t.saturating_mul(all);
        let latency_seconds = constants.get(Constant::Latency);
        let link = |rate: f64, share| Link { latency_seconds, bytes_per_second: rate * constants.get(share) };
        let inside = Level {
            link: link(training.cluster.inside_bytes_per_second, Constant::Inside),
            measured: measured(&training.cluster.device),
        };
        let between = link(training.cluster.between_bytes_per_second, Constant::Between);
        Self {
            tensor: group(t, 1),
            context: group(c, t),
            expert: group(strategy.expert.get(), t.saturating_mul(c)),
            replicas: group(all, t),
            shard: group(shard, t),
            copies: group(all / shard, t.saturating_mul(shard)),
            stage: group(if strategy.pipeline.get() > 1 { 2 } else { 1 }, stage),
            topology: Topology::new(inside, between, None),
        }
    }

    fn time(&self, kind: Kind, bytes: f64, group: &Group) -> f64 {
        time(kind, bytes, group, &self.topology)
    }

    /// A segment's message, forward and backward.
    #[must_use]
    pub fn message(&self, message: &Message) -> f64 {
        let group = match message.axis {
            Axis::Tensor => &self.tensor,
            Axis::Context => &self.context,
            Axis::Expert => &self.expert,
        };
        self.time(message.kind, message.bytes, group) * (message.forward + message.backward)
    }

    /// All-reduce between replicas.
    #[must_use]
    pub fn all_reduce(&self, bytes: f64) -> f64 {
        self.time(Kind::AllReduce, bytes, &self.replicas)
    }

    /// What a step takes longer than its computation, `worker_seconds`, with parameters on servers, in seconds. Servers
    /// and workers have a node's network each, or the link inside a node where there is only one.
    #[must_use]
    pub fn servers(&self, worker_seconds: &[f64], servers: u32, staleness: u32, bytes: f64) -> f64 {
        let nodes = self.replicas.spans[1];
        let [inside, between, _] = self.topology.levels.map(|level| level.link.bytes_per_second);
        let alone = nodes.units <= 1;
        let exchange = ParameterServer {
            worker_seconds,
            servers,
            bytes,
            worker_bytes_per_second: if alone { inside } else { between / nodes.sharing },
            server_bytes_per_second: if alone { inside } else { between },
        };
        let slowest = worker_seconds.iter().copied().fold(0.0, f64::max);
        let step = if staleness == 0 {
            exchange.step_seconds()
        } else {
            exchange.asynchronous(Some(staleness)).map(|free| worker_seconds.len() as f64 / free.updates_per_second)
        };
        step.map_or(0.0, |seconds| (seconds - slowest).max(0.0))
    }

    /// `count` all-to-alls between replicas, `bytes` in all.
    #[must_use]
    pub fn all_to_all_of_replicas(&self, bytes: f64, count: f64) -> f64 {
        if count > 0.0 { count * self.time(Kind::AllToAll, bytes / count, &self.replicas) } else { 0.0 }
    }

    /// All-gather in a group that shares states.
    #[must_use]
    pub fn gather(&self, bytes: f64) -> f64 {
        self.time(Kind::AllGather, bytes, &self.shard)
    }

    /// Reduce-scatter in a group that shares states, and all-reduce of the shards between such groups.
    #[must_use]
    pub fn scatter(&self, bytes: f64) -> f64 {
        let shard = bytes / f64::from(self.shard.ranks());
        self.time(Kind::ReduceScatter, bytes, &self.shard) + self.time(Kind::AllReduce, shard, &self.copies)
    }

    /// From one stage to the next.
    #[must_use]
    pub fn stage(&self, bytes: f64) -> f64 {
        self.time(Kind::PointToPoint, bytes, &self.stage)
    }
}

/// Collectives that were measured between devices of that name in one node.
fn measured(device: &str) -> Option<&'static Measurements> {
    static SHIPPED: OnceLock<Table> = OnceLock::new();
    SHIPPED.get_or_init(|| Table::shipped().unwrap_or_default()).device(device)
}
