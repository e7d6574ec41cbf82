//! What may change in a scenario without changing the value of its plan, and what changes it in a known way.

mod common;

use planner::candidates::World;
use planner::planning::{Options, PlanError, plan};
use proptest::prelude::*;
use rust_decimal::Decimal;
use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::{Action, Effect, Form, Job, Objective, Rule, Scenario};
use scenarios::units::{Seconds, UsdPerHour};
use serde_json::{Map, Value};

use common::draft;

fn planned(scenario: &Scenario) -> Result<Option<Plan>, TestCaseError> {
    let loaded = common::loaded(scenario.clone());
    match plan(World { loaded: &loaded, catalog: Catalog::bundled() }, &Options::default()) {
        Ok(plan) => Ok(Some(plan)),
        Err(PlanError::Infeasible(_)) => Ok(None),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

/// The value of the best plan; infinite if there is none.
fn value(scenario: &Scenario) -> Result<f64, TestCaseError> {
    Ok(planned(scenario)?.map_or(f64::INFINITY, |plan| plan.solver.objective))
}

fn equal(found: f64, expected: f64) -> Result<(), TestCaseError> {
    let both_none = found.is_infinite() && expected.is_infinite();
    prop_assert!(both_none || (found - expected).abs() <= 1e-5 * (1.0 + expected), "{found} instead of {expected}");
    Ok(())
}

/// A change of a text wherever it stands in a document, as a key or as a value.
fn renamed(value: Value, name: &impl Fn(String) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(name(text)),
        Value::Array(list) => list.into_iter().map(|item| renamed(item, name)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(key, value)| (name(key), renamed(value, name))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

/// Other names for sites, pools, data, rules and workloads, with which each list is in another order.
fn turned_around(scenario: &Scenario) -> Scenario {
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty();
    let is_name = |text: &str| {
        let parts = text.strip_prefix('s').map(|rest| rest.split('p').all(number));
        parts.unwrap_or(text.strip_prefix(['d', 'm', 'w', 'q']).is_some_and(number))
    };
    // The first becomes the last: `s0p1` is `other-9-8`.
    let turned = |text: &str| -> String {
        let opposite = |c: char| c.to_digit(10).map_or_else(|| format!("-{c}-"), |digit| (9 - digit).to_string());
        format!("other{}", text.chars().map(opposite).collect::<String>())
    };
    let name = |text: String| if is_name(&text) { turned(&text) } else { text };
    let value = serde_json::to_value(scenario).expect("a document");
    let mut other: Scenario = serde_json::from_value(renamed(value, &name)).expect("a scenario");
    other.sites.sort_keys();
    other.sites.values_mut().for_each(|site| site.pools.sort_keys());
    other.datasets.sort_keys();
    other.workloads.sort_keys();
    other.links.reverse();
    other.policies.reverse();
    other
}

fn times(price: &mut UsdPerHour, factor: Decimal) {
    price.0 *= factor;
}

/// The scenario with all prices multiplied, and the budget with them.
fn with_prices_times(scenario: &Scenario, factor: Decimal) -> Scenario {
    let mut dearer = scenario.clone();
    for site in dearer.sites.values_mut() {
        site.egress.iter_mut().for_each(|price| price.0 *= factor);
        site.egress_tiers.iter_mut().for_each(|tier| tier.price.0 *= factor);
        for pool in site.pools.values_mut() {
            let own = pool.purchase.owned.iter_mut().filter_map(|owned| owned.price.as_mut());
            let rented = pool.purchase.on_demand.iter_mut().filter_map(|offer| offer.price.as_mut());
            own.chain(rented).for_each(|price| times(price, factor));
        }
    }
    dearer.budget.iter_mut().for_each(|budget| budget.0 *= factor);
    dearer
}

/// A rule that forbids a form of all classified data somewhere.
fn denial(form: Form, place: &str) -> Rule {
    Rule {
        effect: Effect::Deny,
        data: vec![],
        classes: vec!["health".to_owned()],
        forms: vec![form],
        actions: vec![Action::Store, Action::Process, Action::Transit],
        places: vec![place.to_owned()],
        requires: vec![],
        expires: None,
        per_gb: None,
        per_hour: None,
        reason: None,
    }
}

/// The scenario with one constraint more.
fn tightened(scenario: &Scenario, which: u8) -> Scenario {
    let mut tighter = scenario.clone();
    match which {
        0 => drop(tighter.policies.insert("more".to_owned(), denial(Form::Raw, "FR"))),
        1 => drop(tighter.policies.insert("more".to_owned(), denial(Form::Raw, "s0"))),
        2 => {
            // A service that ends earlier costs less, so that its window stays as it is.
            let jobs = tighter.workloads.values_mut().filter(|workload| !matches!(workload.job, Job::Serve(_)));
            jobs.for_each(|job| job.deadline = Some(Seconds::new(job.deadline.map_or(30.0, Seconds::get) * 0.5)));
        }
        3 => {
            for pool in tighter.sites.values_mut().flat_map(|site| site.pools.values_mut()) {
                pool.nodes = pool.nodes.saturating_sub(1);
                pool.quota.iter_mut().for_each(|quota| quota.nodes = quota.nodes.saturating_sub(1));
            }
        }
        4 => {
            let budget = tighter.budget.map_or(Decimal::TWO, |budget| budget.0);
            tighter.budget = Some(scenarios::units::Usd(budget / Decimal::TWO));
        }
        _ => drop(tighter.links.pop()),
    }
    tighter
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn other_names_in_another_order_change_nothing(draft in draft()) {
        let scenario = draft.scenario();
        let other = turned_around(&scenario);
        let names = other.sites.keys().chain(other.workloads.keys()).chain(other.datasets.keys());
        prop_assert!(names.into_iter().all(|name| name.starts_with("other")));
        equal(value(&other)?, value(&scenario)?)?;
    }

    #[test]
    fn prices_times_three_cost_three_times_as_much(draft in draft()) {
        let scenario = Scenario { objective: Objective::Cost, ..draft.scenario() };
        equal(value(&with_prices_times(&scenario, Decimal::from(3)))?, 3.0 * value(&scenario)?)?;
    }

    #[test]
    fn one_constraint_more_is_never_better(draft in draft(), which in 0..6_u8) {
        let scenario = draft.scenario();
        let (tighter, looser) = (value(&tightened(&scenario, which))?, value(&scenario)?);
        let tolerance = 1e-5 * (1.0 + looser);
        prop_assert!(tighter.is_infinite() || tighter >= looser - tolerance, "{tighter} is better than {looser}");
    }

    #[test]
    fn the_same_scenario_gives_the_same_bytes(draft in draft()) {
        let text = || -> Result<Option<String>, TestCaseError> {
            Ok(planned(&draft.scenario())?.map(|mut plan| {
                scenarios::document::seal(&mut plan);
                scenarios::document::to_json(&plan)
            }))
        };
        prop_assert_eq!(text()?, text()?);
    }
}
