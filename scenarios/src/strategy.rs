//! How one job is spread over devices.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A parallel strategy. One rank drives one device; the number of ranks is [`Strategy::ranks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strategy {
    /// Data-parallel replicas. Each holds the whole model and an equal shard of the global batch.
    pub data: NonZeroU32,
}

impl Strategy {
    /// Training on one device.
    pub const SINGLE: Self = Self { data: NonZeroU32::MIN };

    /// Data parallelism over `replicas` ranks; `None` for zero.
    #[must_use]
    pub const fn data_parallel(replicas: u32) -> Option<Self> {
        match NonZeroU32::new(replicas) {
            Some(data) => Some(Self { data }),
            None => None,
        }
    }

    /// Ranks that the strategy needs.
    #[must_use]
    pub const fn ranks(&self) -> u32 {
        self.data.get()
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "data {}", self.data)
    }
}
