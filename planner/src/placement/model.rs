//! Variables of the program, its objective, and how its solution is read.

mod start;

use std::collections::BTreeMap;

use good_lp::{Expression, ProblemVariables, Variable, variable};
use scenarios::scenario::Objective;

use super::alternatives::Pattern;
use super::conflicts::Conflict;
use super::constraints;
use super::problem::{Choice, Copy, Pool, Problem, Worth, float};
use super::scale::Scale;
use super::schedule::Schedule;
use super::solver::{self, Answer, Options, Program, SolverError};
use super::staffing::Staffing;

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

    /// Pools, if what they hold counts.
    pub(super) const fn counted(self, pools: &[Pool]) -> Option<&[Pool]> {
        if self.quotas { None } else { Some(pools) }
    }
}

/// What is known besides the problem.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Learned<'a> {
    /// Conflicts that were found.
    pub conflicts: &'a [Conflict],
    /// Choices that were found impossible after all.
    pub excluded: &'a [Vec<usize>],
    /// Another objective that may not get worse than this, in its own unit.
    pub ceiling: Option<(Objective, f64)>,
    /// Plans that a plan must differ from: pools by workload.
    pub others: &'a [Pattern],
    /// A plan to start from.
    pub start: Option<Schedule<'a>>,
}

/// A kind of replica.
pub(super) struct ReplicaVariables {
    pub count: Variable,
    /// Whether there is any.
    pub staffed: Variable,
    /// Share of each class that it answers, where it may.
    pub share: Vec<Option<Variable>>,
}

/// Variables, by what they decide.
pub(super) struct Model<'a> {
    pub problem: &'a Problem,
    pub relax: Relax,
    pub learned: Learned<'a>,
    pub scale: Scale,
    longest: f64,
    /// Pool × (workload, column, nodes).
    pub columns_of_pool: Vec<Vec<(usize, usize, u32)>>,
    variables: ProblemVariables,
    /// Workload × column: chosen.
    pub chosen: Vec<Vec<Variable>>,
    /// Copy of a data set: made.
    pub made: Vec<Variable>,
    /// Start of each workload.
    pub start: Vec<Variable>,
    /// End of the last workload.
    pub finish: Variable,
    /// Product flow × (from, to, way): moved.
    pub moved: Vec<BTreeMap<(usize, usize, usize), Variable>>,
    /// Ordered pair of workloads: the first ends before the second starts.
    pub order: BTreeMap<(usize, usize), Variable>,
    /// Service × kind of replica.
    pub replicas: Vec<Vec<ReplicaVariables>>,
    /// Service × site: some replica is there.
    pub open: Vec<BTreeMap<usize, Variable>>,
    /// Nodes that are reserved, by pool.
    pub reserved: BTreeMap<usize, Variable>,
    /// Meter × tier: amount in it, and whether the tier is full.
    pub filled: Vec<Vec<(Variable, Variable)>>,
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
    pub staffing: Staffing,
    pub starts: Vec<f64>,
    pub order: Vec<(usize, usize)>,
    pub extra: Vec<u32>,
}

impl<'a> Model<'a> {
    pub(super) fn new(problem: &'a Problem, relax: Relax, learned: Learned<'a>) -> Self {
        let mut variables = ProblemVariables::new();
        let binary = || variable().binary();
        let share = || variable().min(0.0).max(1.0);
        let amount = || variable().min(0.0);
        let mut chosen = Vec::new();
        for workload in &problem.jobs {
            chosen.push(variables.add_vector(binary(), workload.choices.len()));
        }
        let made = variables.add_vector(share(), problem.copies.len());
        let start = variables.add_vector(amount(), problem.jobs.len());
        let finish = variables.add(amount());
        let mut moved = Vec::new();
        for flow in &problem.flows {
            let mut by_way = BTreeMap::new();
            for ((from, to), ways) in &flow.pairs {
                // Between two ways there is no half of each.
                let kind = || if ways.len() > 1 { binary() } else { share() };
                by_way.extend((0..ways.len()).map(|way| ((*from, *to, way), variables.add(kind()))));
            }
            moved.push(by_way);
        }
        let mut order = BTreeMap::new();
        let pairs =
            |conflict: &'a Conflict| conflict.pairs_of_members().chain(conflict.pairs_with_services(&problem.services));
        for pair in learned.conflicts.iter().flat_map(pairs) {
            order.entry(pair).or_insert_with(|| variables.add(binary()));
        }
        let (replicas, open) = services(problem, relax, &mut variables);
        let mut reserved = BTreeMap::new();
        for (pool, nodes) in problem.pools.iter().enumerate().filter(|(_, pool)| pool.commitment.is_some()) {
            reserved.insert(pool, variables.add(amount().max(f64::from(nodes.nodes)).integer()));
        }
        let tiers = |tiers: usize, variables: &mut ProblemVariables| {
            (0..tiers).map(|_| (variables.add(amount()), variables.add(binary()))).collect()
        };
        let filled = problem.meters.iter().map(|meter| tiers(meter.tiers().len(), &mut variables)).collect();
        let over = relax.budget.then(|| variables.add(amount()));
        let late = variables.add_vector(amount(), if relax.deadlines { problem.jobs.len() } else { 0 });
        let extra = variables.add_vector(amount().integer(), if relax.quotas { problem.pools.len() } else { 0 });
        Self {
            problem,
            relax,
            learned,
            scale: Scale::of(problem),
            longest: problem.longest_schedule(),
            columns_of_pool: columns_of_pool(problem),
            variables,
            chosen,
            made,
            start,
            finish,
            moved,
            order,
            replicas,
            open,
            reserved,
            filled,
            over,
            late,
            extra,
        }
    }

    /// What each workload's choice adds up to: Σ value(column) · chosen.
    pub(super) fn sum(&self, job: usize, value: impl Fn(&Choice) -> f64) -> Expression {
        let terms = self.chosen[job].iter().zip(&self.problem.jobs[job].choices);
        linear(terms.map(|(chosen, choice)| (value(choice), *chosen)))
    }

    /// What the columns of a pool add up to: Σ value(workload, column, nodes) · chosen.
    pub(super) fn sum_of_pool(&self, pool: usize, value: impl Fn(usize, &Choice, u32) -> f64) -> Expression {
        linear(self.columns_of_pool[pool].iter().map(|(job, column, nodes)| {
            (value(*job, &self.problem.jobs[*job].choices[*column], *nodes), self.chosen[*job][*column])
        }))
    }

    /// Nodes of a pool that replicas of a service occupy.
    pub(super) fn staffed(&self, service: usize, pool: usize) -> Expression {
        let replicas = self.problem.services[service].replicas.iter().zip(&self.replicas[service]);
        let nodes = replicas.flat_map(|(replica, variables)| {
            replica.uses.iter().filter(|(used, _)| *used == pool).map(|(_, n)| f64::from(*n) * variables.count)
        });
        nodes.sum()
    }

    /// Nodes of a pool at most, without those that a quota takes away for a time.
    pub(super) fn capacity(&self, pool: usize) -> Expression {
        let extra = self.extra.get(pool).map_or_else(Expression::default, |extra| (*extra).into());
        match self.reserved.get(&pool) {
            Some(reserved) => extra + *reserved,
            None => extra + f64::from(self.problem.pools[pool].nodes),
        }
    }

    /// Run time of a workload in units of the model.
    pub(super) fn duration(&self, job: usize) -> Expression {
        self.sum(job, |choice| choice.seconds / self.scale.seconds)
    }

    /// Latest end of a workload in units of the model, or of any schedule that wastes no time.
    pub(super) fn latest_end(&self, job: usize) -> f64 {
        let is_free = self.relax.deadlines && self.problem.jobs[job].finishes;
        let latest = if is_free { f64::INFINITY } else { self.problem.jobs[job].latest_end };
        let wasteless = if self.problem.jobs[job].finishes { self.longest } else { f64::INFINITY };
        latest.min(wasteless) / self.scale.seconds
    }

    /// Earliest start of a workload in units of the model.
    pub(super) fn earliest_start(&self, job: usize) -> f64 {
        let releases = self.problem.jobs[job].choices.iter().map(|choice| choice.release);
        let earliest = releases.fold(f64::INFINITY, f64::min);
        if earliest.is_finite() { earliest / self.scale.seconds } else { 0.0 }
    }

    /// Amount on a meter, in its unit.
    pub(super) fn load(&self, meter: usize) -> Expression {
        let unit = self.scale.bytes[meter];
        let on = |charges: &[(usize, u64)]| {
            let bytes: f64 = charges.iter().filter(|(on, _)| *on == meter).map(|(_, bytes)| *bytes as f64).sum();
            bytes / unit
        };
        let mut load: Expression = (0..self.chosen.len()).map(|job| self.sum(job, |choice| on(&choice.charges))).sum();
        load += linear(self.movements().map(|(variable, way)| (on(&way.charges), variable)));
        load
    }

    /// Copies and ways of products with their variables.
    fn movements(&self) -> impl Iterator<Item = (Variable, &Copy)> {
        let copies = self.made.iter().copied().zip(&self.problem.copies);
        let flows = self.problem.flows.iter().zip(&self.moved);
        copies.chain(flows.flat_map(|(flow, moved)| {
            moved.iter().map(|((from, to, way), variable)| (*variable, &flow.pairs[&(*from, *to)][*way]))
        }))
    }

    /// Sum of what columns, movements and replicas count.
    fn total(
        &self,
        column: impl Fn(&Choice) -> f64,
        movement: impl Fn(&Copy) -> f64,
        replica: impl Fn(&super::problem::Replica) -> f64,
    ) -> Expression {
        let mut sum: Expression = (0..self.chosen.len()).map(|job| self.sum(job, &column)).sum();
        sum += linear(self.movements().map(|(variable, way)| (movement(way), variable)));
        for (service, variables) in self.problem.services.iter().zip(&self.replicas) {
            for (kind, variables) in service.replicas.iter().zip(variables) {
                sum += replica(kind) * variables.count;
            }
        }
        sum
    }

    /// Cost in units of the model.
    pub(super) fn cost(&self) -> Expression {
        let unit = self.scale.usd;
        let usd = |usd| float(usd) / unit;
        let mut cost = self.total(|choice| usd(choice.usd), |way| usd(way.usd), |replica| usd(replica.usd));
        for (pool, nodes) in &self.reserved {
            cost += usd(self.problem.pools[*pool].commitment.unwrap_or_default()) * *nodes;
        }
        for (index, (meter, filled)) in self.problem.meters.iter().zip(&self.filled).enumerate() {
            let gigabytes = self.scale.bytes[index] / 1e9;
            for (tier, (amount, _)) in meter.tiers().iter().zip(filled) {
                cost += usd(tier.usd_per_gb) * gigabytes * *amount;
            }
        }
        cost
    }

    fn preference(&self) -> Expression {
        let usd = |usd| float(usd) / self.scale.usd;
        self.total(|choice| usd(choice.preference), |way| usd(way.preference), |replica| usd(replica.preference))
    }

    fn carbon(&self) -> Expression {
        let unit = self.scale.carbon;
        self.total(|choice| choice.carbon / unit, |_| 0.0, |replica| replica.carbon / unit)
    }

    /// An objective in units of the model, which [`Scale::of_objective`] names.
    pub(super) fn value_of(&self, objective: Objective) -> Expression {
        let (worth, unit) = (Worth::of(objective), self.scale.of_objective(objective));
        let parts = [
            (worth.usd * self.scale.usd / unit, Self::cost as fn(&Self) -> Expression),
            (worth.preference * self.scale.usd / unit, Self::preference),
            (worth.carbon * self.scale.carbon / unit, Self::carbon),
            (worth.seconds * self.scale.seconds / unit, |model| model.finish.into()),
        ];
        let counted = parts.into_iter().filter(|(factor, _)| *factor != 0.0);
        counted.map(|(factor, part)| factor * part(self)).sum()
    }

    fn objective(&self) -> Expression {
        if self.relax.any() {
            let slacks = self.over.iter().chain(&self.late).chain(&self.extra);
            return slacks.map(|slack| Expression::from(*slack)).sum();
        }
        self.value_of(self.problem.objective)
    }

    pub(super) fn solve(mut self, options: Options) -> Result<(Answer, Option<Pick>), SolverError> {
        let objective = self.objective();
        let Ok(rows) = constraints::all(&self, options.clock) else { return Ok((Answer::OutOfTime, None)) };
        let start = self.learned.start.map(|known| start::values(&self, known)).unwrap_or_default();
        let program = Program { variables: std::mem::take(&mut self.variables), objective, rows, start };
        let answer = solver::run(program, options)?;
        let pick = match &answer {
            Answer::Solved { values, .. } => Some(self.read(&|variable| values.get(&variable).copied().unwrap_or(0.0))),
            _ => None,
        };
        Ok((answer, pick))
    }

    fn read(&self, value: &dyn Fn(Variable) -> f64) -> Pick {
        let choice = self.chosen.iter().map(|columns| {
            let best =
                columns.iter().enumerate().max_by(|a, b| value(*a.1).total_cmp(&value(*b.1)).then(b.0.cmp(&a.0)));
            best.map_or(0, |(index, _)| index)
        });
        Pick {
            choice: choice.collect(),
            staffing: self.read_staffing(value),
            starts: self.start.iter().map(|start| value(*start) * self.scale.seconds).collect(),
            order: self.order.iter().filter(|(_, ordered)| value(**ordered) > 0.5).map(|(pair, _)| *pair).collect(),
            extra: self.extra.iter().map(|extra| value(*extra).round() as u32).collect(),
        }
    }

    fn read_staffing(&self, value: &dyn Fn(Variable) -> f64) -> Staffing {
        let count = |variable: Variable| value(variable).round().max(0.0) as u32;
        let shares = |rates: &[f64], variables: &ReplicaVariables| -> Vec<f64> {
            let shares = variables.share.iter().map(|share| share.map_or(0.0, |share| value(share).clamp(0.0, 1.0)));
            rates.iter().zip(shares).map(|(rate, share)| rate * share).collect()
        };
        let services = self.problem.services.iter().zip(&self.replicas);
        let routed = services.map(|(service, kinds)| kinds.iter().map(|kind| shares(&service.rates, kind)).collect());
        let mut ways = BTreeMap::new();
        for (flow, moved) in self.moved.iter().enumerate() {
            for ((from, to, way), variable) in moved.iter().filter(|((_, _, way), _)| *way > 0) {
                if value(*variable) > 0.5 {
                    ways.insert((flow, *from, *to), *way);
                }
            }
        }
        Staffing {
            replicas: self.replicas.iter().map(|kinds| kinds.iter().map(|kind| count(kind.count)).collect()).collect(),
            routed: routed.collect(),
            reserved: self.reserved.iter().map(|(pool, nodes)| (*pool, count(*nodes))).collect(),
            ways,
        }
    }
}

/// Σ factor · variable, without the terms that are 0.
fn linear(terms: impl Iterator<Item = (f64, Variable)>) -> Expression {
    let mut sum = Expression::default();
    terms.filter(|(factor, _)| *factor != 0.0).for_each(|(factor, variable)| sum.add_mul(factor, variable));
    sum
}

fn columns_of_pool(problem: &Problem) -> Vec<Vec<(usize, usize, u32)>> {
    let mut columns_of_pool = vec![Vec::new(); problem.pools.len()];
    for (job, workload) in problem.jobs.iter().enumerate() {
        for (column, choice) in workload.choices.iter().enumerate() {
            for (pool, nodes) in &choice.uses {
                columns_of_pool[*pool].push((job, column, *nodes));
            }
        }
    }
    columns_of_pool
}

type Services = (Vec<Vec<ReplicaVariables>>, Vec<BTreeMap<usize, Variable>>);

fn services(problem: &Problem, relax: Relax, variables: &mut ProblemVariables) -> Services {
    let mut all = Vec::new();
    let mut open = Vec::new();
    for service in &problem.services {
        let mut kinds = Vec::new();
        let mut sites = BTreeMap::new();
        for replica in &service.replicas {
            let most = f64::from(service.most_replicas(relax.counted(&problem.pools), replica));
            let count = variables.add(variable().integer().min(0.0).max(most));
            let staffed = variables.add(variable().binary());
            let share = |most: &Option<f64>| most.map(|_| variables.add(variable().min(0.0).max(1.0)));
            let share = replica.most.iter().map(share).collect();
            kinds.push(ReplicaVariables { count, staffed, share });
            sites.entry(replica.site).or_insert_with(|| variables.add(variable().binary()));
        }
        all.push(kinds);
        open.push(sites);
    }
    (all, open)
}
