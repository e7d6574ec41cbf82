//! What a rank measured of itself, for the run record.

use std::time::Duration;

use super::Phases;
use crate::parallel::topology::GroupCounts;

/// What a rank measured.
#[derive(Debug, Clone, Default)]
pub struct RankReport {
    /// Number in the job.
    pub rank: usize,
    /// Where the time of its steps went.
    pub phases: Phases,
    /// Most bytes that its thread held in a step.
    pub memory_peak_bytes: u64,
    /// What it gave to others.
    pub counts: GroupCounts,
    /// Time outside of its steps.
    pub outside: Outside,
    /// Seconds of the reference work between steps.
    pub references: Vec<f64>,
}

/// Time of a rank outside of its steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outside {
    /// Until the first step.
    pub start: Duration,
    /// Validations.
    pub validation: Duration,
    /// Checkpoints.
    pub checkpoint: Duration,
    /// How many.
    pub checkpoints: u64,
}
