//! Why there is no way for a copy.

use super::shortfall::Shortfall;
use crate::placement::SolverError;

/// Why there is no plan for a copy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TransferError {
    /// A place that the network lacks.
    #[error("the network has no place `{name}`")]
    UnknownPlace {
        /// Its name.
        name: String,
        /// What might be meant.
        help: String,
    },
    /// Source and destination are one place.
    #[error("`{place}` is source and destination at once")]
    SamePlace {
        /// Which.
        place: String,
    },
    /// Source or destination may not be passed.
    #[error("rule `{rule}` keeps the data from `{place}`, which is the {end}")]
    ForbiddenEnd {
        /// Which place.
        place: String,
        /// Whether it is the source or the destination.
        end: &'static str,
        /// What forbids it.
        rule: String,
    },
    /// A rate that moves nothing, or more than can be planned.
    #[error("a rate of {gbps} Gbit/s is asked for: expected 10^-6 to 10^9")]
    Rate {
        /// The rate.
        gbps: f64,
    },
    /// An amount of nothing.
    #[error("there is nothing to copy: the amount is 0")]
    Nothing,
    /// No set of flows reaches the rate.
    #[error("{0}")]
    Infeasible(Box<Shortfall>),
    /// The solver found nothing in its time.
    #[error("no plan was found in {seconds} s")]
    OutOfTime {
        /// How long it searched.
        seconds: f64,
    },
    /// The solver failed, which is a bug.
    #[error(transparent)]
    Solver(#[from] SolverError),
}

impl TransferError {
    /// The smallest fix.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::UnknownPlace { help, .. } => Some(help.clone()),
            Self::SamePlace { .. } => Some("data that stays needs no copy".to_owned()),
            Self::ForbiddenEnd { .. } => Some("a copy begins and ends where the data may be".to_owned()),
            Self::Infeasible(shortfall) => shortfall.help(),
            Self::Rate { .. } => Some("give a rate such as `8 Gbit/s`".to_owned()),
            Self::Nothing => Some("give an amount such as `100 GB`".to_owned()),
            Self::OutOfTime { .. } => Some("leave out places that the copy will not pass".to_owned()),
            Self::Solver(_) => None,
        }
    }
}
