//! Plans between the cheapest and the fastest, or the cleanest: the ε-constraint method.
//!
//! First the least cost C, then the best of the other objective with a budget of C, and with the scenario's budget; then
//! the best with budgets in between, in the widest gaps first, until there are as many points as asked for or no more.
//! Every point is a verified plan of the scenario, and none is beaten by another in both (Haimes, Lasdon and Wismer,
//! 1971).

use rust_decimal::Decimal;
use scenarios::plan::Plan;
use scenarios::scenario::{Loaded, Objective};

use crate::candidates::World;
use crate::placement::{Limits, Problem, Solution, SolverError, Unsolved, solve_from};
use crate::planning::{Case, Decision, Options, PlanError, decide, verified};

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

/// Points nearer to the next dearer one than this part of a step between evenly spread points are left out.
const NEARNESS: u64 = 4;

/// A plan of the frontier.
#[derive(Debug, Clone, PartialEq)]
pub struct Efficient {
    /// The plan, judged by the scenario's own objective.
    pub plan: Plan,
    /// Whether no plan at most as dear is better in the second objective, within the gap.
    pub proven: bool,
}

/// Plans of which none is beaten by another in both cost and the second objective, cheapest first: at most `points`.
///
/// # Errors
/// There is no plan, none was found in time, or there is a bug in the planner.
pub fn frontier(
    world: World<'_>,
    second: Second,
    points: usize,
    options: &Options,
) -> Result<Vec<Efficient>, PlanError> {
    let aimed = aimed(world.loaded, second);
    let case = Case::new(World { loaded: &aimed, catalog: world.catalog }, options);
    let sweep = Sweep { case: &case, world, limits: options.limits(&world.loaded.scenario) };
    let cheapest = sweep.cheapest(options)?;
    let first = sweep.within(Some(sweep.cost(&cheapest)), &cheapest)?;
    let last = sweep.within(case.problem.budget, &first)?;
    let floor = sweep.floor(&cheapest, &last)?;
    let mut found = vec![sweep.point(first), sweep.point(last)];
    sweep.fill(&mut found, points)?;
    let plans: Result<Vec<Efficient>, PlanError> =
        found.iter().map(|point| sweep.efficient(&point.solution, floor)).collect();
    Ok(unbeaten(plans?, second))
}

/// A solution with what it costs and reaches.
struct Point {
    solution: Solution,
    usd: Decimal,
    value: f64,
    /// Whether nothing lies between it and the next dearer one.
    closed: bool,
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

    fn point(&self, solution: Solution) -> Point {
        let (usd, value) = (self.cost(&solution), solution.objective);
        Point { solution, usd, value, closed: false }
    }

    /// Puts points into the widest gaps. A gap is closed when there is nothing in it, or nothing that is farther from its
    /// upper end than points so near that they tell the same.
    fn fill(&self, found: &mut Vec<Point>, points: usize) -> Result<(), PlanError> {
        let range = found.iter().map(|point| point.usd).max().unwrap_or_default() - found[0].usd;
        let near = (range / Decimal::from(NEARNESS * points.max(1) as u64)).round_dp(6).max(Decimal::new(1, 6));
        while found.len() < points {
            let open = (0..found.len() - 1).filter(|at| !found[*at].closed);
            let Some(at) = open.max_by_key(|at| (found[at + 1].usd - found[*at].usd, std::cmp::Reverse(*at))) else {
                return Ok(());
            };
            match self.between(&found[at], found[at + 1].usd, near)? {
                Some(point) => found.insert(at + 1, point),
                None => found[at].closed = true,
            }
        }
        Ok(())
    }

    /// A point that is dearer than `low` and better: for the smallest budget, halving the gap, that has one.
    fn between(&self, low: &Point, high: Decimal, near: Decimal) -> Result<Option<Point>, PlanError> {
        let mut budget = low.usd;
        loop {
            budget = ((budget + high) / Decimal::TWO).round_dp(6);
            if budget <= low.usd || high - budget < near {
                return Ok(None);
            }
            let next = self.point(self.within(Some(budget), &low.solution)?);
            if next.usd > low.usd && next.value < low.value - tolerance(low.value) {
                return Ok(Some(next));
            }
        }
    }

    /// A lower bound on the scenario's own objective.
    fn floor(&self, cheapest: &Solution, best: &Solution) -> Result<f64, PlanError> {
        match self.world.loaded.scenario.objective {
            Objective::Cost if self.is_free_of_preferences(cheapest) => Ok(cheapest.bound),
            own if own == self.case.problem.objective => Ok(best.bound),
            own => {
                let problem = Problem { objective: own, ..self.case.problem.clone() };
                Ok(solve_from(&problem, self.limits, Some(cheapest)).map_err(unsolved)?.bound)
            }
        }
    }

    fn is_free_of_preferences(&self, solution: &Solution) -> bool {
        self.case.problem.bill(&solution.choice, &solution.staffing).preference.is_zero()
    }

    /// The plan of a solution, as one of the scenario's own: judged by its objective.
    fn efficient(&self, solution: &Solution, floor: f64) -> Result<Efficient, PlanError> {
        let own = self.world.loaded.scenario.objective;
        let problem = Problem { objective: own, budget: self.case.problem.budget, ..self.case.problem.clone() };
        let finish = self.case.plan(solution).totals.finish_seconds;
        let objective = problem.value(&solution.choice, &solution.staffing, finish);
        let bound = floor.min(objective);
        let optimal = objective - bound <= self.limits.gap * objective.abs() + tolerance(objective);
        let judged = Solution { optimal, objective, bound, ..solution.clone() };
        let case = self.case;
        let decision = Decision {
            world: self.world,
            network: &case.network,
            candidates: &case.candidates,
            problem: &problem,
            solution: &judged,
        };
        let mut plan = decision.plan();
        super::describe(&decision, &mut plan);
        let better = match case.problem.objective {
            Objective::Carbon => "causes less greenhouse gas",
            _ => "is done earlier",
        };
        if solution.optimal {
            let usd = plan.totals.cost_usd;
            plan.explanation.summary.insert(0, format!("No plan that costs at most {usd} USD {better}."));
        }
        Ok(Efficient { plan: verified(plan, self.world)?, proven: solution.optimal })
    }
}

/// What equal values may differ by.
fn tolerance(value: f64) -> f64 {
    1e-6 + 1e-9 * value.abs()
}

fn unsolved(why: Unsolved) -> PlanError {
    match why {
        Unsolved::OutOfTime(seconds) => PlanError::OutOfTime { seconds },
        Unsolved::Solver(error) => error.into(),
        Unsolved::Infeasible => PlanError::Solver(SolverError("a budget that a plan keeps is too small".to_owned())),
    }
}

/// Plans that no other one beats, each once, cheapest first.
fn unbeaten(mut all: Vec<Efficient>, second: Second) -> Vec<Efficient> {
    all.sort_by(|a, b| {
        let cost = a.plan.totals.cost_usd.cmp(&b.plan.totals.cost_usd);
        cost.then(second.of(&a.plan).total_cmp(&second.of(&b.plan)))
    });
    let mut kept: Vec<Efficient> = Vec::new();
    for next in all {
        if kept.last().is_none_or(|last| second.of(&next.plan) < second.of(&last.plan)) {
            kept.push(next);
        }
    }
    kept
}
