//! Plans between the cheapest and the fastest, or the cleanest: the ε-constraint method.
//!
//! First the least cost C, then the best of the other objective with a budget of C, and without one, at cost D; then the
//! best with budgets in between, in even steps. Every point is a verified plan of the scenario, and none is beaten by
//! another in both (Haimes, Lasdon and Wismer, 1971).

use rust_decimal::Decimal;
use scenarios::plan::Plan;
use scenarios::scenario::{Loaded, Objective};

use crate::candidates::World;
use crate::placement::{Limits, Solution, Unsolved, solve_from};
use crate::planning::{Case, Options, PlanError, decide, verified};

/// What cost is weighed against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Second {
    /// When the last workload ends.
    FinishTime,
    /// Greenhouse gas.
    Carbon,
}

impl Second {
    const fn objective(self) -> Objective {
        match self {
            Self::FinishTime => Objective::FinishTime,
            Self::Carbon => Objective::Carbon,
        }
    }

    fn of(self, plan: &Plan) -> f64 {
        match self {
            Self::FinishTime => plan.totals.finish_seconds,
            Self::Carbon => plan.totals.carbon_kg.unwrap_or(f64::INFINITY),
        }
    }
}

/// Plans of which none is beaten by another in both cost and the second objective, cheapest first: at most `points`.
///
/// # Errors
/// There is no plan, none was found in time, or there is a bug in the planner.
pub fn frontier(world: World<'_>, second: Second, points: usize, options: &Options) -> Result<Vec<Plan>, PlanError> {
    let aimed = aimed(world.loaded, second);
    let case = Case::new(World { loaded: &aimed, catalog: world.catalog }, options);
    let limits = options.limits(&world.loaded.scenario);
    let sweep = Sweep { case: &case, world, limits };
    let given = case.problem.budget;
    let cheapest = sweep.cheapest(options)?;
    let least = sweep.cost(&cheapest);
    let mut solutions = vec![sweep.within(Some(least), &cheapest)?];
    let best = sweep.within(given, &cheapest)?;
    let most = sweep.cost(&best);
    let steps = points.saturating_sub(1);
    for step in 1..steps {
        let share = Decimal::from(step as u64) / Decimal::from(steps as u64);
        let budget = least + ((most - least) * share).round_dp(6);
        if let Some(start) = solutions.last()
            && budget > least
            && budget < most
        {
            solutions.push(sweep.within(Some(budget), start)?);
        }
    }
    solutions.push(best);
    let plans: Result<Vec<Plan>, PlanError> = solutions.iter().map(|solution| sweep.plan(solution)).collect();
    Ok(unbeaten(plans?, second))
}

/// The scenario with the second objective. It stays the scenario that the plans answer.
fn aimed(loaded: &Loaded, second: Second) -> Loaded {
    let mut aimed = loaded.clone();
    aimed.scenario.objective = second.objective();
    aimed
}

struct Sweep<'a, 'w> {
    case: &'a Case<'w>,
    world: World<'a>,
    limits: Limits,
}

impl Sweep<'_, '_> {
    fn cheapest(&self, options: &Options) -> Result<Solution, PlanError> {
        let mut problem = self.case.problem.clone();
        problem.objective = Objective::Cost;
        match solve_from(&problem, self.limits, None) {
            Ok(solution) => Ok(solution),
            Err(Unsolved::Infeasible) => decide(self.case, options, self.limits),
            Err(why) => Err(unsolved(why)),
        }
    }

    /// The best of the second objective within a budget, from a plan that keeps it.
    fn within(&self, budget: Option<Decimal>, start: &Solution) -> Result<Solution, PlanError> {
        let mut problem = self.case.problem.clone();
        problem.budget = budget;
        solve_from(&problem, self.limits, Some(start)).map_err(unsolved)
    }

    fn cost(&self, solution: &Solution) -> Decimal {
        self.case.problem.cost(&solution.choice, &solution.staffing)
    }

    fn plan(&self, solution: &Solution) -> Result<Plan, PlanError> {
        verified(self.case.plan(solution), self.world)
    }
}

fn unsolved(why: Unsolved) -> PlanError {
    match why {
        Unsolved::OutOfTime(seconds) => PlanError::OutOfTime { seconds },
        Unsolved::Solver(error) => error.into(),
        Unsolved::Infeasible => {
            PlanError::Solver(crate::placement::SolverError("a budget that a plan keeps is too small".to_owned()))
        }
    }
}

/// Plans that no other one beats, each once, cheapest first.
fn unbeaten(mut plans: Vec<Plan>, second: Second) -> Vec<Plan> {
    plans.sort_by(|a, b| {
        let cost = a.totals.cost_usd.cmp(&b.totals.cost_usd);
        cost.then(second.of(a).total_cmp(&second.of(b)))
    });
    let mut kept: Vec<Plan> = Vec::new();
    for plan in plans {
        if kept.last().is_none_or(|last| second.of(&plan) < second.of(last)) {
            kept.push(plan);
        }
    }
    kept
}
