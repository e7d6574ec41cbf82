//! Checks a finished plan against its scenario: the independent judge of what the planner, or anybody, wrote.
//!
//! It shares no code with the search. From the plan, the scenario and the catalogue alone it derives anew what every
//! workload reads and makes, which rules follow that data, what is in use at every instant, and what everything costs.
//! Common are only the meaning of one residency rule ([`scenarios::residency::permit`]) and the arithmetic of tariffs
//! ([`scenarios::units::Tariff`]).
//!
//! Each [`Check`] is a file of its own here. A plan is right if none of them finds a [`Violation`].

mod capacity;
mod content;
mod energy;
#[cfg(test)]
mod fixtures;
mod groups;
mod labels;
mod money;
mod movements;
#[cfg(test)]
mod mutations;
mod presence;
mod provenance;
mod residency;
mod route;
mod services;
mod solver;
mod strategies;
mod subject;
mod time;
mod workloads;

use std::collections::BTreeMap;

use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::Loaded;

use subject::Subject;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Scenario, catalogue, machine profiles, sites and rules are those that the plan names.
    Provenance,
    /// Every workload is there once, as the scenario describes it, with all its work.
    Workloads,
    /// Groups are pools of the scenario where the workload may run, with ranks enough, bought as the pool offers.
    Groups,
    /// Strategies are among those that the workload allows.
    Strategies,
    /// Nodes in use never exceed a pool, nor reserved ones a commitment.
    Capacity,
    /// Workloads start after those that they wait for, and not too early.
    Order,
    /// Workloads end in time and run as long as predicted; services last from first to last instant.
    Time,
    /// What a workload reads lies at each of its sites when it starts.
    Presence,
    /// Every movement has a purpose, the right content, a route that exists, and time enough.
    Movements,
    /// Rules permit whatever is done with data, and movements name those rules.
    Residency,
    /// Every request is answered, and no replica has more of them than it can answer.
    Services,
    /// Prices, costs and sums are right.
    Money,
    /// The plan costs no more than the budget.
    Budget,
    /// Energy and greenhouse gas are those of the machines in use.
    Energy,
    /// The objective has the value that the solver states, and its gap follows from its bound.
    Solver,
}

impl Check {
    /// All checks, in the order in which they are told.
    pub const ALL: [Self; 15] = [
        Self::Provenance,
        Self::Workloads,
        Self::Groups,
        Self::Strategies,
        Self::Capacity,
        Self::Order,
        Self::Time,
        Self::Presence,
        Self::Movements,
        Self::Residency,
        Self::Services,
        Self::Money,
        Self::Budget,
        Self::Energy,
        Self::Solver,
    ];

    /// Name for people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.words().0
    }

    /// What holds for a right plan.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        self.words().1
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Provenance => ("provenance", "scenario, catalogue, profiles, sites and rules are those it names"),
            Self::Workloads => ("workloads", "every workload is there once, unchanged, with all its work"),
            Self::Groups => ("groups", "machines are of pools where the workload may run, bought as offered"),
            Self::Strategies => ("strategies", "strategies are allowed by the workload"),
            Self::Capacity => ("capacity", "at every instant pools and commitments have the nodes in use"),
            Self::Order => ("order", "nothing starts before what it waits for, or too early"),
            Self::Time => ("time", "deadlines, run times and windows of services are kept"),
            Self::Presence => ("presence", "what is read is there at the start"),
            Self::Movements => ("movements", "movements have a purpose, the right content, a route and time enough"),
            Self::Residency => ("residency", "rules permit whatever is done with data, and are named"),
            Self::Services => ("services", "every request is answered by replicas that can"),
            Self::Money => ("money", "prices, costs and sums are right"),
            Self::Budget => ("budget", "the plan costs no more than the budget"),
            Self::Energy => ("energy", "energy and greenhouse gas are those of the machines"),
            Self::Solver => ("solver", "objective, bound and gap are right"),
        }
    }
}

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Violation {
    /// Which check failed.
    pub check: Check,
    /// What is wrong, in a sentence.
    pub message: String,
}

/// What was checked, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many statements of each kind were checked; none of a kind that the plan has nothing of.
    pub checked: BTreeMap<Check, usize>,
    /// Those that do not hold.
    pub violations: Vec<Violation>,
}

impl Verification {
    /// Statements of all kinds.
    #[must_use]
    pub fn count(&self) -> usize {
        self.checked.values().sum()
    }

    /// Notes that a statement was checked, and a violation unless it holds.
    fn expect(&mut self, holds: bool, check: Check, message: impl FnOnce() -> String) {
        *self.checked.entry(check).or_default() += 1;
        if !holds {
            self.violations.push(Violation { check, message: message() });
        }
    }
}

/// Instants that differ by less are equal; plans hold whole milliseconds.
const TOLERANCE_SECONDS: f64 = 1e-4;

/// What rounding to whole milliseconds may change.
const MILLISECOND: f64 = 1e-3 + TOLERANCE_SECONDS;

/// All rules that `plan` breaks; empty for a correct plan.
#[must_use]
pub fn verify(plan: &Plan, loaded: &Loaded, catalog: &Catalog) -> Vec<Violation> {
    examine(plan, loaded, catalog).violations
}

/// Checks everything about `plan` and counts what was checked.
#[must_use]
pub fn examine(plan: &Plan, loaded: &Loaded, catalog: &Catalog) -> Verification {
    let subject = Subject::new(plan, loaded, catalog);
    let mut found = Verification::default();
    provenance::check(&subject, &mut found);
    workloads::check(&subject, &mut found);
    groups::check(&subject, &mut found);
    strategies::check(&subject, &mut found);
    capacity::check(&subject, &mut found);
    time::check(&subject, &mut found);
    presence::check(&subject, &mut found);
    movements::check(&subject, &mut found);
    residency::check(&subject, &mut found);
    services::check(&subject, &mut found);
    money::check(&subject, &mut found);
    energy::check(&subject, &mut found);
    solver::check(&subject, &mut found);
    found
}
