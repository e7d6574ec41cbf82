//! What residency rules say about one site.

use scenarios::plan::PermittedBy;
use scenarios::residency::{Denied, Label, Place, permit};
use scenarios::scenario::{Action, Form, Job, Workload};

use super::World;

/// Rules that permit all of `actions` on `form` of data with `labels` at a site.
pub(super) fn permitted(
    world: &World<'_>,
    labels: &[String],
    form: Form,
    actions: &[Action],
    site: usize,
) -> Result<Vec<PermittedBy>, Denied> {
    let Some((name, placed)) = world.loaded.sites.get_key_value(world.site_name(site)) else {
        return Ok(Vec::new());
    };
    let place = Place { site: name, names: &placed.places };
    let mut rules = Vec::new();
    for dataset in labels {
        let Some(data) = world.loaded.scenario.datasets.get(dataset) else { continue };
        let label = Label { dataset, class: &data.class };
        for action in actions {
            rules.extend(permit(&world.loaded.scenario.policies, label, form, *action, place)?);
        }
    }
    Ok(rules)
}

/// Labels of the weights that a training produces, or that an evaluation reads.
pub(super) fn weight_labels(world: &World<'_>, workload: &Workload) -> Vec<String> {
    match &workload.job {
        Job::Train(training) => vec![training.data.clone()],
        Job::Evaluate(evaluation) => world
            .loaded
            .scenario
            .workloads
            .get(&evaluation.weights_of)
            .map(|trained| vec![trained.job.data().to_owned()])
            .unwrap_or_default(),
    }
}

/// Rules that permit a workload to process its data at a site; none for public data.
#[must_use]
pub fn permitting(world: &World<'_>, workload: &Workload, site: usize) -> Vec<PermittedBy> {
    let raw = [workload.job.data().to_owned()];
    permitted(world, &raw, Form::Raw, &[Action::Process], site).unwrap_or_default()
}

/// Whether a workload may run at a site, as far as its weights and the data at hand are concerned.
/// Copies of raw data are checked where they are routed.
pub(super) fn may_run(world: &World<'_>, workload: &Workload, site: usize) -> Result<(), Denied> {
    let raw = [workload.job.data().to_owned()];
    permitted(world, &raw, Form::Raw, &[Action::Process], site)?;
    let weights = weight_labels(world, workload);
    let actions: &[Action] = match workload.job {
        Job::Train(_) => &[Action::Store],
        Job::Evaluate(_) => &[Action::Store, Action::Process],
    };
    permitted(world, &weights, Form::Weights, actions, site).map(drop)
}

/// Whether ranks may exchange gradients at a site.
pub(super) fn may_exchange_gradients(world: &World<'_>, workload: &Workload, site: usize) -> Result<(), Denied> {
    permitted(world, &weight_labels(world, workload), Form::Gradients, &[Action::Process], site).map(drop)
}
