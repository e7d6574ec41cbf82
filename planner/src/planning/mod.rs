//! From scenario to plan: list, prune, solve, write down, verify.

mod assemble;
mod case;
mod error;
mod flows;
mod pattern;

pub(crate) use assemble::minimized;
pub(crate) use case::Case;
pub use error::{Infeasible, PlanError};
pub use pattern::{PatternError, PlacePattern, is_like};

use std::collections::BTreeMap;

use scenarios::plan::Plan;
use scenarios::scenario::Scenario;

use crate::candidates::{Candidates, Column, Held, Movement, Network, Replica, ServiceCandidates, World};
use crate::clock::Clock;
use crate::explain::{self, Account, Question};
use crate::placement::{Limits, Problem, Solution, Unsolved, alternatives};
use crate::verify::verify;

/// What the user may change for one call.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Workloads that are held to one strategy.
    pub held: Held,
    /// Workloads that are held to a place.
    pub held_to: BTreeMap<String, PlacePattern>,
    /// Time for each search in seconds, instead of the scenario's.
    pub time_limit_seconds: Option<f64>,
    /// Relative gap, instead of the scenario's.
    pub gap: Option<f64>,
}

impl Options {
    /// How long to search a scenario from now on, and how well.
    pub(crate) fn limits(&self, scenario: &Scenario) -> Limits {
        Limits {
            clock: Clock::new(self.time_limit_seconds.unwrap_or(scenario.time_limit.get())),
            gap: self.gap.unwrap_or(scenario.gap),
            seed: scenario.seed,
        }
    }
}

/// A solved scenario.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    pub world: World<'a>,
    pub network: &'a Network<'a>,
    pub candidates: &'a Candidates,
    pub problem: &'a Problem,
    pub solution: &'a Solution,
}

impl Decision<'_> {
    /// The plan but for its explanation.
    pub(crate) fn plan(&self) -> Plan {
        assemble::plan(self)
    }

    /// The column chosen for a workload that is no service.
    pub(crate) fn column(&self, job: usize) -> &Column {
        &self.candidates.workloads[job].columns[self.solution.choice[job]]
    }

    /// Copies of data that a column reads.
    pub(crate) fn copies(&self, column: &Column) -> impl Iterator<Item = &Movement> {
        column.copies.iter().map(|copy| &self.candidates.copies[*copy])
    }

    /// What a service may be made of, with the numbers of its replicas; `None` for other workloads.
    pub(crate) fn service(&self, job: usize) -> Option<(&ServiceCandidates, usize)> {
        let services = self.candidates.workloads.iter().enumerate().filter(|(_, workload)| workload.service.is_some());
        let (index, _) = services.enumerate().find(|(_, (other, _))| *other == job)?;
        Some((self.candidates.workloads[job].service.as_ref()?, index))
    }

    /// Kinds of replicas that a service has, each with its position and number.
    pub(crate) fn replicas(&self, job: usize) -> Vec<(usize, &Replica, u32)> {
        let Some((service, index)) = self.service(job) else { return Vec::new() };
        let counts = &self.solution.staffing.replicas[index];
        let all = service.replicas.iter().zip(counts).enumerate();
        all.filter(|(_, (_, count))| **count > 0).map(|(kind, (replica, count))| (kind, replica, *count)).collect()
    }

    /// Sites where a workload runs.
    pub(crate) fn sites(&self, job: usize) -> Vec<usize> {
        if self.service(job).is_none() {
            return vec![self.column(job).site()];
        }
        let mut sites: Vec<usize> = self.replicas(job).iter().map(|(_, replica, _)| replica.group.place.site).collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    }

    pub(crate) fn start(&self, job: usize) -> f64 {
        self.solution.starts[job]
    }

    pub(crate) fn end(&self, job: usize) -> f64 {
        let seconds = match self.service(job) {
            Some((service, _)) => service.window.1 - service.window.0,
            None => self.column(job).seconds,
        };
        ((self.start(job) + seconds) * 1000.0).round() / 1000.0
    }
}

/// Plans a scenario.
///
/// # Errors
/// Nothing satisfies the scenario, no plan was found in time, or there is a bug in the planner.
pub fn plan(world: World<'_>, options: &Options) -> Result<Plan, PlanError> {
    let mut plans = plans(world, options, 0, 0.0)?;
    Ok(plans.swap_remove(0))
}

/// Part of the time that listing the placements took, which is left for writing down what became of them.
const SHARE_FOR_WRITING: f64 = 0.25;

/// Plans a scenario, and up to `count` more plans whose objective is at most the share `within` worse, each as different
/// from those before it as that allows. The best one is the first.
///
/// # Errors
/// As [`plan`].
pub fn plans(world: World<'_>, options: &Options, count: usize, within: f64) -> Result<Vec<Plan>, PlanError> {
    let limits = options.limits(&world.loaded.scenario);
    let case = Case::new(world, options, limits.clock)?;
    let listed = limits.clock.spent();
    let search = Limits { clock: limits.clock.at_most(limits.clock.left() - SHARE_FOR_WRITING * listed), ..limits };
    let best = decide(&case, options, search)?;
    let others = match alternatives(&case.problem, &best, count, within, limits) {
        Ok(others) => others,
        Err(Unsolved::Solver(error)) => return Err(error.into()),
        Err(_) => Vec::new(),
    };
    let mut plan = case.plan(&best);
    explain::explain(&case, &best, &mut plan, options, limits);
    let mut written = vec![verified(plan, world)?];
    for solution in &others {
        let mut plan = case.plan(solution);
        explain::describe(&case.decision(solution), &mut plan);
        written.push(verified(plan, world)?);
    }
    Ok(written)
}

/// Plans a scenario, unless a plan of it is given, and gives an account of the plan.
///
/// # Errors
/// As [`plan`].
pub fn explained(
    world: World<'_>,
    given: Option<Plan>,
    question: &Question,
    options: &Options,
) -> Result<(Plan, Account), PlanError> {
    let plan = match given {
        Some(plan) => plan,
        None => plan(world, options)?,
    };
    let limits = options.limits(&world.loaded.scenario);
    let case = Case::new(world, options, limits.clock)?;
    let account = explain::account(&case, &plan, question, options, limits);
    Ok((plan, account))
}

/// The best choice of a case.
///
/// # Errors
/// As [`plan`].
pub(crate) fn decide(case: &Case<'_>, options: &Options, limits: Limits) -> Result<Solution, PlanError> {
    case.solve(limits).map_err(|why| match why {
        Unsolved::Infeasible => PlanError::Infeasible(Infeasible::of(case, explain::ways_out(case, options, limits))),
        Unsolved::OutOfTime(error) => error.into(),
        Unsolved::Solver(error) => error.into(),
    })
}

/// The plan, if it breaks no rule.
pub(crate) fn verified(plan: Plan, world: World<'_>) -> Result<Plan, PlanError> {
    let violations = verify(&plan, world.loaded, world.catalog);
    if violations.is_empty() { Ok(plan) } else { Err(PlanError::Unverified(violations)) }
}
