//! What happens during a run, for the terminal and for `events.jsonl`.

use scenarios::plan::PermittedBy;
use scenarios::run::{DataUsed, Epoch, RunStatus};
use serde::Serialize;

/// One step of the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Devices, ranks and rules are checked against the plan.
    Environment,
    /// The model is built and placed.
    Deploy,
    /// Data is cleaned and split.
    Preprocess,
    /// The model learns.
    Train,
    /// The model is judged.
    Evaluate,
    /// The model answers to records.
    Infer,
    /// The model answers requests.
    Serve,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run has started.
    Started {
        /// RFC 3339.
        at: String,
        /// Name of the scenario.
        scenario: String,
        /// Digest of the plan.
        plan: String,
    },
    /// A workload enters a stage.
    Stage {
        /// The workload.
        workload: String,
        /// The stage.
        stage: Stage,
        /// What is done, in words.
        about: String,
    },
    /// The guard let a workload pass.
    Admitted {
        /// The workload.
        workload: String,
        /// Rules that permit what it does.
        rules: Vec<PermittedBy>,
    },
    /// Something is not as the plan has it.
    Warning {
        /// In a sentence.
        text: String,
    },
    /// Data was read and prepared.
    Data {
        /// The workload.
        workload: String,
        /// What was read.
        data: DataUsed,
    },
    /// A training has taken steps.
    Stepped {
        /// The workload.
        workload: String,
        /// Epoch, from 1.
        epoch: u32,
        /// Epochs in all.
        epochs: u32,
        /// Steps of the epoch that were taken.
        step: u64,
        /// Steps of an epoch.
        steps: u64,
        /// Mean loss of the epoch so far.
        loss: f64,
        /// Share of right answers of the epoch so far.
        accuracy: f64,
        /// Records per second of the epoch so far.
        throughput: f64,
    },
    /// An epoch has ended.
    EpochEnded {
        /// The workload.
        workload: String,
        /// Its figures.
        figures: Epoch,
    },
    /// Weights were kept.
    CheckpointKept {
        /// The workload.
        workload: String,
        /// File, relative to the run's folder.
        file: String,
    },
    /// A workload has ended.
    Ended {
        /// The workload.
        workload: String,
        /// How.
        status: RunStatus,
        /// Wall time.
        seconds: f64,
    },
}
