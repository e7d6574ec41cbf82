//! The program's optimum equals that of an enumeration of every column, start slot, route, number of replicas and of
//! reserved nodes.

#[path = "program/draft.rs"]
mod draft;
#[path = "program/enumeration.rs"]
mod enumeration;

use planner::clock::Clock;
use planner::placement::{Limits, Problem, Solution, Unsolved, solve};
use proptest::prelude::*;
use rust_decimal::Decimal;
use scenarios::scenario::Objective;

fn solved(problem: &Problem) -> Result<Option<Solution>, TestCaseError> {
    match solve(problem, Limits { clock: Clock::new(60.0), gap: 0.0, seed: 1 }) {
        Ok(solution) => Ok(Some(solution)),
        Err(Unsolved::Infeasible) => Ok(None),
        Err(other) => Err(TestCaseError::fail(other.to_string())),
    }
}

/// Both agree on the optimum or on there being none.
fn check(problem: &Problem) -> Result<(), TestCaseError> {
    let expected = enumeration::optimum(problem);
    match (solved(problem)?, expected) {
        (Some(solution), Some(expected)) => {
            let found = solution.objective;
            prop_assert!((found - expected).abs() <= 1e-5 * (1.0 + expected.abs()), "{found} instead of {expected}");
            prop_assert!(solution.optimal, "not proven: {solution:?}");
            prop_assert!(solution.bound <= found + 1e-6 * (1.0 + found.abs()), "bound {}", solution.bound);
        }
        (None, None) => {}
        (found, expected) => prop_assert!(false, "{found:?} instead of {expected:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1200, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn programs_are_as_good_as_enumeration(draft in draft::draft()) {
        check(&draft.problem())?;
    }
}

/// The value of the best plan; infinite if there is none.
fn value(problem: &Problem) -> Result<f64, TestCaseError> {
    Ok(solved(problem)?.map_or(f64::INFINITY, |solution| solution.objective))
}

fn equal(found: f64, expected: f64) -> Result<(), TestCaseError> {
    let both_none = found.is_infinite() && expected.is_infinite();
    prop_assert!(both_none || (found - expected).abs() <= 1e-5 * (1.0 + expected), "{found} instead of {expected}");
    Ok(())
}

fn at_least(tighter: f64, looser: f64) -> Result<(), TestCaseError> {
    let tolerance = 1e-6 * (1.0 + looser.abs());
    prop_assert!(
        tighter >= looser - tolerance || looser.is_infinite() && tighter.is_infinite(),
        "{tighter} < {looser}"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, max_shrink_iters: 500, ..ProptestConfig::default() })]

    #[test]
    fn a_tighter_problem_is_never_better(draft in draft::draft(), which in 0..5_u8) {
        let problem = draft.problem();
        let mut tighter = problem.clone();
        match which {
            0 => tighter.pools.iter_mut().for_each(|pool| pool.nodes = pool.nodes.saturating_sub(1)),
            1 => tighter.jobs.iter_mut().filter(|job| job.finishes).for_each(|job| job.latest_end -= 2.0),
            2 => tighter.flows.iter_mut().for_each(|flow| drop(flow.pairs.pop_first())),
            3 => tighter.budget = Some(tighter.budget.unwrap_or(Decimal::from(60)) / Decimal::TWO),
            _ => tighter.jobs.iter_mut().filter(|job| job.choices.len() > 1).for_each(|job| drop(job.choices.remove(0))),
        }
        at_least(value(&tighter)?, value(&problem)?)?;
    }

    #[test]
    fn prices_times_three_cost_three_times_as_much(draft in draft::draft()) {
        let mut problem = draft.problem();
        problem.objective = Objective::Cost;
        let dearer = draft::with_prices_times(&problem, Decimal::from(3));
        equal(value(&dearer)?, 3.0 * value(&problem)?)?;
    }

    #[test]
    fn the_order_of_pools_and_workloads_changes_nothing(draft in draft::draft()) {
        let problem = draft.problem();
        equal(value(&draft::turned_around(&problem))?, value(&problem)?)?;
    }

    #[test]
    fn the_same_problem_has_the_same_plan(draft in draft::draft()) {
        let problem = draft.problem();
        prop_assert_eq!(solved(&problem)?, solved(&problem)?);
    }
}
