//! Solves the program, and again with the conflicts that its schedule shows, until there are none.
//!
//! Every round's program leaves some conflicts out, so its bound is a bound of the whole problem;
//! a schedule that reaches the bound is optimal.

use std::time::Instant;

use scenarios::scenario::Objective;

use super::conflicts::{self, Conflict};
use super::highs::{Answer, Options, SolverError};
use super::model::{Model, Pick, Relax, Scale};
use super::problem::{Problem, float};
use super::reduce::{Known, Reduced, improve, reduce, within_budget};
use super::schedule::{self, TOLERANCE_SECONDS};

/// How long to search and how well.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Time for the whole search in seconds.
    pub seconds: f64,
    /// Relative gap that counts as solved.
    pub gap: f64,
    /// Seed of the solver.
    pub seed: u64,
}

/// Chosen columns and start times.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Position of the chosen column of each workload.
    pub choice: Vec<usize>,
    /// Start of each workload in seconds.
    pub starts: Vec<f64>,
    /// Whether nothing is better, within the gap that was asked for.
    pub optimal: bool,
    /// Value reached, in US dollars or seconds.
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
    #[error("no plan was found within {0} seconds")]
    OutOfTime(f64),
    /// The solver failed.
    #[error(transparent)]
    Solver(#[from] SolverError),
}

/// Most columns for which the second objective is optimised, too; with more, workloads are exchanged
/// one by one.
const MOST_COLUMNS_FOR_TIES: usize = 2000;

/// Branch-and-bound nodes for the second objective: it decides between equals, so it may not take long.
const NODES_FOR_TIES: i32 = 1000;

/// Solves a problem. Of the cheapest plans it takes one that finishes early, of those that finish
/// earliest a cheap one: the best that a short search finds, or single exchanges over very many columns.
///
/// # Errors
/// No plan exists, none was found in time, or the solver failed.
pub fn solve(problem: &Problem, limits: Limits) -> Result<Solution, Unsolved> {
    let begun = Instant::now();
    let first = reduced(reduce(problem, None), limits, None)?;
    if !first.optimal {
        return Ok(first);
    }
    let known = Known { choice: first.choice.clone(), starts: first.starts.clone() };
    let tied = tied(problem, &first);
    let second = reduce(&tied, Some(known.clone()));
    if second.kept.iter().map(Vec::len).sum::<usize>() > MOST_COLUMNS_FOR_TIES {
        let by = if problem.objective == Objective::Cost { problem } else { &tied };
        let Known { choice, starts } = improve(by, known);
        return Ok(Solution { choice, starts, ..first });
    }
    let left = Limits { seconds: limits.seconds - begun.elapsed().as_secs_f64(), ..limits };
    match reduced(second, left, Some(NODES_FOR_TIES)) {
        Ok(found) => Ok(Solution {
            choice: found.choice,
            starts: found.starts,
            nodes: first.nodes + found.nodes,
            iterations: first.iterations + found.iterations,
            ..first
        }),
        // The first solution stands, whatever became of the search for a better one among equals.
        Err(_) => Ok(first),
    }
}

/// Solves a reduced problem and says its columns in terms of the whole one; with `most_nodes` in one
/// round of at most so many nodes.
fn reduced(reduced: Reduced, limits: Limits, most_nodes: Option<i32>) -> Result<Solution, Unsolved> {
    let Reduced { problem, kept, known } = reduced;
    let mut search = Search::new(&problem, Relax::default(), limits);
    search.most_nodes = most_nodes;
    if let Some(Known { choice, starts }) = known {
        let value = search.value(&choice, &starts);
        search.best = Some(Found { choice, starts, value });
    }
    Ok(in_terms_of_all(search.run()?, &kept))
}

/// Solves a problem in which some rules may be broken, with as little breach as possible.
pub(super) fn relaxed(problem: &Problem, relax: Relax, limits: Limits) -> Result<Solution, Unsolved> {
    if relax.budget {
        return Search::new(problem, relax, limits).run();
    }
    let Reduced { problem, kept, .. } = within_budget(problem);
    Ok(in_terms_of_all(Search::new(&problem, relax, limits).run()?, &kept))
}

fn in_terms_of_all(mut solution: Solution, kept: &[Vec<usize>]) -> Solution {
    for (column, kept) in solution.choice.iter_mut().zip(kept) {
        *column = kept[*column];
    }
    solution
}

/// The problem of the other objective among plans as good as `first`.
fn tied(problem: &Problem, first: &Solution) -> Problem {
    let mut other = problem.clone();
    match problem.objective {
        Objective::Cost => {
            other.objective = Objective::FinishTime;
            other.budget = Some(problem.cost(&first.choice));
        }
        Objective::FinishTime => {
            other.objective = Objective::Cost;
            for job in &mut other.jobs {
                job.latest_end = job.latest_end.min(first.objective);
            }
        }
    }
    other
}

/// One search, with the conflicts found so far.
struct Search<'a> {
    problem: &'a Problem,
    relax: Relax,
    limits: Limits,
    scale: Scale,
    begun: Instant,
    most_nodes: Option<i32>,
    conflicts: Vec<Conflict>,
    excluded: Vec<Vec<usize>>,
    best: Option<Found>,
    bound: f64,
    nodes: u64,
    iterations: u64,
}

#[derive(Debug, Clone)]
struct Found {
    choice: Vec<usize>,
    starts: Vec<f64>,
    value: f64,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem, relax: Relax, limits: Limits) -> Self {
        Self {
            problem,
            relax,
            limits,
            scale: Scale::of(problem),
            begun: Instant::now(),
            most_nodes: None,
            conflicts: Vec::new(),
            excluded: Vec::new(),
            best: None,
            bound: 0.0,
            nodes: 0,
            iterations: 0,
        }
    }

    fn run(mut self) -> Result<Solution, Unsolved> {
        if self.problem.jobs.iter().any(|job| job.choices.is_empty()) {
            return Err(Unsolved::Infeasible);
        }
        loop {
            let seconds = self.limits.seconds - self.begun.elapsed().as_secs_f64();
            if seconds <= 0.0 {
                return self.out_of_time();
            }
            let model = Model::new(self.problem, self.relax, &self.conflicts, &self.excluded);
            let options =
                Options { seconds, gap: self.limits.gap, seed: self.limits.seed, most_nodes: self.most_nodes };
            let (answer, pick) = model.solve(options)?;
            match (answer, pick) {
                (Answer::Solved { bound, optimal, nodes, iterations, .. }, Some(pick)) => {
                    self.bound = self.bound.max(bound);
                    self.nodes += nodes;
                    self.iterations += iterations;
                    self.consider(&pick);
                    if self.is_proven() {
                        return self.finished(true).ok_or(Unsolved::Infeasible);
                    }
                    if !optimal || self.most_nodes.is_some() {
                        return self.out_of_time();
                    }
                    self.learn(pick);
                }
                (Answer::OutOfTime, _) => return self.out_of_time(),
                _ => return self.exhausted(),
            }
        }
    }

    /// Takes the best valid schedule of the chosen columns, if it beats what is known.
    fn consider(&mut self, pick: &Pick) {
        let problem = self.problem;
        let capacities = self.capacities(pick);
        let columns = || pick.choice.iter().enumerate().map(|(job, column)| (job, &problem.jobs[job].choices[*column]));
        let latest: Vec<f64> = columns().map(|(job, choice)| problem.jobs[job].latest_end - choice.seconds).collect();
        let shortest: Vec<f64> = columns().map(|(_, choice)| choice.seconds).collect();
        let longest: Vec<f64> = shortest.iter().map(|seconds| -seconds).collect();
        let listed = [&pick.starts, &latest, &shortest, &longest]
            .into_iter()
            .filter_map(|priority| schedule::list(problem, &pick.choice, priority, &capacities));
        let schedules = listed.chain(schedule::earliest(problem, &pick.choice, &pick.order));
        let finish = |starts: &[f64]| schedule::finish(problem, &pick.choice, starts);
        for starts in schedules.filter(|starts| self.is_valid(&pick.choice, starts, &capacities)).collect::<Vec<_>>() {
            let value = self.value(&pick.choice, &starts);
            let better = self.best.as_ref().is_none_or(|best| {
                value < best.value || (value <= best.value && finish(&starts) < finish_of(problem, best))
            });
            if better {
                self.best = Some(Found { choice: pick.choice.clone(), starts, value });
            }
        }
    }

    fn capacities(&self, pick: &Pick) -> Vec<u32> {
        let extra = |pool: usize| pick.extra.get(pool).copied().unwrap_or(0);
        self.problem.pools.iter().enumerate().map(|(pool, nodes)| nodes.saturating_add(extra(pool))).collect()
    }

    /// The exact check: capacity at every start, deadlines, budget, permitted movements.
    fn is_valid(&self, choice: &[usize], starts: &[f64], capacities: &[u32]) -> bool {
        let in_time = |job: usize| {
            schedule::end(self.problem, choice, starts, job) <= self.problem.jobs[job].latest_end + TOLERANCE_SECONDS
        };
        let site = |job: usize| self.problem.jobs[job].choices[choice[job]].site;
        let permitted =
            self.problem.flows.iter().all(|flow| flow.pairs.contains_key(&(site(flow.from), site(flow.to))));
        let affordable = self.problem.budget.is_none_or(|budget| self.problem.cost(choice) <= budget);
        permitted
            && (self.relax.deadlines || (0..choice.len()).all(in_time))
            && (self.relax.budget || affordable)
            && conflicts::find(self.problem, choice, starts, capacities).is_empty()
    }

    /// The objective of a schedule in units of the model.
    fn value(&self, choice: &[usize], starts: &[f64]) -> f64 {
        let problem = self.problem;
        if self.relax.any() {
            let over = problem.budget.map_or(0.0, |budget| float(problem.cost(choice) - budget).max(0.0));
            let late = |job: usize| schedule::end(problem, choice, starts, job) - problem.jobs[job].latest_end;
            let lateness: f64 = (0..choice.len()).map(|job| late(job).max(0.0)).sum();
            let missing =
                |pool: usize| conflicts::peak(problem, choice, starts, pool).saturating_sub(problem.pools[pool]);
            let nodes: u32 = (0..problem.pools.len()).map(missing).sum();
            return over / self.scale.usd + lateness / self.scale.seconds + f64::from(nodes);
        }
        match problem.objective {
            Objective::Cost => float(problem.cost(choice)) / self.scale.usd,
            Objective::FinishTime => schedule::finish(problem, choice, starts) / self.scale.seconds,
        }
    }

    fn is_proven(&self) -> bool {
        let Some(best) = &self.best else { return false };
        best.value - self.bound <= self.limits.gap * best.value.abs() + tolerance(best.value)
    }

    /// Adds the conflicts of the program's own schedule; without any, the choice itself is excluded.
    fn learn(&mut self, pick: Pick) {
        let capacities = self.capacities(&pick);
        let starts = schedule::earliest(self.problem, &pick.choice, &pick.order);
        let found = starts.map(|starts| conflicts::find(self.problem, &pick.choice, &starts, &capacities));
        let before = self.conflicts.len();
        for conflict in found.unwrap_or_default() {
            if !self.conflicts.contains(&conflict) {
                self.conflicts.push(conflict);
            }
        }
        if self.conflicts.len() == before {
            self.excluded.push(pick.choice);
        }
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
        self.finished(false).ok_or(Unsolved::OutOfTime(self.limits.seconds))
    }

    fn finished(&self, optimal: bool) -> Option<Solution> {
        let best = self.best.as_ref()?;
        let (objective, unit) = match self.problem.objective {
            _ if self.relax.any() => (best.value, 1.0),
            Objective::Cost => (float(self.problem.cost(&best.choice)), self.scale.usd),
            Objective::FinishTime => (finish_of(self.problem, best), self.scale.seconds),
        };
        let closed = best.value - self.bound <= tolerance(best.value);
        Some(Solution {
            choice: best.choice.clone(),
            starts: best.starts.clone(),
            optimal,
            objective,
            bound: if closed { objective } else { self.bound * unit },
            nodes: self.nodes,
            iterations: self.iterations,
        })
    }
}

fn finish_of(problem: &Problem, found: &Found) -> f64 {
    schedule::finish(problem, &found.choice, &found.starts)
}

/// What floating point may be off by, in units of the model.
fn tolerance(value: f64) -> f64 {
    1e-6 + 1e-9 * value.abs()
}
