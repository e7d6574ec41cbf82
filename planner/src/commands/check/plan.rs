//! `planner check SCENARIO --plan PLAN`: whether the plan keeps every rule of the scenario.

use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::Loaded;
use scenarios::terminal::{Exit, Printer, Table};
use serde::Serialize;

use crate::cli::Global;
use crate::verify::{Check, Verification, examine};

/// A plan that was made from something else.
#[derive(Debug, thiserror::Error)]
enum Stale {
    #[error("the plan answers `{plan}`, whose content is not that of the scenario `{scenario}`")]
    Scenario { plan: String, scenario: String },
    #[error("the plan was made with a catalogue of {plan} that is not this one, of {catalog}")]
    Catalog { plan: String, catalog: String },
    #[error("a machine profile of `{scenario}` was measured again since the plan was made")]
    Profile { scenario: String },
}

/// A plan that breaks rules.
#[derive(Debug, thiserror::Error)]
#[error("the plan for `{scenario}` breaks {violations} of {checked} rules")]
struct Broken {
    scenario: String,
    violations: usize,
    checked: usize,
}

/// What was found, as programs read it.
#[derive(Debug, Serialize)]
struct View<'a> {
    scenario: &'a str,
    plan: &'a str,
    checked: usize,
    violations: usize,
    checks: Vec<CheckView<'a>>,
}

#[derive(Debug, Serialize)]
struct CheckView<'a> {
    check: &'static str,
    meaning: &'static str,
    checked: usize,
    violations: Vec<&'a str>,
}

pub(super) fn run(plan: &Plan, loaded: &Loaded, global: &Global, printer: Printer) -> Exit {
    let catalog = Catalog::bundled();
    if let Some(stale) = stale(plan, loaded, catalog) {
        printer.error(&stale, Some("make the plan anew with `planner solve`"));
        return Exit::StalePlan;
    }
    let found = examine(plan, loaded, catalog);
    let view = view(plan, &found);
    printer.table(global.format, &table(&view), &view);
    let (checked, violations) = (view.checked, view.violations);
    if violations == 0 {
        let kinds = view.checks.iter().filter(|check| check.checked > 0).map(|check| check.check);
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        printer.status(&format!("The plan keeps all {checked} rules: {kinds}."));
        return Exit::Done;
    }
    let broken = Broken { scenario: plan.scenario.name.clone(), violations, checked };
    printer.error(&broken, Some("make the plan anew with `planner solve`; it is not to be applied"));
    exit(&found)
}

/// What the plan was made from and is no more.
fn stale(plan: &Plan, loaded: &Loaded, catalog: &Catalog) -> Option<Stale> {
    let scenario = || loaded.scenario.name.clone();
    if plan.scenario.digest != loaded.digest {
        return Some(Stale::Scenario { plan: plan.scenario.name.clone(), scenario: scenario() });
    }
    if plan.catalog.digest != catalog.digest() {
        return Some(Stale::Catalog { plan: plan.catalog.as_of.clone(), catalog: catalog.as_of().to_owned() });
    }
    let mut measured: Vec<&str> = loaded.profiles.values().map(|loaded| loaded.profile.digest.as_str()).collect();
    let mut stated: Vec<&str> = plan.scenario.profiles.values().map(String::as_str).collect();
    measured.sort_unstable();
    stated.sort_unstable();
    (measured != stated).then(|| Stale::Profile { scenario: scenario() })
}

/// Residency and budget are what policy means; what else is wrong makes the document no plan for the scenario.
fn exit(found: &Verification) -> Exit {
    let policy = |check: Check| matches!(check, Check::Residency | Check::Budget);
    let broken = found.violations.iter().any(|violation| policy(violation.check));
    if broken { Exit::PolicyBroken } else { Exit::InvalidDocument }
}

fn view<'a>(plan: &'a Plan, found: &'a Verification) -> View<'a> {
    let one = |check: Check| CheckView {
        check: check.name(),
        meaning: check.meaning(),
        checked: found.checked.get(&check).copied().unwrap_or(0),
        violations: found.violations.iter().filter(|v| v.check == check).map(|v| v.message.as_str()).collect(),
    };
    View {
        scenario: &plan.scenario.name,
        plan: &plan.digest,
        checked: found.count(),
        violations: found.violations.len(),
        checks: Check::ALL.into_iter().map(one).collect(),
    }
}

/// One row for each check that holds, and one for each violation.
fn table(view: &View<'_>) -> Table {
    let mut table = Table::new(&["check", "checked", "broken", "what holds, or what does not"]);
    for check in &view.checks {
        let row = |text: &str| {
            let counts = [check.checked, check.violations.len()].map(|count| count.to_string());
            [check.check.to_owned()].into_iter().chain(counts).chain([text.to_owned()]).collect()
        };
        if check.violations.is_empty() {
            table.rows.push(row(check.meaning));
        }
        table.rows.extend(check.violations.iter().map(|message| row(message)));
    }
    table
}
