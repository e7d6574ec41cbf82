//! How one job is spread over devices.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const ONE: NonZeroU32 = NonZeroU32::MIN;

/// A parallel strategy. One rank drives one device; the number of ranks is [`Strategy::ranks`].
///
/// In text it is a list such as `data:8,tensor:4,pipeline:2,zero:1,micro_batch:2,recompute:full`; see
/// [`Strategy::from_str`](std::str::FromStr).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strategy {
    /// Data-parallel replicas. Each holds the whole model and an equal shard of the global batch.
    #[serde(default = "one")]
    pub data: NonZeroU32,
    /// Ranks that share every layer's matrices.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub tensor: NonZeroU32,
    /// Stages that hold consecutive layers.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub pipeline: NonZeroU32,
    /// Ranks that share a sequence in all layers (context parallelism).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub context: NonZeroU32,
    /// Ranks of the data-parallel group that share the experts.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub expert: NonZeroU32,
    /// What the data-parallel ranks share instead of holding copies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub zero: Zero,
    /// Ranks that share states under [`Zero`]; by default all data-parallel ranks, fewer in hybrid sharding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<NonZeroU32>,
    /// Records of one pass through a replica; by default its whole share of the global batch without a
    /// pipeline, one record with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<NonZeroU32>,
    /// Order in which a stage takes micro-batches.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schedule: Schedule,
    /// Whether the ranks of a tensor group share norms and dropout along the sequence (sequence parallelism).
    #[serde(default, skip_serializing_if = "is_default")]
    pub sequence: bool,
    /// Activations that are computed again in the backward pass instead of being kept.
    #[serde(default, skip_serializing_if = "is_default")]
    pub recompute: Recompute,
    /// How data-parallel replicas agree.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sync: Sync,
}

/// What data-parallel ranks share: the stages of ZeRO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u8", into = "u8")]
#[schemars(with = "u8")]
pub enum Zero {
    /// Stage 0: nothing, each rank holds everything.
    #[default]
    Replicated,
    /// Stage 1: optimiser states.
    Optimizer,
    /// Stage 2: optimiser states and gradients.
    Gradients,
    /// Stage 3, fully sharded: parameters too.
    Parameters,
}

impl TryFrom<u8> for Zero {
    type Error = String;

    fn try_from(stage: u8) -> Result<Self, String> {
        match stage {
            0 => Ok(Self::Replicated),
            1 => Ok(Self::Optimizer),
            2 => Ok(Self::Gradients),
            3 => Ok(Self::Parameters),
            _ => Err(format!("ZeRO has the stages 0 to 3, not {stage}")),
        }
    }
}

impl From<Zero> for u8 {
    fn from(zero: Zero) -> Self {
        zero as Self
    }
}

/// Order in which a pipeline stage takes micro-batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// All forward passes, then all backward passes.
    Gpipe,
    /// One forward, one backward: at most as many micro-batches in flight as stages follow.
    #[default]
    #[serde(rename = "1f1b")]
    OneForwardOneBackward,
    /// 1F1B over several chunks of layers in each stage.
    Interleaved {
        /// Chunks of layers in each stage.
        chunks: NonZeroU32,
    },
}

impl Schedule {
    /// Chunks of layers in each stage.
    #[must_use]
    pub const fn chunks(&self) -> u32 {
        match self {
            Self::Interleaved { chunks } => chunks.get(),
            Self::Gpipe | Self::OneForwardOneBackward => 1,
        }
    }
}

/// Activations that are computed again in the backward pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recompute {
    /// None.
    #[default]
    None,
    /// The core of attention only.
    Selective,
    /// Whole layers, from their inputs.
    Full,
}

/// How data-parallel replicas agree on parameters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Sync {
    /// Gradients are summed over the replicas in every step.
    #[default]
    AllReduce,
    /// Servers hold the parameters.
    ParameterServer {
        /// Servers that share the parameters.
        servers: NonZeroU32,
        /// Updates that a worker may lag behind; 0 is synchronous.
        #[serde(default)]
        staleness: u32,
    },
    /// Replicas train on their own and take the mean of their parameters now and then: θ = 1/N Σ θ_i.
    Averaging {
        /// Steps between two means.
        every_steps: NonZeroU32,
    },
}

impl Strategy {
    /// Training on one device.
    pub const SINGLE: Self = Self {
        data: ONE,
        tensor: ONE,
        pipeline: ONE,
        context: ONE,
        expert: ONE,
        zero: Zero::Replicated,
        shard: None,
        micro_batch: None,
        schedule: Schedule::OneForwardOneBackward,
        sequence: false,
        recompute: Recompute::None,
        sync: Sync::AllReduce,
    };

    /// Data parallelism over `replicas` ranks; `None` for zero.
    #[must_use]
    pub const fn data_parallel(replicas: u32) -> Option<Self> {
        match NonZeroU32::new(replicas) {
            Some(data) => Some(Self { data, ..Self::SINGLE }),
            None => None,
        }
    }

    /// Ranks that the strategy needs; experts share ranks with data parallelism. At most `u32::MAX`.
    #[must_use]
    pub const fn ranks(&self) -> u32 {
        self.data.saturating_mul(self.tensor).saturating_mul(self.pipeline).saturating_mul(self.context).get()
    }
}

/// Why a text is no strategy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// A part is not `key:value`.
    #[error("`{0}` is not `key:value`, such as `data:8`")]
    NotAPair(String),
    /// No such key.
    #[error(
        "a strategy has no `{0}`; it has data, tensor, pipeline, context, expert, zero, shard, micro_batch, schedule, chunks, sequence, recompute, servers, staleness and average_every"
    )]
    UnknownKey(String),
    /// The value does not fit the key.
    #[error("`{key}` takes {takes}, not `{value}`")]
    Value {
        /// Key.
        key: String,
        /// What it takes.
        takes: &'static str,
        /// What was given.
        value: String,
    },
    /// A key stands twice.
    #[error("`{0}` is given twice")]
    Twice(String),
}

impl std::str::FromStr for Strategy {
    type Err = StrategyError;

    /// Reads `key:value` pairs divided by commas; what is not named keeps its default.
    fn from_str(text: &str) -> Result<Self, StrategyError> {
        let mut strategy = Self::SINGLE;
        let mut seen = Vec::new();
        for pair in text.split(',').map(str::trim) {
            let (key, value) = pair.split_once(':').ok_or_else(|| StrategyError::NotAPair(pair.to_owned()))?;
            if seen.contains(&key) {
                return Err(StrategyError::Twice(key.to_owned()));
            }
            seen.push(key);
            strategy.set(key, value)?;
        }
        Ok(strategy)
    }
}

impl Strategy {
    fn set(&mut self, key: &str, value: &str) -> Result<(), StrategyError> {
        let wrong = |takes| StrategyError::Value { key: key.to_owned(), takes, value: value.to_owned() };
        let count = || value.parse::<NonZeroU32>().map_err(|_| wrong("a whole number from 1"));
        match key {
            "data" => self.data = count()?,
            "tensor" => self.tensor = count()?,
            "pipeline" => self.pipeline = count()?,
            "context" => self.context = count()?,
            "expert" => self.expert = count()?,
            "shard" => self.shard = Some(count()?),
            "micro_batch" => self.micro_batch = Some(count()?),
            "chunks" => self.schedule = Schedule::Interleaved { chunks: count()? },
            "servers" => self.sync = Sync::ParameterServer { servers: count()?, staleness: self.staleness() },
            "average_every" => self.sync = Sync::Averaging { every_steps: count()? },
            "staleness" => {
                let staleness = value.parse().map_err(|_| wrong("a whole number from 0"))?;
                self.sync = Sync::ParameterServer { servers: self.servers(), staleness };
            }
            "zero" => {
                let stage = value.parse::<u8>().ok().and_then(|stage| Zero::try_from(stage).ok());
                self.zero = stage.ok_or_else(|| wrong("a stage from 0 to 3"))?;
            }
            "sequence" => self.sequence = value.parse().map_err(|_| wrong("true or false"))?,
            "schedule" => match value {
                "gpipe" => self.schedule = Schedule::Gpipe,
                "1f1b" => self.schedule = Schedule::OneForwardOneBackward,
                _ => return Err(wrong("gpipe or 1f1b; chunks:N interleaves")),
            },
            "recompute" => match value {
                "none" => self.recompute = Recompute::None,
                "selective" => self.recompute = Recompute::Selective,
                "full" => self.recompute = Recompute::Full,
                _ => return Err(wrong("none, selective or full")),
            },
            _ => return Err(StrategyError::UnknownKey(key.to_owned())),
        }
        Ok(())
    }

    const fn staleness(&self) -> u32 {
        match self.sync {
            Sync::ParameterServer { staleness, .. } => staleness,
            Sync::AllReduce | Sync::Averaging { .. } => 0,
        }
    }

    const fn servers(&self) -> NonZeroU32 {
        match self.sync {
            Sync::ParameterServer { servers, .. } => servers,
            Sync::AllReduce | Sync::Averaging { .. } => ONE,
        }
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "data {}", self.data)?;
        let counts =
            [("tensor", self.tensor), ("pipeline", self.pipeline), ("context", self.context), ("expert", self.expert)];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > ONE) {
            write!(f, ", {name} {count}")?;
        }
        if self.zero != Zero::Replicated {
            write!(f, ", ZeRO {}", u8::from(self.zero))?;
        }
        for (name, count) in [("shard", self.shard), ("micro-batch", self.micro_batch)] {
            if let Some(count) = count {
                write!(f, ", {name} {count}")?;
            }
        }
        match self.schedule {
            Schedule::Gpipe => write!(f, ", GPipe")?,
            Schedule::Interleaved { chunks } => write!(f, ", {chunks} chunks")?,
            Schedule::OneForwardOneBackward => {}
        }
        if self.sequence {
            write!(f, ", sequence parallel")?;
        }
        match self.recompute {
            Recompute::None => {}
            Recompute::Selective => write!(f, ", selective recompute")?,
            Recompute::Full => write!(f, ", full recompute")?,
        }
        match self.sync {
            Sync::AllReduce => Ok(()),
            Sync::ParameterServer { servers, staleness: 0 } => write!(f, ", {servers} parameter server(s)"),
            Sync::ParameterServer { servers, staleness } => {
                write!(f, ", {servers} parameter server(s), staleness {staleness}")
            }
            Sync::Averaging { every_steps } => write!(f, ", averaged every {every_steps} steps"),
        }
    }
}

const fn one() -> NonZeroU32 {
    ONE
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_one(count: &NonZeroU32) -> bool {
    *count == ONE
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_a_strategy_or_a_reason() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let found = text.parse::<Strategy>().map(|s| s.to_string()).map_err(|e| e.to_string());
            assert_eq!(found.as_deref().map_err(|e| e.split(';').next().unwrap_or(e)), expected, "{text}");
        };
        check("data:8", Ok("data 8"));
        check("tensor:4, data:2", Ok("data 2, tensor 4"));
        check(
            "data:2,pipeline:4,chunks:2,zero:1,micro_batch:3,sequence:true,recompute:selective",
            Ok("data 2, pipeline 4, ZeRO 1, micro-batch 3, 2 chunks, sequence parallel, selective recompute"),
        );
        check("servers:2,staleness:3,data:4", Ok("data 4, 2 parameter server(s), staleness 3"));
        check("average_every:50,data:2", Ok("data 2, averaged every 50 steps"));
        check("", Err("`` is not `key:value`, such as `data:8`"));
        check("data:0", Err("`data` takes a whole number from 1, not `0`"));
        check("data:1,data:2", Err("`data` is given twice"));
        check("zero:4", Err("`zero` takes a stage from 0 to 3, not `4`"));
        check("dta:4", Err("a strategy has no `dta`"));
    }

    #[test]
    fn ranks_multiply_and_defaults_are_not_written() {
        let strategy: Strategy = "data:8,tensor:4,pipeline:2,context:2,expert:4".parse().expect("a strategy");
        assert_eq!(strategy.ranks(), 128);
        let json = serde_json::to_string(&Strategy::data_parallel(2)).expect("it is plain");
        assert_eq!(json, r#"{"data":2}"#);
        assert_eq!(serde_json::from_str::<Strategy>(r#"{"data":2,"zero":4}"#).ok(), None);
    }
}
