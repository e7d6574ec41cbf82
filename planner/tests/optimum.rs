//! The plan's objective equals that of an independent brute force over all placements and orders.

mod brute_force;
mod common;

use planner::candidates::World;
use planner::planning::{Options, PlanError, plan};
use proptest::prelude::*;
use scenarios::catalog::Catalog;
use scenarios::scenario::Objective;

use common::{Draft, Draw, draft, service};

/// Both agree on the optimum or on there being none.
fn check(draft: &Draft) -> Result<(), TestCaseError> {
    let loaded = draft.loaded();
    let expected = brute_force::optimum(&loaded);
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    match (plan(world, &Options::default()), expected) {
        (Ok(plan), Some(expected)) => {
            let found = match loaded.scenario.objective {
                Objective::Cost => plan.totals.cost_usd.try_into().unwrap_or(f64::NAN),
                _ => plan.totals.finish_seconds,
            };
            prop_assert!((found - expected).abs() <= 1e-5 + 1e-6 * expected, "{found} instead of {expected}");
            prop_assert!(plan.solver.gap <= 1e-6, "gap {}", plan.solver.gap);
        }
        (Err(PlanError::Infeasible(_)), None) => {}
        (Ok(plan), None) => prop_assert!(false, "a plan for {} where there is none", plan.totals.cost_usd),
        (Err(error), expected) => prop_assert!(false, "{error} instead of {expected:?}"),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn plans_are_as_good_as_brute_force(draft in draft()) {
        check(&draft)?;
    }
}

#[test]
fn replicas_of_three_kinds_are_cheaper_than_of_two() {
    // With an integrality tolerance of 1e-9 HiGHS proves another plan optimal.
    let job =
        Draw { evaluates: false, data: 0, epochs: 1, width: 0, ranks: 0, after: None, earliest: None, deadline: None };
    let service = service::Draw {
        classes: vec![service::Class { rate: 6, from: None, data: None, skew: 0 }],
        weights: service::Weights::None,
        start: 1,
        length: 3,
        lasts: false,
        half: true,
        after: None,
    };
    let draft = Draft {
        sites: vec![(0, 0, vec![(2, 1, 2, true)]), (0, 0, vec![(3, 3, 3, true), (3, 1, 1, true)])],
        links: vec![0; 3],
        datasets: vec![(false, 0, 1, false)],
        rules: vec![],
        workloads: vec![job.clone(), job],
        services: vec![service],
        budget: None,
        finish: false,
    };
    check(&draft).expect("the optimum");
}
