//! A lower bound on the value of every plan, and of every plan with a given column.
//!
//! Without quotas, times and products, copies of data are facilities that open at a price and serve
//! workloads. Dual ascent (after Erlenkotter, 1978) gives each workload w a price v(w) and lets it pay p(w,k) for copy k,
//! such that v(w) ≤ value(c) + Σ_{k of c} p(w,k) for each column c, and Σ_w p(w,k) ≤ value(k). Then Σ v(w) is a bound,
//! and what a copy is not paid for is added where it is used.

use std::collections::BTreeMap;

use super::problem::{Choice, Problem};
use super::value::Value;

/// A bound with the dual prices that prove it.
#[derive(Debug)]
pub(super) struct Bound {
    value: f64,
    prices: Vec<f64>,
    /// Value of each copy that nobody pays.
    unpaid: Vec<f64>,
    /// Workload → copy → what it pays.
    paid: Vec<BTreeMap<usize, f64>>,
}

/// Steps by which one workload's price is raised, at most: a bound that stops early is a bound.
const MOST_STEPS: usize = 64;

impl Bound {
    pub(super) fn of(problem: &Problem, value: &Value) -> Self {
        let least =
            |choices: &[Choice]| choices.iter().map(|choice| value.of_choice(choice)).fold(f64::INFINITY, f64::min);
        let mut bound = Self {
            value: 0.0,
            prices: problem.jobs.iter().map(|job| least(&job.choices)).collect(),
            unpaid: problem.copies.iter().map(|copy| value.of_copy(copy)).collect(),
            paid: vec![BTreeMap::new(); problem.jobs.len()],
        };
        for _ in 0..MOST_STEPS {
            let raised = (0..problem.jobs.len()).filter(|job| bound.raise(*job, &problem.jobs[*job].choices, value));
            if raised.count() == 0 {
                break;
            }
        }
        bound.value = bound.prices.iter().sum();
        bound
    }

    fn payments(&self, job: usize, choice: &Choice) -> f64 {
        choice.copies.iter().filter_map(|copy| self.paid[job].get(copy)).sum()
    }

    /// Raises the price of a workload to that of its next cheapest column, as far as the copies of the cheapest ones
    /// have something left to be paid. Whether it moved.
    fn raise(&mut self, job: usize, choices: &[Choice], value: &Value) -> bool {
        let price = self.prices[job];
        let slack = 1e-12 * price.abs();
        let mut next = f64::INFINITY;
        let mut paying: Vec<usize> = Vec::new();
        for choice in choices {
            let total = value.of_choice(choice) + self.payments(job, choice);
            if total > price + slack {
                next = next.min(total);
                continue;
            }
            if choice.copies.iter().any(|copy| paying.contains(copy)) {
                continue;
            }
            let most = choice.copies.iter().max_by(|a, b| self.unpaid[**a].total_cmp(&self.unpaid[**b]));
            match most.filter(|copy| self.unpaid[**copy] > 0.0) {
                Some(copy) => paying.push(*copy),
                None => return false,
            }
        }
        let room = paying.iter().map(|copy| self.unpaid[*copy]).fold(f64::INFINITY, f64::min);
        let step = (next - price).min(room);
        if !step.is_finite() || step <= 0.0 {
            return false;
        }
        for copy in paying {
            *self.paid[job].entry(copy).or_default() += step;
            self.unpaid[copy] = (self.unpaid[copy] - step).max(0.0);
        }
        self.prices[job] = price + step;
        true
    }

    /// Least value of a plan in which a workload takes a column.
    pub(super) fn with(&self, job: usize, choice: &Choice, value: &Value) -> f64 {
        let unpaid: f64 = choice.copies.iter().map(|copy| self.unpaid[*copy]).sum();
        let others = self.value - self.prices[job];
        others + value.of_choice(choice) + self.payments(job, choice) + unpaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::problem::{Copy, Job, Pool};
    use rust_decimal::Decimal;
    use scenarios::scenario::Objective;

    fn problem(copies: &[i64], jobs: &[&[(i64, &[usize])]]) -> Problem {
        let choice = |(usd, copies): &(i64, &[usize])| Choice {
            uses: vec![(0, 1)],
            seconds: 1.0,
            usd: Decimal::from(*usd),
            copies: copies.to_vec(),
            ..Choice::default()
        };
        let job = |choices: &&[(i64, &[usize])]| Job {
            choices: choices.iter().map(choice).collect(),
            latest_end: 10.0,
            after: vec![],
            finishes: true,
        };
        Problem {
            jobs: jobs.iter().map(job).collect(),
            pools: vec![Pool { place: crate::candidates::Place { site: 0, pool: 0 }, nodes: 10, commitment: None }],
            copies: copies.iter().map(|usd| Copy { usd: Decimal::from(*usd), ..Copy::default() }).collect(),
            flows: vec![],
            meters: vec![],
            services: vec![],
            budget: None,
            objective: Objective::Cost,
        }
    }

    #[test]
    fn the_bound_is_the_cost_of_sharing_copies() {
        let check = |copies: &[i64], jobs: &[&[(i64, &[usize])]], expected: f64, with_last: f64| {
            let problem = problem(copies, jobs);
            let value = Value::of(&problem);
            let bound = Bound::of(&problem, &value);
            assert!((bound.value - expected).abs() < 1e-9, "{} instead of {expected}", bound.value);
            let job = problem.jobs.len() - 1;
            let last = problem.jobs[job].choices.last().expect("a column");
            let found = bound.with(job, last, &value);
            assert!((found - with_last).abs() < 1e-9, "{found} instead of {with_last}");
        };
        check(&[], &[&[(3, &[]), (5, &[])]], 3.0, 5.0);
        // One copy for two workloads: 4 + 1 + 1, less than 4 + 4 without it.
        check(&[4], &[&[(1, &[0]), (4, &[])], &[(1, &[0]), (4, &[])]], 6.0, 8.0);
        // The copy is too dear.
        check(&[9], &[&[(1, &[0]), (4, &[])], &[(4, &[]), (1, &[0])]], 8.0, 11.0);
        check(&[2, 1], &[&[(1, &[0]), (3, &[1])]], 3.0, 4.0);
        // Both copies are needed.
        check(&[2, 3], &[&[(1, &[0, 1]), (9, &[])]], 6.0, 9.0);
    }
}
