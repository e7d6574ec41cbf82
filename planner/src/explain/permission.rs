//! A scenario in which data may be at a site where rules keep it from.

use std::collections::BTreeSet;

use scenarios::catalog::Catalog;
use scenarios::plan::{PlacedSite, Plan};
use scenarios::residency::{Deed, Label, PUBLIC, Place, labels, permit};
use scenarios::scenario::{Action, Effect, Form, Job, Loaded, Rule, Scenario};

const ACTIONS: [Action; 4] = [Action::Store, Action::Process, Action::Transit, Action::Access];

/// The scenario with everything permitted on one data set, and on what is derived from it, at one site. Nothing else
/// changes: prohibitions that cover other sites or other data still do, and no form gains a rule of its own.
pub(super) fn granted(loaded: &Loaded, label: &str, site: &str) -> Loaded {
    let mut changed = loaded.clone();
    // `access` asks who operates a place; with a name of its own, a rule can mean the operator of this one alone.
    for (name, placed) in &mut changed.sites {
        placed.operator_places.push(operator_of(name));
    }
    let spared = loaded.scenario.policies.iter().flat_map(|(name, rule)| {
        if rule.effect == Effect::Deny && is_about(&loaded.scenario, rule, label) {
            without(name, rule, loaded, label, site)
        } else {
            vec![(name.clone(), rule.clone())]
        }
    });
    let rule = permission(&loaded.scenario, label, site);
    let allowed = (format!("`{label}` at `{site}`, if it were allowed"), rule);
    changed.scenario.policies = spared.chain([allowed]).collect();
    changed
}

fn operator_of(site: &str) -> String {
    format!("operator of `{site}`")
}

fn is_about(scenario: &Scenario, rule: &Rule, label: &str) -> bool {
    let class = scenario.datasets.get(label).map_or(PUBLIC, |data| data.class.as_str());
    rule.data.iter().any(|name| name == label) || rule.classes.iter().any(|named| named == class)
}

/// A rule that allows all that is asked. It names only forms that some rule names already: a form that none names
/// follows the rules for raw data, and has to go on doing so elsewhere.
fn permission(scenario: &Scenario, label: &str, site: &str) -> Rule {
    let mut forms = named(scenario, label);
    forms.insert(Form::Raw);
    // Access is asked only of data that some rule names it for.
    let mut about = scenario.policies.values().filter(|rule| is_about(scenario, rule, label));
    let is_asked = about.any(|rule| rule.actions.contains(&Action::Access));
    let actions = ACTIONS.into_iter().filter(|action| *action != Action::Access || is_asked);
    Rule {
        effect: Effect::Allow,
        data: vec![label.to_owned()],
        classes: vec![],
        forms: forms.into_iter().collect(),
        actions: actions.collect(),
        places: vec![site.to_owned(), operator_of(site)],
        requires: vec![],
        expires: None,
        per_gb: None,
        per_hour: None,
        reason: None,
    }
}

/// A prohibition that spares one data set at one site: as it was for other data, and by the names of the other sites for
/// this.
fn without(name: &str, rule: &Rule, loaded: &Loaded, label: &str, site: &str) -> Vec<(String, Rule)> {
    let others = loaded.scenario.datasets.keys().filter(|data| *data != label);
    let others: Vec<String> = others.filter(|data| is_about(&loaded.scenario, rule, data)).cloned().collect();
    let covered = |names: fn(&PlacedSite) -> &Vec<String>| -> Vec<String> {
        let is_covered =
            |placed: &PlacedSite| rule.places.iter().any(|place| place == "anywhere" || names(placed).contains(place));
        let sites = loaded.sites.iter().filter(|(name, placed)| *name != site && is_covered(placed));
        sites.map(|(name, _)| name.clone()).collect()
    };
    let (access, other): (Vec<Action>, Vec<Action>) =
        rule.actions.iter().partition(|action| **action == Action::Access);
    let own = |actions: Vec<Action>, places: Vec<String>| Rule {
        data: vec![label.to_owned()],
        classes: vec![],
        actions,
        places,
        ..rule.clone()
    };
    let operators = covered(|placed| &placed.operator_places).iter().map(|site| operator_of(site)).collect();
    let parts = [
        (name.to_owned(), Rule { data: others, classes: vec![], ..rule.clone() }),
        (format!("{name}, elsewhere"), own(other, covered(|placed| &placed.places))),
        (format!("{name}, from elsewhere"), own(access, operators)),
    ];
    parts.into_iter().filter(|(_, rule)| !rule.data.is_empty() && !rule.actions.is_empty()).collect()
}

/// Forms of a data set that a permission has to name, so that a plan may have them at a site: those that it has there
/// against the rules of a scenario. Forms that no rule names follow the rules for raw data.
pub(super) fn needed(plan: &Plan, loaded: &Loaded, catalog: &Catalog, label: &str, site: &str) -> Vec<Form> {
    let scenario = &loaded.scenario;
    let Some(placed) = loaded.sites.get(site) else { return Vec::new() };
    let class = scenario.datasets.get(label).map_or(PUBLIC, |data| data.class.as_str());
    let named = named(scenario, label);
    let mut forms = BTreeSet::new();
    for (workload, form) in uses(plan, scenario, label, site) {
        let Some(workload) = scenario.workloads.get(&workload) else { continue };
        let deed = |action: Action| Deed {
            label: Label { dataset: label, class },
            form,
            action,
            place: Place::of(site, placed),
            period: loaded.period(workload, catalog),
        };
        if ACTIONS.into_iter().any(|action| permit(&scenario.policies, &deed(action)).is_err()) {
            forms.insert(if named.contains(&form) { form } else { Form::Raw });
        }
    }
    forms.into_iter().collect()
}

/// Forms that some rule about a data set names.
fn named(scenario: &Scenario, label: &str) -> BTreeSet<Form> {
    let about = scenario.policies.values().filter(|rule| is_about(scenario, rule, label));
    about.filter(|rule| rule.effect != Effect::Prefer).flat_map(|rule| rule.forms.iter().copied()).collect()
}

/// Workloads with the forms of a data set that a plan has at a site for them.
fn uses(plan: &Plan, scenario: &Scenario, label: &str, site: &str) -> Vec<(String, Form)> {
    let mut uses = Vec::new();
    for assignment in plan.assignments.iter().filter(|a| a.groups.iter().any(|group| group.site == site)) {
        if !labels(scenario, &assignment.workload).contains(&label) {
            continue;
        }
        let trains = assignment.job.training().is_some();
        let strategy = assignment.strategy;
        let is_read = assignment.job.data().is_some_and(|data| data == label);
        let held = [
            (is_read || assignment.job.requested().any(|data| data == label), Form::Raw),
            (!is_read && assignment.job.data().is_some(), Form::Features),
            (matches!(assignment.job, Job::Preprocess(_) | Job::BatchInference(_)), Form::Features),
            (trains || assignment.job.weights_of().is_some(), Form::Weights),
            (trains, Form::Checkpoints),
            (trains || matches!(assignment.job, Job::Evaluate(_)), Form::Metrics),
            (trains && strategy.ranks() > 1, Form::Gradients),
            (strategy.tensor.get() > 1 || strategy.pipeline.get() > 1, Form::Activations),
        ];
        uses.extend(held.into_iter().filter(|(is_held, _)| *is_held).map(|(_, f)| (assignment.workload.clone(), f)));
    }
    let flows = plan.flows.iter().filter(|flow| flow.to == site || flow.via.iter().any(|relay| relay == site));
    let flows = flows.filter(|flow| flow.labels.iter().any(|carried| carried == label));
    uses.extend(flows.map(|flow| (flow.used_by.clone(), flow.form)));
    uses
}

#[cfg(test)]
mod tests {
    use super::*;
    use scenarios::scenario::load_text;
    use std::path::Path;

    const SCENARIO: &str = "
format: causeway.scenario/1
name: permissions
sites:
  here: { kind: private, country: DE }
  there: { kind: private, country: CN, operator: US }
  beyond: { kind: private, country: CN }
datasets:
  patients: { class: health, at: [here], size: 1 GB, records: 10 }
  staff: { class: health, at: [here], size: 1 GB, records: 10 }
  open: { class: public, at: [here], size: 1 GB, records: 10 }
policies:
  home: { effect: allow, classes: [health], forms: [raw, gradients], places: [DE] }
  reach: { effect: allow, classes: [health], forms: [raw], actions: [access], places: [DE, CN] }
  abroad: { effect: deny, classes: [health], forms: [raw, weights], actions: [store, process, access], places: [CN, US] }
  patients-only: { effect: deny, data: [patients], forms: [checkpoints], places: [anywhere] }
workloads:
  train:
    job:
      train:
        model: { preset: mnist-cnn }
        data: patients
        epochs: 1
        global_batch: 1
        optimizer: { sgd: { learning_rate: 0.01 } }
";

    #[test]
    fn a_permission_changes_nothing_else() {
        let before = load_text("test", SCENARIO, Path::new(""), Catalog::bundled()).expect("a valid scenario");
        let after = granted(&before, "patients", "there");
        let period = before.period(&before.scenario.workloads["train"], Catalog::bundled());
        let forms = [
            Form::Raw,
            Form::Features,
            Form::Activations,
            Form::Gradients,
            Form::Weights,
            Form::Checkpoints,
            Form::Metrics,
        ];
        let permits = |loaded: &Loaded, dataset: &str, site: &str, form: Form, action: Action| {
            let class = loaded.scenario.datasets[dataset].class.as_str();
            let place = Place::of(site, &loaded.sites[site]);
            permit(&loaded.scenario.policies, &Deed { label: Label { dataset, class }, form, action, place, period })
                .is_ok()
        };
        let mut refused = 0;
        for dataset in ["patients", "staff", "open"] {
            for site in ["here", "there", "beyond"] {
                for (form, action) in forms.into_iter().flat_map(|form| ACTIONS.map(|action| (form, action))) {
                    let (was, is) =
                        (permits(&before, dataset, site, form, action), permits(&after, dataset, site, form, action));
                    let is_granted = dataset == "patients" && site == "there";
                    assert_eq!(is, was || is_granted, "{action:?} of {form:?} {dataset} at {site}");
                    refused += usize::from(is_granted && !was);
                }
            }
        }
        assert!(refused > 10, "{refused} permissions were needed");
    }
}
