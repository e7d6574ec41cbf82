//! What each rank of a training did.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scenario::Form;

/// What one rank did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RankRun {
    /// Number in the job; servers of parameters come after the ranks that learn.
    pub rank: u32,
    /// What it did: `learn` or `serve`.
    pub role: String,
    /// Site that it stood for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Number of its device among those of its kind in the machine, from 0.
    pub device: u32,
    /// Ranks that share its GPU or core, itself among them.
    pub sharing: u32,
    /// Replica of the data that it is part of.
    pub replica: u32,
    /// Stage of the pipeline.
    pub stage: u32,
    /// Position in its tensor group.
    pub tensor: u32,
    /// Mean time of a step by phase, in seconds; empty of a server.
    pub phases_seconds: IndexMap<String, f64>,
    /// Mean time in a step of exchanges that went on beside its phases, in seconds.
    #[serde(default)]
    pub hidden_communication_seconds: f64,
    /// Most memory that it held in a step, in bytes; absent for a GPU, whose driver does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak_bytes: Option<u64>,
    /// Share of its passes in which it waited for other stages, 0..1; 0 without a pipeline.
    pub bubble: f64,
}

/// What ranks gave to each other by one operation, over all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Form of the data.
    pub form: Form,
    /// Who met: `replicas`, `tensor`, `stages`, `servers` or `world` (all ranks).
    pub group: String,
    /// Operation: `all_reduce`, `reduce_scatter`, `all_gather`, `broadcast`, `send` or `receive`.
    pub operation: String,
    /// Calls.
    pub calls: u64,
    /// Bytes that ranks brought; none by `receive`.
    pub bytes: u64,
    /// Time in it over all ranks, waiting for each other included.
    pub seconds: f64,
}

/// Time of a training outside of its steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overheads {
    /// From the start to the first step: the network is built and its parameters are drawn.
    pub start_seconds: f64,
    /// Validations.
    pub validation_seconds: f64,
    /// Checkpoints: gathered and written.
    pub checkpoint_seconds: f64,
    /// How many were written.
    pub checkpoints: u64,
}
