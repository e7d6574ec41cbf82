//! A first plan by greedy choice, and the columns that its value rules out.
//!
//! If even the cheapest plan with a column costs more than a plan that is known, the column is in no
//! cheapest plan; likewise for the finish. On a catalogue of thousands of pools few columns are left.

use rust_decimal::Decimal;
use scenarios::scenario::Objective;

use super::bound::Bound;
use super::conflicts;
use super::problem::{Choice, Problem, float};
use super::schedule::{self, TOLERANCE_SECONDS};

/// A plan that is known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub choice: Vec<usize>,
    pub starts: Vec<f64>,
}

/// Columns of one workload that are tried before it is left as it is.
const TRIES: usize = 40;
/// Rounds in which every workload may improve its choice.
const ROUNDS: usize = 4;

/// A problem without columns that are too dear or too late, and where its columns come from.
pub(super) struct Reduced {
    pub problem: Problem,
    /// For each workload the positions of the columns that are left.
    pub kept: Vec<Vec<usize>>,
    /// A plan, in terms of the reduced problem.
    pub known: Option<Known>,
}

/// Removes the columns that the budget rules out, or a plan that is known: the given one, or a greedy one.
pub(super) fn reduce(problem: &Problem, known: Option<Known>) -> Reduced {
    restrict(problem, known.or_else(|| greedy(problem)))
}

/// Removes the columns that the budget rules out, whatever deadlines and pools allow.
pub(super) fn within_budget(problem: &Problem) -> Reduced {
    restrict(problem, None)
}

fn restrict(problem: &Problem, known: Option<Known>) -> Reduced {
    let kept = kept(problem, known.as_ref());
    let mut reduced = problem.clone();
    for (job, kept) in reduced.jobs.iter_mut().zip(&kept) {
        job.choices = kept.iter().map(|column| job.choices[*column]).collect();
    }
    for flow in &mut reduced.flows {
        let used = |job: usize, site: usize| reduced.jobs[job].choices.iter().any(|choice| choice.site == site);
        flow.pairs.retain(|(from, to), _| used(flow.from, *from) && used(flow.to, *to));
    }
    let position = |job: usize, column: usize| kept[job].iter().position(|kept| *kept == column);
    let known = known.and_then(|known| {
        let choice = known.choice.iter().enumerate().map(|(job, column)| position(job, *column));
        Some(Known { choice: choice.collect::<Option<_>>()?, starts: known.starts })
    });
    Reduced { problem: reduced, kept, known }
}

/// Columns that are left, workload by workload.
fn kept(problem: &Problem, known: Option<&Known>) -> Vec<Vec<usize>> {
    let budget = problem.budget.map_or(f64::INFINITY, float);
    let (most_usd, latest) = match (known, problem.objective) {
        (Some(known), Objective::Cost) => (budget.min(float(problem.cost(&known.choice))), f64::INFINITY),
        (Some(known), Objective::FinishTime) => (budget, schedule::finish(problem, &known.choice, &known.starts)),
        (None, _) => (budget, f64::INFINITY),
    };
    let bound = Bound::of(problem);
    let useful = |job: usize, choice: &Choice| {
        bound.with(job, choice) <= most_usd * (1.0 + 1e-9) + 1e-6
            && choice.release + choice.seconds <= latest + TOLERANCE_SECONDS
    };
    let columns = problem.jobs.iter().enumerate().map(|(job, workload)| {
        let useful = workload.choices.iter().enumerate().filter(|(_, choice)| useful(job, choice));
        useful.map(|(column, _)| column).collect()
    });
    columns.collect()
}

/// Chooses workload by workload what adds least, then lets each improve while the plan stays valid.
fn greedy(problem: &Problem) -> Option<Known> {
    let other = match problem.objective {
        Objective::Cost => Objective::FinishTime,
        Objective::FinishTime => Objective::Cost,
    };
    [problem.objective, other].into_iter().find_map(|objective| exchange(problem, first(problem, objective)?, None))
}

/// A plan that is at least as good, by exchanging the columns of single workloads.
pub(super) fn improve(problem: &Problem, known: Known) -> Known {
    exchange(problem, known.choice.clone(), Some(known.clone())).unwrap_or(known)
}

fn first(problem: &Problem, objective: Objective) -> Option<Vec<usize>> {
    let mut choice: Vec<Option<usize>> = vec![None; problem.jobs.len()];
    for _ in 0..problem.jobs.len() {
        let ready = |job: &usize| {
            choice[*job].is_none() && problem.flows.iter().all(|flow| flow.to != *job || choice[flow.from].is_some())
        };
        let job = (0..problem.jobs.len()).find(ready)?;
        choice[job] = Some(ranked(problem, &choice, job, objective).into_iter().next()?);
    }
    choice.into_iter().collect()
}

/// Columns of a workload by what they add to the others' choice, least first; impossible ones left out.
fn ranked(problem: &Problem, choice: &[Option<usize>], job: usize, objective: Objective) -> Vec<usize> {
    let made: Vec<usize> = (0..choice.len())
        .filter(|other| *other != job)
        .filter_map(|other| problem.jobs[other].choices[choice[other]?].copy)
        .collect();
    let mut ranked: Vec<(Decimal, f64, usize)> = Vec::new();
    for (column, candidate) in problem.jobs[job].choices.iter().enumerate() {
        let Some(moved) = moved(problem, choice, job, candidate) else { continue };
        let copied =
            candidate.copy.filter(|copy| !made.contains(copy)).map_or(Decimal::ZERO, |copy| problem.copies[copy]);
        ranked.push((candidate.usd + copied + moved, candidate.release + candidate.seconds, column));
    }
    ranked.sort_by(|a, b| match objective {
        Objective::Cost => a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)),
        Objective::FinishTime => a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)),
    });
    ranked.into_iter().map(|(_, _, column)| column).collect()
}

/// Price of the weights that move if a workload takes a column; `None` if they may not.
fn moved(problem: &Problem, choice: &[Option<usize>], job: usize, candidate: &Choice) -> Option<Decimal> {
    let mut usd = Decimal::ZERO;
    for flow in problem.flows.iter().filter(|flow| flow.from == job || flow.to == job) {
        let other = if flow.from == job { flow.to } else { flow.from };
        let Some(column) = choice[other] else { continue };
        let site = problem.jobs[other].choices[column].site;
        let pair = if flow.from == job { (candidate.site, site) } else { (site, candidate.site) };
        usd += flow.pairs.get(&pair)?.0;
    }
    Some(usd)
}

fn exchange(problem: &Problem, mut choice: Vec<usize>, known: Option<Known>) -> Option<Known> {
    let mut known = known.or_else(|| valid(problem, &choice));
    for _ in 0..ROUNDS {
        let mut settled = true;
        for job in 0..choice.len() {
            let others: Vec<Option<usize>> = choice.iter().map(|column| Some(*column)).collect();
            for column in ranked(problem, &others, job, problem.objective).into_iter().take(TRIES) {
                let mut tried = choice.clone();
                tried[job] = column;
                let Some(found) = valid(problem, &tried) else { continue };
                if known.as_ref().is_none_or(|known| value(problem, &found) < value(problem, known)) {
                    settled = settled && column == choice[job];
                    known = Some(found);
                    choice = tried;
                }
                break;
            }
        }
        if settled {
            break;
        }
    }
    known
}

fn value(problem: &Problem, known: &Known) -> (Decimal, f64) {
    let finish = schedule::finish(problem, &known.choice, &known.starts);
    match problem.objective {
        Objective::Cost => (problem.cost(&known.choice), finish),
        Objective::FinishTime => (Decimal::ZERO, finish),
    }
}

/// A schedule of the choice, if one by earliest deadline keeps every rule.
fn valid(problem: &Problem, choice: &[usize]) -> Option<Known> {
    let site = |job: usize| problem.jobs[job].choices[choice[job]].site;
    let permitted = problem.flows.iter().all(|flow| flow.pairs.contains_key(&(site(flow.from), site(flow.to))));
    if !permitted || problem.budget.is_some_and(|budget| problem.cost(choice) > budget) {
        return None;
    }
    let latest_start =
        |(job, column): (usize, &usize)| problem.jobs[job].latest_end - problem.jobs[job].choices[*column].seconds;
    let priority: Vec<f64> = choice.iter().enumerate().map(latest_start).collect();
    let starts = schedule::list(problem, choice, &priority, &problem.pools)?;
    let in_time =
        |job: usize| schedule::end(problem, choice, &starts, job) <= problem.jobs[job].latest_end + TOLERANCE_SECONDS;
    let fits = conflicts::find(problem, choice, &starts, &problem.pools).is_empty();
    (fits && (0..choice.len()).all(in_time)).then(|| Known { choice: choice.to_vec(), starts })
}
