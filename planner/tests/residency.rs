//! Residency, seen by a walk over what a plan does with data: nothing is refused, every movement names rules that permit
//! it, and a permission that is taken back changes exactly the plans that rest on it.

mod common;
#[path = "residency/draft.rs"]
mod draft;
mod hospital;
#[path = "residency/walk.rs"]
mod walk;

use planner::candidates::World;
use planner::planning::{Options, PlanError, plan};
use proptest::prelude::*;
use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::{Action, Effect, Form, Loaded, Scenario, load};

use walk::Walk;

fn planned(loaded: &Loaded) -> Result<Option<Plan>, TestCaseError> {
    match plan(World { loaded, catalog: Catalog::bundled() }, &Options::default()) {
        Ok(plan) => Ok(Some(plan)),
        Err(PlanError::Infeasible(_)) => Ok(None),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

/// The plan, if there is one; nothing in it is refused.
fn legal(loaded: &Loaded) -> Result<Option<Plan>, TestCaseError> {
    let plan = planned(loaded)?;
    if let Some(plan) = &plan {
        let illegal = Walk { plan, loaded }.illegal();
        prop_assert!(illegal.is_empty(), "{}", illegal.join("\n"));
    }
    Ok(plan)
}

/// Whether taking a permission back may permit something: a form that no other rule names follows the rules for raw
/// data, and access that no other rule names is free.
fn widens(scenario: &Scenario, name: &str) -> bool {
    let rule = &scenario.policies[name];
    let about = |rule: &scenarios::scenario::Rule, data: &str, class: &str| {
        rule.data.iter().any(|named| named == data) || rule.classes.iter().any(|named| named == class)
    };
    scenario.datasets.iter().filter(|(data, set)| about(rule, data, &set.class)).any(|(data, set)| {
        let others = || scenario.policies.iter().filter(|(other, _)| *other != name).map(|(_, rule)| rule);
        let others = || others().filter(|other| about(other, data, &set.class));
        let named = |form: &Form| others().any(|other| other.effect != Effect::Prefer && other.forms.contains(form));
        let forms = rule.forms.iter().filter(|form| **form != Form::Raw).all(named);
        let asks = |rule: &scenarios::scenario::Rule| rule.actions.contains(&Action::Access);
        !forms || asks(rule) && !others().any(asks)
    })
}

/// Takes every permission of a plan back in turn; tells whether there is a plan.
fn check(loaded: &Loaded) -> Result<bool, TestCaseError> {
    let Some(before) = legal(loaded)? else { return Ok(false) };
    let used = Walk { plan: &before, loaded }.used();
    let allowed = loaded.scenario.policies.iter().filter(|(_, rule)| rule.effect == Effect::Allow);
    for name in allowed.map(|(name, _)| name) {
        let mut less = loaded.clone();
        less.scenario.policies.shift_remove(name);
        let after = legal(&less)?;
        let (tolerance, widens) = (1e-6 * (1.0 + before.solver.objective.abs()), widens(&loaded.scenario, name));
        if let Some(after) = &after {
            let named = before.flows.iter().filter(|flow| flow.rule.iter().any(|by| by.rule == *name));
            let kept = named.filter(|flow| after.flows.contains(flow)).count();
            prop_assert_eq!(kept, 0, "movements by `{}` are still there", name);
            let better = after.solver.objective < before.solver.objective - tolerance;
            prop_assert!(widens || !better, "better without `{name}`");
        }
        if !used.contains(name) && !widens {
            let same = after.as_ref().map(|after| (after.solver.objective - before.solver.objective).abs());
            prop_assert!(same.is_some_and(|by| by <= tolerance), "`{name}` was not used, and without it {same:?}");
        }
        let rests_on_it = !Walk { plan: &before, loaded: &less }.refused().is_empty();
        prop_assert!(!rests_on_it || used.contains(name), "`{name}` is needed, and not used");
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, max_global_rejects: 5000, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_plans_rest_on_their_rules(draft in draft::draft()) {
        let has_plan = check(&common::loaded(draft.scenario()))?;
        prop_assume!(has_plan, "no plan");
    }
}

#[test]
fn bundled_plans_rest_on_their_rules() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = std::fs::read_dir(hospital::library("")).expect("the library");
    let files = files.map(|entry| entry.expect("an entry").path());
    for path in files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let loaded = match name {
            // It needs the profile of a machine.
            "mnist-hospital.yaml" => hospital::loaded(folder.path(), |text| text),
            _ => load(&path, None, Catalog::bundled()).expect("the scenario is valid"),
        };
        let has_plan = check(&loaded).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(has_plan, "{name} has no plan");
    }
}
