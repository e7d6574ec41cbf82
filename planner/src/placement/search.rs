//! Solves the program, and again with the conflicts that its schedule shows, until there are none.
//!
//! Every round's program leaves some conflicts out, so its bound is a bound of the whole problem;
//! a schedule that reaches the bound is optimal.

use scenarios::scenario::Objective;

use super::alternatives::{Pattern, pattern};
use super::conflicts::{self, Conflict};
use super::model::{Learned, Model, Pick, Relax};
use super::problem::{Problem, float};
use super::reduce::{Known, Reduced, capacities, greedy, improve, reduce};
use super::scale::Scale;
use super::schedule::{self, Schedule};
use super::services;
use super::solver::{Answer, Options, SolverError};
use super::staffing::Staffing;
use crate::clock::{Clock, OutOfTime};

/// How long to search and how well.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time for the whole search.
    pub clock: Clock,
    /// Relative gap that counts as solved.
    pub gap: f64,
    /// Seed of the solver.
    pub seed: u64,
}

impl Limits {
    /// The same limits for another search, whose time begins now.
    #[must_use]
    pub fn anew(self) -> Self {
        Self { clock: self.clock.anew(), ..self }
    }
}

/// Chosen columns and start times.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Position of the chosen column of each job.
    pub choice: Vec<usize>,
    /// Replicas, reserved nodes, ways of products.
    pub staffing: Staffing,
    /// Start of each job in seconds.
    pub starts: Vec<f64>,
    /// Whether nothing is better, within the gap that was asked for.
    pub optimal: bool,
    /// Value reached, in the objective's unit.
    pub objective: f64,
    /// Proven lower bound.
    pub bound: f64,
    /// Branch-and-bound nodes of all rounds.
    pub nodes: u64,
    /// Simplex iterations of all rounds.
    pub iterations: u64,
}

/// Why there is no solution.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Unsolved {
    /// None exists.
    #[error("no plan satisfies all rules")]
    Infeasible,
    /// None was found in time.
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
    /// The solver failed.
    #[error(transparent)]
    Solver(#[from] SolverError),
}

/// Most columns for which the second objective is optimised, too; with more, workloads are exchanged
/// one by one.
const MOST_COLUMNS_FOR_TIES: usize = 2000;

/// Branch-and-bound nodes for the second objective: it decides between equals, so it may not take long.
const NODES_FOR_TIES: i32 = 1000;

/// Part of the time for a first plan, and for exchanges.
const SHARE_FOR_GREEDY: f64 = 0.2;

/// Solves a problem. Of plans that are equally good it takes one that finishes early, or a cheap one: the best that a
/// short search finds, or single exchanges over very many columns.
///
/// # Errors
/// No plan exists, none was found in time, or the solver failed.
pub fn solve(problem: &Problem, limits: Limits) -> Result<Solution, Unsolved> {
    solve_from(problem, limits, None)
}

/// Solves a problem for which a plan is known already, such as that of a smaller budget.
///
/// # Errors
/// As [`solve`].
pub fn solve_from(problem: &Problem, limits: Limits, start: Option<&Solution>) -> Result<Solution, Unsolved> {
    let clock = limits.clock.share(SHARE_FOR_GREEDY);
    let alone = services::alone(problem, limits)?;
    let started = start.map(|Solution { choice, staffing, starts, .. }| {
        let (choice, staffing, starts) = (choice.clone(), staffing.clone(), starts.clone());
        Known { choice, staffing, starts }
    });
    let plans = greedy(problem, &alone.staffing, clock).into_iter().chain(started);
    let by_value = |a: &Known, b: &Known| a.value(problem).partial_cmp(&b.value(problem));
    let known = plans.min_by(|a, b| by_value(a, b).unwrap_or(std::cmp::Ordering::Equal));
    let first = reduced(reduce(problem, known, alone.least), limits, Second::default())?;
    Ok(if first.optimal && !limits.clock.is_over() { among_equals(problem, first, limits) } else { first })
}

/// The best plan by a second objective among those as good as `first`, as far as a short search finds it. Where `first`
/// is not the best of all, but within the gap, it may be better than that, too.
fn among_equals(problem: &Problem, first: Solution, limits: Limits) -> Solution {
    let known = Known { choice: first.choice.clone(), staffing: first.staffing.clone(), starts: first.starts.clone() };
    let tied = tied(problem, &first);
    let clock = limits.clock.share(SHARE_FOR_GREEDY);
    let second = reduce(&tied, Some(known.clone()), 0.0);
    let (found, nodes, iterations) = if second.kept.iter().map(Vec::len).sum::<usize>() > MOST_COLUMNS_FOR_TIES {
        let by = if problem.objective == Objective::FinishTime { &tied } else { problem };
        (improve(by, known, clock), 0, 0)
    } else {
        let ceiling = Some((problem.objective, first.objective));
        match reduced(second, limits, Second { most_nodes: Some(NODES_FOR_TIES), ceiling, others: vec![] }) {
            Ok(Solution { choice, staffing, starts, nodes, iterations, .. }) => {
                (Known { choice, staffing, starts }, nodes, iterations)
            }
            // The first solution stands, whatever became of the search for a better one among equals.
            Err(_) => return first,
        }
    };
    let (objective, _) = found.value(problem);
    let Known { choice, staffing, starts } = found;
    let (nodes, iterations) = (first.nodes + nodes, first.iterations + iterations);
    Solution { choice, staffing, starts, objective, nodes, iterations, ..first }
}

/// The best plan that is different from others, while another objective keeps a value.
pub(super) fn apart(
    problem: &Problem,
    ceiling: (Objective, f64),
    others: &[Pattern],
    limits: Limits,
) -> Result<Solution, Unsolved> {
    let second = Second { most_nodes: None, ceiling: Some(ceiling), others: others.to_vec() };
    reduced(reduce(problem, None, 0.0), limits, second)
}

/// How a search for a second objective differs.
#[derive(Debug, Clone, Default)]
struct Second {
    /// It ends after one round of at most so many nodes.
    most_nodes: Option<i32>,
    /// The first objective with the value that must be kept.
    ceiling: Option<(Objective, f64)>,
    /// Plans that it must differ from.
    others: Vec<Pattern>,
}

/// Solves a reduced problem and says its columns in terms of the whole one.
fn reduced(reduced: Reduced, limits: Limits, second: Second) -> Result<Solution, Unsolved> {
    let Reduced { problem, kept, known } = reduced;
    let mut search = Search::new(&problem, Relax::default(), limits);
    search.second = second;
    search.best = known.map(|known| search.found(known));
    Ok(in_terms_of_all(search.run()?, &kept))
}

/// Solves a problem in which some rules may be broken, with as little breach as possible.
pub(super) fn relaxed(problem: &Problem, relax: Relax, limits: Limits) -> Result<Solution, Unsolved> {
    if relax.budget {
        return Search::new(problem, relax, limits).run();
    }
    let Reduced { problem, kept, .. } = reduce(problem, None, 0.0);
    Ok(in_terms_of_all(Search::new(&problem, relax, limits).run()?, &kept))
}

fn in_terms_of_all(mut solution: Solution, kept: &[Vec<usize>]) -> Solution {
    for (column, kept) in solution.choice.iter_mut().zip(kept) {
        *column = kept[*column];
    }
    solution
}

/// The problem of the second objective among plans as good as `first`: time after money, money after all others.
fn tied(problem: &Problem, first: &Solution) -> Problem {
    let mut other = problem.clone();
    match problem.objective {
        Objective::Cost => {
            other.objective = Objective::FinishTime;
            let cost = problem.cost(&first.choice, &first.staffing);
            // With preferences a dearer plan may be as good.
            let is_plain = problem.bill(&first.choice, &first.staffing).preference.is_zero();
            other.budget = if is_plain { Some(cost) } else { problem.budget };
        }
        Objective::FinishTime => {
            other.objective = Objective::Cost;
            for job in other.jobs.iter_mut().filter(|job| job.finishes) {
                job.latest_end = job.latest_end.min(first.objective);
            }
        }
        Objective::Carbon | Objective::Weighted(_) => other.objective = Objective::Cost,
    }
    other
}

/// One search, with the conflicts found so far.
struct Search<'a> {
    problem: &'a Problem,
    relax: Relax,
    limits: Limits,
    scale: Scale,
    second: Second,
    conflicts: Vec<Conflict>,
    excluded: Vec<Vec<usize>>,
    best: Option<Found>,
    bound: f64,
    nodes: u64,
    iterations: u64,
}

/// A plan with its value in units of the model.
#[derive(Debug, Clone)]
struct Found {
    known: Known,
    value: f64,
    finish: f64,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem, relax: Relax, limits: Limits) -> Self {
        Self {
            problem,
            relax,
            limits,
            scale: Scale::of(problem),
            second: Second::default(),
            conflicts: Vec::new(),
            excluded: Vec::new(),
            best: None,
            bound: f64::NEG_INFINITY,
            nodes: 0,
            iterations: 0,
        }
    }

    fn run(mut self) -> Result<Solution, Unsolved> {
        if self.problem.jobs.iter().any(|job| job.choices.is_empty()) {
            return Err(Unsolved::Infeasible);
        }
        loop {
            if self.limits.clock.is_over() {
                return self.out_of_time();
            }
            let (answer, pick) = self.round()?;
            match (answer, pick) {
                (Answer::Solved { bound, optimal, nodes, iterations, .. }, Some(pick)) => {
                    self.bound = self.bound.max(bound);
                    self.nodes += nodes;
                    self.iterations += iterations;
                    self.consider(&pick);
                    if self.is_proven() {
                        return self.finished(true).ok_or(Unsolved::Infeasible);
                    }
                    if !optimal || self.second.most_nodes.is_some() || !self.learn(pick) {
                        return self.out_of_time();
                    }
                }
                (Answer::OutOfTime, _) => return self.out_of_time(),
                _ => return self.exhausted(),
            }
        }
    }

    fn round(&self) -> Result<(Answer, Option<Pick>), SolverError> {
        let start = self.best.as_ref().filter(|_| !self.relax.any()).map(|best| best.known.schedule());
        let (conflicts, excluded) = (self.conflicts.as_slice(), self.excluded.as_slice());
        let learned = Learned { conflicts, excluded, ceiling: self.second.ceiling, others: &self.second.others, start };
        let Limits { clock, gap, seed } = self.limits;
        let options = Options { clock, gap, seed, most_nodes: self.second.most_nodes };
        let solve = |learned| Model::new(self.problem, self.relax, learned).solve(options);
        match solve(learned)? {
            (Answer::StartReturned, _) => solve(Learned { start: None, ..learned }),
            other => Ok(other),
        }
    }

    /// Takes the best valid schedule of the chosen columns, if it beats what is known.
    fn consider(&mut self, pick: &Pick) {
        let problem = self.problem;
        let capacities = self.capacities(pick);
        let (choice, staffing) = (&pick.choice, &pick.staffing);
        let columns = || choice.iter().enumerate().map(|(job, column)| (job, &problem.jobs[job].choices[*column]));
        let latest: Vec<f64> = columns().map(|(job, choice)| problem.jobs[job].latest_end - choice.seconds).collect();
        let shortest: Vec<f64> = columns().map(|(_, choice)| choice.seconds).collect();
        let longest: Vec<f64> = shortest.iter().map(|seconds| -seconds).collect();
        let listed = [&pick.starts, &latest, &shortest, &longest]
            .into_iter()
            .filter_map(|priority| schedule::list(problem, choice, staffing, priority, &capacities));
        let earliest = schedule::earliest(problem, choice, staffing, &pick.order);
        let is_valid = |starts: &Vec<f64>| self.is_valid(&Schedule { choice, staffing, starts }, &capacities);
        for starts in listed.chain(earliest).filter(is_valid).collect::<Vec<_>>() {
            let known = Known { choice: choice.clone(), staffing: staffing.clone(), starts };
            let found = self.found(known);
            let better = |best: &Found| (found.value, found.finish) < (best.value, best.finish);
            if self.best.as_ref().is_none_or(better) {
                self.best = Some(found);
            }
        }
    }

    fn found(&self, known: Known) -> Found {
        let finish = known.schedule().finish(self.problem);
        Found { value: self.value(&known.schedule(), finish), known, finish }
    }

    fn capacities(&self, pick: &Pick) -> Vec<u32> {
        let extra = |pool: usize| pick.extra.get(pool).copied().unwrap_or(0);
        let held = capacities(self.problem, &pick.staffing);
        held.into_iter().enumerate().map(|(pool, nodes)| nodes.saturating_add(extra(pool))).collect()
    }

    /// The exact check: capacity at every start, deadlines, budget, permitted movements, the first objective.
    fn is_valid(&self, schedule: &Schedule<'_>, capacities: &[u32]) -> bool {
        let problem = self.problem;
        let affordable =
            || problem.budget.is_none_or(|budget| problem.cost(schedule.choice, schedule.staffing) <= budget);
        let as_good = || {
            self.second.ceiling.is_none_or(|(objective, most)| {
                let finish = schedule.finish(problem);
                let value = problem.value_by(objective, schedule.choice, schedule.staffing, finish);
                value <= most + 1e-9 * most.abs()
            })
        };
        problem.is_permitted(schedule.choice, schedule.staffing)
            && (self.relax.deadlines || schedule.is_in_time(problem))
            && (self.relax.budget || affordable())
            && conflicts::find(problem, schedule, capacities).is_empty()
            && as_good()
            && !self.second.others.contains(&pattern(problem, schedule))
    }

    /// The objective of a schedule in units of the model.
    fn value(&self, schedule: &Schedule<'_>, finish: f64) -> f64 {
        let problem = self.problem;
        if self.relax.any() {
            return self.breach(schedule);
        }
        problem.value(schedule.choice, schedule.staffing, finish) / self.scale.of_objective(problem.objective)
    }

    /// By how much a schedule breaks the rules that may be broken.
    fn breach(&self, schedule: &Schedule<'_>) -> f64 {
        let problem = self.problem;
        let cost = || problem.cost(schedule.choice, schedule.staffing);
        let over = problem.budget.map_or(0.0, |budget| float(cost() - budget).max(0.0));
        let late = |job: usize| schedule.end(problem, job) - problem.jobs[job].latest_end;
        let lateness: f64 = (0..schedule.choice.len()).map(|job| late(job).max(0.0)).sum();
        let held = capacities(problem, schedule.staffing);
        let missing = |pool: usize| conflicts::peak(problem, schedule, pool).saturating_sub(held[pool]);
        let nodes: u32 = (0..held.len()).map(missing).sum();
        over / self.scale.usd + lateness / self.scale.seconds + f64::from(nodes)
    }

    fn is_proven(&self) -> bool {
        let Some(best) = &self.best else { return false };
        best.value - self.bound <= self.limits.gap * best.value.abs() + tolerance(best.value)
    }

    /// Adds the conflicts of the program's own schedule; without any, the choice itself is excluded. Whether anything
    /// was learned: a choice whose replicas could be others is not excluded.
    fn learn(&mut self, pick: Pick) -> bool {
        let capacities = self.capacities(&pick);
        let starts = schedule::earliest(self.problem, &pick.choice, &pick.staffing, &pick.order);
        let found = starts.map(|starts| {
            let schedule = Schedule { choice: &pick.choice, staffing: &pick.staffing, starts: &starts };
            conflicts::find(self.problem, &schedule, &capacities)
        });
        let before = self.conflicts.len();
        for conflict in found.unwrap_or_default() {
            if !self.conflicts.contains(&conflict) {
                self.conflicts.push(conflict);
            }
        }
        if self.conflicts.len() > before {
            return true;
        }
        let is_all = self.problem.services.is_empty() && pick.staffing.reserved.is_empty();
        if is_all {
            self.excluded.push(pick.choice);
        }
        is_all
    }

    /// No choice is left: the best one is optimal, unless it was never ruled out.
    fn exhausted(mut self) -> Result<Solution, Unsolved> {
        if let Some(best) = &self.best {
            if self.conflicts.is_empty() && self.excluded.is_empty() {
                return Err(SolverError("a problem is infeasible, and a plan for it is known".to_owned()).into());
            }
            self.bound = best.value;
        }
        self.finished(true).ok_or(Unsolved::Infeasible)
    }

    fn out_of_time(&self) -> Result<Solution, Unsolved> {
        self.finished(false).ok_or_else(|| self.limits.clock.out_of_time().into())
    }

    fn finished(&self, optimal: bool) -> Option<Solution> {
        let best = self.best.as_ref()?;
        let unit = self.scale.of_objective(self.problem.objective);
        let (objective, unit) = if self.relax.any() { (best.value, 1.0) } else { (best.value * unit, unit) };
        let closed = best.value - self.bound <= tolerance(best.value);
        Some(Solution {
            choice: best.known.choice.clone(),
            staffing: best.known.staffing.clone(),
            starts: best.known.starts.clone(),
            optimal,
            objective,
            bound: if closed { objective } else { self.bound.max(0.0) * unit },
            nodes: self.nodes,
            iterations: self.iterations,
        })
    }
}

/// What floating point may be off by, in units of the model.
fn tolerance(value: f64) -> f64 {
    1e-6 + 1e-9 * value.abs()
}
