//! Residency rules.

use std::collections::BTreeSet;

use super::places::Places;
use super::{Check, contradictions};
use crate::diagnostics::{Diagnostic, did_you_mean};
use crate::residency::PUBLIC;
use crate::scenario::{Action, Effect, Rule};
use crate::units::Date;
use crate::yaml::Located;

pub(super) fn check(check: &mut Check<'_>) {
    let scenario = check.scenario;
    let places = Places::of_rules(scenario, check.catalog);
    let about = About {
        classes: scenario.datasets.values().map(|dataset| dataset.class.as_str()).collect(),
        safeguards: safeguards(check),
        starts: scenario.starts(check.catalog),
    };
    let policies = check.root.key("policies");
    for (name, rule) in &scenario.policies {
        let at = policies.key(name);
        data(check, rule, &about, &at);
        for (index, place) in rule.places.iter().enumerate() {
            places.expect(check, place, &at.key("places").item(index));
        }
        complete(check, rule, &at);
        conditions(check, rule, &about, &at);
        prices(check, rule, &at);
        reach(check, rule, &at);
    }
    contradictions::check(check, &places, about.starts);
}

/// What rules may speak of.
struct About<'a> {
    classes: BTreeSet<&'a str>,
    safeguards: BTreeSet<&'a str>,
    starts: Date,
}

/// Everything that some site or link provides.
fn safeguards<'a>(check: &Check<'a>) -> BTreeSet<&'a str> {
    let sites = check.scenario.sites.values().flat_map(|site| &site.safeguards);
    let links = check.scenario.links.iter().flat_map(|link| &link.safeguards);
    sites.chain(links).map(String::as_str).collect()
}

fn data(check: &mut Check<'_>, rule: &Rule, about: &About<'_>, at: &Located<'_>) {
    let scenario = check.scenario;
    let restricts = rule.effect != Effect::Prefer;
    for (index, dataset) in rule.data.iter().enumerate() {
        let place = at.key("data").item(index);
        check.expect_key("dataset", dataset, &place, &scenario.datasets);
        if restricts && scenario.datasets.get(dataset).is_some_and(|dataset| dataset.class == PUBLIC) {
            unrestricted(check, &format!("the data of `{dataset}` is public"), &place);
        }
    }
    for (index, class) in rule.classes.iter().enumerate() {
        let place = at.key("classes").item(index);
        if restricts && class == PUBLIC {
            unrestricted(check, "the class is `public`", &place);
        } else if !about.classes.contains(class.as_str()) {
            check.expect_known("class of data", class, &place, about.classes.iter().copied());
        }
    }
}

fn unrestricted(check: &mut Check<'_>, message: &str, at: &Located<'_>) {
    let help = "remove it here, or give the data a class that needs permission";
    check.wrong(at, format!("{message}, and rules do not restrict public data"), "without effect", help);
}

/// A rule says about what, in which forms, and where.
fn complete(check: &mut Check<'_>, rule: &Rule, at: &Located<'_>) {
    if rule.data.is_empty() && rule.classes.is_empty() {
        let problem = Diagnostic::new(at.key_span(), "the rule is about no data", "without effect");
        check.tell(problem.help("add `classes` of data, or `data` sets by name"));
    }
    let lists =
        [("forms", rule.forms.is_empty()), ("actions", rule.actions.is_empty()), ("places", rule.places.is_empty())];
    for (key, _) in lists.into_iter().filter(|(_, is_empty)| *is_empty) {
        let message = format!("the rule names no {key}");
        check.wrong(&at.key(key), message, "without effect", format!("name at least one of the {key}"));
    }
}

/// What a rule requires exists, and it holds on some day of the period. A prohibition that has ended is history.
fn conditions(check: &mut Check<'_>, rule: &Rule, about: &About<'_>, at: &Located<'_>) {
    for (index, needed) in
        rule.requires.iter().enumerate().filter(|(_, name)| !about.safeguards.contains(name.as_str()))
    {
        let known = about.safeguards.iter().copied();
        let help = match about.safeguards.len() {
            0 => format!("add `safeguards: [{needed}]` to the sites and links that provide it"),
            _ => did_you_mean(needed, known),
        };
        let message = format!("nothing provides `{needed}`");
        check.wrong(&at.key("requires").item(index), message, "no site or link has it", help);
    }
    if let Some(last) = rule.expires.filter(|last| *last < about.starts && rule.effect != Effect::Deny) {
        let message = format!("the rule has expired: it held until {last}, and the period starts on {}", about.starts);
        check.wrong(&at.key("expires"), message, "before the period", "renew it with a later day, or remove the rule");
    }
}

/// A preference has a price, and nothing else has one.
fn prices(check: &mut Check<'_>, rule: &Rule, at: &Located<'_>) {
    if rule.effect == Effect::Prefer {
        if rule.per_gb.is_none() && rule.per_hour.is_none() && check.is_sound(at) {
            let problem = Diagnostic::new(at.key_span(), "the preference has no price", "counts nothing");
            check.tell(problem.help("add `per_gb: 0.05 USD/GB` for data elsewhere, or `per_hour: 2 USD/h` for nodes"));
        }
        return;
    }
    for (key, stated) in [("per_gb", rule.per_gb.is_some()), ("per_hour", rule.per_hour.is_some())] {
        if stated && check.is_sound(&at.key("effect")) {
            let problem = Diagnostic::new(at.key(key).key_span(), "only preferences have a price", "of `prefer`");
            check.tell(problem.help("remove it, or write `effect: prefer`"));
        }
    }
}

/// Access is judged by the operator's country, so that a site's name says nothing about it.
fn reach(check: &mut Check<'_>, rule: &Rule, at: &Located<'_>) {
    if rule.actions.iter().any(|action| *action != Action::Access) {
        return;
    }
    let scenario = check.scenario;
    let sites = rule.places.iter().enumerate().filter(|(_, place)| scenario.sites.contains_key(*place));
    for (index, site) in sites {
        let message = format!("access is judged by the operator's country, not by a site such as `{site}`");
        let help = "name the country, provider or group whose law the operator follows";
        check.wrong(&at.key("places").item(index), message, "without effect", help);
    }
}
