//! Every field of a right plan, changed in turn: the verifier complains, or the document is none, or the plan means the
//! same. No value makes it fail.

use std::path::Path;

use scenarios::catalog::Catalog;
use scenarios::plan::Plan;
use scenarios::scenario::{Loaded, load};
use serde_json::{Value, json};

use super::{fixtures, verify};
use crate::candidates::World;
use crate::planning::{Options, plan};

/// Values that a field of a plan may be changed to; those that are no such field make no document.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            let mut others = vec![json!(1.5 * float + 1.0), json!(0.5 * float), json!(-1.0), json!(1e308)];
            others.extend(number.as_u64().map(|whole| json!(whole.wrapping_add(1))));
            others.extend([json!(u64::MAX), json!(u32::MAX), json!(0)]);
            others
        }
        Value::String(text) => {
            let mut others =
                vec![json!(format!("{text}x")), json!(""), json!("79228162514264337593543950335"), json!("-1")];
            others.extend(text.parse::<f64>().ok().map(|amount| json!((amount + 0.01).to_string())));
            let names = ["clinic", "lab", "cloud", "gpu", "t4", "train", "chat", "notes", "raw", "weights", "store"];
            let kinds = ["owned", "on_demand", "spot", "health-in-europe", "private", "2027-01-02", "allow", "deny"];
            others.extend(names.into_iter().chain(kinds).map(|name| json!(name)));
            others
        }
        Value::Bool(whether) => vec![json!(!whether)],
        Value::Array(items) => {
            let without =
                |at: usize| items.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, v)| v.clone()).collect();
            let twice = |at: usize| {
                let mut all = items.clone();
                all.insert(at, items[at].clone());
                Value::Array(all)
            };
            (0..items.len()).flat_map(|at| [without(at), twice(at)]).collect()
        }
        Value::Object(fields) => {
            let without = |name: &String| {
                let mut rest = fields.clone();
                rest.remove(name);
                Value::Object(rest)
            };
            fields.keys().map(without).collect()
        }
        Value::Null => vec![],
    }
}

/// Paths of all fields of a document.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| paths(item, &format!("{at}/{i}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            paths(field, &format!("{at}/{name}"), found);
        }),
        _ => {}
    }
}

/// Whether a field says nothing that scenario and catalogue decide: what the performance model and the solver say of
/// themselves, and names of files.
fn is_told(path: &str) -> bool {
    let told = ["/digest", "/explanation", "/scenario/path", "/residency/refusals"];
    let solver = ["name", "status", "nodes", "iterations", "columns_considered", "columns_pruned"];
    told.iter().any(|told| path.starts_with(told))
        || solver.iter().any(|field| path.strip_prefix("/solver/") == Some(field))
        || ["/predicted", "/runner_up"].iter().any(|part| path.contains(part))
}

/// A plan without what is only told about it.
fn meaning(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.scenario.path = None;
    for assignment in &mut plan.assignments {
        assignment.runner_up = None;
    }
    plan
}

/// Changes that pass, of fields that are not free.
fn unnoticed(loaded: &Loaded, right: &Plan, is_free: impl Fn(&str) -> bool) -> Vec<String> {
    assert_eq!(verify(right, loaded, Catalog::bundled()), []);
    let document = serde_json::to_value(right).expect("a document");
    let mut all = Vec::new();
    paths(&document, "", &mut all);
    let mut unnoticed = Vec::new();
    for path in all.iter().filter(|path| !is_told(path)) {
        let Some(value) = document.pointer(path) else { continue };
        for other in others(value) {
            let mut changed = document.clone();
            *changed.pointer_mut(path).expect("it is there") = other.clone();
            let Ok(plan) = serde_json::from_value::<Plan>(changed) else { continue };
            let violations = verify(&plan, loaded, Catalog::bundled());
            if violations.is_empty() && !is_free(path) && meaning(&plan) != meaning(right) {
                unnoticed.push(format!("{path}: {value} is {other}"));
            }
        }
    }
    unnoticed
}

#[test]
fn no_field_can_be_changed_without_notice() {
    let (loaded, right) = fixtures::clinic();
    let is_free = |path: &str| {
        // What a replica can do is predicted; several copies of the network may lie on one of its nodes.
        path.ends_with("/most_per_replica")
            || (path.starts_with("/assignments/4/groups/") && path.ends_with("/ranks_per_node"))
            // Movements may take longer, and requests are what the solver made of them.
            || ["/flows/2/end_seconds", "/flows/5/bytes"].contains(&path)
            // What is prepared has no class and records of its own.
            || ["/assignments/2/data/class", "/assignments/2/data/records"].contains(&path)
    };
    let found = unnoticed(&loaded, &right, is_free);
    assert!(found.is_empty(), "{found:#?}");
}

/// A bundled scenario, with data, training and evaluation at three sites, and its plan.
fn planned() -> (Loaded, Plan) {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/library/mnist-public.yaml");
    let mut loaded = load(&library, None, Catalog::bundled()).expect("a bundled scenario");
    loaded.scenario.datasets["digits"].at = vec!["institute".to_owned(), "aws-frankfurt".to_owned()];
    loaded.scenario.workloads["train"].sites = vec!["azure-netherlands".to_owned()];
    loaded.scenario.workloads["evaluate"].sites = vec!["aws-frankfurt".to_owned()];
    let world = World { loaded: &loaded, catalog: Catalog::bundled() };
    let plan = plan(world, &Options::default()).expect("a plan");
    (loaded, plan)
}

#[test]
fn nor_can_one_of_a_plan_that_the_planner_made() {
    let (loaded, right) = planned();
    let is_free = |path: &str| {
        // Movements may take longer where nobody waits for them.
        (path.starts_with("/flows/") && path.ends_with("/end_seconds"))
            // How many records a replica takes at once only the prediction depends on.
            || path.ends_with("/micro_batch")
            || path.ends_with("/strategy")
    };
    let found = unnoticed(&loaded, &right, is_free);
    assert!(found.is_empty(), "{found:#?}");
}
