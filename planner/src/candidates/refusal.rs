//! Why a placement cannot be.

use scenarios::residency::Denied;
use scenarios::scenario::{Action, Form};
use scenarios::units::{Bytes, Seconds};

use crate::performance::Unpredictable;
use crate::performance::reliability::ReliabilityError;
use crate::performance::{serving, training};

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
    /// Own machines without a price.
    #[error("what an hour of `{machine}` costs is not known; state `price`, or `capital` with a life above zero")]
    NoOwnedPrice {
        /// Instance type or machine.
        machine: String,
    },
    /// Spot nodes without a price.
    #[error("the catalogue has no spot price for `{machine}` there; state one under `spot`")]
    NoSpotPrice {
        /// Instance type or machine.
        machine: String,
    },
    /// Spot nodes that nobody knows how often are taken away.
    #[error("how often spot nodes of `{machine}` are taken away is not known; state `interruptions` under `spot`")]
    NoSpotRate {
        /// Instance type or machine.
        machine: String,
    },
    /// Spot nodes for a service.
    #[error("a service is not placed on spot nodes: its replicas may be taken away at any time")]
    SpotService,
    /// A commitment is too short.
    #[error(
        "the nodes are reserved for {}, and the workload may run until {}; give it an earlier deadline, or take a longer term",
        Seconds::new(*term).rounded(),
        Seconds::new(*latest).rounded()
    )]
    Term {
        /// Length of the commitment in seconds.
        term: f64,
        /// Deadline, or the end of the planning period.
        latest: f64,
    },
    /// Spot nodes are taken away faster than work is done.
    #[error("on spot nodes {0}")]
    NeverDone(ReliabilityError),
    /// The objective needs a figure that is not known.
    #[error("the greenhouse gas of `{machine}` is not known; state `power` for the pool and `carbon` for the site")]
    NoCarbon {
        /// Instance type or machine.
        machine: String,
    },
    /// Several nodes need a network.
    #[error("the network of `{machine}` is not known, so that several of them cannot be predicted")]
    UnknownNetwork {
        /// Instance type or machine.
        machine: String,
    },
    /// No allowed strategy can be carried out on so many devices.
    #[error("no allowed strategy spreads the job over {devices} devices: batch, heads or layers do not divide")]
    NoStrategy {
        /// Devices.
        devices: u32,
    },
    /// The job cannot be carried out in this way.
    #[error("{0}")]
    Impossible(String),
    /// Longer than can be told.
    #[error("on `{machine}` it would take longer than 10,000 years")]
    TooLong {
        /// Instance type or machine.
        machine: String,
    },
    /// A service's targets cannot be kept.
    #[error("no size of requests can be answered there within the targets")]
    Targets,
    /// The weights of a service come after its start.
    #[error(
        "the weights arrive after {} at the earliest, and the service starts after {}; give it a later `earliest_start`",
        Seconds::new(*arrives).rounded(),
        Seconds::new(*starts).rounded()
    )]
    TooLate {
        /// When the weights are there, in seconds.
        arrives: f64,
        /// When the service starts, in seconds.
        starts: f64,
    },
    /// The machine's speed is not known.
    #[error("the speed of `{machine}` is not known, so its time cannot be predicted")]
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

impl From<training::Impossible> for Reason {
    fn from(error: training::Impossible) -> Self {
        Self::Impossible(error.to_string())
    }
}

impl From<serving::Impossible> for Reason {
    fn from(error: serving::Impossible) -> Self {
        Self::Impossible(error.to_string())
    }
}

impl Reason {
    /// One word for the kind of reason, to count by.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Residency(_) => "residency",
            Self::SiteNotListed { .. } => "site",
            Self::NoRoute { .. } => "network",
            Self::NoEgressPrice { .. }
            | Self::NoPrice { .. }
            | Self::NoOwnedPrice { .. }
            | Self::NoSpotPrice { .. }
            | Self::NoSpotRate { .. } => "price",
            Self::SpotService | Self::NeverDone(_) => "spot",
            Self::Term { .. } => "term",
            Self::NoCarbon { .. } => "carbon",
            Self::Targets => "targets",
            Self::NoStrategy { .. } | Self::Impossible(_) => "strategy",
            Self::UnknownSpeed { .. }
            | Self::UnknownNetwork { .. }
            | Self::UnknownMachine { .. }
            | Self::NotMeasuredTogether { .. }
            | Self::Unpredictable(_) => "prediction",
            Self::Memory { .. } => "memory",
            Self::Quota { .. } => "nodes",
            Self::Deadline { .. } | Self::TooLong { .. } | Self::TooLate { .. } => "deadline",
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
