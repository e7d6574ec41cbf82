//! Checks a finished plan against its scenario.
//!
//! It shares no code with the search: it reads the plan, the scenario and the catalogue, and
//! recomputes capacity, order, deadlines, money and permissions by itself. Only the meaning of
//! residency rules ([`scenarios::residency::permit`]) is common.

mod money;
mod movements;
mod presence;
mod schedule;

use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::Loaded;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Scenario, catalogue, sites and rules are those that the plan names.
    Provenance,
    /// Every workload is there once, as the scenario describes it.
    Workloads,
    /// Groups are pools of the scenario, with ranks enough for the strategy.
    Groups,
    /// Nodes in use never exceed a pool.
    Capacity,
    /// Workloads start after those that they wait for, and not too early.
    Order,
    /// Workloads end by their deadline and run as long as predicted.
    Time,
    /// Data and weights are where they are needed, and may be processed there.
    Presence,
    /// Every movement is possible and permitted by the rules that it names.
    Movements,
    /// Prices, costs and sums are right and within the budget.
    Money,
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

/// Times that differ by less are equal; plans hold whole milliseconds.
const TOLERANCE_SECONDS: f64 = 1e-4;

/// All rules that `plan` breaks; empty for a correct plan.
#[must_use]
pub fn verify(plan: &Plan, loaded: &Loaded, catalog: &Catalog) -> Vec<Violation> {
    let mut report = Report::default();
    provenance(plan, loaded, catalog, &mut report);
    let subject = Subject { plan, loaded, catalog };
    schedule::workloads(&subject, &mut report);
    schedule::groups(&subject, &mut report);
    schedule::capacity(&subject, &mut report);
    schedule::order(&subject, &mut report);
    schedule::time(&subject, &mut report);
    presence::check(&subject, &mut report);
    movements::check(&subject, &mut report);
    money::check(&subject, &mut report);
    report.violations
}

/// What is verified against what.
#[derive(Clone, Copy)]
struct Subject<'a> {
    plan: &'a Plan,
    loaded: &'a Loaded,
    catalog: &'a Catalog,
}

#[derive(Default)]
struct Report {
    violations: Vec<Violation>,
}

impl Report {
    /// Notes a violation unless `holds`.
    fn expect(&mut self, holds: bool, check: Check, message: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(Violation { check, message: message() });
        }
    }
}

fn provenance(plan: &Plan, loaded: &Loaded, catalog: &Catalog, report: &mut Report) {
    let checks = [
        (plan.scenario.digest == loaded.digest, "the plan was made from another scenario"),
        (plan.catalog.digest == catalog.digest(), "the plan was made with another catalogue"),
        (plan.sites == loaded.sites, "the plan's sites are not the scenario's"),
        (plan.residency.rules == loaded.scenario.policies, "the plan's rules are not the scenario's"),
    ];
    for (holds, message) in checks {
        report.expect(holds, Check::Provenance, || message.to_owned());
    }
}
