//! Time and memory of a piece of a network, and what ranks wait for each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::pieces::{PieceKind, Work};
use crate::units::Interval;

/// Time and memory of one piece of a network as training runs it, inside a whole network that no scenario names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PieceMeasurement {
    /// What it computes.
    pub kind: PieceKind,
    /// Its sizes over all records of the pass.
    pub work: Work,
    /// Records of the pass.
    pub records: u64,
    /// Whether it is the first of its network, so that nobody asks for the gradient of what enters.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// Whether it is the part of one rank of a tensor group, with what such ranks do before and after they sum.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Ranks that ran the network at the same time on the same device; each took this time.
    pub ranks: u32,
    /// Time of the forward pass in one rank, recorded for differentiation.
    pub forward: Interval,
    /// Time of the backward pass in one rank, without that of the cuts around it.
    pub backward: Interval,
    /// Bytes that it keeps from its forward pass for the backward one, with the values that leave it.
    pub kept_bytes: u64,
    /// Most bytes that it holds in its forward pass beside what was held before.
    pub forward_peak_bytes: u64,
    /// Most bytes that it holds in its backward pass beside what was held before, with the gradients that it gives.
    pub backward_peak_bytes: u64,
    /// Passes that were timed.
    pub samples: u32,
}

/// What ranks that compute the same wait for the slowest of them where they meet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitMeasurement {
    /// Ranks.
    pub ranks: u32,
    /// Mean time in seconds that a rank computes between two meetings.
    pub seconds: f64,
    /// Mean of what a rank waits, over that time.
    pub share: f64,
    /// Times between meetings that were compared.
    pub samples: u64,
}

/// A small fixed work, which is slow when the device is: times of two moments are compared by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceMeasurement {
    /// Ranks that did it at the same time on the same device; each took this time.
    pub ranks: u32,
    /// Time in one rank.
    pub seconds: Interval,
    /// Times that it was done, evenly over the calibration.
    pub samples: u32,
}
