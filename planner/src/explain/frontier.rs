//! Plans between the cheapest and the fastest, or the cleanest: the ε-constraint method.
//!
//! First the least cost C, then the best of the other objective with a budget of C, and with the scenario's budget; then
//! the best with budgets in between, in the widest gaps first, until there are as many points as asked for, or no more
//! that lie apart. Every point is a verified plan of the scenario, and none is beaten by another in both (Haimes, Lasdon
//! and Wismer, 1971).

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
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

/// Points are almost the same if they are nearer than a step between evenly spread points over this.
const NEARNESS: f64 = 4.0;

/// How often a gap is halved.
const HALVES: usize = 5;

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
    let limits = options.limits(&world.loaded.scenario);
    let case = Case::new(World { loaded: &aimed, catalog: world.catalog }, options, limits.clock)?;
    let sweep = Sweep { case: &case, world, limits };
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

/// How far two points lie apart.
struct Width {
    usd: Decimal,
    value: f64,
}

impl Width {
    /// Sum of the shares of both in another width.
    fn share_of(&self, whole: &Self) -> f64 {
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let usd = |usd: Decimal| usd.to_f64().unwrap_or(0.0);
        share(usd(self.usd), usd(whole.usd)) + share(self.value, whole.value)
    }
}

impl Point {
    /// How far it is to the next dearer point.
    fn until(&self, next: &Self) -> Width {
        Width { usd: next.usd - self.usd, value: self.value - next.value }
    }
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
        match solve_from(&problem, self.limits.anew(), None) {
            Ok(solution) => Ok(solution),
            Err(Unsolved::Infeasible) => decide(self.case, options, self.limits.anew()),
            Err(why) => Err(unsolved(why)),
        }
    }

    /// The best of the second objective within a budget, from a plan that keeps it.
    fn within(&self, budget: Option<Decimal>, start: &Solution) -> Result<Solution, PlanError> {
        let mut problem = self.case.problem.clone();
        problem.budget = budget;
        solve_from(&problem, self.limits.anew(), Some(start)).map_err(unsolved)
    }

    fn cost(&self, solution: &Solution) -> Decimal {
        self.case.problem.cost(&solution.choice, &solution.staffing)
    }

    fn point(&self, solution: Solution) -> Point {
        let (usd, value) = (self.cost(&solution), solution.objective);
        Point { solution, usd, value, closed: false }
    }

    /// Puts points into the widest gaps, cost and the second objective together, until all gaps are closed.
    fn fill(&self, found: &mut Vec<Point>, points: usize) -> Result<(), PlanError> {
        let whole = found[0].until(&found[1]);
        while found.len() < points {
            let share = |at: &usize| found[*at].until(&found[at + 1]).share_of(&whole);
            let open = (0..found.len() - 1).filter(|at| !found[*at].closed);
            let Some(at) = open.max_by(|a, b| share(a).total_cmp(&share(b)).then(b.cmp(a))) else { return Ok(()) };
            match self.between((&found[at], &found[at + 1]), &whole, points)? {
                Some(point) => found.insert(at + 1, point),
                None => found[at].closed = true,
            }
        }
        Ok(())
    }

    /// A point between two others that is not almost one of them: the best within half of the gap, three quarters, and so
    /// on, and just below its upper end.
    fn between(&self, (low, high): (&Point, &Point), whole: &Width, points: usize) -> Result<Option<Point>, PlanError> {
        let almost = whole.share_of(whole) / (NEARNESS * points as f64);
        let mut budget = low.usd;
        let halves = (0..HALVES).map(|_| {
            budget = ((budget + high.usd) / Decimal::TWO).round_dp(6);
            budget
        });
        let below = high.usd - Decimal::new(1, 6);
        for budget in halves.chain([below]).filter(|budget| *budget > low.usd && *budget < high.usd) {
            let next = self.point(self.within(Some(budget), &low.solution)?);
            if next.until(high).share_of(whole) < almost {
                return Ok(None);
            }
            if low.until(&next).share_of(whole) >= almost {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    /// A lower bound on the scenario's own objective.
    fn floor(&self, cheapest: &Solution, best: &Solution) -> Result<f64, PlanError> {
        match self.world.loaded.scenario.objective {
            Objective::Cost if self.is_free_of_preferences(cheapest) => Ok(cheapest.bound),
            own if own == self.case.problem.objective => Ok(best.bound),
            own => {
                let problem = Problem { objective: own, ..self.case.problem.clone() };
                Ok(solve_from(&problem, self.limits.anew(), Some(cheapest)).map_err(unsolved)?.bound)
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
        Unsolved::OutOfTime(error) => error.into(),
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
