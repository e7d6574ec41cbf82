//! Variables of the program, its objective, and how its solution is read.

use std::collections::{BTreeMap, HashMap};

use good_lp::solvers::highs::highs;
use good_lp::{Expression, ProblemVariables, SolverModel as _, Variable, variable};
use scenarios::scenario::Objective;

use super::conflicts::Conflict;
use super::constraints;
use super::highs::{Answer, Options, SolverError, run};
use super::problem::{Choice, Problem, float};

/// Families of rules that may be broken, at a price, to find out what stands in the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Relax {
    pub budget: bool,
    pub deadlines: bool,
    pub quotas: bool,
}

impl Relax {
    pub(super) const fn any(self) -> bool {
        self.budget || self.deadlines || self.quotas
    }
}

/// Units in which the largest time and the largest sum of money are 1000, for the solver's tolerances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub seconds: f64,
    pub usd: f64,
}

impl Scale {
    pub(super) fn of(problem: &Problem) -> Self {
        let dearest = |choices: &[Choice]| choices.iter().map(|choice| float(choice.usd)).fold(0.0, f64::max);
        let nodes: f64 = problem.jobs.iter().map(|job| dearest(&job.choices)).sum();
        let copies: f64 = problem.copies.iter().map(|usd| float(*usd)).fold(0.0, f64::max) * problem.jobs.len() as f64;
        let moved =
            problem.flows.iter().map(|flow| flow.pairs.values().map(|(usd, _)| float(*usd)).fold(0.0, f64::max));
        let unit = |largest: f64| if largest > 0.0 { largest / 1000.0 } else { 1.0 };
        Self { seconds: unit(problem.longest_schedule()), usd: unit(nodes + copies + moved.sum::<f64>()) }
    }
}

/// Variables, by what they decide.
pub(super) struct Model<'a> {
    pub problem: &'a Problem,
    pub relax: Relax,
    pub scale: Scale,
    longest: f64,
    /// Pool × (workload, column).
    pub columns_of_pool: Vec<Vec<(usize, usize)>>,
    pub conflicts: &'a [Conflict],
    /// Choices that were found impossible after all.
    pub excluded: &'a [Vec<usize>],
    variables: ProblemVariables,
    /// Workload × column: chosen.
    pub chosen: Vec<Vec<Variable>>,
    /// Copy of a data set: made.
    pub made: Vec<Variable>,
    /// Start of each workload.
    pub start: Vec<Variable>,
    /// End of the last workload.
    pub finish: Variable,
    /// Weights flow × pair of sites: moved.
    pub moved: Vec<BTreeMap<(usize, usize), Variable>>,
    /// Ordered pair of workloads: the first ends before the second starts.
    pub order: BTreeMap<(usize, usize), Variable>,
    /// Money above the budget.
    pub over: Option<Variable>,
    /// Time after each deadline.
    pub late: Vec<Variable>,
    /// Nodes above each pool's.
    pub extra: Vec<Variable>,
}

/// A solution in terms of the problem.
#[derive(Debug)]
pub(super) struct Pick {
    pub choice: Vec<usize>,
    pub starts: Vec<f64>,
    pub order: Vec<(usize, usize)>,
    pub extra: Vec<u32>,
}

impl<'a> Model<'a> {
    pub(super) fn new(
        problem: &'a Problem,
        relax: Relax,
        conflicts: &'a [Conflict],
        excluded: &'a [Vec<usize>],
    ) -> Self {
        let mut variables = ProblemVariables::new();
        let share = || variable().min(0.0).max(1.0);
        let amount = || variable().min(0.0);
        let chosen = problem.jobs.iter().map(|job| variables.add_vector(variable().binary(), job.choices.len()));
        let chosen = chosen.collect();
        let made = variables.add_vector(share(), problem.copies.len());
        let start = variables.add_vector(amount(), problem.jobs.len());
        let finish = variables.add(amount());
        let mut moved = Vec::new();
        for flow in &problem.flows {
            moved.push(flow.pairs.keys().map(|pair| (*pair, variables.add(share()))).collect());
        }
        let mut order = BTreeMap::new();
        for pair in conflicts.iter().flat_map(Conflict::pairs) {
            order.entry(pair).or_insert_with(|| variables.add(variable().binary()));
        }
        let over = relax.budget.then(|| variables.add(amount()));
        let late = variables.add_vector(amount(), if relax.deadlines { problem.jobs.len() } else { 0 });
        let extra = variables.add_vector(amount().integer(), if relax.quotas { problem.pools.len() } else { 0 });
        let mut columns_of_pool = vec![Vec::new(); problem.pools.len()];
        for (job, workload) in problem.jobs.iter().enumerate() {
            for (column, choice) in workload.choices.iter().enumerate() {
                columns_of_pool[choice.pool].push((job, column));
            }
        }
        Self {
            problem,
            relax,
            scale: Scale::of(problem),
            longest: problem.longest_schedule(),
            columns_of_pool,
            conflicts,
            excluded,
            variables,
            chosen,
            made,
            start,
            finish,
            moved,
            order,
            over,
            late,
            extra,
        }
    }

    /// What each workload's choice adds up to: Σ value(column) · chosen.
    pub(super) fn sum(&self, job: usize, value: impl Fn(&Choice) -> f64) -> Expression {
        let terms = self.chosen[job].iter().zip(&self.problem.jobs[job].choices);
        terms.map(|(chosen, choice)| value(choice) * *chosen).sum()
    }

    /// What the columns of a pool add up to: Σ value(workload, column) · chosen.
    pub(super) fn sum_of_pool(&self, pool: usize, value: impl Fn(usize, &Choice) -> f64) -> Expression {
        let terms = self.columns_of_pool[pool]
            .iter()
            .map(|(job, column)| value(*job, &self.problem.jobs[*job].choices[*column]) * self.chosen[*job][*column]);
        terms.sum()
    }

    /// Run time of a workload in units of the model.
    pub(super) fn duration(&self, job: usize) -> Expression {
        self.sum(job, |choice| choice.seconds / self.scale.seconds)
    }

    /// Latest end of a workload in units of the model, or of any schedule that wastes no time.
    pub(super) fn latest_end(&self, job: usize) -> f64 {
        let latest = if self.relax.deadlines { f64::INFINITY } else { self.problem.jobs[job].latest_end };
        let latest = latest.min(self.longest);
        latest / self.scale.seconds
    }

    /// Earliest start of a workload in units of the model.
    pub(super) fn earliest_start(&self, job: usize) -> f64 {
        let releases = self.problem.jobs[job].choices.iter().map(|choice| choice.release);
        let earliest = releases.fold(f64::INFINITY, f64::min);
        if earliest.is_finite() { earliest / self.scale.seconds } else { 0.0 }
    }

    /// Cost in units of the model.
    pub(super) fn cost(&self) -> Expression {
        let unit = self.scale.usd;
        let mut cost: Expression =
            (0..self.chosen.len()).map(|job| self.sum(job, |choice| float(choice.usd) / unit)).sum();
        for (made, usd) in self.made.iter().zip(&self.problem.copies) {
            cost += float(*usd) / unit * *made;
        }
        for (flow, moved) in self.problem.flows.iter().zip(&self.moved) {
            for (pair, variable) in moved {
                cost += float(flow.pairs[pair].0) / unit * *variable;
            }
        }
        cost
    }

    fn objective(&self) -> Expression {
        if self.relax.any() {
            let slacks = self.over.iter().chain(&self.late).chain(&self.extra);
            return slacks.map(|slack| Expression::from(*slack)).sum();
        }
        match self.problem.objective {
            Objective::Cost => self.cost(),
            Objective::FinishTime => self.finish.into(),
        }
    }

    pub(super) fn solve(mut self, options: Options) -> Result<(Answer, Option<Pick>), SolverError> {
        let objective = self.objective();
        let rows = constraints::all(&self);
        let positions = self.variables.iter_variables_with_def().map(|(variable, _)| variable);
        let positions: HashMap<Variable, usize> = positions.enumerate().map(|(at, variable)| (variable, at)).collect();
        let mut program = std::mem::take(&mut self.variables).minimise(objective).using(highs);
        for row in rows {
            program.add_constraint(row);
        }
        let answer = run(program, options)?;
        let pick = match &answer {
            Answer::Solved { values, .. } => Some(self.read(&positions, values)),
            _ => None,
        };
        Ok((answer, pick))
    }

    fn read(&self, positions: &HashMap<Variable, usize>, values: &[f64]) -> Pick {
        let value = |variable: &Variable| positions.get(variable).map_or(0.0, |at| values[*at]);
        let choice = self.chosen.iter().map(|columns| {
            let best = columns.iter().enumerate().max_by(|a, b| value(a.1).total_cmp(&value(b.1)).then(b.0.cmp(&a.0)));
            best.map_or(0, |(index, _)| index)
        });
        Pick {
            choice: choice.collect(),
            starts: self.start.iter().map(|start| value(start) * self.scale.seconds).collect(),
            order: self.order.iter().filter(|(_, ordered)| value(ordered) > 0.5).map(|(pair, _)| *pair).collect(),
            extra: self.extra.iter().map(|extra| value(extra).round() as u32).collect(),
        }
    }
}
