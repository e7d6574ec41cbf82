//! Published training runs: a table of `training_runs.csv`'s format, read into trainings with what was measured.
//!
//! Tables leave much unsaid. What is filled in, and by which rule, stands with each function of [`read`]; a run that
//! cannot be predicted is kept with its reason.

mod fill;
mod read;
mod table;

pub use read::read;
pub use table::{ReadError, Refused, Row, Runs, read as read_table};

use super::training::Training;

/// A run of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Identifier in the table.
    pub id: String,
    /// The repository where it was published, which stands for the software that ran it: constants are kept for each.
    pub source: String,
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
