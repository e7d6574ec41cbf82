//! Data that workloads read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Files;
use crate::units::Bytes;

/// A data set and where it lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Class of the data, as policies name it; `public` data may go anywhere.
    pub class: String,
    /// ISO 3166 code of the country where it was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Sites that hold a whole copy.
    #[serde(default)]
    pub at: Vec<String>,
    /// Parts of it that lie at different sites, for data that no site holds whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// Size of one copy.
    pub size: Bytes,
    /// Records for training (and validation), test records not counted.
    pub records: u64,
    /// Where and how the files lie, for a data set that the executor reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
}

/// Part of a data set at one site. Its size is its share of the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Site.
    pub at: String,
    /// Records there; all parts together are the data set's.
    pub records: u64,
}
