//! A change of a scenario in the user's words.

use rust_decimal::Decimal;
use scenarios::scenario::Form;
use scenarios::units::Seconds;

/// A change of a scenario that would make a plan possible, or better.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// More money.
    Budget {
        /// Least that a plan costs.
        needs: Decimal,
        /// The budget.
        given: Decimal,
    },
    /// More time for a workload.
    Deadline {
        /// Name of the workload.
        workload: String,
        /// Its end in the plan that is least late.
        needs_seconds: f64,
        /// Its deadline, or the end of the planning period.
        given_seconds: f64,
    },
    /// More nodes.
    Nodes {
        /// Site.
        site: String,
        /// Pool.
        pool: String,
        /// Nodes in the plan that needs fewest more.
        needs: u32,
        /// Nodes of the pool.
        given: u32,
    },
    /// A permission for data at a site.
    Permission {
        /// Data set whose label it is.
        label: String,
        /// Forms of it that need the permission; empty while that is not known.
        forms: Vec<Form>,
        /// Site.
        site: String,
    },
    /// Another earliest start of a workload; of a service, which starts then.
    Start {
        /// Name of the workload.
        workload: String,
        /// The start that would do.
        needs_seconds: f64,
        /// Its earliest start.
        given_seconds: f64,
    },
    /// Nodes of a pool may be had on demand, too.
    OnDemand {
        /// Site.
        site: String,
        /// Pool.
        pool: String,
    },
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |seconds: &f64| Seconds::new(*seconds).rounded();
        match self {
            Self::Budget { needs, given } => {
                write!(f, "a budget of {} USD instead of {} USD", needs.normalize(), given.normalize())
            }
            Self::Deadline { workload, needs_seconds, given_seconds } => {
                write!(f, "a deadline of {} for `{workload}` instead of {}", shown(needs_seconds), shown(given_seconds))
            }
            Self::Nodes { site, pool, needs, given } => {
                write!(f, "{needs} nodes in pool `{pool}` of `{site}` instead of {given}")
            }
            Self::Permission { label, forms, site } => {
                let forms: Vec<String> = forms.iter().map(ToString::to_string).collect();
                let of = if forms.is_empty() { String::new() } else { format!("{} of ", forms.join(", ")) };
                write!(f, "a rule that allows {of}`{label}` at `{site}`")
            }
            Self::Start { workload, needs_seconds, given_seconds } => {
                write!(f, "a start of `{workload}` {} instead of {}", from(*needs_seconds), from(*given_seconds))
            }
            Self::OnDemand { site, pool } => write!(f, "nodes on demand in pool `{pool}` of `{site}`"),
        }
    }
}

/// A start in words.
fn from(seconds: f64) -> String {
    if seconds > 0.0 { format!("after {}", Seconds::new(seconds).rounded()) } else { "at once".to_owned() }
}
