//! Data and weights are where they are needed when they are needed, and may be used there.

use scenarios::plan::{Assignment, Flow};
use scenarios::residency::{Deed, Label, Period, Place, permit};
use scenarios::scenario::{Action, Form, Job};

use super::{Check, Report, Subject, TOLERANCE_SECONDS};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report) {
    for assignment in &subject.plan.assignments {
        let sites: Vec<&str> = assignment.groups.iter().map(|group| group.site.as_str()).collect();
        for site in sites {
            data(subject, assignment, site, report);
            match &assignment.job {
                Job::Train(training) | Job::FineTune(training) => {
                    may(subject, &training.data, Form::Weights, Action::Store, site, report);
                    if assignment.strategy.ranks() > 1 {
                        may(subject, &training.data, Form::Gradients, Action::Process, site, report);
                    }
                }
                Job::Evaluate(evaluation) => weights(subject, assignment, &evaluation.weights_of, site, report),
                Job::Preprocess(_) | Job::BatchInference(_) | Job::Serve(_) => {}
            }
        }
    }
}

/// The data set lies at the site, or was copied there before the start; it may be processed there.
fn data(subject: &Subject<'_>, assignment: &Assignment, site: &str, report: &mut Report) {
    let Some(name) = assignment.job.data() else { return };
    may(subject, name, Form::Raw, Action::Process, site, report);
    let lies_there = subject.loaded.scenario.datasets.get(name).is_some_and(|data| data.at.iter().any(|at| at == site));
    let copied = |flow: &Flow| {
        flow.what == name
            && flow.form == Form::Raw
            && flow.to == site
            && flow.end_seconds <= assignment.start_seconds + TOLERANCE_SECONDS
    };
    let present = lies_there || subject.plan.flows.iter().any(copied);
    report.expect(present, Check::Presence, || {
        format!("`{}` reads `{name}` at `{site}`, where it is not when it starts", assignment.workload)
    });
}

/// The weights were trained at the site, or have arrived before the start; they may be used there.
fn weights(subject: &Subject<'_>, assignment: &Assignment, trained: &str, site: &str, report: &mut Report) {
    let Some(training) = subject.plan.assignments.iter().find(|other| other.workload == trained) else {
        report.expect(false, Check::Presence, || format!("`{}` evaluates nothing", assignment.workload));
        return;
    };
    for action in [Action::Store, Action::Process] {
        may(subject, training.job.data().unwrap_or_default(), Form::Weights, action, site, report);
    }
    let made_here = training.groups.iter().any(|group| group.site == site);
    let arrived = |flow: &Flow| {
        flow.what == trained
            && flow.form == Form::Weights
            && flow.used_by == assignment.workload
            && training.groups.iter().any(|group| group.site == flow.from)
            && flow.to == site
            && flow.start_seconds + TOLERANCE_SECONDS >= training.end_seconds
            && flow.end_seconds <= assignment.start_seconds + TOLERANCE_SECONDS
    };
    let present = made_here || subject.plan.flows.iter().any(arrived);
    report.expect(present, Check::Presence, || {
        format!("`{}` reads the weights of `{trained}` at `{site}`, where they are not", assignment.workload)
    });
}

/// A rule permits the action, or the data is public.
fn may(subject: &Subject<'_>, dataset: &str, form: Form, action: Action, site: &str, report: &mut Report) {
    let Some(data) = subject.loaded.scenario.datasets.get(dataset) else { return };
    let Some((site, placed)) = subject.loaded.sites.get_key_value(site) else { return };
    let from = subject.loaded.starts(subject.catalog);
    let period = Period { from, until: from };
    let label = Label { dataset, class: &data.class };
    let rules = &subject.loaded.scenario.policies;
    if let Err(denied) = permit(rules, &Deed { label, form, action, place: Place::of(site, placed), period }) {
        report.expect(false, Check::Presence, || denied.to_string());
    }
}
