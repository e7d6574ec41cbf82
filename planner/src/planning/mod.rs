//! From scenario to plan: list, prune, solve, write down, verify.

mod assemble;
mod energy;
mod error;
mod flows;

pub use error::{Infeasible, PlanError};

use scenarios::plan::Plan;

use crate::candidates::{Candidates, Column, Held, Movement, Network, World, enumerate, prune};
use crate::explain;
use crate::placement::{Limits, Problem, Solution, Unsolved, solve, ways_out};
use crate::verify::verify;

/// What the user may change for one call.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Workloads that are held to one strategy.
    pub held: Held,
    /// Time for the solver in seconds, instead of the scenario's.
    pub time_limit_seconds: Option<f64>,
    /// Relative gap, instead of the scenario's.
    pub gap: Option<f64>,
}

/// A solved scenario.
#[derive(Debug)]
pub(crate) struct Decision<'a> {
    pub world: World<'a>,
    pub network: &'a Network<'a>,
    pub candidates: &'a Candidates,
    pub solution: &'a Solution,
}

impl Decision<'_> {
    /// The column chosen for a workload.
    pub(crate) fn column(&self, job: usize) -> &Column {
        &self.candidates.workloads[job].columns[self.solution.choice[job]]
    }

    /// The copy of data that a column reads.
    pub(crate) fn copy(&self, column: &Column) -> Option<&Movement> {
        column.copy.map(|copy| &self.candidates.copies[copy])
    }

    pub(crate) fn start(&self, job: usize) -> f64 {
        self.solution.starts[job]
    }

    pub(crate) fn end(&self, job: usize) -> f64 {
        ((self.start(job) + self.column(job).seconds) * 1000.0).round() / 1000.0
    }
}

/// Plans a scenario.
///
/// # Errors
/// Nothing satisfies the scenario, no plan was found in time, or there is a bug in the planner.
pub fn plan(world: World<'_>, options: &Options) -> Result<Plan, PlanError> {
    let scenario = &world.loaded.scenario;
    let network = Network::new(world);
    let candidates = prune(&world, &network, enumerate(&world, &network, &options.held));
    let columns: Vec<_> = candidates.workloads.iter().map(|workload| workload.columns.clone()).collect();
    let problem = Problem::of(&world, &network, &columns, &candidates.copies);
    let limits = Limits {
        seconds: options.time_limit_seconds.unwrap_or(scenario.time_limit.get()),
        gap: options.gap.unwrap_or(scenario.gap),
        seed: scenario.seed,
    };
    let solution = match solve(&problem, limits) {
        Ok(solution) => solution,
        Err(Unsolved::Infeasible) => {
            let ways_out = ways_out(&world, &network, &candidates, limits);
            return Err(PlanError::Infeasible(Infeasible::new(&world, &network, &candidates, ways_out)));
        }
        Err(Unsolved::OutOfTime(seconds)) => return Err(PlanError::OutOfTime { seconds }),
        Err(Unsolved::Solver(error)) => return Err(error.into()),
    };
    let decision = Decision { world, network: &network, candidates: &candidates, solution: &solution };
    let mut plan = assemble::plan(&decision);
    explain::explain(&decision, &mut plan);
    let violations = verify(&plan, world.loaded, world.catalog);
    if violations.is_empty() { Ok(plan) } else { Err(PlanError::Unverified(violations)) }
}
