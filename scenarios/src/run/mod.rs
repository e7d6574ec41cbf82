//! The run record: what was executed and measured, beside what was predicted.

mod rank;

pub use rank::{Exchange, Overheads, RankRun};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::machine::{Device, Host};
use crate::plan::Predicted;
use crate::scenario::Form;
use crate::strategy::Strategy;
use crate::units::Interval;

/// Value of `format` in a run record.
pub const FORMAT: &str = "causeway.run/1";

/// Record of one `executor apply`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Always `causeway.run/1`.
    pub format: String,
    /// SHA-256 over the rest of the document.
    pub digest: String,
    /// Digest of the plan that was applied.
    pub plan_digest: String,
    /// Name of the scenario.
    pub scenario: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// How far it came.
    pub status: RunStatus,
    /// The computer.
    pub host: Host,
    /// Software that ran it.
    pub software: String,
    /// One for each workload that was started, in order.
    pub workloads: Vec<WorkloadRun>,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Everything that was asked for has ended.
    Completed,
    /// Stopped by the user; the checkpoint was kept.
    Interrupted,
    /// Ended by an error.
    Failed,
}

/// What one workload did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRun {
    /// Name.
    pub workload: String,
    /// Kind of the job: `train`, `evaluate`, …
    pub kind: String,
    /// How far it came.
    pub status: RunStatus,
    /// Site that it stood for.
    pub site: String,
    /// Device of the ranks.
    pub device: Device,
    /// How it was spread.
    pub strategy: Strategy,
    /// The data.
    pub data: DataUsed,
    /// Figures after each epoch, for training.
    pub epochs: Vec<Epoch>,
    /// Losses of the first steps (at most 100), to compare runs by.
    pub first_losses: Vec<f64>,
    /// Optimiser steps or forward passes that were timed.
    pub steps: u64,
    /// Time of one step after warm-up.
    pub step_seconds: Interval,
    /// Mean time of a step by phase: `input`, `forward`, `backward`, `communication` and `waiting` (what the rank waited
    /// for), `optimizer`, `other`. Of the first rank.
    pub phases_seconds: IndexMap<String, f64>,
    /// Records per second over all ranks, after warm-up, input included.
    pub throughput: f64,
    /// The same from the spread of the steps, such as a prediction's interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput_interval: Option<Interval>,
    /// Time that the reference work of machine profiles took in a rank meanwhile, over all ranks of a training: against
    /// that of the profile it tells whether the device was as fast as at its calibration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_seconds: Option<Interval>,
    /// Unit of the throughput.
    pub throughput_unit: String,
    /// What each rank of a training did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranks: Vec<RankRun>,
    /// What the ranks gave to each other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<Exchange>,
    /// Time outside of the steps of a training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overheads: Option<Overheads>,
    /// Wall time of the whole workload.
    pub seconds: f64,
    /// What the plan had predicted.
    pub predicted: Predicted,
    /// Figures of the finished model by name: `test_accuracy`, `test_loss`, …
    pub metrics: IndexMap<String, f64>,
    /// Where figures of the test lie, at 95 % confidence, as far as there are records enough to say so.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub intervals: IndexMap<String, Bounds>,
    /// Rows are true classes, columns predicted ones; empty without evaluation.
    pub confusion: Vec<Vec<u64>>,
    /// Weights that it wrote, relative to the run's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// Predictions that it wrote, one JSON value a line, relative to the run's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictions: Option<String>,
    /// Bytes that crossed between ranks, by form and pair of sites.
    pub traffic: Vec<Traffic>,
}

/// Data that a workload read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataUsed {
    /// Name in the scenario.
    pub dataset: String,
    /// Which files these were, in words: given folder, shared folder, download, or generated.
    pub source: String,
    /// SHA-256 over the files that were read.
    pub digest: String,
    /// Records for training.
    pub train_records: u64,
    /// Records for validation.
    pub validation_records: u64,
    /// Records for the test.
    pub test_records: u64,
    /// Records dropped as malformed.
    pub dropped_malformed: u64,
    /// Records dropped as duplicates.
    pub dropped_duplicates: u64,
}

/// Figures after one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// From 1. Where validations are further apart or closer together than passes over the data, this is the number of
    /// the validation.
    pub epoch: u32,
    /// Mean training loss.
    pub train_loss: f64,
    /// Share of training records classified rightly while training.
    pub train_accuracy: f64,
    /// Mean loss on the validation records, if any were held back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Share of validation records classified rightly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// Records per second in this epoch.
    pub throughput: f64,
    /// Wall time.
    pub seconds: f64,
}

/// Bounds of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Lower one.
    pub low: f64,
    /// Upper one.
    pub high: f64,
}

/// Bytes of one form between two sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Form of the data.
    pub form: Form,
    /// Sending site.
    pub from: String,
    /// Receiving site.
    pub to: String,
    /// Amount.
    pub bytes: u64,
}
