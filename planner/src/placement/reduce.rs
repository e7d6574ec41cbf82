//! A first plan by greedy choice, and the columns that its value rules out.
//!
//! If even the best plan with a column is worse than a plan that is known, the column is in no best
//! plan. On a catalogue of thousands of pools few columns are left.

use scenarios::scenario::Objective;

use super::bound::Bound;
use super::conflicts;
use super::problem::{Choice, Problem, float};
use super::schedule::{self, Schedule, TOLERANCE_SECONDS};
use super::staffing::Staffing;
use super::value::Value;
use crate::clock::Clock;

/// A plan that is known.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub choice: Vec<usize>,
    pub staffing: Staffing,
    pub starts: Vec<f64>,
}

impl Known {
    pub(super) fn schedule(&self) -> Schedule<'_> {
        Schedule { choice: &self.choice, staffing: &self.staffing, starts: &self.starts }
    }

    /// The objective's value, then the finish.
    pub(super) fn value(&self, problem: &Problem) -> (f64, f64) {
        let finish = self.schedule().finish(problem);
        (problem.value(&self.choice, &self.staffing, finish), finish)
    }
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

/// Removes the columns that the budget rules out, or a plan that is known. `others` is a lower bound on the value of
/// what is no column: services.
pub(super) fn reduce(problem: &Problem, known: Option<Known>, others: f64) -> Reduced {
    let kept = kept(problem, known.as_ref(), others);
    let mut reduced = problem.clone();
    for (job, kept) in reduced.jobs.iter_mut().zip(&kept) {
        job.choices = kept.iter().map(|column| job.choices[*column].clone()).collect();
    }
    let served = |job: usize| problem.service_of(job).is_some();
    for flow in &mut reduced.flows {
        let used =
            |job: usize, site: usize| served(job) || reduced.jobs[job].choices.iter().any(|choice| choice.site == site);
        flow.pairs.retain(|(from, to), _| used(flow.from, *from) && used(flow.to, *to));
    }
    let position = |job: usize, column: usize| kept[job].iter().position(|kept| *kept == column);
    let known = known.and_then(|known| {
        let choice = known.choice.iter().enumerate().map(|(job, column)| position(job, *column));
        Some(Known { choice: choice.collect::<Option<_>>()?, ..known })
    });
    Reduced { problem: reduced, kept, known }
}

/// Columns that are left, workload by workload.
fn kept(problem: &Problem, known: Option<&Known>, others: f64) -> Vec<Vec<usize>> {
    let (value, usd) = (Value::of(problem), Value::in_usd(problem));
    let most_usd = problem.budget.map_or(f64::INFINITY, float);
    let (most, latest) = match known {
        None => (f64::INFINITY, f64::INFINITY),
        Some(known) => {
            let (most, finish) = known.value(problem);
            (most, if problem.objective == Objective::FinishTime { finish } else { f64::INFINITY })
        }
    };
    let bound = Bound::of(problem, &value);
    let cost_bound = most_usd.is_finite().then(|| Bound::of(problem, &usd));
    let within = |least: f64, most: f64| least <= most * (1.0 + 1e-9) + 1e-6;
    let useful = |job: usize, choice: &Choice| {
        let end = if problem.jobs[job].finishes { choice.release + choice.seconds } else { 0.0 };
        within(bound.with(job, choice, &value) + value.of_end(end) + others, most)
            && cost_bound.as_ref().is_none_or(|bound| within(bound.with(job, choice, &usd), most_usd))
            && end <= latest + TOLERANCE_SECONDS
    };
    let columns = problem.jobs.iter().enumerate().map(|(job, workload)| {
        let useful = workload.choices.iter().enumerate().filter(|(_, choice)| useful(job, choice));
        useful.map(|(column, _)| column).collect()
    });
    columns.collect()
}

/// Chooses workload by workload what adds least, then lets each improve while the plan stays valid.
pub(super) fn greedy(problem: &Problem, staffing: &Staffing, clock: Clock) -> Option<Known> {
    let value = Value::of(problem);
    let by_end = first(problem, staffing, &value, &|choice| choice.release + choice.seconds);
    let by_value = first(problem, staffing, &value, &|choice| value.of_choice(choice));
    let begun = [by_value, by_end].into_iter().flatten();
    begun
        .filter_map(|choice| exchange(problem, choice, staffing, None, clock))
        .min_by(|a, b| a.value(problem).partial_cmp(&b.value(problem)).unwrap_or(std::cmp::Ordering::Equal))
}

/// A plan that is at least as good, by exchanging the columns of single workloads.
pub(super) fn improve(problem: &Problem, known: Known, clock: Clock) -> Known {
    let (choice, staffing) = (known.choice.clone(), known.staffing.clone());
    exchange(problem, choice, &staffing, Some(known.clone()), clock).unwrap_or(known)
}

fn first(
    problem: &Problem,
    staffing: &Staffing,
    value: &Value,
    measure: &dyn Fn(&Choice) -> f64,
) -> Option<Vec<usize>> {
    let mut choice: Vec<Option<usize>> = vec![None; problem.jobs.len()];
    for _ in 0..problem.jobs.len() {
        let made = |job: usize| {
            let mut before = problem.flows.iter().filter(|flow| flow.to == job && flow.from != job);
            before.all(|flow| choice[flow.from].is_some())
        };
        let job = (0..problem.jobs.len()).find(|job| choice[*job].is_none() && made(*job))?;
        choice[job] = Some(ranked(problem, &choice, staffing, job, value, measure).into_iter().next()?);
    }
    choice.into_iter().collect()
}

/// Columns of a workload by what they add to the others' choice, least first; impossible ones left out.
fn ranked(
    problem: &Problem,
    choice: &[Option<usize>],
    staffing: &Staffing,
    job: usize,
    value: &Value,
    measure: &dyn Fn(&Choice) -> f64,
) -> Vec<usize> {
    let others = (0..choice.len()).filter(|other| *other != job);
    let made: Vec<usize> = others
        .filter_map(|other| Some(&problem.jobs[other].choices[choice[other]?].copies))
        .flatten()
        .copied()
        .collect();
    let mut ranked: Vec<(f64, f64, usize)> = Vec::new();
    for (column, candidate) in problem.jobs[job].choices.iter().enumerate() {
        let Some(products) = moved(problem, choice, staffing, job, candidate, value) else { continue };
        let missing = candidate.copies.iter().filter(|copy| !made.contains(copy));
        let copies: f64 = missing.map(|copy| value.of_copy(&problem.copies[*copy])).sum();
        ranked.push((measure(candidate) + copies + products, candidate.release + candidate.seconds, column));
    }
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    ranked.into_iter().map(|(_, _, column)| column).collect()
}

/// Value of the products that move if a workload takes a column; `None` if they may not.
fn moved(
    problem: &Problem,
    choice: &[Option<usize>],
    staffing: &Staffing,
    job: usize,
    candidate: &Choice,
    value: &Value,
) -> Option<f64> {
    let site = |other: usize| choice[other].map(|column| problem.jobs[other].choices[column].site);
    let served = |other: usize| problem.service_of(other).is_some();
    let mut sum = 0.0;
    for flow in problem.flows.iter().filter(|flow| flow.from == job || flow.to == job) {
        let pairs: Vec<(usize, usize)> = if flow.from == job && served(flow.to) {
            let fixed = vec![0; problem.jobs.len()];
            problem.sites(&fixed, staffing, flow.to).into_iter().map(|to| (candidate.site, to)).collect()
        } else if flow.from == job {
            site(flow.to).map(|to| (candidate.site, to)).into_iter().collect()
        } else if served(job) {
            vec![]
        } else {
            site(flow.from).map(|from| (from, candidate.site)).into_iter().collect()
        };
        for pair in pairs {
            sum += value.of_copy(flow.pairs.get(&pair)?.first()?);
        }
    }
    Some(sum)
}

fn exchange(
    problem: &Problem,
    mut choice: Vec<usize>,
    staffing: &Staffing,
    known: Option<Known>,
    clock: Clock,
) -> Option<Known> {
    let mut known = known.or_else(|| valid(problem, &choice, staffing));
    let value = Value::of(problem);
    let by_end = problem.objective == Objective::FinishTime;
    let measure = |choice: &Choice| {
        let end = choice.release + choice.seconds;
        if by_end { end } else { value.of_choice(choice) + value.of_end(end) }
    };
    for _ in 0..ROUNDS {
        let mut settled = true;
        for job in (0..choice.len()).filter(|job| problem.jobs[*job].choices.len() > 1) {
            let others: Vec<Option<usize>> = choice.iter().map(|column| Some(*column)).collect();
            for column in ranked(problem, &others, staffing, job, &value, &measure).into_iter().take(TRIES) {
                if clock.is_over() {
                    return known;
                }
                let mut tried = choice.clone();
                tried[job] = column;
                let Some(found) = valid(problem, &tried, staffing) else { continue };
                if known.as_ref().is_none_or(|known| found.value(problem) < known.value(problem)) {
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

/// A schedule of the choice, if one by latest start keeps every rule.
fn valid(problem: &Problem, choice: &[usize], staffing: &Staffing) -> Option<Known> {
    let staffing = Staffing { reserved: reserved(problem, choice, staffing), ..staffing.clone() };
    let affordable = || problem.budget.is_none_or(|budget| problem.cost(choice, &staffing) <= budget);
    if !problem.is_permitted(choice, &staffing) || !affordable() {
        return None;
    }
    let latest_start =
        |(job, column): (usize, &usize)| problem.jobs[job].latest_end - problem.jobs[job].choices[*column].seconds;
    let priority: Vec<f64> = choice.iter().enumerate().map(latest_start).collect();
    let capacities = capacities(problem, &staffing);
    let starts = schedule::list(problem, choice, &staffing, &priority, &capacities)?;
    let known = Known { choice: choice.to_vec(), staffing, starts };
    let fits = conflicts::find(problem, &known.schedule(), &capacities).is_empty();
    (fits && known.schedule().is_in_time(problem)).then_some(known)
}

/// As many reserved nodes as everything that uses them needs at the same time at most.
fn reserved(problem: &Problem, choice: &[usize], staffing: &Staffing) -> std::collections::BTreeMap<usize, u32> {
    let committed = problem.pools.iter().enumerate().filter(|(_, pool)| pool.commitment.is_some());
    let nodes = |pool: usize, most: u32| {
        let jobs = choice.iter().enumerate().map(|(job, column)| problem.jobs[job].choices[*column].nodes_in(pool));
        let services = problem.services.iter().zip(&staffing.replicas).map(|(s, counts)| s.nodes_in(pool, counts));
        jobs.chain(services).fold(0, u32::saturating_add).min(most)
    };
    committed.map(|(pool, held)| (pool, nodes(pool, held.nodes))).filter(|(_, nodes)| *nodes > 0).collect()
}

/// Nodes that each pool has for a staffing.
pub(super) fn capacities(problem: &Problem, staffing: &Staffing) -> Vec<u32> {
    let nodes = problem.pools.iter().enumerate().map(|(pool, held)| match held.commitment {
        Some(_) => staffing.reserved.get(&pool).copied().unwrap_or(0),
        None => held.nodes,
    });
    nodes.collect()
}
