//! A lower bound on the cost of every plan, and of every plan with a given column.
//!
//! Without quotas, times and weights, copies of data are facilities that open at a price and serve
//! workloads. Dual ascent (Erlenkotter, 1978) gives each workload w a price v(w), such that the
//! workloads pay at most the price of each copy k: Σ_w max(0, v(w) − m(w,k)) ≤ €(k), where m(w,k) is
//! the cheapest column of w that reads k; and v(w) is at most its cheapest column without a copy.
//! Then Σ v(w) is a bound, and what a copy is not paid for is added where it is used.

use std::collections::BTreeMap;

use super::problem::{Choice, Problem, float};

/// A bound with the dual prices that prove it.
#[derive(Debug)]
pub(super) struct Bound {
    value: f64,
    prices: Vec<f64>,
    /// Price of each copy that nobody pays.
    unpaid: Vec<f64>,
    /// Workload → copy → cheapest column that reads it.
    cheapest: Vec<BTreeMap<usize, f64>>,
}

impl Bound {
    pub(super) fn of(problem: &Problem) -> Self {
        let cheapest: Vec<BTreeMap<usize, f64>> =
            problem.jobs.iter().map(|job| cheapest_by_copy(&job.choices)).collect();
        let alone: Vec<f64> = problem.jobs.iter().map(|job| cheapest_without_copy(&job.choices)).collect();
        let least = |job: usize| cheapest[job].values().copied().fold(alone[job], f64::min);
        let mut bound = Self {
            value: 0.0,
            prices: (0..problem.jobs.len()).map(least).collect(),
            unpaid: problem.copies.iter().map(|usd| float(*usd)).collect(),
            cheapest,
        };
        loop {
            let raised = (0..problem.jobs.len()).filter(|job| bound.raise(*job, alone[*job])).count();
            if raised == 0 {
                break;
            }
        }
        bound.value = bound.prices.iter().sum();
        bound
    }

    /// Raises the price of a workload to the next cheapest copy's, as far as the copies it already
    /// pays for and its column without a copy allow. Whether it moved.
    fn raise(&mut self, job: usize, alone: f64) -> bool {
        let price = self.prices[job];
        let copies = &self.cheapest[job];
        let paid = || copies.iter().filter(move |(_, usd)| **usd <= price).map(|(copy, _)| *copy);
        let next = copies.values().copied().filter(|usd| *usd > price).fold(alone, f64::min);
        let room = paid().map(|copy| self.unpaid[copy]).fold(f64::INFINITY, f64::min);
        let step = (next - price).min(room);
        if !step.is_finite() || step <= 0.0 {
            return false;
        }
        for copy in paid().collect::<Vec<_>>() {
            self.unpaid[copy] = (self.unpaid[copy] - step).max(0.0);
        }
        // Exactly the level, so that no rounding keeps it just below.
        self.prices[job] = if step < next - price { price + step } else { next };
        true
    }

    /// Least cost of a plan in which a workload takes a column.
    pub(super) fn with(&self, job: usize, choice: &Choice) -> f64 {
        let usd = float(choice.usd);
        let (paid, unpaid) = match choice.copy {
            None => (0.0, 0.0),
            Some(copy) => {
                let cheapest = self.cheapest[job].get(&copy).copied().unwrap_or(usd);
                ((self.prices[job] - cheapest).max(0.0), self.unpaid[copy])
            }
        };
        self.value - self.prices[job] + usd + paid + unpaid
    }
}

fn cheapest_by_copy(choices: &[Choice]) -> BTreeMap<usize, f64> {
    let mut cheapest: BTreeMap<usize, f64> = BTreeMap::new();
    for choice in choices {
        if let Some(copy) = choice.copy {
            let usd = cheapest.entry(copy).or_insert(f64::INFINITY);
            *usd = usd.min(float(choice.usd));
        }
    }
    cheapest
}

fn cheapest_without_copy(choices: &[Choice]) -> f64 {
    let alone = choices.iter().filter(|choice| choice.copy.is_none());
    alone.map(|choice| float(choice.usd)).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::Job;
    use rust_decimal::Decimal;
    use scenarios::scenario::Objective;

    fn problem(copies: &[i64], jobs: &[&[(i64, Option<usize>)]]) -> Problem {
        let choice = |(usd, copy): &(i64, Option<usize>)| Choice {
            pool: 0,
            site: 0,
            nodes: 1,
            seconds: 1.0,
            release: 0.0,
            usd: Decimal::from(*usd),
            copy: *copy,
        };
        Problem {
            jobs: jobs
                .iter()
                .map(|choices| Job { choices: choices.iter().map(choice).collect(), latest_end: 10.0, after: vec![] })
                .collect(),
            pools: vec![10],
            copies: copies.iter().map(|usd| Decimal::from(*usd)).collect(),
            flows: vec![],
            budget: None,
            objective: Objective::Cost,
        }
    }

    #[test]
    fn the_bound_is_the_cost_of_sharing_copies() {
        let check = |copies: &[i64], jobs: &[&[(i64, Option<usize>)]], value: f64, with_last: f64| {
            let problem = problem(copies, jobs);
            let bound = Bound::of(&problem);
            assert!((bound.value - value).abs() < 1e-9, "{} instead of {value}", bound.value);
            let job = problem.jobs.len() - 1;
            let last = problem.jobs[job].choices.last().expect("a column");
            let found = bound.with(job, last);
            assert!((found - with_last).abs() < 1e-9, "{found} instead of {with_last}");
        };
        check(&[], &[&[(3, None), (5, None)]], 3.0, 5.0);
        // One copy for two workloads: 4 + 1 + 1, less than 4 + 4 without it.
        check(&[4], &[&[(1, Some(0)), (4, None)], &[(1, Some(0)), (4, None)]], 6.0, 8.0);
        // The copy is too dear.
        check(&[9], &[&[(1, Some(0)), (4, None)], &[(4, None), (1, Some(0))]], 8.0, 11.0);
        check(&[2, 1], &[&[(1, Some(0)), (3, Some(1))]], 3.0, 4.0);
    }
}
