//! Network between sites.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Bandwidth, Seconds};

/// A connection between two sites, the same in both directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The two sites.
    pub between: [String; 2],
    /// Rate in each direction.
    pub bandwidth: Bandwidth,
    /// Time of one way.
    #[serde(default)]
    pub latency: Seconds,
}
