//! Rules permit whatever is done with data: where workloads run, and wherever data moves (DESIGN 4).
//!
//! At a site a workload processes what it reads, keeps what it makes, and its ranks exchange what they derive. A movement
//! is kept and processed where it ends and passes through every site on its way. For all of it the rules of every label
//! have to permit the action at that site, with what site and link provide, to the day of the workload's latest end.

use std::collections::BTreeSet;

use scenarios::plan::{Flow, PermittedBy};
use scenarios::residency::{Deed, Denied, Label, Period, Place, permit};
use scenarios::scenario::{Action, Form, Job, Link};

use super::movements::about;
use super::subject::{Run, Subject};
use super::{Check, Verification, content};

const PROCESS: &[Action] = &[Action::Process, Action::Access];
const MAKE: &[Action] = &[Action::Store, Action::Access];
const USE: &[Action] = &[Action::Store, Action::Process, Action::Access];
const TRANSIT: &[Action] = &[Action::Transit];

pub(super) fn check(subject: &Subject<'_>, found: &mut Verification) {
    for run in &subject.runs {
        for site in run.sites() {
            for doing in doings(subject, run, site) {
                let (_, denied) = asked(subject, run, &doing);
                found.expect(denied.is_empty(), Check::Residency, || {
                    format!("`{}` at `{site}`: {}", run.name, joined(&denied))
                });
            }
        }
    }
    for flow in &subject.plan.flows {
        if let Some(run) = subject.run(&flow.used_by) {
            moved(subject, flow, &run, found);
        }
    }
}

fn joined(denied: &[Denied]) -> String {
    denied.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Something that is done with a form of data at a site.
struct Doing<'a> {
    form: Form,
    labels: BTreeSet<&'a str>,
    actions: &'static [Action],
    site: &'a str,
    /// The link over which it came, which may provide safeguards.
    link: Option<&'a Link>,
}

/// The rules that permit something, and what denies it.
fn asked(subject: &Subject<'_>, run: &Run<'_>, doing: &Doing<'_>) -> (Vec<PermittedBy>, Vec<Denied>) {
    let (mut permitted, mut denied) = (Vec::new(), Vec::new());
    let Some(placed) = subject.loaded.sites.get(doing.site) else { return (permitted, denied) };
    let from = subject.loaded.starts(subject.catalog);
    let period = Period { from, until: from.after(subject.latest_end(run.workload)) };
    let mut safeguards = placed.safeguards.clone();
    safeguards.extend(doing.link.into_iter().flat_map(|link| link.safeguards.iter().cloned()));
    let place = Place { safeguards: &safeguards, ..Place::of(doing.site, placed) };
    for dataset in &doing.labels {
        let Some(data) = subject.scenario.datasets.get(*dataset) else { continue };
        let label = Label { dataset, class: &data.class };
        for action in doing.actions {
            let deed = Deed { label, form: doing.form, action: *action, place, period };
            match permit(&subject.scenario.policies, &deed) {
                Ok(by) => permitted.extend(by),
                Err(refused) => denied.push(refused),
            }
        }
    }
    (permitted, denied)
}

/// What a workload does at one of its sites.
fn doings<'a>(subject: &Subject<'a>, run: &Run<'a>, site: &'a str) -> Vec<Doing<'a>> {
    let own = || subject.labels(run.name);
    let mut all: Vec<(Form, BTreeSet<&str>, &[Action])> = Vec::new();
    let job = &run.workload.job;
    if let Some(data) = job.data() {
        all.push(match subject.scenario.datasets.get(data) {
            Some(dataset) if content::held_at(dataset, site).is_some() => (Form::Raw, subject.labels(data), PROCESS),
            Some(_) => (Form::Raw, subject.labels(data), USE),
            None => (Form::Features, subject.labels(data), PROCESS),
        });
    }
    if let Some(weights) = job.weights_of() {
        all.push((Form::Weights, subject.labels(weights), USE));
    }
    match job {
        Job::Train(_) | Job::FineTune(_) => {
            all.extend([Form::Weights, Form::Checkpoints, Form::Metrics].map(|form| (form, own(), MAKE)));
        }
        Job::Preprocess(_) | Job::BatchInference(_) => all.push((Form::Features, own(), MAKE)),
        Job::Evaluate(_) => all.push((Form::Metrics, own(), MAKE)),
        Job::Serve(_) => {
            let requests = asked_at(run, site);
            all.extend(requests.iter().map(|data| (Form::Raw, BTreeSet::from([*data]), PROCESS)));
        }
    }
    all.extend(exchanged(subject, run, site).into_iter().map(|(form, labels)| (form, labels, PROCESS)));
    all.into_iter().map(|(form, labels, actions)| Doing { form, labels, actions, site, link: None }).collect()
}

/// Data sets whose rules hold for the requests that a service answers at a site.
fn asked_at<'a>(run: &Run<'a>, site: &str) -> BTreeSet<&'a str> {
    let at = |group: usize| run.assignment.groups.get(group).is_some_and(|group| group.site == site);
    run.assignment.routing.iter().filter(|routing| at(routing.group)).filter_map(|r| r.data.as_deref()).collect()
}

/// What ranks at a site exchange: gradients of a training, and activations where they share the layers of a network.
fn exchanged<'a>(subject: &Subject<'a>, run: &Run<'a>, site: &str) -> Vec<(Form, BTreeSet<&'a str>)> {
    let strategy = &run.assignment.strategy;
    let here = run.assignment.groups.iter().filter(|group| group.site == site);
    let ranks = here.map(|group| u64::from(group.nodes) * u64::from(group.ranks_per_node));
    let ranks = ranks.fold(0, u64::saturating_add);
    let mut found = Vec::new();
    if ranks < 2 {
        return found;
    }
    if run.workload.job.training().is_some() {
        found.push((Form::Gradients, subject.labels(run.name)));
    }
    if [strategy.tensor, strategy.pipeline, strategy.context, strategy.expert].iter().any(|ranks| ranks.get() > 1) {
        let mut labels = subject.labels(run.name);
        if run.is_service() {
            labels = run.workload.job.weights_of().map(|weights| subject.labels(weights)).unwrap_or_default();
            labels.extend(asked_at(run, site));
        }
        found.push((Form::Activations, labels));
    }
    found
}

/// Rules permit a movement at every stop, and it names exactly those.
fn moved(subject: &Subject<'_>, flow: &Flow, run: &Run<'_>, found: &mut Verification) {
    let labels: BTreeSet<&str> = content::purpose(subject, flow, run)
        .map_or_else(|| subject.labels(&flow.what), |purpose| content::labels(subject, flow, purpose));
    let mut expected = Vec::new();
    let mut before = flow.from.as_str();
    let relays = flow.via.iter().map(|site| (site, TRANSIT));
    for (site, actions) in relays.chain([(&flow.to, USE)]) {
        let link = subject.link(before, site);
        let doing = Doing { form: flow.form, labels: labels.clone(), actions, site, link };
        let (permitted, denied) = asked(subject, run, &doing);
        found.expect(denied.is_empty(), Check::Residency, || format!("{}: {}", about(flow), joined(&denied)));
        expected.extend(permitted);
        before = site;
    }
    let sorted = |rules: &[PermittedBy]| {
        let mut keys: Vec<_> =
            rules.iter().map(|by| (by.site.clone(), by.label.clone(), by.action, by.rule.clone())).collect();
        keys.sort();
        keys
    };
    found.expect(sorted(&expected) == sorted(&flow.rule), Check::Residency, || {
        format!("{}: the rules that permit it are {}, not {}", about(flow), named(&expected), named(&flow.rule))
    });
}

fn named(rules: &[PermittedBy]) -> String {
    let shown = |by: &PermittedBy| format!("`{}` ({} of `{}` at `{}`)", by.rule, by.action, by.label, by.site);
    if rules.is_empty() { "none".to_owned() } else { rules.iter().map(shown).collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests {
    use scenarios::scenario::{Action, Effect, Form};

    use super::super::Check::Residency;
    use super::super::fixtures::{check, check_with, flow};

    #[test]
    fn movements_name_the_rules_that_permit_them() {
        check("no rule", |plan| flow(plan, "train").rule.clear(), &[Residency]);
        check("a rule too few", |plan| drop(flow(plan, "train").rule.pop()), &[Residency]);
        check("another rule", |plan| flow(plan, "train").rule[0].rule = "other".to_owned(), &[Residency]);
        check("another action", |plan| flow(plan, "train").rule[0].action = Action::Access, &[Residency]);
        check("another site", |plan| flow(plan, "train").rule[0].site = "cloud".to_owned(), &[Residency]);
        check(
            "a rule for public data",
            |plan| {
                let rule = flow(plan, "train").rule[0].clone();
                flow(plan, "llm").rule.push(rule);
            },
            &[Residency],
        );
    }

    /// A plan that is right, after a rule was added that denies a form in an action at a place.
    fn denies(form: Form, action: Action, place: &str) {
        check_with(
            &format!("{action} of {form} at {place}"),
            |scenario| {
                let mut rule = scenario.policies[0].clone();
                rule.effect = Effect::Deny;
                rule.classes = vec!["health".to_owned(), "personal".to_owned()];
                (rule.forms, rule.actions) = (vec![form], vec![action]);
                (rule.places, rule.requires, rule.expires) = (vec![place.to_owned()], vec![], None);
                scenario.policies.insert("new".to_owned(), rule);
            },
            |_| (),
            &[Residency],
        );
    }

    #[test]
    fn everything_that_is_done_with_data_is_judged() {
        denies(Form::Raw, Action::Process, "clinic");
        denies(Form::Features, Action::Store, "clinic");
        denies(Form::Features, Action::Transit, "lab");
        denies(Form::Features, Action::Process, "cloud");
        denies(Form::Gradients, Action::Process, "cloud");
        denies(Form::Weights, Action::Store, "cloud");
        denies(Form::Checkpoints, Action::Store, "cloud");
        denies(Form::Metrics, Action::Store, "clinic");
        denies(Form::Weights, Action::Process, "lab");
        denies(Form::Raw, Action::Access, "US");
        check_with(
            "a link that encrypts nothing",
            |scenario| scenario.links[0].safeguards.clear(),
            |_| (),
            &[Residency],
        );
        let day = |text: &str| text.parse().ok();
        let expire = |text: &'static str| {
            move |scenario: &mut scenarios::scenario::Scenario| {
                scenario.policies["health-in-europe"].expires = day(text);
            }
        };
        check_with("a rule that lasts", expire("2027-01-31"), |_| (), &[]);
        check_with("a rule that ends", expire("2027-01-02"), |_| (), &[Residency]);
    }
}
