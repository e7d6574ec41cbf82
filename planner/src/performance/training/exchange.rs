//! Time of messages between the ranks of a training.

use super::{Constant, Constants, Training};
use crate::performance::kernel::{Axis, Exchange, Message};

/// How the ranks of one group lie: neighbours of a node first, then nodes.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// Ranks of the group in each node.
    inside: f64,
    /// Nodes that it spans.
    nodes: f64,
    /// Groups of the same kind that use the same node's network at the same time.
    sharing: f64,
}

/// Message times of one training.
#[derive(Debug, Clone, Copy)]
pub struct Exchanges {
    tensor: Group,
    context: Group,
    expert: Group,
    data: Group,
    shard: Group,
    stage_is_inside: bool,
    stage_sharing: f64,
    inside: f64,
    between: f64,
    latency: f64,
}

impl Exchanges {
    /// Ranks are numbered tensor first, then context, data, pipeline, as Megatron does.
    #[must_use]
    pub fn new(training: &Training, constants: &Constants) -> Self {
        let s = &training.strategy;
        let node = f64::from(training.cluster.devices_per_node);
        let [t, c, d, e] = [s.tensor, s.context, s.data, s.expert].map(|n| f64::from(n.get()));
        let shard = s.shard.map_or(d * c, |shard| f64::from(shard.get()));
        let group = |ranks: f64, stride: f64| {
            let inside = (node / stride).clamp(1.0, ranks);
            Group { inside, nodes: (ranks / inside).ceil().max(1.0), sharing: (node / inside).max(1.0) }
        };
        Self {
            tensor: group(t, 1.0),
            context: group(c, t),
            expert: group(e, t * c),
            data: group(d * c, t),
            shard: group(shard, t),
            stage_is_inside: t * c * d < node,
            stage_sharing: node.min(t * c * d),
            inside: training.cluster.inside_bytes_per_second * constants.get(Constant::Inside),
            between: training.cluster.between_bytes_per_second * constants.get(Constant::Between),
            latency: constants.get(Constant::Latency),
        }
    }

    /// A segment's message, forward and backward.
    #[must_use]
    pub fn message(&self, message: &Message) -> f64 {
        let group = match message.axis {
            Axis::Tensor => self.tensor,
            Axis::Context => self.context,
            Axis::Expert => self.expert,
        };
        let one = match message.exchange {
            Exchange::AllReduce => 2.0 * self.half(group, message.bytes),
            Exchange::AllGather | Exchange::ReduceScatter => self.half(group, message.bytes),
            Exchange::AllToAll => self.all_to_all(group, message.bytes),
            Exchange::PointToPoint => self.one(group, message.bytes),
        };
        one * (message.forward + message.backward)
    }

    /// All-reduce between replicas.
    #[must_use]
    pub fn all_reduce(&self, bytes: f64) -> f64 {
        2.0 * self.half(self.data, bytes)
    }

    /// `count` all-to-alls between replicas, `bytes` in all.
    #[must_use]
    pub fn all_to_all_of_replicas(&self, bytes: f64, count: f64) -> f64 {
        if count > 0.0 { count * self.all_to_all(self.data, bytes / count) } else { 0.0 }
    }

    /// All-gather in a group that shares states.
    #[must_use]
    pub fn gather(&self, bytes: f64) -> f64 {
        self.half(self.shard, bytes)
    }

    /// Reduce-scatter in a group that shares states, and all-reduce of the shards between such groups.
    #[must_use]
    pub fn scatter(&self, bytes: f64) -> f64 {
        self.half(self.shard, bytes)
    }

    /// From one stage to the next.
    #[must_use]
    pub fn stage(&self, bytes: f64) -> f64 {
        if self.stage_is_inside {
            self.latency + bytes / self.inside
        } else {
            self.latency + bytes * self.stage_sharing / self.between
        }
    }

    /// Reduce-scatter or all-gather: inside each node, then between nodes.
    fn half(&self, group: Group, bytes: f64) -> f64 {
        let ring = |ranks: f64, bytes: f64, rate: f64| {
            if ranks <= 1.0 { 0.0 } else { (ranks - 1.0) / ranks * bytes / rate + self.latency * (1.0 + ranks.log2()) / 4.0 }
        };
        ring(group.inside, bytes, self.inside) + ring(group.nodes, bytes * group.sharing, self.between)
    }

    fn all_to_all(&self, group: Group, bytes: f64) -> f64 {
        let ranks = group.inside * group.nodes;
        if ranks <= 1.0 {
            return 0.0;
        }
        let away = (group.nodes - 1.0) / group.nodes;
        let inside = (1.0 - away) * bytes * (group.inside - 1.0).max(0.0) / group.inside / self.inside;
        inside + away * bytes * group.inside * group.sharing / self.between + self.latency
    }

    fn one(&self, group: Group, bytes: f64) -> f64 {
        if group.nodes > 1.0 {
            self.latency + bytes * group.sharing / self.between
        } else {
            self.latency + bytes / self.inside
        }
    }
}
