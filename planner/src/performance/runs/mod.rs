//! Published training runs: a table of `training_runs.csv`'s format, read into trainings with what was measured.
//!
//! Tables leave much unsaid. What is filled in, and by which rule, stands with each function of [`read`]; a run that
//! cannot be predicted is kept with its reason.

mod fill;
mod read;

pub use read::{ReadError, fields, read};

use super::training::Training;

/// A run of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Identifier in the table.
    pub id: String,
    /// Where it was published: the repository, or the name before the number of the identifier.
    pub source: String,
    /// Software that ran it, as far as the table tells: calibrations are kept for each.
    pub stack: String,
    /// Name of the network in the table.
    pub model: String,
    /// How much of the configuration is known: `A` all, `B` part from a recipe, `C` incomplete; empty if not said.
    pub grade: String,
    /// The training, as far as it could be read.
    pub training: Training,
    /// What was measured.
    pub measured: Measured,
}

/// A measured figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    /// Time of one optimiser step, in seconds.
    StepSeconds(f64),
    /// Most memory that one device held, in bytes.
    PeakBytes(f64),
}

/// A run that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Identifier in the table, or the line.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// A table of runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Runs {
    /// Runs that can be predicted.
    pub runs: Vec<Run>,
    /// The others.
    pub refused: Vec<Refused>,
}
