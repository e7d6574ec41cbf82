//! Why there is no plan.

use std::collections::BTreeMap;

use scenarios::units::Seconds;

use super::Case;
use crate::candidates::{Candidates, Network, Product, Reason, WorkloadCandidates, World};
use crate::clock::OutOfTime;
use crate::placement::{SolverError, WaysOut};
use crate::verify::Violation;

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Nothing satisfies the scenario.
    #[error("{0}")]
    Infeasible(Infeasible),
    /// No plan was found in time.
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
    /// The solver failed: a bug.
    #[error(transparent)]
    Solver(#[from] SolverError),
    /// The finished plan breaks a rule: a bug.
    #[error("the finished plan failed verification, which is a bug: {}", joined(.0))]
    Unverified(Vec<Violation>),
}

fn joined(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Why nothing satisfies a scenario, and what would.
#[derive(Debug, Clone, PartialEq)]
pub struct Infeasible {
    /// Workloads that cannot run anywhere, each with its refusals: reason and number of placements.
    pub blocked: Vec<(String, Vec<(String, usize)>)>,
    /// Movements that every plan would need and none may make.
    pub severed: Vec<String>,
    /// Sets of changes, each of which suffices.
    pub ways_out: Vec<WaysOut>,
}

impl Infeasible {
    /// What blocks a case, and what would not.
    pub(crate) fn of(case: &Case<'_>, ways_out: Vec<WaysOut>) -> Self {
        let Case { world, network, candidates, .. } = case;
        let blocked = candidates.workloads.iter().filter(|workload| workload.sites().is_empty());
        let blocked = blocked.map(|workload| (workload.workload.clone(), refusals(world, workload)));
        Self { blocked: blocked.collect(), severed: severed(network, candidates), ways_out }
    }
}

/// Refusals of a workload by site and kind of reason, each with how many there are. Of deadlines the one
/// that is missed least is told.
fn refusals(world: &World<'_>, workload: &WorkloadCandidates) -> Vec<(String, usize)> {
    let mut groups: BTreeMap<(usize, &str), (&Reason, usize)> = BTreeMap::new();
    for refused in &workload.refused {
        let group = groups.entry((refused.place.site, refused.reason.kind())).or_insert((&refused.reason, 0));
        group.1 += 1;
        if let (Reason::Deadline { ends, .. }, Reason::Deadline { ends: told, .. }) = (&refused.reason, group.0)
            && ends < told
        {
            group.0 = &refused.reason;
        }
    }
    let told = groups
        .into_iter()
        .map(|((site, _), (reason, count))| (format!("at `{}`: {reason}", world.site_name(site)), count));
    told.collect()
}

/// Products that can reach no site where they are to be read.
fn severed(network: &Network<'_>, candidates: &Candidates) -> Vec<String> {
    let mut found = Vec::new();
    for Product { maker, reader, cargo } in network.products() {
        let mut reasons = Vec::new();
        for from in candidates.workloads[*maker].sites() {
            for to in candidates.workloads[*reader].sites() {
                match network.movements(cargo, from, to) {
                    Err(reason) if from != to => reasons.push(reason.to_string()),
                    _ => reasons.push(String::new()),
                }
            }
        }
        reasons.sort();
        reasons.dedup();
        if !reasons.is_empty() && !reasons.iter().any(String::is_empty) {
            let product = format!("the {} of `{}` cannot reach `{}`", cargo.form, cargo.what, cargo.used_by);
            found.push(format!("{product}: {}", reasons.join("; ")));
        }
    }
    found
}

/// Most reasons that are told for one workload.
const MOST_TOLD: usize = 12;

impl std::fmt::Display for Infeasible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no plan satisfies the scenario")?;
        for (workload, refusals) in &self.blocked {
            write!(f, "\n  `{workload}` cannot run anywhere:")?;
            for (reason, count) in refusals.iter().take(MOST_TOLD) {
                let times = if *count > 1 { format!(" ({count} placements)") } else { String::new() };
                write!(f, "\n    {reason}{times}")?;
            }
            if let more @ 1.. = refusals.len().saturating_sub(MOST_TOLD) {
                write!(f, "\n    and {more} more reasons; `planner candidates` lists all")?;
            }
        }
        for reason in &self.severed {
            write!(f, "\n  {reason}")?;
        }
        if self.blocked.is_empty() && self.severed.is_empty() {
            f.write_str(": each workload can run somewhere, but not all of them within budget, deadlines and nodes")?;
        }
        Ok(())
    }
}

impl Infeasible {
    /// The ways out in words, the cheapest first, for a hint; `None` if nothing that was tried would help.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let ways: Vec<String> = self.ways_out.iter().map(way).collect();
        if ways.is_empty() {
            return (!self.blocked.is_empty())
                .then(|| "a policy, a site, a price or a machine has to change; see the reasons above".to_owned());
        }
        let smallest = self.ways_out.iter().all(|way| way.smallest);
        let which = if smallest { "the smallest changes that would do" } else { "changes that would do" };
        Some(format!("{which}, each by itself:\n    {}", ways.join("\n    ")))
    }
}

/// One way out with the plan that it leads to.
fn way(way: &WaysOut) -> String {
    let changes: Vec<_> = way.changes.iter().map(ToString::to_string).collect();
    let plan = way.plan.map_or_else(String::new, |(usd, seconds)| {
        format!(": {} USD, done after {}", usd.normalize(), Seconds::new(seconds).rounded())
    });
    format!("{}{plan}", changes.join(" and "))
}
