//! Why a placement cannot be.

use scenarios::residency::Denied;
use scenarios::scenario::{Action, Form};
use scenarios::units::{Bytes, Seconds};

use crate::performance::Unpredictable;

/// Why a placement cannot be.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Reason {
    /// A residency rule is in the way.
    #[error(transparent)]
    Residency(#[from] Denied),
    /// The workload names the sites where it may run.
    #[error("the workload may run only at {}", allowed.join(", "))]
    SiteNotListed {
        /// Sites where it may run.
        allowed: Vec<String>,
    },
    /// The data cannot get there.
    #[error("no network is known from `{from}` to `{to}`: neither a link in the scenario nor a path in the catalogue")]
    NoRoute {
        /// Site that holds the data.
        from: String,
        /// Site that needs it.
        to: String,
    },
    /// What leaving data costs is not known.
    #[error("the price of data that leaves `{from}` is not known; state `egress` for the site")]
    NoEgressPrice {
        /// Site that the data leaves.
        from: String,
    },
    /// The machine has no price.
    #[error("the catalogue has no on-demand price for `{machine}` there; state one under `purchase`")]
    NoPrice {
        /// Instance type or machine.
        machine: String,
    },
    /// The machine's speed is not known.
    #[error("the speed of `{machine}` in 32-bit floating point is not known, so its time cannot be predicted")]
    UnknownSpeed {
        /// Instance type or machine.
        machine: String,
    },
    /// The machine is not known.
    #[error("`{machine}` is neither in the catalogue nor measured")]
    UnknownMachine {
        /// Instance type or profile.
        machine: String,
    },
    /// More ranks than one measured machine can be predicted for.
    #[error("needs {ranks} ranks, and the machine was measured with up to {measured}; calibrate with more ranks")]
    NotMeasuredTogether {
        /// Ranks.
        ranks: u32,
        /// Most that were measured.
        measured: u32,
    },
    /// The time cannot be predicted.
    #[error(transparent)]
    Unpredictable(#[from] Unpredictable),
    /// Too little memory.
    #[error("needs {} of memory on one device, which has {} ({parts})", Bytes(*needed).rounded(), Bytes(*available).rounded())]
    Memory {
        /// Bytes needed.
        needed: u64,
        /// Bytes there.
        available: u64,
        /// Breakdown in words.
        parts: String,
    },
    /// Too few nodes.
    #[error("needs {needed} nodes at the same time, and the pool has {available}")]
    Quota {
        /// Nodes needed.
        needed: u32,
        /// Nodes there.
        available: u32,
    },
    /// Too slow.
    #[error("would end after {} at the earliest, and must end by {}", Seconds::new(*ends).rounded(), Seconds::new(*latest).rounded())]
    Deadline {
        /// Earliest end.
        ends: f64,
        /// Deadline, or the end of the planning period.
        latest: f64,
    },
}

impl Reason {
    /// One word for the kind of reason, to count by.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Residency(_) => "residency",
            Self::SiteNotListed { .. } => "site",
            Self::NoRoute { .. } => "network",
            Self::NoEgressPrice { .. } | Self::NoPrice { .. } => "price",
            Self::UnknownSpeed { .. }
            | Self::UnknownMachine { .. }
            | Self::NotMeasuredTogether { .. }
            | Self::Unpredictable(_) => "prediction",
            Self::Memory { .. } => "memory",
            Self::Quota { .. } => "nodes",
            Self::Deadline { .. } => "deadline",
        }
    }

    /// What a residency rule denied: label, form, action, site and the rule, if a rule it was.
    #[must_use]
    pub fn denied(&self) -> Option<(&str, Form, Action, &str, Option<&str>)> {
        match self {
            Self::Residency(Denied::Rule { rule, label, form, action, site, .. }) => {
                Some((label, *form, *action, site, Some(rule)))
            }
            Self::Residency(Denied::NotAllowed { label, form, action, site, .. }) => {
                Some((label, *form, *action, site, None))
            }
            _ => None,
        }
    }
}
