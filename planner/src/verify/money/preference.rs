//! What `prefer` rules count against a plan: gigabytes that come to, and hours of nodes at, places that a rule does not
//! name.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use scenarios::residency::PUBLIC;
use scenarios::scenario::{Action, Effect, Form, Rule};

use super::exact::{add, gigabytes, hours, times};
use super::{Purpose, Subject, content};

/// All of it in US dollars. Requests of users do not count.
pub(in crate::verify) fn value(subject: &Subject<'_>) -> Decimal {
    let mut usd = Decimal::ZERO;
    for rule in subject.scenario.policies.values().filter(|rule| rule.effect == Effect::Prefer) {
        usd = add(usd, add(of_movements(subject, rule), of_nodes(subject, rule)));
    }
    usd
}

fn of_movements(subject: &Subject<'_>, rule: &Rule) -> Decimal {
    let Some(price) = rule.per_gb else { return Decimal::ZERO };
    let mut usd = Decimal::ZERO;
    for flow in &subject.plan.flows {
        let purpose = subject.run(&flow.used_by).and_then(|run| content::purpose(subject, flow, &run));
        let Some(purpose) = purpose.filter(|purpose| !matches!(purpose, Purpose::Requests)) else { continue };
        let labels = content::labels(subject, flow, purpose);
        if counts(subject, rule, &labels, (flow.form, Action::Store), &flow.to) {
            usd = add(usd, times(price.0, gigabytes(flow.bytes)));
        }
    }
    usd
}

fn of_nodes(subject: &Subject<'_>, rule: &Rule) -> Decimal {
    let Some(price) = rule.per_hour else { return Decimal::ZERO };
    let mut usd = Decimal::ZERO;
    for run in &subject.runs {
        let labels = subject.labels(run.name);
        let hours = hours(run.seconds());
        for group in &run.assignment.groups {
            if counts(subject, rule, &labels, (Form::Raw, Action::Process), &group.site) {
                usd = add(usd, times(price.0, times(group.nodes.into(), hours)));
            }
        }
    }
    usd
}

/// Whether a rule is about one of the labels in this form and action, and names other places than the site.
fn counts(
    subject: &Subject<'_>,
    rule: &Rule,
    labels: &BTreeSet<&str>,
    (form, action): (Form, Action),
    site: &str,
) -> bool {
    let about = |label: &&str| {
        let class = subject.scenario.datasets.get(*label).map_or(PUBLIC, |data| data.class.as_str());
        rule.data.iter().any(|name| name == label) || rule.classes.iter().any(|named| named == class)
    };
    let named = subject
        .loaded
        .sites
        .get(site)
        .is_none_or(|placed| rule.places.iter().any(|place| place == "anywhere" || placed.places.contains(place)));
    !named && rule.forms.contains(&form) && rule.actions.contains(&action) && labels.iter().any(about)
}
