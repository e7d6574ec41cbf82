//! What residency rules say about one site.

use rust_decimal::Decimal;
use scenarios::plan::PermittedBy;
use scenarios::residency::{Deed, Denied, Label, PUBLIC, Place, labels, permit};
use scenarios::scenario::{Action, Effect, Form, Job, Rule, Service, Workload};

use super::{Cargo, World};

/// Rules that permit all of `actions` on a cargo at a site that a link of the scenario leads to.
pub(super) fn permitted(
    world: &World<'_>,
    cargo: &Cargo,
    actions: &[Action],
    site: usize,
    link: Option<usize>,
) -> Result<Vec<PermittedBy>, Denied> {
    let scenario = &world.loaded.scenario;
    let Some((name, placed)) = world.loaded.sites.get_key_value(world.site_name(site)) else {
        return Ok(Vec::new());
    };
    let Some(workload) = scenario.workloads.get(&cargo.used_by) else { return Ok(Vec::new()) };
    let period = world.loaded.period(workload, world.catalog);
    let mut safeguards = placed.safeguards.clone();
    safeguards.extend(link.and_then(|link| scenario.links.get(link)).into_iter().flat_map(|l| l.safeguards.clone()));
    let place = Place { safeguards: &safeguards, ..Place::of(name, placed) };
    let mut rules = Vec::new();
    for dataset in &cargo.labels {
        let Some(data) = scenario.datasets.get(dataset) else { continue };
        let label = Label { dataset, class: &data.class };
        for action in actions {
            rules
                .extend(permit(&scenario.policies, &Deed { label, form: cargo.form, action: *action, place, period })?);
        }
    }
    Ok(rules)
}

/// Data that a workload holds at its site, as a cargo of no size.
fn held(name: &str, form: Form, labels: &[&str]) -> Cargo {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Cargo { what: name.to_owned(), used_by: name.to_owned(), form, labels, bytes: 0, kept: false }
}

/// What a job does with data at its site, by form: what it reads, holds and makes.
fn deeds(world: &World<'_>, name: &str, workload: &Workload) -> Vec<(Cargo, &'static [Action])> {
    const PROCESS: &[Action] = &[Action::Process, Action::Access];
    const MAKE: &[Action] = &[Action::Store, Action::Access];
    const USE: &[Action] = &[Action::Store, Action::Process, Action::Access];
    let scenario = &world.loaded.scenario;
    let own = labels(scenario, name);
    let mut deeds = Vec::new();
    if let Some(data) = workload.job.data() {
        let form = if scenario.datasets.contains_key(data) { Form::Raw } else { Form::Features };
        let read = origins(world, data);
        deeds.push((held(name, form, &read), PROCESS));
    }
    if let Some(of) = workload.job.weights_of() {
        let read = origins(world, of);
        deeds.push((held(name, Form::Weights, &read), USE));
    }
    match &workload.job {
        Job::Train(_) | Job::FineTune(_) => {
            deeds.push((held(name, Form::Weights, &own), MAKE));
            deeds.push((held(name, Form::Checkpoints, &own), MAKE));
            deeds.push((held(name, Form::Metrics, &own), MAKE));
        }
        Job::Preprocess(_) | Job::BatchInference(_) => deeds.push((held(name, Form::Features, &own), MAKE)),
        Job::Evaluate(_) => deeds.push((held(name, Form::Metrics, &own), MAKE)),
        Job::Serve(_) => {}
    }
    deeds
}

/// Rules that permit a workload to process its data at a site; none for public data.
#[must_use]
pub fn permitting(world: &World<'_>, name: &str, workload: &Workload, site: usize) -> Vec<PermittedBy> {
    let read = deeds(world, name, workload).into_iter().next();
    read.and_then(|(cargo, _)| permitted(world, &cargo, &[Action::Process], site, None).ok()).unwrap_or_default()
}

/// Whether a workload may run at a site, as far as its own doings are concerned. Copies of raw data are checked where
/// they are routed.
pub(super) fn may_run(world: &World<'_>, name: &str, workload: &Workload, site: usize) -> Result<(), Denied> {
    deeds(world, name, workload)
        .iter()
        .try_for_each(|(cargo, actions)| permitted(world, cargo, actions, site, None).map(drop))
}

/// Whether ranks may exchange a form of what a workload derives (gradients, activations) at a site.
pub(super) fn may_exchange(world: &World<'_>, name: &str, form: Form, site: usize) -> Result<(), Denied> {
    let cargo = held(name, form, &labels(&world.loaded.scenario, name));
    permitted(world, &cargo, &[Action::Process, Action::Access], site, None).map(drop)
}

/// Whether the ranks of a service's replica may exchange activations at a site: values that derive from the weights, and
/// from requests on a data set, if they are about one.
pub(super) fn may_share(
    world: &World<'_>,
    name: &str,
    service: &Service,
    data: Option<&str>,
    site: usize,
) -> Result<(), Denied> {
    let mut read: Vec<&str> = data.into_iter().collect();
    read.extend(service.weights_of.as_deref().map(|of| origins(world, of)).unwrap_or_default());
    permitted(world, &held(name, Form::Activations, &read), &[Action::Process, Action::Access], site, None).map(drop)
}

/// The data set itself, or those from which a workload's product derives.
fn origins<'a>(world: &World<'a>, what: &'a str) -> Vec<&'a str> {
    let scenario = &world.loaded.scenario;
    if scenario.datasets.contains_key(what) { vec![what] } else { labels(scenario, what) }
}

/// Whether requests on a data set may be answered at a site.
pub(super) fn may_answer(world: &World<'_>, name: &str, data: &str, site: usize) -> Result<(), Denied> {
    permitted(world, &held(name, Form::Raw, &[data]), &[Action::Process, Action::Access], site, None).map(drop)
}

/// What `prefer` rules count for a gigabyte of a cargo that comes to a site.
pub(super) fn preference_per_gb(world: &World<'_>, cargo: &Cargo, site: usize) -> Decimal {
    preferences(world, &cargo.labels, cargo.form, Action::Store, site, |rule| rule.per_gb.map(|price| price.0))
}

/// What `prefer` rules count for an hour of a node of a workload at a site.
pub(super) fn preference_per_hour(world: &World<'_>, name: &str, site: usize) -> Decimal {
    let labels: Vec<String> = labels(&world.loaded.scenario, name).into_iter().map(str::to_owned).collect();
    preferences(world, &labels, Form::Raw, Action::Process, site, |rule| rule.per_hour.map(|price| price.0))
}

/// Prices of all `prefer` rules about data that name other places than a site.
fn preferences(
    world: &World<'_>,
    labels: &[String],
    form: Form,
    action: Action,
    site: usize,
    price: impl Fn(&Rule) -> Option<Decimal>,
) -> Decimal {
    let scenario = &world.loaded.scenario;
    let Some(placed) = world.loaded.sites.get(world.site_name(site)) else { return Decimal::ZERO };
    let concerns = |rule: &&Rule| {
        let about = |label: &String| {
            let class = scenario.datasets.get(label).map_or(PUBLIC, |data| data.class.as_str());
            rule.data.contains(label) || rule.classes.iter().any(|named| named == class)
        };
        let elsewhere = !rule.places.iter().any(|place| place == "anywhere" || placed.places.contains(place));
        rule.effect == Effect::Prefer
            && elsewhere
            && rule.forms.contains(&form)
            && rule.actions.contains(&action)
            && labels.iter().any(about)
    };
    scenario.policies.values().filter(concerns).filter_map(price).sum()
}
