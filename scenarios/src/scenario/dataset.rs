//! Data that workloads read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Sites that hold a copy.
    pub at: Vec<String>,
    /// Size of one copy.
    pub size: Bytes,
    /// Records for training (and validation), test records not counted.
    pub records: u64,
    /// Where and how the files lie, for a data set that the executor reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Files>,
}

/// Files of a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// How they are to be read.
    pub format: FileFormat,
    /// Folder, relative to the executor's data folder.
    pub path: String,
}

/// Format of data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// IDX images and labels under the names of MNIST (`train-images-idx3-ubyte.gz`, …), compressed or not.
    Idx,
}
