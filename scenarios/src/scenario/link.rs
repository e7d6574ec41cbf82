//! Network between sites.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tier;
use crate::units::{Bandwidth, Seconds};

/// A connection between two sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The two sites.
    pub between: [String; 2],
    /// Whether data moves from the first site to the second only; by default it moves both ways.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub one_way: bool,
    /// Rate in each direction.
    pub bandwidth: Bandwidth,
    /// Time of one way.
    #[serde(default)]
    pub latency: Seconds,
    /// Price of data over this link, by amount over the whole plan; by default what leaving the site costs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub price: Vec<Tier>,
    /// What the link provides, as rules may require it: `encryption_in_transit`, …
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub safeguards: Vec<String>,
}
